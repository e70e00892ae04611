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

// balance returns the digits of x. Adding 2^31 to every digit makes them
// unsigned, so they are the words of x + Σ 2^(32i+31), less 2^31 each; x < 2^254
// leaves no carry.
func balance(x *fr.Element) digits {
	const half = 1<<63 | 1<<31
	t0, c := bits.Add64(x[0], half, 0)
	t1, c := bits.Add64(x[1], half, c)
	t2, c := bits.Add64(x[2], half, c)
	t3, _ := bits.Add64(x[3], half, c)
	return digits{t0 ^ half, t1 ^ half, t2 ^ half, t3 ^ half}
}

// accumulators holds for each lane of a tile a sum in base 2^32 with digits of
// 64 bits, not carried.
type accumulators [tileLanes][8]int64

// accumulatorRoom bounds Σ |d| over the entries d that went into one
// accumulator: with digits of at most 2^31 the sums stay within 2^62.
const accumulatorRoom = 1 << 31

// addVector adds the current tile, whose entries are of magnitude or, to the
// accumulators of that tile, and those to sums when they could overflow. It
// returns false, and has done nothing, if the entries are too large.
func (w *worker) addVector(sums []wide, tile int, or uint32) bool {
	terms := len(w.weights)
	need := uint64(terms) << bits.Len32(or)
	if need > accumulatorRoom {
		return false
	}
	if w.used[tile]+need > accumulatorRoom {
		w.drain(sums, tile)
	}
	w.used[tile] += need
	w.kernels.accumulate(w.kernels.lanes(len(sums)), &w.acc[tile], &w.digits[0], terms, &w.tile[0], w.step, w.lane)
	return true
}

// drain moves the accumulators of a tile to sums.
func (w *worker) drain(sums []wide, tile int) {
	if w.used[tile] == 0 {
		return
	}
	for k := range sums {
		x := carry(&w.acc[tile][k])
		sums[k].add(&x)
	}
	w.acc[tile] = accumulators{}
	w.used[tile] = 0
}

// carry returns Σ_i acc[i]·2^(32i).
func carry(acc *[8]int64) wide {
	var s wide
	var c int64
	for i := range 4 {
		lo := acc[2*i] + c
		hi := acc[2*i+1] + lo>>32
		s[i] = uint64(uint32(lo)) | uint64(hi)<<32
		c = hi >> 32
	}
	s[4] = uint64(c)
	return s
}
