package consensus

import (
	"bytes"
	"cmp"
	"math/big"
	"math/bits"

	"github.com/weisyn/wes/chain"
)

// Work is an expected number of hashes, of one block or of a whole chain. The limbs have 64
// bits each, least significant first.
type Work [4]uint64

// Cmp returns -1, 0 or +1 as w is less than, equal to or greater than v.
func (w Work) Cmp(v Work) int {
	for i := len(w) - 1; i >= 0; i-- {
		if c := cmp.Compare(w[i], v[i]); c != 0 {
			return c
		}
	}
	return 0
}

// Big returns w as an integer.
func (w Work) Big() *big.Int {
	n := new(big.Int)
	for i := len(w) - 1; i >= 0; i-- {
		n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(w[i]))
	}
	return n
}

// String returns w in decimal.
func (w Work) String() string { return w.Big().String() }

// add returns w + v, or the largest work.
func (w Work) add(v Work) Work {
	var carry uint64
	for i := range w {
		w[i], carry = bits.Add64(w[i], v[i], carry)
	}
	if carry != 0 {
		return Work{1<<64 - 1, 1<<64 - 1, 1<<64 - 1, 1<<64 - 1}
	}
	return w
}

// sub returns w - v, or zero.
func (w Work) sub(v Work) Work {
	var borrow uint64
	for i := range w {
		w[i], borrow = bits.Sub64(w[i], v[i], borrow)
	}
	if borrow != 0 {
		return Work{}
	}
	return w
}

// times returns w · n, or the largest work.
func (w Work) times(n uint64) Work {
	sum := Work{}
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			sum = sum.add(w)
		}
		w = w.add(w)
	}
	return sum
}

// toWork converts an integer of at most 256 bits.
func toWork(n *big.Int) Work {
	var w Work
	var b [32]byte
	n.FillBytes(b[:])
	for i := range b {
		w[i/8] |= uint64(b[31-i]) << (i % 8 * 8)
	}
	return w
}

// targetBits is the width of targets and of hashes.
const targetBits = 8 * chain.HashSize

// Target expands compact bits: a byte s and a mantissa m of 23 bits stand for m · 256^(s-3),
// rounded down. It refuses zero, negative ones, those of more than 256 bits, and those that
// would not compress to the same bits.
func Target(compact uint32) (*big.Int, bool) {
	size, mantissa := uint(compact>>24), compact&0x7fffff
	t := new(big.Int).SetUint64(uint64(mantissa))
	if size <= 3 {
		t.Rsh(t, 8*(3-size))
	} else {
		t.Lsh(t, 8*(size-3))
	}
	if compact&0x800000 != 0 || t.Sign() == 0 || t.BitLen() > targetBits || Compact(t) != compact {
		return nil, false
	}
	return t, true
}

// Compact returns the compact bits of the largest target that they can express and that is
// not above t. t is positive and has at most 256 bits.
func Compact(t *big.Int) uint32 {
	size := uint(t.BitLen()+7) / 8
	var mantissa uint64
	if size <= 3 {
		mantissa = t.Uint64() << (8 * (3 - size))
	} else {
		mantissa = new(big.Int).Rsh(t, 8*(size-3)).Uint64()
	}
	if mantissa&0x800000 != 0 { // the sign
		mantissa >>= 8
		size++
	}
	return uint32(mantissa) | uint32(size)<<24
}

// workOf returns the work of a block with that target, which is positive:
// ⌊2^256 / (target + 1)⌋.
func workOf(target *big.Int) Work {
	n := new(big.Int).Lsh(big.NewInt(1), targetBits)
	return toWork(n.Div(n, new(big.Int).Add(target, big.NewInt(1))))
}

// meets reports whether a hash, as a big-endian integer, is not above the target.
func meets(h chain.Hash, target *big.Int) bool {
	var b [chain.HashSize]byte
	target.FillBytes(b[:])
	return bytes.Compare(h[:], b[:]) <= 0
}
