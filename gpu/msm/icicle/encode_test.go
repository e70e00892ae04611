package icicle

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// device does what ICICLE's multiplication is documented to do: canonical scalars below
// 2^width over finite canonical points give homogeneous projective results.
func device(t *testing.T, r *rand.Rand, points []affine, scalars []canonical, width int) []projective {
	t.Helper()
	results := make([]projective, 0)
	for ; len(points) > 0 && len(scalars) > 0; scalars = scalars[len(points):] {
		var sum bn254.G1Jac
		for j := range points {
			if s := scalars[j]; s[0]>>width != 0 || s[1]|s[2]|s[3] != 0 {
				t.Fatalf("scalar %v of more than %d bits", s, width)
			}
			var p bn254.G1Affine
			var term bn254.G1Jac
			p.X, p.Y = montgomery(t, &points[j][0]), montgomery(t, &points[j][1])
			k := fr.NewElement(scalars[j][0])
			term.FromAffine(&p)
			sum.AddAssign(term.ScalarMultiplication(&term, k.BigInt(new(big.Int))))
		}
		results = append(results, scaled(r, &sum))
	}
	return results
}

// scaled writes a point with an arbitrary z.
func scaled(r *rand.Rand, p *bn254.G1Jac) projective {
	z := fp.NewElement(r.Uint64() | 1)
	if p.Z.IsZero() {
		return projective{{}, z.Bits(), {}}
	}
	var a bn254.G1Affine
	a.FromJacobian(p)
	a.X.Mul(&a.X, &z)
	a.Y.Mul(&a.Y, &z)
	return projective{a.X.Bits(), a.Y.Bits(), z.Bits()}
}

func montgomery(t *testing.T, v *canonical) fp.Element {
	t.Helper()
	e, err := element(v)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestRowsComeBackFromUnsignedScalars(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	_, _, base, _ := bn254.Generators()
	g := bn254.BatchScalarMultiplicationG1(&base, []fr.Element{fr.NewElement(3), fr.NewElement(5), fr.NewElement(7)})
	points := []bn254.G1Affine{g[0], {}, g[1], g[2], {}, g[0]}
	for _, values := range [][]int32{
		{0},
		{0, 1},
		{-1, 0, 1},
		{127, -128},
		{255, 256, -256, -257},
		{math.MaxInt32, math.MinInt32},
		{math.MinInt32},
	} {
		for _, cells := range []int{1, 5, 6, 12, 16} {
			for _, cols := range []int{1, 2, 6} {
				rows := make([]int32, cells)
				for i := range rows {
					rows[i] = values[r.IntN(len(values))]
				}
				checkRows(t, r, points, rows, cols)
			}
		}
	}
}

func checkRows(t *testing.T, r *rand.Rand, points []bn254.G1Affine, rows []int32, cols int) {
	t.Helper()
	shift := newBias(rows)
	if shift.width > 32 {
		t.Fatalf("%v takes %d bits", rows, shift.width)
	}
	written, positions := finite(points[:cols])
	results := device(t, r, written, shift.encode(rows, cols, positions), shift.width)
	correction := shift.correction(points[:cols])
	got, err := decode(results, &correction)
	if err != nil {
		t.Fatal(err)
	}
	for i := range got {
		var want bn254.G1Jac
		for j, v := range rows[i*cols : min((i+1)*cols, len(rows))] {
			var term bn254.G1Jac
			var k fr.Element
			k.SetInt64(int64(v))
			term.FromAffine(&points[j])
			want.AddAssign(term.ScalarMultiplication(&term, k.BigInt(new(big.Int))))
		}
		var p bn254.G1Affine
		if p.FromJacobian(&want); got[i] != p {
			t.Fatalf("row %d of %v in columns of %d", i, rows, cols)
		}
	}
}

func TestColumnsOfFinitePointsArePicked(t *testing.T) {
	_, _, g, _ := bn254.Generators()
	_, positions := finite([]bn254.G1Affine{{}, g, {}, g})
	a, b, c, d := fr.NewElement(1), fr.NewElement(2), fr.NewElement(3), fr.NewElement(4)
	got := pick([]fr.Element{a, b, c, d, d, c, b, a}, 4, positions)
	if want := [4]fr.Element{b, d, c, a}; [4]fr.Element(got) != want {
		t.Errorf("%v", got)
	}
	if _, positions := finite([]bn254.G1Affine{g, g}); positions != nil {
		t.Errorf("%v", positions)
	}
}

func TestResultsThatAreNotReducedAreErrors(t *testing.T) {
	p := canonical{math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64}
	if _, err := decode([]projective{{p, p, p}}, new(bn254.G1Jac)); err == nil {
		t.Error("accepted")
	}
}

func TestSplitWritesLowWordsFirst(t *testing.T) {
	e := fr.NewElement(1<<32 + 5)
	if got := split(&e); got != (limbs{5, 1}) {
		t.Errorf("%v", got)
	}
}
