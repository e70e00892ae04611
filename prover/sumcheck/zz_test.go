package sumcheck
import ("testing";"fmt";"syscall";"github.com/consensys/gnark-crypto/ecc/bn254/fr";"github.com/weisyn/wes/prover/poly";"slices")
func cpu() float64 { var u syscall.Rusage; syscall.Getrusage(syscall.RUSAGE_SELF,&u); return float64(u.Utime.Nano()+u.Stime.Nano()) }
func TestZZ(t *testing.T){
 for _,n:=range []int{16,20,22} {
 r:=newRand(t,6)
 small:=make([]int32,1<<n); for i:=range small { small[i]=int32(r.Uint32())>>18 }
 l:=randomElements(r,1<<n); claim:=poly.Dot(l,small); work:=slices.Clone(l)
 best:=1e18
 for range 8 { copy(work,l); s:=cpu(); ProveInner(newTranscript(t),n,claim,small,work); best=min(best,cpu()-s) }
 fmt.Printf("inner %d: cpu %.1f ns/cell\n",n,best/float64(int(1)<<n))
 }
 const n=16
 r:=newRand(t,7)
 inst := []Instance{{Vars: n, Factors: [][]fr.Element{randomElements(r, 1<<n), randomElements(r, 1<<n), randomElements(r, 1<<n)}}}
 claim := sumOf(n, inst)
 best:=1e18
 for range 8 { w:=cloneInstances(inst); s:=cpu(); ProveProducts(newTranscript(t),n,3,claim,w); best=min(best,cpu()-s) }
 fmt.Printf("products3 %d: cpu %.1f ns/cell\n",n,best/float64(int(1)<<n))
}
