package vec

import "github.com/consensys/gnark-crypto/ecc/bn254/fr"

const (
	limbs    = 5
	limbBits = 52
	limbMask = 1<<limbBits - 1
)

// multiplier is a factor s made ready for a kernel: row i is the integer
// s·2^(52(i+1)-256) mod r in base 2^52. An element with the limbs a[i] times s
// is then Σ_i a[i]·row i, divided once by 2^52.
type multiplier [limbs][limbs]float64

func newMultiplier(s *fr.Element) multiplier {
	// The stored form of 16 is 2^260 mod r.
	last := fr.NewElement(16)
	powers := [limbs]fr.Element{{1 << 52}, {0, 1 << 40}, {0, 0, 1 << 28}, {0, 0, 0, 1 << 16}, last}
	var m multiplier
	for i := range powers {
		x := &powers[i]
		x.Mul(x, s)
		m[i] = [limbs]float64{
			float64(x[0] & limbMask),
			float64((x[0]>>52 | x[1]<<12) & limbMask),
			float64((x[1]>>40 | x[2]<<24) & limbMask),
			float64((x[2]>>28 | x[3]<<36) & limbMask),
			float64(x[3] >> 16),
		}
	}
	return m
}
