package poly

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// paths are the ways to compute that this machine has.
func paths() map[string]kernels {
	m := map[string]kernels{}
	for name, k := range map[string]kernels{"scalar": scalar, "avx2": avx2, "avx512": avx512} {
		if k.exist() {
			m[name] = k
		}
	}
	return m
}

// naiveVecMat computes dst + weights·data on integers.
func naiveVecMat(dst, weights []fr.Element, data []int32, stride int) []fr.Element {
	out := make([]fr.Element, len(dst))
	for j := range dst {
		acc := integer(&dst[j])
		for i := range weights {
			if i*stride+j < len(data) {
				d := big.NewInt(int64(data[i*stride+j]))
				acc.Add(acc, d.Mul(d, integer(&weights[i])))
			}
		}
		out[j] = fromBig(acc)
	}
	return out
}

func naiveMatVec(rows int, weights []fr.Element, data []int32, stride int) []fr.Element {
	out := make([]fr.Element, rows)
	for i := range out {
		acc := new(big.Int)
		for j := range weights {
			if i*stride+j < len(data) {
				d := big.NewInt(int64(data[i*stride+j]))
				acc.Add(acc, d.Mul(d, integer(&weights[j])))
			}
		}
		out[i] = fromBig(acc)
	}
	return out
}

// fills are distributions of small integers, from bytes to the extremes of
// int32.
func fills() map[string]func(*rand.Rand) int32 {
	return map[string]func(*rand.Rand) int32{
		"int8":  func(r *rand.Rand) int32 { return int32(int8(r.Uint32())) },
		"int17": func(r *rand.Rand) int32 { return int32(r.Uint32()) >> 15 },
		"int24": func(r *rand.Rand) int32 { return int32(r.Uint32()) >> 8 },
		"int27": func(r *rand.Rand) int32 { return int32(r.Uint32()) >> 5 },
		"int32": func(r *rand.Rand) int32 { return int32(r.Uint32()) },
		"min":   func(*rand.Rand) int32 { return -1 << 31 },
		"max":   func(*rand.Rand) int32 { return 1<<31 - 1 },
		"ends": func(r *rand.Rand) int32 {
			return []int32{-1 << 31, 1<<31 - 1, 0, 1, -1}[r.IntN(5)]
		},
		"rare": func(r *rand.Rand) int32 {
			if r.IntN(500) == 0 {
				return -1 << 31
			}
			return int32(r.IntN(3)) - 1
		},
		"zero": func(*rand.Rand) int32 { return 0 },
		// These use up accumulatorRoom exactly: a chunk with neighbouring terms, one
		// with neighbouring lanes, 512 terms.
		"far room":  func(*rand.Rand) int32 { return -accumulatorRoom / chunkTerms },
		"near room": func(*rand.Rand) int32 { return -accumulatorRoom / nearTerms },
		"room":      func(*rand.Rand) int32 { return -accumulatorRoom / 512 },
	}
}

func randomData(r *rand.Rand, n int, f func(*rand.Rand) int32) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = f(r)
	}
	return out
}

// shapes are rows, columns and stride of products.
func shapes(r *rand.Rand) [][3]int {
	out := [][3]int{
		{0, 0, 0},
		{0, 5, 5},
		{1, 0, 1},
		{1, 1, 1},
		{1, 16, 16},
		{1, 1000, 1000},
		{1000, 1, 1},
		{64, 16, 16},
		{65, 33, 40},
		{130, 15, 64},
		{3, 700, 700},
		{600, 20, 20},
		{20, 600, 600},
		{5, 300, 300},
		{10, 300, 300},
	}
	for range 6 {
		cols := r.IntN(60)
		out = append(out, [3]int{r.IntN(100), cols, cols + r.IntN(20)})
	}
	return out
}

// weightSets are random weights and the extremes of the field.
func weightSets(r *rand.Rand, n int) map[string][]fr.Element {
	last := make([]fr.Element, n)
	dense := make([]fr.Element, n)
	digits := make([]fr.Element, n)
	for i := range last {
		last[i].SetInt64(-1)
		// The Montgomery form of dense[i] is r-1, the largest stored value.
		dense[i] = fr.Element{0x43e1f593f0000000, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029}
		// In signed digits of 32 bits, all but the top one are -2^31.
		digits[i] = fr.Element{0x7fffffff80000000, 0x7fffffff7fffffff, 0x7fffffff7fffffff, 0x0fffffff7fffffff}
	}
	return map[string][]fr.Element{"random": randomElements(r, n), "minus one": last, "dense": dense, "digits": digits}
}

// TestVecMatIsExact and TestMatVecIsExact run every kernel of this machine, the
// one without vector instructions always among them.
func TestVecMatIsExact(t *testing.T) {
	r := newRand(t, 7)
	eachProduct(r, func(s [3]int, name string, data []int32) {
		for kind, weights := range weightSets(r, s[0]) {
			start := randomElements(r, s[1])
			want := naiveVecMat(start, weights, data, s[2])
			for path, kernels := range paths() {
				dst := slices.Clone(start)
				product{weights: weights, data: data, step: s[2], lane: 1, kernels: kernels}.addTo(dst)
				if err := equal(dst, want); err != nil {
					t.Fatalf("%s, %s weights, %s kernel: %v", name, kind, path, err)
				}
			}
			VecMat(start, weights, data, s[2])
			if err := equal(start, want); err != nil {
				t.Fatalf("%s, %s weights: %v", name, kind, err)
			}
		}
	})
}

func TestMatVecIsExact(t *testing.T) {
	r := newRand(t, 8)
	eachProduct(r, func(s [3]int, name string, data []int32) {
		for kind, weights := range weightSets(r, s[1]) {
			want := naiveMatVec(s[0], weights, data, s[2])
			for path, kernels := range paths() {
				dst := make([]fr.Element, s[0])
				product{weights: weights, data: data, step: 1, lane: s[2], kernels: kernels}.addTo(dst)
				if err := equal(dst, want); err != nil {
					t.Fatalf("%s, %s weights, %s kernel: %v", name, kind, path, err)
				}
			}
			dst := randomElements(r, s[0])
			MatVec(dst, weights, data, s[2])
			if err := equal(dst, want); err != nil {
				t.Fatalf("%s, %s weights: %v", name, kind, err)
			}
		}
	})
}

// eachProduct calls check with all shapes and fills, the data cut short at
// random.
func eachProduct(r *rand.Rand, check func(shape [3]int, name string, data []int32)) {
	for _, s := range shapes(r) {
		for fill, f := range fills() {
			data := randomData(r, s[0]*s[2], f)
			data = data[:len(data)-min(len(data), r.IntN(20))]
			check(s, fmt.Sprintf("shape %v, %s data", s, fill), data)
		}
		// Rows of 16 that begin here end beyond the data.
		data := make([]int32, s[0]*s[2])
		for i := max(0, len(data)-tileLanes+1); i < len(data); i++ {
			data[i] = -1 << 31
		}
		check(s, fmt.Sprintf("shape %v, data with a large end", s), data)
	}
}

// TestKernelsAgreeOnManyTasks covers the split over cores, in lanes and in terms.
func TestKernelsAgreeOnManyTasks(t *testing.T) {
	r := newRand(t, 10)
	for _, s := range [][2]int{{40, 20000}, {20000, 40}, {700, 700}, {1, 400000}, {400000, 1}} {
		data := randomData(r, s[0]*s[1], fills()["rare"])
		for _, byRows := range []bool{true, false} {
			p := product{data: data, step: 1, lane: s[1]}
			terms, lanes := s[1], s[0]
			if byRows {
				p.step, p.lane = s[1], 1
				terms, lanes = s[0], s[1]
			}
			p.weights = randomElements(r, terms)
			want := make([]fr.Element, lanes)
			for k := range want {
				for i := range terms {
					e := FromInt64(int64(data[i*p.step+k*p.lane]))
					e.Mul(&e, &p.weights[i])
					want[k].Add(&want[k], &e)
				}
			}
			for path, kernels := range paths() {
				got := make([]fr.Element, lanes)
				p.kernels = kernels
				p.addTo(got)
				if err := equal(got, want); err != nil {
					t.Fatalf("%v by rows %v, %s kernel: %v", s, byRows, path, err)
				}
			}
		}
	}
}

func TestDotIsExact(t *testing.T) {
	r := newRand(t, 9)
	for _, n := range []int{0, 1, 15, 16, 17, 1000, 5000} {
		for fill, f := range fills() {
			row := randomData(r, n, f)
			for kind, weights := range weightSets(r, n) {
				got := Dot(weights, row)
				if want := naiveMatVec(1, weights, row, n); got != want[0] {
					t.Fatalf("%d terms, %s data, %s weights: Dot differs", n, fill, kind)
				}
			}
		}
	}
	weights, row := randomElements(r, 10), randomData(r, 10, fills()["int8"])
	want := naiveMatVec(1, weights[:7], row[:7], 7)
	if Dot(weights, row[:7]) != want[0] || Dot(weights[:7], row) != want[0] {
		t.Error("Dot does not stop at the shorter length")
	}
}

func equal(got, want []fr.Element) error {
	if len(got) != len(want) {
		return fmt.Errorf("%d elements, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			return fmt.Errorf("element %d is %v, want %v", i, got[i].String(), want[i].String())
		}
	}
	return nil
}
