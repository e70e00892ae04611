package poly

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// testSeed replays every random run of this package.
const testSeed = 0x706f6c79

func newRand(t testing.TB, stream uint64) *rand.Rand {
	t.Logf("seed %#x stream %d", testSeed, stream)
	return rand.New(rand.NewPCG(testSeed, stream))
}

func randomElement(r *rand.Rand) fr.Element {
	var b [48]byte
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	var e fr.Element
	e.SetBytes(b[:])
	return e
}

func randomElements(r *rand.Rand, n int) []fr.Element {
	out := make([]fr.Element, n)
	for i := range out {
		out[i] = randomElement(r)
	}
	return out
}

func integer(e *fr.Element) *big.Int { return e.BigInt(new(big.Int)) }

func fromBig(v *big.Int) fr.Element {
	var e fr.Element
	e.SetBigInt(v)
	return e
}

// naiveEq is the definition of eq, on integers.
func naiveEq(point []fr.Element, index uint64) fr.Element {
	acc := big.NewInt(1)
	for j := range point {
		f := integer(&point[j])
		if index>>(len(point)-1-j)&1 == 0 {
			f.Sub(big.NewInt(1), f)
		}
		acc.Mul(acc, f).Mod(acc, fr.Modulus())
	}
	return fromBig(acc)
}

func naiveEvaluate(table, point []fr.Element) fr.Element {
	var acc fr.Element
	for i := range table {
		e := naiveEq(point, uint64(i))
		e.Mul(&e, &table[i])
		acc.Add(&acc, &e)
	}
	return acc
}

func TestFromInt64(t *testing.T) {
	for _, v := range []int64{0, 1, -1, 1 << 62, -1 << 63, 1<<63 - 1, -5} {
		if got := FromInt64(v); got != fromBig(big.NewInt(v)) {
			t.Errorf("FromInt64(%d) = %v", v, got.String())
		}
	}
}

func TestEqTablesMatchDefinition(t *testing.T) {
	r := newRand(t, 1)
	for vars := range 13 {
		point := randomElements(r, vars)
		scale := randomElement(r)
		size := 1 << vars
		full := Eq(point)
		for range 20 {
			n := 0
			switch r.IntN(4) {
			case 0:
				n = size
			case 1:
				n = min(size, r.IntN(3))
			default:
				n = r.IntN(size + 1)
			}
			prefix := EqPrefix(point, n)
			scaled := make([]fr.Element, n)
			EqScaled(scaled, point, scale)
			for range min(n, 20) {
				i := r.IntN(n)
				want := naiveEq(point, uint64(i))
				if prefix[i] != want || full[i] != want || EqAt(point, uint64(i)) != want {
					t.Fatalf("vars %d prefix %d: entry %d differs from the definition", vars, n, i)
				}
				want.Mul(&want, &scale)
				if scaled[i] != want {
					t.Fatalf("vars %d prefix %d: scaled entry %d differs", vars, n, i)
				}
			}
		}
	}
}

func TestEqPrefixOfManyVariablesStaysSmall(t *testing.T) {
	r := newRand(t, 2)
	point := randomElements(r, 100)
	for _, n := range []int{0, 1, 2, 3, 1000} {
		table := EqPrefix(point, n)
		for i := range table {
			if table[i] != EqAt(point, uint64(i)) {
				t.Fatalf("prefix %d: entry %d differs", n, i)
			}
		}
	}
}

func TestEqEvalExtendsEquality(t *testing.T) {
	r := newRand(t, 3)
	for vars := range 6 {
		a, b := randomElements(r, vars), randomElements(r, vars)
		ta, tb := Eq(a), Eq(b)
		var want fr.Element
		for i := range ta {
			var p fr.Element
			p.Mul(&ta[i], &tb[i])
			want.Add(&want, &p)
		}
		if got := EqEval(a, b); got != want {
			t.Errorf("vars %d: EqEval differs from Σ eq(a,i)·eq(b,i)", vars)
		}
	}
}

func TestLessIsPrefixSumOfEq(t *testing.T) {
	r := newRand(t, 4)
	for vars := range 7 {
		point := randomElements(r, vars)
		var sum fr.Element
		for n := uint64(0); n <= 1<<vars; n++ {
			if got := Less(point, n); got != sum {
				t.Fatalf("vars %d: Less(%d) differs", vars, n)
			}
			if n < 1<<vars {
				e := naiveEq(point, n)
				sum.Add(&sum, &e)
			}
		}
	}
	long := randomElements(r, 70)
	var want fr.Element
	for i := range uint64(5) {
		e := EqAt(long, i)
		want.Add(&want, &e)
	}
	if Less(long, 5) != want {
		t.Error("70 variables: Less(5) differs")
	}
}

func TestIndexEvalExtendsIdentity(t *testing.T) {
	r := newRand(t, 5)
	for vars := range 8 {
		point := randomElements(r, vars)
		table := make([]fr.Element, 1<<vars)
		for i := range table {
			table[i].SetUint64(uint64(i))
		}
		if IndexEval(point) != naiveEvaluate(table, point) {
			t.Errorf("vars %d: IndexEval differs", vars)
		}
	}
}

func TestEvaluateMatchesDefinition(t *testing.T) {
	r := newRand(t, 6)
	for vars := range 12 {
		for range 4 {
			table := randomElements(r, r.IntN(1<<vars+1))
			point := randomElements(r, vars)
			if Evaluate(table, point) != naiveEvaluate(table, point) {
				t.Errorf("vars %d, %d entries: Evaluate differs", vars, len(table))
			}
		}
	}
}

// naiveVecMat computes dst + weights·data on integers.
func naiveVecMat(dst, weights []fr.Element, data []int32, stride int) []fr.Element {
	out := make([]fr.Element, len(dst))
	for j := range dst {
		acc := integer(&dst[j])
		for i := range weights {
			if i*stride+j < len(data) {
				d := big.NewInt(int64(data[i*stride+j]))
				acc.Add(acc, d.Mul(d, integer(&weights[i])))
			}
		}
		out[j] = fromBig(acc)
	}
	return out
}

func naiveMatVec(rows int, weights []fr.Element, data []int32, stride int) []fr.Element {
	out := make([]fr.Element, rows)
	for i := range out {
		acc := new(big.Int)
		for j := range weights {
			if i*stride+j < len(data) {
				d := big.NewInt(int64(data[i*stride+j]))
				acc.Add(acc, d.Mul(d, integer(&weights[j])))
			}
		}
		out[i] = fromBig(acc)
	}
	return out
}

// fills are distributions of small integers, from bytes to the extremes of
// int32.
func fills() map[string]func(*rand.Rand) int32 {
	return map[string]func(*rand.Rand) int32{
		"int8":  func(r *rand.Rand) int32 { return int32(int8(r.Uint32())) },
		"int17": func(r *rand.Rand) int32 { return int32(r.Uint32()) >> 15 },
		"int27": func(r *rand.Rand) int32 { return int32(r.Uint32()) >> 5 },
		"int32": func(r *rand.Rand) int32 { return int32(r.Uint32()) },
		"min":   func(*rand.Rand) int32 { return -1 << 31 },
		"max":   func(*rand.Rand) int32 { return 1<<31 - 1 },
		"ends": func(r *rand.Rand) int32 {
			return []int32{-1 << 31, 1<<31 - 1, 0, 1, -1}[r.IntN(5)]
		},
		"rare": func(r *rand.Rand) int32 {
			if r.IntN(500) == 0 {
				return -1 << 31
			}
			return int32(r.IntN(3)) - 1
		},
		"zero": func(*rand.Rand) int32 { return 0 },
	}
}

func randomData(r *rand.Rand, n int, f func(*rand.Rand) int32) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = f(r)
	}
	return out
}

// shapes are rows, columns and stride of products.
func shapes(r *rand.Rand) [][3]int {
	out := [][3]int{
		{0, 0, 0}, {0, 5, 5}, {1, 0, 1}, {1, 1, 1}, {1, 16, 16}, {1, 1000, 1000},
		{1000, 1, 1}, {64, 16, 16}, {65, 33, 40}, {130, 15, 64}, {3, 700, 700},
	}
	for range 6 {
		cols := r.IntN(60)
		out = append(out, [3]int{r.IntN(100), cols, cols + r.IntN(20)})
	}
	return out
}

// weightSets are random weights and the extremes of the field.
func weightSets(r *rand.Rand, n int) map[string][]fr.Element {
	last := make([]fr.Element, n)
	dense := make([]fr.Element, n)
	for i := range last {
		last[i].SetInt64(-1)
		// The Montgomery form of dense[i] is r-1, the largest stored value.
		dense[i] = fr.Element{0x43e1f593f0000000, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029}
	}
	return map[string][]fr.Element{"random": randomElements(r, n), "minus one": last, "dense": dense}
}

func TestVecMatIsExact(t *testing.T) {
	r := newRand(t, 7)
	for _, s := range shapes(r) {
		for fill, f := range fills() {
			data := randomData(r, s[0]*s[2], f)
			data = data[:len(data)-min(len(data), r.IntN(20))]
			for kind, weights := range weightSets(r, s[0]) {
				dst := randomElements(r, s[1])
				want := naiveVecMat(dst, weights, data, s[2])
				VecMat(dst, weights, data, s[2])
				if err := equal(dst, want); err != nil {
					t.Fatalf("shape %v, %s data, %s weights: %v", s, fill, kind, err)
				}
			}
		}
	}
}

func TestMatVecIsExact(t *testing.T) {
	r := newRand(t, 8)
	for _, s := range shapes(r) {
		for fill, f := range fills() {
			data := randomData(r, s[0]*s[2], f)
			data = data[:len(data)-min(len(data), r.IntN(20))]
			for kind, weights := range weightSets(r, s[1]) {
				dst := randomElements(r, s[0])
				want := naiveMatVec(s[0], weights, data, s[2])
				MatVec(dst, weights, data, s[2])
				if err := equal(dst, want); err != nil {
					t.Fatalf("shape %v, %s data, %s weights: %v", s, fill, kind, err)
				}
			}
		}
	}
}

func TestDotIsExact(t *testing.T) {
	r := newRand(t, 9)
	for _, n := range []int{0, 1, 15, 16, 17, 1000, 5000} {
		for fill, f := range fills() {
			row := randomData(r, n, f)
			for kind, weights := range weightSets(r, n) {
				got := Dot(weights, row)
				if want := naiveMatVec(1, weights, row, n); got != want[0] {
					t.Fatalf("%d terms, %s data, %s weights: Dot differs", n, fill, kind)
				}
			}
		}
	}
	weights, row := randomElements(r, 10), randomData(r, 10, fills()["int8"])
	want := naiveMatVec(1, weights[:7], row[:7], 7)
	if Dot(weights, row[:7]) != want[0] || Dot(weights[:7], row) != want[0] {
		t.Error("Dot does not stop at the shorter length")
	}
}

func equal(got, want []fr.Element) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d elements, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			return fmt.Errorf("element %d is %v, want %v", i, got[i].String(), want[i].String())
		}
	}
	return nil
}
