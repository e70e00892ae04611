package verify

import (
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// serialVarints is the format, read cell by cell.
func serialVarints(data []byte, n int) (cells []int64, size, bad int) {
	at := 0
	for i := range n {
		v, k := binary.Varint(data[at:])
		if k <= 0 || k > 1 && data[at+k-1] == 0 {
			return nil, 0, i
		}
		cells, at = append(cells, v), at+k
	}
	return cells, at, n
}

// wantVarints compares the reader with the format.
func wantVarints(t *testing.T, data []byte, n int) {
	t.Helper()
	want, size, bad := serialVarints(data, n)
	r := reader{data: data, mark: ErrProof}
	got := r.varints(n)
	switch {
	case bad < n && (got != nil || !errors.Is(r.err, ErrProof)):
		t.Errorf("%d cells of %d bytes: cell %d is bad and accepted: %v", n, len(data), bad, r.err)
	case bad == n && (r.err != nil || !slices.Equal(got, want) || len(r.data) != len(data)-size):
		t.Errorf("%d cells of %d bytes: other cells, %d bytes left of %d: %v", n, len(data), len(r.data), len(data)-size, r.err)
	}
}

// TestVarintsAreReadLikeOneByOne reads honest and damaged cells of every length, over several
// spans.
func TestVarintsAreReadLikeOneByOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	extremes := []int64{0, -1, 63, 64, -64, -65, math.MaxInt64, math.MinInt64}
	for _, n := range []int{1, 7, 8, 100, cellSpan / 3, cellSpan, 2*cellSpan + 5} {
		var data []byte
		for range n {
			v := int64(rng.Uint64()) >> rng.IntN(64)
			if rng.IntN(16) == 0 {
				v = extremes[rng.IntN(len(extremes))]
			}
			data = binary.AppendVarint(data, v)
		}
		wantVarints(t, data, n)
		wantVarints(t, data, n-1)
		wantVarints(t, append(slices.Clone(data), 1, 2, 3), n)
		wantVarints(t, append(slices.Clone(data), 0x80), n+1)
		wantVarints(t, data[:len(data)-1], n)
		for range 30 {
			damaged := slices.Clone(data)
			for range 1 + rng.IntN(12) {
				damaged[rng.IntN(len(damaged))] = [...]byte{0, 1, 0x7f, 0x80, 0xff}[rng.IntN(5)]
			}
			at := rng.IntN(len(damaged))
			for i := at; i < min(at+rng.IntN(24), len(damaged)); i++ {
				damaged[i] |= 0x80
			}
			wantVarints(t, damaged, n)
		}
	}
}

// TestLongRunsOfOpenBytesEndNoCell crosses the ends of spans with cells that are too long.
func TestLongRunsOfOpenBytesEndNoCell(t *testing.T) {
	for _, open := range []int{1, 8, 9, 10, 11, cellSpan, 3 * cellSpan} {
		for _, before := range []int{0, 1, cellSpan - 12, cellSpan - 10, cellSpan - 9, cellSpan - 1, cellSpan} {
			data := make([]byte, before)
			data = append(data, slices.Repeat([]byte{0x80}, open)...)
			data = append(data, 1)
			wantVarints(t, data, before+1)
			wantVarints(t, append(data, 0), before+2)
			wantVarints(t, data[:len(data)-1], before+1)
		}
	}
}

// FuzzVarints reads cells that strangers encode.
func FuzzVarints(f *testing.F) {
	f.Add([]byte{0}, 1)
	f.Add([]byte{0x80, 0}, 1)
	f.Add(binary.AppendVarint(binary.AppendVarint(nil, math.MinInt64), -3), 2)
	f.Add(slices.Repeat([]byte{0xff}, 20), 3)
	f.Fuzz(func(t *testing.T, data []byte, n int) {
		if n > 0 && n <= 1<<20 {
			wantVarints(t, data, n)
		}
	})
}

func BenchmarkVarints(b *testing.B) {
	rng := rand.New(rand.NewPCG(3, 4))
	const n = 1 << 20
	var data []byte
	for range n {
		data = binary.AppendVarint(data, rng.Int64N(1<<26)-1<<25)
	}
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		r := reader{data: data, mark: ErrProof}
		if r.varints(n); r.err != nil {
			b.Fatal(r.err)
		}
	}
}
