package poly

import (
	"math/bits"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// kernels is a set of assembly kernels, or none. The later ones are the faster
// ones.
type kernels int

const (
	scalar kernels = iota
	avx2
	avx512
)

// fastest returns the fastest kernels of this machine.
func fastest() kernels {
	k := avx512
	for !k.exist() {
		k--
	}
	return k
}

// digits is the stored form of a field element in base 2^32 with signed digits:
// eight int32 values, least significant first, two in each word, each in
// [-2^31, 2^31). A product of a digit and an int32 fits a signed 64-bit lane.
type digits [4]uint64

// balance sets dst to the digits of x. Adding 2^31 to every digit makes them
// unsigned, so they are the words of x + Σ 2^(32i+31), less 2^31 each; x < 2^254
// leaves no carry.
func balance(dst []digits, x []fr.Element) {
	const half = 1<<63 | 1<<31
	dst = dst[:len(x)]
	for i := range x {
		t0, c := bits.Add64(x[i][0], half, 0)
		t1, c := bits.Add64(x[i][1], half, c)
		t2, c := bits.Add64(x[i][2], half, c)
		t3, _ := bits.Add64(x[i][3], half, c)
		dst[i] = digits{t0 ^ half, t1 ^ half, t2 ^ half, t3 ^ half}
	}
}

// accumulators holds for each lane of a tile a sum in base 2^32 with digits of
// 64 bits, not carried.
type accumulators [tileLanes][8]int64

// accumulatorRoom bounds Σ |d| over the entries d that went into one
// accumulator: with digits of at most 2^31 the sums stay within 2^62.
const accumulatorRoom = 1 << 31

// addVector adds the current tile of so many lanes, whose entries are of magnitude
// or, to the accumulators of s, and those to s.wide when they could overflow. It
// returns false, and has done nothing, if the entries are too large.
func (w *worker) addVector(s *sums, lanes int, or uint32) bool {
	terms := len(w.weights)
	need := uint64(terms) << bits.Len32(or)
	if need > accumulatorRoom {
		return false
	}
	if s.used+need > accumulatorRoom {
		s.drain(lanes)
	}
	s.used += need
	w.kernels.accumulate(w.kernels.lanes(lanes), &s.acc, &w.digits[0], terms, &w.tile[0], w.step, w.lane)
	return true
}

// drain moves the accumulators of so many lanes to the wide sums.
func (s *sums) drain(lanes int) {
	if s.used == 0 {
		return
	}
	for k := range lanes {
		s.wide[k].addDigits(&s.acc[k])
	}
	s.acc = accumulators{}
	s.used = 0
}

// addDigits adds Σ_i d[i]·2^(32i).
func (s *wide) addDigits(d *[8]int64) {
	x0, r := carry(d[0], d[1], 0)
	x1, r := carry(d[2], d[3], r)
	x2, r := carry(d[4], d[5], r)
	x3, r := carry(d[6], d[7], r)
	var c uint64
	s[0], c = bits.Add64(s[0], x0, 0)
	s[1], c = bits.Add64(s[1], x1, c)
	s[2], c = bits.Add64(s[2], x2, c)
	s[3], c = bits.Add64(s[3], x3, c)
	s[4] += uint64(r) + c
}

// carry returns the low word of lo + 2^32·hi + c and what is left for the next.
func carry(lo, hi, c int64) (word uint64, rest int64) {
	lo += c
	hi += lo >> 32
	return uint64(uint32(lo)) | uint64(hi)<<32, hi >> 32
}
