package consensus

import (
	"math/big"
	"math/bits"
)

// farOff bounds how far a chain's clock counts as ahead of or behind its schedule, in ms.
// With a half-life of at most maxHalfLife this is more than 256 halvings, so the bound changes
// no target.
const (
	farOff      = 1 << 46
	maxHalfLife = 1 << 36 // ms, two years
)

// asert returns the compact bits of the block after one that has the given time and is that
// many blocks above the anchor, by aserti3-2d of the Bitcoin Cash upgrade specification of
// November 2020:
//
//	target = anchor · 2^((time - anchor time - T · blocks) / τ)
//
// in fixed point with 16 fractional bits. The anchor is block 1 of the branch, which has the
// bits of the genesis block. The specification measures from the parent of the anchor; here
// that would be the genesis block, which may be years older, so the parent's time is taken to
// be T before the anchor's, and the specification's height + 1 cancels.
func (r *rules) asert(anchorTime, blocks, time uint64) uint32 {
	late := behind(anchorTime, blocks, time, r.cfg.Spacing)
	exponent := late * (1 << 16) / int64(r.cfg.HalfLife) // rounds toward zero, as specified
	shifts, frac := exponent>>16, uint64(exponent)&0xffff
	// 2^16 · 2^(frac / 2^16), a cubic approximation; the sum stays below 2^64.
	factor := 1<<16 + (195766423245049*frac+971821376*frac*frac+5127*frac*frac*frac+1<<47)>>48
	t := new(big.Int).Mul(r.genesisTarget, new(big.Int).SetUint64(factor))
	shifts -= 16
	switch {
	case shifts > targetBits:
		return r.cfg.Limit
	case shifts > 0:
		t.Lsh(t, uint(shifts))
	default:
		t.Rsh(t, uint(-shifts))
	}
	switch {
	case t.Sign() == 0:
		return Compact(big.NewInt(1))
	case t.Cmp(r.limitTarget) > 0:
		return r.cfg.Limit
	}
	return Compact(t)
}

// behind returns time - anchorTime - spacing · blocks, in ms, within ±farOff. The times are at
// most 2^62 ms apart.
func behind(anchorTime, blocks, time, spacing uint64) int64 {
	high, planned := bits.Mul64(blocks, spacing)
	if high != 0 || planned > 1<<62 {
		return -farOff
	}
	return max(-farOff, min(farOff, int64(time-anchorTime)-int64(planned)))
}
