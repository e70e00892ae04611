package vec

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"pgregory.net/rapid"
)

// words is what both element types are.
type words interface{ ~[4]uint64 }

// edges returns stored forms below p where carries and reductions are extreme.
func edges[E words](p *big.Int) []E {
	one := big.NewInt(1)
	all := func(n uint) *big.Int { return new(big.Int).Sub(new(big.Int).Lsh(one, n), one) }
	values := []*big.Int{new(big.Int), one, new(big.Int).Lsh(one, 256), new(big.Int).Rsh(p, 1)}
	for _, n := range []uint{51, 52, 53, 64, 104, 128, 156, 192, 208, 253} {
		values = append(values, all(n), new(big.Int).Add(all(n), one), new(big.Int).Sub(all(253), all(n)))
	}
	// All-ones limbs below the top one.
	values = append(values, new(big.Int).Sub(new(big.Int).Lsh(new(big.Int).Rsh(p, 208), 208), one))
	var out []E
	for _, v := range values {
		for _, v := range []*big.Int{v, new(big.Int).Neg(v)} {
			var raw [32]byte
			new(big.Int).Mod(v, p).FillBytes(raw[:])
			var e E
			for i, b := range raw {
				e[(31-i)/8] |= uint64(b) << (8 * ((31 - i) % 8))
			}
			out = append(out, e)
		}
	}
	return out
}

// draw returns n elements, some of them edges.
func draw[E words](t *rapid.T, p *big.Int, n int, label string) []E {
	special := edges[E](p)
	state := rapid.Uint64().Draw(t, label)
	next := func() uint64 { // splitmix64
		state += 0x9e3779b97f4a7c15
		z := state
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return z ^ z>>31
	}
	out := make([]E, n)
	for i := range out {
		if k := next(); k%4 == 0 {
			out[i] = special[(k>>32)%uint64(len(special))]
			continue
		}
		// The top word stays below the modulus's.
		out[i] = E{next(), next(), next(), next() % 0x30644e72e131a029}
	}
	return out
}

func TestMulIsTheElementProduct(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 70).Draw(t, "n")
		a, b := draw[fr.Element](t, fr.Modulus(), n, "a"), draw[fr.Element](t, fr.Modulus(), n, "b")
		want := make([]fr.Element, n)
		for i := range want {
			want[i].Mul(&a[i], &b[i])
		}
		got := make([]fr.Element, n)
		Mul(got, a, b)
		same(t, "Mul", got, want)
		got = append([]fr.Element{}, a...)
		Mul(got, got, b)
		same(t, "Mul onto a", got, want)
		got = append([]fr.Element{}, b...)
		Mul(got, a, got)
		same(t, "Mul onto b", got, want)
	})
}

func TestMulFpIsTheElementProduct(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 70).Draw(t, "n")
		a, b := draw[fp.Element](t, fp.Modulus(), n, "a"), draw[fp.Element](t, fp.Modulus(), n, "b")
		want := make([]fp.Element, n)
		for i := range want {
			want[i].Mul(&a[i], &b[i])
		}
		got := make([]fp.Element, n)
		MulFp(got, a, b)
		same(t, "MulFp", got, want)
		got = append([]fp.Element{}, a...)
		MulFp(got, got, b)
		same(t, "MulFp onto a", got, want)
	})
}

func TestSubMulFpFamily(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 140).Draw(t, "n")
		var v [4][]fp.Element
		for i := range v {
			v[i] = draw[fp.Element](t, fp.Modulus(), n, "abcd"[i:i+1])
		}
		a, b, c, d := v[0], v[1], v[2], v[3]
		got, product := make([]fp.Element, n), make([]fp.Element, n)
		less, square := make([]fp.Element, n), make([]fp.Element, n)
		for i := range n {
			product[i].Sub(&a[i], &b[i])
			product[i].Mul(&product[i], &c[i])
			less[i].Sub(&product[i], &d[i])
			square[i].Mul(&a[i], &a[i]).Sub(&square[i], &b[i]).Sub(&square[i], &c[i])
		}
		SubMulFp(got, a, b, c)
		same(t, "SubMulFp", got, product)
		SubMulSubFp(got, a, b, c, d)
		same(t, "SubMulSubFp", got, less)
		SquareSubFp(got, a, b, c)
		same(t, "SquareSubFp", got, square)
		SubMulFp(c, a, b, c)
		same(t, "SubMulFp onto c", c, product)
	})
}

func TestScaleIsTheElementProduct(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 70).Draw(t, "n")
		a, s := draw[fr.Element](t, fr.Modulus(), n, "a"), draw[fr.Element](t, fr.Modulus(), 1, "s")[0]
		want := make([]fr.Element, n)
		for i := range want {
			want[i].Mul(&a[i], &s)
		}
		got := make([]fr.Element, n)
		Scale(got, a, &s)
		same(t, "Scale", got, want)
		got = append([]fr.Element{}, a...)
		Scale(got, got, &s)
		same(t, "Scale onto a", got, want)
		if n > 0 {
			got = append([]fr.Element{s}, a[1:]...)
			want[0].Mul(&s, &s)
			Scale(got, got, &got[0])
			same(t, "Scale by an entry", got, want)
		}
	})
}

func TestAddScaledAddsTheElementProduct(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 140).Draw(t, "n")
		v := func(label string, n int) []fr.Element { return draw[fr.Element](t, fr.Modulus(), n, label) }
		a, dst, s := v("a", n), v("dst", n), v("s", 1)[0]
		want, twice := make([]fr.Element, n), make([]fr.Element, n)
		for i := range want {
			want[i].Mul(&a[i], &s)
			twice[i].Add(&want[i], &a[i])
			want[i].Add(&want[i], &dst[i])
		}
		AddScaled(dst, a, &s)
		same(t, "AddScaled", dst, want)
		AddScaled(a, a, &s)
		same(t, "AddScaled onto a", a, twice)
	})
}

func TestFoldInterpolates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 140).Draw(t, "n")
		v := func(label string, n int) []fr.Element { return draw[fr.Element](t, fr.Modulus(), n, label) }
		lo, hi, s := v("lo", n), v("hi", n), v("s", 1)[0]
		want := make([]fr.Element, n)
		for i := range want {
			want[i].Sub(&hi[i], &lo[i])
			want[i].Mul(&want[i], &s)
			want[i].Add(&want[i], &lo[i])
		}
		Fold(lo, hi, &s)
		same(t, "Fold", lo, want)
	})
}

func TestCrossIsTheSumOfTwoProducts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 140).Draw(t, "n")
		var v [4][]fr.Element
		for i := range v {
			v[i] = draw[fr.Element](t, fr.Modulus(), n, "abcd"[i:i+1])
		}
		want := make([]fr.Element, n)
		var x fr.Element
		for i := range want {
			want[i].Add(want[i].Mul(&v[0][i], &v[1][i]), x.Mul(&v[2][i], &v[3][i]))
		}
		got := make([]fr.Element, n)
		Cross(got, v[0], v[1], v[2], v[3])
		same(t, "Cross", got, want)
		onto := rapid.IntRange(0, 3).Draw(t, "onto")
		Cross(v[onto], v[0], v[1], v[2], v[3])
		same(t, "Cross onto an operand", v[onto], want)
	})
}

func TestInnerDifferenceIsTheSumOfProducts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.IntRange(0, 140), rapid.IntRange(0, 3*lanes*maxBatches)).Draw(t, "n")
		var v [4][]fr.Element
		for i := range v {
			v[i] = draw[fr.Element](t, fr.Modulus(), n, "abcd"[i:i+1])
		}
		var want, x, y fr.Element
		for i := range n {
			x.Sub(&v[0][i], &v[1][i])
			y.Sub(&v[2][i], &v[3][i])
			want.Add(&want, x.Mul(&x, &y))
		}
		if got := InnerDifference(v[0], v[1], v[2], v[3]); got != want {
			t.Fatalf("InnerDifference of %d = %v, want %v", n, got, want)
		}
	})
}

func TestInnerIsTheSumOfProducts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.OneOf(rapid.IntRange(0, 70), rapid.IntRange(0, 3*lanes*maxBatches)).Draw(t, "n")
		a, b := draw[fr.Element](t, fr.Modulus(), n, "a"), draw[fr.Element](t, fr.Modulus(), n, "b")
		checkInner(t, a, b)
	})
}

func TestInnerOfTheLargestValues(t *testing.T) {
	for _, n := range []int{lanes, lanes * maxBatches, lanes*maxBatches + 7} {
		for _, e := range edges[fr.Element](fr.Modulus()) {
			v := make([]fr.Element, n)
			for i := range v {
				v[i] = e
			}
			checkInner(t, v, v)
		}
	}
}

type tester interface {
	Helper()
	Fatalf(string, ...any)
}

func checkInner(t tester, a, b []fr.Element) {
	t.Helper()
	var want, x fr.Element
	for i := range a {
		want.Add(&want, x.Mul(&a[i], &b[i]))
	}
	if got := Inner(a, b); got != want {
		t.Fatalf("Inner of %d = %x, want %x", len(a), got, want)
	}
	var sum wide
	sum.addProducts(a, b)
	if got := sum.reduce(); got != want {
		t.Fatalf("scalar inner product of %d = %x, want %x", len(a), got, want)
	}
}

func same[E comparable](t tester, what string, got, want []E) {
	t.Helper()
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s: entry %d of %d is %v, want %v", what, i, len(want), got[i], want[i])
		}
	}
}

func TestCallsDoNotAllocate(t *testing.T) {
	const n = 2*block + 1
	var v [5][]fr.Element
	for i := range v {
		v[i] = make([]fr.Element, n)
	}
	allocs := testing.AllocsPerRun(10, func() {
		Mul(v[0], v[1], v[2])
		Cross(v[0], v[1], v[2], v[3], v[4])
		Scale(v[0], v[1], &v[2][0])
		AddScaled(v[0], v[1], &v[2][0])
		Fold(v[0], v[1], &v[2][0])
		Inner(v[0], v[1])
		InnerDifference(v[0], v[1], v[2], v[3])
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func TestLengthsMustMatch(t *testing.T) {
	for _, n := range [][3]int{{1, 2, 2}, {2, 1, 2}, {2, 2, 1}} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Fatal("no panic")
				}
			}()
			Mul(make([]fr.Element, n[0]), make([]fr.Element, n[1]), make([]fr.Element, n[2]))
		})
	}
}

func BenchmarkFr(b *testing.B) {
	const n = 512
	x, y, z := make(fr.Vector, n), make(fr.Vector, n), make(fr.Vector, n)
	x.MustSetRandom()
	y.MustSetRandom()
	s := y[0]
	run := func(name string, f func()) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/elem")
		})
	}
	run("mul", func() { Mul(z, x, y) })
	run("mul/gnark", func() { z.Mul(x, y) })
	run("scale", func() { Scale(z, x, &s) })
	run("scale/gnark", func() { z.ScalarMul(x, &s) })
	run("inner", func() { Inner(x, y) })
	run("inner/gnark", func() { x.InnerProduct(y) })
	run("add/gnark", func() { z.Add(x, y) })
	run("scale16", func() { Scale(z[:16], x[:16], &s) })
	run("inner16", func() { Inner(z[:16], x[:16]) })
	run("inner15", func() { Inner(z[:15], x[:15]) })
}
