package msm

import (
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

func TestSmallScalarsAreReadAndOthersRefused(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	values := []uint64{0, 1, 2, 255, 256, 1<<31 - 1, 1 << 31, 1<<61 - 1}
	for range 10000 {
		values = append(values, r.Uint64()>>(3+r.IntN(61)))
	}
	for _, v := range values {
		e := fr.NewElement(v)
		if s, ok := small(&e); s != v || !ok {
			t.Fatalf("%d is read as %d, %t", v, s, ok)
		}
	}
	for range 10000 {
		e := fr.Element{r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64() >> 3}
		e.Add(&e, &fr.Element{})
		if r.IntN(2) == 0 {
			e.SetInt64(-int64(r.Uint64() >> (2 + r.IntN(62))))
		}
		words := e.Bits()
		if s, ok := small(&e); ok && (s != words[0] || words[1]|words[2]|words[3] != 0) {
			t.Fatalf("%v is read as %d", words, s)
		}
	}
}
