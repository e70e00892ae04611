package poly

import (
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
