package msmtest

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/gpu/msm"
)

// source makes every test repeatable.
func source() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// element is a uniform scalar.
func element(r *rand.Rand) (e fr.Element) {
	e = fr.Element{r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64() >> 3}
	return *e.Add(&e, &fr.Element{}) // reduced
}

// system is a set of points with known logarithms to the base of the group, so that the
// right answer costs one multiplication of that base.
type system struct {
	logs   []fr.Element
	points []bn254.G1Affine
}

// newSystem makes n points. One in eight is infinity, one repeats its predecessor, one is
// the negative of it.
func newSystem(r *rand.Rand, n int) *system {
	s := &system{logs: make([]fr.Element, n)}
	for i := range s.logs {
		s.logs[i].SetUint64(r.Uint64())
		if i == 0 {
			continue
		}
		switch r.IntN(8) {
		case 0:
			s.logs[i].SetZero()
		case 1:
			s.logs[i] = s.logs[i-1]
		case 2:
			s.logs[i].Neg(&s.logs[i-1])
		}
	}
	s.points = multiples(s.logs)
	return s
}

// multiples multiplies the base of the group.
func multiples(scalars []fr.Element) []bn254.G1Affine {
	if len(scalars) == 0 {
		return nil
	}
	_, _, g, _ := bn254.Generators()
	return bn254.BatchScalarMultiplicationG1(&g, scalars)
}

// want is the result of MSM.
func (s *system) want(scalars []fr.Element) []bn254.G1Affine {
	n := len(s.logs)
	sums := make([]fr.Element, len(scalars)/n)
	for i := range scalars {
		var term fr.Element
		term.Mul(&scalars[i], &s.logs[i%n])
		sums[i/n].Add(&sums[i/n], &term)
	}
	return multiples(sums)
}

// load puts the points into an engine for the length of a test.
func (s *system) load(t *testing.T, e msm.Engine) msm.Bases {
	t.Helper()
	b, err := e.Load(t.Context(), s.points)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// narrow makes scalars of up to width bits: the extremes are frequent.
func narrow(r *rand.Rand, n, width int) []fr.Element {
	top := new(big.Int).Lsh(big.NewInt(1), uint(width))
	if top.Cmp(fr.Modulus()) > 0 {
		top = fr.Modulus()
	}
	scalars := make([]fr.Element, n)
	for i := range scalars {
		v := new(big.Int)
		switch r.IntN(8) {
		case 0:
		case 1:
			v.SetUint64(1)
		case 2:
			v.Sub(top, big.NewInt(1))
		case 3:
			v.Rsh(top, 1)
		default:
			e := element(r)
			e.BigInt(v).Mod(v, top)
		}
		scalars[i].SetBigInt(v)
	}
	return scalars
}

func equal(t *testing.T, what string, got, want []bn254.G1Affine) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d points, want %d", what, len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s: point %d is wrong", what, i)
		}
	}
}
