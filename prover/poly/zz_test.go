package poly
import ("testing";"time";"fmt";"github.com/consensys/gnark-crypto/ecc/bn254/fr";"runtime")
func minTime(n int, f func()) time.Duration { best:=time.Hour; for range n { s:=time.Now(); f(); if d:=time.Since(s); d<best {best=d} }; return best }
func TestZZ(t *testing.T){
 runtime.GOMAXPROCS(1)
 r:=newRand(t,1)
 for _,vec:=range []bool{true,false}{
 for _,s:=range [][2]int{{1024,4096},{64,256},{64,4096},{1024,64}}{
  w:=randomElements(r,s[0]); d:=randomData(r,s[0]*s[1],fills()["int17"]); dst:=make([]fr.Element,s[1])
  n:=20; if !vec {n=2}
  b:=minTime(n,func(){product{weights:w,data:d,step:s[1],lane:1,vector:vec}.addTo(dst)})
  fmt.Printf("vecmat %v %v: %.3f ns/term\n",vec,s,float64(b.Nanoseconds())/float64(s[0]*s[1]))
 }
 for _,rows:=range []int{1,2,4,8,16,32,1024}{
  const cols=512
  w:=randomElements(r,cols); d:=randomData(r,rows*cols,fills()["int17"]); dst:=make([]fr.Element,rows)
  b:=minTime(200,func(){product{weights:w,data:d,step:1,lane:cols,vector:vec}.addTo(dst)})
  fmt.Printf("matvec %v %v: %.3f ns/term\n",vec,rows,float64(b.Nanoseconds())/float64(rows*cols))
 }}
 w:=fr.Vector(randomElements(r,512)); z:=make(fr.Vector,512); dd:=make([]digits,512)
 fmt.Printf("scalarmul %.2f\n",float64(minTime(500,func(){z.ScalarMul(w,&w[3])}).Nanoseconds())/512)
 fmt.Printf("mul %.2f\n",float64(minTime(500,func(){z.Mul(w,z)}).Nanoseconds())/512)
 fmt.Printf("ip %.2f\n",float64(minTime(500,func(){w.InnerProduct(z)}).Nanoseconds())/512)
 fmt.Printf("sub %.2f\n",float64(minTime(500,func(){z.Sub(w,z)}).Nanoseconds())/512)
 fmt.Printf("balance %.2f\n",float64(minTime(500,func(){for i:=range w{dd[i]=balance(&w[i])}}).Nanoseconds())/512)
 point:=randomElements(r,18); big:=make([]fr.Element,1<<18)
 fmt.Printf("eq %.2f\n",float64(minTime(10,func(){EqScaled(big,point,point[0])}).Nanoseconds())/(1<<18))
}
