package consensus

import (
	"math/big"

	"github.com/weisyn/wes/chain"
)

// Target reads a compact target: the first byte is a length in bytes, the other three the
// leading bytes of the number, as in Bitcoin's nBits. False for zero, for negative and too
// large numbers, and for any form but the one that Compact returns.
func Target(bits uint32) (*big.Int, bool) {
	size, mantissa := int(bits>>24), int64(bits&0x7fffff)
	if bits&0x800000 != 0 || mantissa == 0 || size > 34 {
		return nil, false
	}
	t := big.NewInt(mantissa)
	if size <= 3 {
		t.Rsh(t, uint(8*(3-size)))
	} else {
		t.Lsh(t, uint(8*(size-3)))
	}
	if t.Sign() == 0 || t.BitLen() > 256 || Compact(t) != bits {
		return nil, false
	}
	return t, true
}

// Compact returns the compact form of a positive target, rounded down to its leading bytes.
func Compact(t *big.Int) uint32 {
	size := (t.BitLen() + 7) / 8
	var mantissa uint32
	if size <= 3 {
		mantissa = uint32(t.Uint64()) << (8 * (3 - size))
	} else {
		mantissa = uint32(new(big.Int).Rsh(t, uint(8*(size-3))).Uint64())
	}
	if mantissa&0x800000 != 0 {
		mantissa >>= 8
		size++
	}
	return uint32(size)<<24 | mantissa
}

// Work returns ⌊2^256 / (target + 1)⌋: how many hashes a block below the target takes on
// average.
func Work(target *big.Int) *big.Int {
	all := new(big.Int).Lsh(big.NewInt(1), 256)
	return all.Div(all, new(big.Int).Add(target, big.NewInt(1)))
}

// below reports whether a hash, read as a big-endian number, is at most the target.
func below(h chain.Hash, target *big.Int) bool {
	return new(big.Int).SetBytes(h[:]).Cmp(target) <= 0
}
