package consensus

import "math/big"

// Constants of the cubic approximation of 2^x, from the specification of aserti3-2d:
// https://github.com/bitcoincashorg/bitcoincash.org/blob/master/spec/2020-11-15-asert.md
const (
	asertRadix = 16 // bits of the fraction
	asertCubic = 48 // bits that the polynomial is scaled by
	asert1     = 195_766_423_245_049
	asert2     = 971_821_376
	asert3     = 5_127
)

// maxDrift bounds how far a chain may be from its schedule, in ms, so that products stay
// within 64 bits. It is more than two thousand years.
const maxDrift = 1 << 46

// asert returns the compact target of the next block: anchor · 2^(drift/halfLife), in the
// integers of aserti3-2d, at least 1 and at most limit. Drift is how much later than on
// schedule the parent came, in ms; it is negative for a chain that is ahead.
func asert(anchor *big.Int, drift, halfLife int64, limit *big.Int) uint32 {
	drift = min(max(drift, -maxDrift), maxDrift)
	exponent := drift << asertRadix / halfLife
	shifts, fraction := exponent>>asertRadix, uint64(exponent&(1<<asertRadix-1))
	factor := 1<<asertRadix + (asert1*fraction+asert2*fraction*fraction+asert3*fraction*fraction*fraction+1<<(asertCubic-1))>>asertCubic
	next := new(big.Int).Mul(anchor, new(big.Int).SetUint64(factor))
	switch shifts -= asertRadix; {
	case shifts > 256:
		return Compact(limit)
	case shifts >= 0:
		next.Lsh(next, uint(shifts))
	default:
		next.Rsh(next, uint(-shifts))
	}
	switch {
	case next.Sign() == 0:
		next.SetInt64(1)
	case next.Cmp(limit) > 0:
		next.Set(limit)
	}
	return Compact(next)
}

// drift returns how much later than on schedule a block came that is some blocks after the
// anchor, in ms.
func drift(anchorTime, time, blocks, spacing uint64) int64 {
	schedule := new(big.Int).Mul(new(big.Int).SetUint64(blocks), new(big.Int).SetUint64(spacing))
	late := new(big.Int).SetUint64(time)
	late.Sub(late.Sub(late, new(big.Int).SetUint64(anchorTime)), schedule)
	switch {
	case late.IsInt64():
		return late.Int64()
	case late.Sign() < 0:
		return -maxDrift
	}
	return maxDrift
}
