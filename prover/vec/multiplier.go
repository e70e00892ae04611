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

// set makes s ready.
func (m *multiplier) set(s *fr.Element) {
	powers := [limbs]fr.Element{
		{1 << 52},
		{0, 1 << 40},
		{0, 0, 1 << 28},
		{0, 0, 0, 1 << 16},
		{0xb9db6b753fffffac, 0xcef7c8380f271055, 0x85a9201d818f016e, 0x1f16424e1bb7724f}, // 2^260 mod r
	}
	for i := range powers {
		x := &powers[i]
		x.Mul(x, s)
		m[i][0] = float64(int64(x[0] & limbMask))
		m[i][1] = float64(int64((x[0]>>52 | x[1]<<12) & limbMask))
		m[i][2] = float64(int64((x[1]>>40 | x[2]<<24) & limbMask))
		m[i][3] = float64(int64((x[2]>>28 | x[3]<<36) & limbMask))
		m[i][4] = float64(int64(x[3] >> 16))
	}
}
