package commit

import (
	"context"
	"fmt"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"math/rand"
	"runtime"
	"sort"
	"testing"
	"time"
)

func TestZZRatio(t *testing.T) {
	runtime.GOMAXPROCS(1)
	x := make(fp.Vector, 256)
	y := make(fp.Vector, 256)
	x.MustSetRandom()
	y.MustSetRandom()
	mul := func() float64 {
		s := time.Now()
		for i := 0; i < 800; i++ {
			x.Mul(x, y)
		}
		return float64(time.Since(s).Nanoseconds()) / (800 * 256)
	}
	for _, c := range []struct {
		n          string
		next       func(*rand.Rand) int32
		rows, cols int
	}{
		{"relu2048", distributions()["activations"], 64, 2048},
		{"relu1024", distributions()["activations"], 128, 1024},
		{"normal2048", func(r *rand.Rand) int32 { return int32(r.NormFloat64() * 20) }, 32, 2048},
		{"relu64", distributions()["activations"], 16, 64},
		{"relu256", distributions()["activations"], 64, 256},
		{"w16", distributions()["signed 16"], 16, 2048},
	} {
		k, _ := NewKey(c.cols)
		data := fill(rand.New(rand.NewSource(1)), c.rows*c.cols, c.next)
		nz := 0
		for _, v := range data {
			if v != 0 {
				nz++
			}
		}
		var rs, ns, ms []float64
		rep := max(1, 40000/nz)
		for i := 0; i < 25; i++ {
			m1 := mul()
			s := time.Now()
			for j := 0; j < rep; j++ {
				k.CommitRows(context.Background(), data, c.cols, nil)
			}
			d := float64(time.Since(s).Nanoseconds()) / float64(nz*rep)
			m2 := mul()
			rs = append(rs, d/((m1+m2)/2))
			ns = append(ns, d)
			ms = append(ms, m1, m2)
		}
		sort.Float64s(rs)
		sort.Float64s(ns)
		sort.Float64s(ms)
		fmt.Printf("%-12s ratio p25 %.2f med %.2f  ns min %.1f  mul min %.1f\n", c.n, rs[6], rs[12], ns[0], ms[0])
	}
}
func TestZZAdder(t *testing.T){
 runtime.GOMAXPROCS(1)
 x:=make(fp.Vector,256);y:=make(fp.Vector,256);x.MustSetRandom();y.MustSetRandom()
 mul:=func() float64 { s:=time.Now(); for i:=0;i<800;i++{ x.Mul(x,y)}; return float64(time.Since(s).Nanoseconds())/(800*256)}
 a:=newAdder(); for _,v:=range []fp.Vector{a.x1,a.y1,a.x2,a.y2}{v.MustSetRandom()}
 ox,oy:=make(fp.Vector,lane),make(fp.Vector,lane); for i:=range a.dst{a.dst[i]=int32(i)}
 run:=func(name string,n int,f func()){
 var rs []float64
 for i:=0;i<41;i++{ m1:=mul(); s:=time.Now(); for j:=0;j<20;j++{f()}; d:=float64(time.Since(s).Nanoseconds())/float64(n*20); m2:=mul(); rs=append(rs,d/((m1+m2)/2))}
 sort.Float64s(rs)
 fmt.Printf("%-12s ratio min %.2f p25 %.2f med %.2f\n",name,rs[0],rs[6],rs[12])}
 run("sum",lane,func(){a.n=lane;a.sum(ox,oy)})
 run("special",lane,func(){a.sumSpecial(lane)})
 run("multiply",lane,func(){ for lo,b:=0,0;lo<lane;lo,b=lo+block,b+1{ a.products[b]=multiply(a.inverse[lo:lo+block],a.trees[b][:])}})
 run("divide",lane,func(){ for lo,b:=0,0;lo<lane;lo,b=lo+block,b+1{ divide(a.inverse[lo:lo+block],a.trees[b][:],a.t,&a.products[b])}})
 run("chord",lane,func(){ for lo:=0;lo<lane;lo+=block{ a.chord(lo,lo+block)}})
 run("inv",lane,func(){ invert(a.products[:], a.t,a.u)})
 run("mul1024",lane,func(){ a.x1.Mul(a.x1,a.x2)})
 run("mul4x",lane*4,func(){ for lo:=0;lo<lane;lo+=block{ v:=a.x1[lo:lo+block]; for k:=0;k<4;k++{v.Mul(v,a.x2[lo:lo+block])}}})
 run("sub4x",lane*4,func(){ for lo:=0;lo<lane;lo+=block{ v:=a.x1[lo:lo+block]; for k:=0;k<4;k++{v.Sub(v,a.x2[lo:lo+block])}}})
}
