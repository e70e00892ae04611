package commit

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// lambda is the factor of the endomorphism.
func lambda() *big.Int {
	l, _ := new(big.Int).SetString("4407920970296243842393367215006156084916469457145843978461", 10)
	return l
}

func (h *half) integer() *big.Int {
	v := new(big.Int).SetUint64(h.words[1])
	v.Lsh(v, 64).Add(v, new(big.Int).SetUint64(h.words[0]))
	if h.negative {
		v.Neg(v)
	}
	return v
}

// TestHalvesOfAScalarWriteItAndAreShort splits extremes, multiples of the basis, where the
// floors are off by one, and random scalars.
func TestHalvesOfAScalarWriteItAndAreShort(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	r := fr.Modulus()
	var scalars []fr.Element
	for i := range int64(5) {
		scalars = append(scalars, fr.NewElement(uint64(i)))
		for _, near := range []*big.Int{r, lambda(), new(big.Int).Sub(r, lambda()), new(big.Int).Rsh(r, 1), new(big.Int).Lsh(big.NewInt(1), 128)} {
			var s fr.Element
			s.SetBigInt(new(big.Int).Add(near, big.NewInt(i-2)))
			scalars = append(scalars, s)
		}
	}
	for range 20000 {
		scalars = append(scalars, fr.Element{rng.Uint64(), rng.Uint64(), rng.Uint64(), rng.Uint64() >> 3})
	}
	for _, basis := range []uint64{0x89d3256894d213e3, 0x6f4d8248eeb859fd} {
		for range 2000 {
			var s, q fr.Element
			q.SetBigInt(new(big.Int).Div(r, new(big.Int).SetUint64(basis)))
			s.SetUint64(rng.Uint64())
			s.Mul(&s, &q)
			scalars = append(scalars, s)
		}
	}
	for _, s := range scalars {
		halves := splitScalar(s.Bits())
		k1, k2 := halves[0].integer(), halves[1].integer()
		if k1.BitLen() > halfBits || k2.BitLen() > halfBits || halves[0].words[2]|halves[0].words[3]|halves[1].words[2]|halves[1].words[3] != 0 {
			t.Fatalf("%s: halves %s and %s are long", &s, k1, k2)
		}
		sum := new(big.Int).Mul(k2, lambda())
		sum.Add(sum, k1).Mod(sum, r)
		if want := s.BigInt(new(big.Int)); sum.Cmp(want) != 0 {
			t.Fatalf("%s is not %s + λ·%s", want, k1, k2)
		}
	}
}

func TestImagesAreMultiples(t *testing.T) {
	points, _ := manyPoints(t, 100)
	both := withImages(points)
	for i := range points {
		var want bn254.G1Affine
		want.ScalarMultiplication(&points[i], lambda())
		if both[i] != points[i] || both[len(points)+i] != want {
			t.Fatalf("point %d", i)
		}
	}
}
