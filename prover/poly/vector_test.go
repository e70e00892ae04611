package poly

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// vectorPaths are the paths of this machine that have kernels.
func vectorPaths() map[string]kernels {
	m := paths()
	delete(m, "scalar")
	return m
}

// TestAccumulateMatchesItsDefinition runs the kernels on all widths, on sums of any
// size, wrapped as int64 wraps.
func TestAccumulateMatchesItsDefinition(t *testing.T) {
	r := newRand(t, 11)
	for path, kernels := range vectorPaths() {
		for fill, f := range fills() {
			for lanes := 1; lanes <= tileLanes; lanes++ {
				for _, n := range []int{1, 2, 1 + r.IntN(chunkTerms), chunkTerms} {
					w := randomDigits(r, n)
					data := randomData(r, tileLanes*chunkTerms, f)
					var got accumulators
					for k := range got {
						for l := range got[k] {
							got[k][l] = int64(r.Uint64())
						}
					}
					width := kernels.lanes(lanes)
					step, lane := tileLanes, 1
					if r.IntN(2) == 0 {
						step, lane = 1, chunkTerms
					}
					want := naiveAccumulate(got, width, w, data, step, lane)
					kernels.accumulate(width, &got, &w[0], n, &data[0], step, lane)
					if got != want {
						t.Fatalf("%s kernel, %d lanes, %d terms, %s data: sums differ", path, lanes, n, fill)
					}
				}
			}
		}
	}
}

func naiveAccumulate(acc accumulators, lanes int, w []digits, data []int32, step, lane int) accumulators {
	for k := range lanes {
		for i := range w {
			for l := range 8 {
				digit := int32(w[i][l/2] >> (32 * (l % 2)))
				acc[k][l] += int64(digit) * int64(data[i*step+k*lane])
			}
		}
	}
	return acc
}

// randomDigits are random, the lowest or the highest digits.
func randomDigits(r *rand.Rand, n int) []digits {
	out := make([]digits, n)
	for i := range out {
		for j := range out[i] {
			out[i][j] = []uint64{r.Uint64(), 1<<63 | 1<<31, 1<<63 - 1 - 1<<31}[r.IntN(3)]
		}
	}
	return out
}

// TestMagnitudeBoundsTheEntries covers magnitude and gather, which copies too.
func TestMagnitudeBoundsTheEntries(t *testing.T) {
	r := newRand(t, 12)
	for path, kernels := range vectorPaths() {
		for range 2000 {
			n, step := 1+r.IntN(5), r.IntN(40)
			data := make([]int32, tileLanes*n+n*step)
			entry := &data[r.IntN(len(data))]
			*entry = int32(r.Uint32()) >> r.IntN(32)

			or := magnitudeOf(data[:tileLanes*n])
			if got := kernels.magnitude(&data[0], n); got != or {
				t.Fatalf("%s kernel: magnitude of %d at most is %#x, want %#x", path, *entry, got, or)
			}
			dst := make([]int32, tileLanes*n+1)
			var want []int32
			for i := range n {
				want = append(want, data[i*step:][:tileLanes]...)
			}
			or = magnitudeOf(want)
			if got := kernels.gather(&dst[0], &data[0], n, step); got != or {
				t.Fatalf("%s kernel: magnitude of %d at most is %#x, want %#x", path, *entry, got, or)
			}
			for i, x := range append(want, 0) {
				if dst[i] != x {
					t.Fatalf("%s kernel: entry %d of %d rows %d apart is %d, want %d", path, i, n, step, dst[i], x)
				}
			}
		}
	}
}

func magnitudeOf(data []int32) (or uint32) {
	for _, d := range data {
		or |= uint32(d ^ d>>31)
	}
	return or
}

// TestDigitsAddUp checks that balance keeps the value and addDigits returns it.
func TestDigitsAddUp(t *testing.T) {
	r := newRand(t, 13)
	for kind, weights := range weightSets(r, 100) {
		d := make([]digits, len(weights))
		balance(d, weights)
		for i, x := range weights {
			acc := naiveAccumulate(accumulators{}, 1, d[i:i+1], []int32{1}, 1, 1)
			var got wide
			got.addDigits(&acc[0])
			if want := (wide{x[0], x[1], x[2], x[3]}); got != want {
				t.Fatalf("%s weights: digits of %v add up to %v", kind, want, got)
			}
		}
	}
}

// TestReduceIsExact compares with integers, up to the bounds of reduce.
func TestReduceIsExact(t *testing.T) {
	r := newRand(t, 14)
	top := new(big.Int).Lsh(fr.Modulus(), 64)
	values := []*big.Int{new(big.Int), top, new(big.Int).Neg(top)}
	for range 1000 {
		multiple := new(big.Int).Mul(fr.Modulus(), new(big.Int).SetUint64(r.Uint64()>>r.IntN(64)))
		for d := range int64(5) {
			v := new(big.Int).Add(multiple, big.NewInt(d-2))
			values = append(values, v, new(big.Int).Neg(v))
		}
		v := new(big.Int)
		for range 5 {
			v.Lsh(v, 64).Add(v, new(big.Int).SetUint64(r.Uint64()))
		}
		values = append(values, v.Mod(v, top), new(big.Int).Neg(v))
	}
	for _, v := range values {
		s, want := wideOf(v), new(big.Int).Mod(v, fr.Modulus())
		var got fr.Element
		s.reduce(&got)
		if w := wideOf(want); got != (fr.Element{w[0], w[1], w[2], w[3]}) {
			t.Fatalf("%v modulo r is %v, want %v", v, got, want)
		}
	}
}

// wideOf returns v in two's complement.
func wideOf(v *big.Int) (s wide) {
	word := new(big.Int)
	mask := new(big.Int).SetUint64(1<<64 - 1)
	for i := range s {
		s[i] = word.And(word.Rsh(v, uint(64*i)), mask).Uint64()
	}
	return s
}
