package vec

import "github.com/consensys/gnark-crypto/ecc/bn254/fr"

// limbs is the number of limbs that kernels hold an element in.
const limbs = 5

// radix is how many bits of an element the kernels hold in a limb.
type radix uint

const (
	radix51 radix = 51 // AVX2: four lanes
	radix52 radix = 52 // AVX-512: eight lanes
)

func (r radix) mask() uint64 { return 1<<r - 1 }

// multiplier is a factor s made ready for a kernel: row i is the integer
// s·2^(bits·i+cleared-256) mod r in limbs of that many bits. An element with
// the limbs a[i] times s is then Σ_i a[i]·row i, divided by 2^cleared, which are
// the bits that the kernel clears: 52 on AVX-512, 103 on AVX2.
type multiplier [limbs][limbs]float64

// powers returns the powers of 2 in the rows, below the field's modulus.
func (r radix) powers() [limbs]fr.Element {
	if r == radix52 {
		return [limbs]fr.Element{
			{1 << 52},
			{0, 1 << 40},
			{0, 0, 1 << 28},
			{0, 0, 0, 1 << 16},
			{0xb9db6b753fffffac, 0xcef7c8380f271055, 0x85a9201d818f016e, 0x1f16424e1bb7724f}, // 2^260
		}
	}
	return [limbs]fr.Element{
		{0, 1 << 39},
		{0, 0, 1 << 26},
		{0, 0, 0, 1 << 13},
		{0xac96341c4ffffffb, 0x36fc76959f60cd29, 0x666ea36f7879462e, 0x0e0a77c19a07df2f}, // 2^256
		{0x2cff106deecee2fe, 0x073502e0a4e00587, 0xebdcc7bbbf66507d, 0x0fd8e1c711bee108}, // 2^307
	}
}

// set makes s ready.
func (m *multiplier) set(s *fr.Element, r radix) {
	powers := r.powers()
	for i := range powers {
		x := &powers[i]
		x.Mul(x, s)
		for j, limb := range split(x, r) {
			m[i][j] = float64(int64(limb))
		}
	}
}

// split returns the limbs of x.
func split(x *fr.Element, r radix) [limbs]uint64 {
	if r == radix52 {
		const mask = 1<<52 - 1
		return [limbs]uint64{
			x[0] & mask, (x[0]>>52 | x[1]<<12) & mask, (x[1]>>40 | x[2]<<24) & mask,
			(x[2]>>28 | x[3]<<36) & mask, x[3] >> 16,
		}
	}
	const mask = 1<<51 - 1
	return [limbs]uint64{
		x[0] & mask, (x[0]>>51 | x[1]<<13) & mask, (x[1]>>38 | x[2]<<26) & mask,
		(x[2]>>25 | x[3]<<39) & mask, x[3] >> 12,
	}
}
