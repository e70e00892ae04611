package graph

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestCellsComeBack packs integers of every width and reads them in every way.
func TestCellsComeBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for width := 1; width <= 8; width++ {
		most := int64(math.MaxInt64) >> (64 - 8*width)
		bounds := Interval{-most - 1, most}
		values := []int64{0, -1, most, -most - 1}
		for range 2500 {
			values = append(values, rng.Int64()>>(64-8*width))
		}
		c := PackCells(values, Interval{})
		if c.Width != width || bounds.Width() != width || c.Len() != len(values) || len(c.Data) != width*len(values) {
			t.Fatalf("%d bytes: width %d, of the bounds %d, %d cells in %d bytes", width, c.Width, bounds.Width(), c.Len(), len(c.Data))
		}
		if !slices.Equal(c.Values(), values) || !slices.Equal(c.Slice(3, 9).Values(), values[3:9]) {
			t.Errorf("%d bytes: other values", width)
		}
		changed := c.Changed(func(v []int64) { v[2] = 7 })
		if changed.Width != width || changed.At(2) != 7 || c.At(2) != most || !slices.Equal(changed.Values()[3:], values[3:]) {
			t.Errorf("%d bytes: changed to %v", width, changed.Values()[:9])
		}
		narrow := make([]int32, len(values))
		if fit := c.Narrow(narrow, 0); fit != (width <= 4) {
			t.Errorf("%d bytes: in 32 bits: %v", width, fit)
		}
		rest := make([]int32, 9)
		c.Narrow(rest, len(values)-len(rest))
		for i, v := range values {
			if narrow[i] != int32(v) || i >= len(values)-len(rest) && rest[i-len(values)+len(rest)] != int32(v) {
				t.Fatalf("%d bytes: cell %d is %d, want %d", width, i, narrow[i], int32(v))
			}
		}
	}
}

// TestCellsAreAsWideAsBoundsSay guards that a tensor has one encoding.
func TestCellsAreAsWideAsBoundsSay(t *testing.T) {
	for _, c := range []struct {
		bounds Interval
		values []int64
		width  int
	}{
		{Interval{0, 0}, []int64{0}, 1},
		{Interval{-128, 127}, []int64{5}, 1},
		{Interval{-129, 0}, []int64{5}, 2},
		{Interval{0, 128}, []int64{5}, 2},
		{Interval{0, 1 << 31}, []int64{5}, 5},
		{Interval{math.MinInt64, math.MaxInt64}, []int64{5}, 8},
		{Interval{-128, 127}, []int64{128}, 2},
	} {
		if got := PackCells(c.values, c.bounds).Width; got != c.width {
			t.Errorf("%v in %v: %d bytes, want %d", c.values, c.bounds, got, c.width)
		}
	}
}

// TestFirstCellOutsideIsFound moves a bad cell through tensors of every width.
func TestFirstCellOutsideIsFound(t *testing.T) {
	for _, wide := range []int64{10, 1 << 12, 1 << 20, 1 << 30, 1 << 40} {
		bounds := Interval{-wide, wide - 1}
		values := make([]int64, 3000)
		for _, bad := range []int64{-wide - 1, wide} {
			for _, at := range []int{0, 1, 1023, 1024, 2999} {
				values[at], values[2999] = bad, bad
				if got, ok := PackCells(values, bounds).Outside(bounds); !ok || got != at {
					t.Errorf("bounds %v, cell %d: found %v at %d", bounds, at, ok, got)
				}
				values[at], values[2999] = wide-1, -wide
				if got, ok := PackCells(values, bounds).Outside(bounds); ok {
					t.Errorf("bounds %v: cell %d is outside", bounds, got)
				}
			}
		}
	}
}

func BenchmarkCellsNarrow(b *testing.B) {
	values := make([]int64, 1<<20)
	narrow := make([]int32, len(values))
	for _, hi := range []int64{1 << 6, 1 << 12, 1 << 20, 1 << 28, 1 << 36} {
		c := PackCells(values, Interval{0, hi})
		b.Run(string(rune('0'+c.Width)), func(b *testing.B) {
			b.SetBytes(int64(4 * len(narrow)))
			for b.Loop() {
				c.Narrow(narrow, 0)
			}
		})
		b.Run(string(rune('0'+c.Width))+"/outside", func(b *testing.B) {
			b.SetBytes(int64(4 * len(narrow)))
			for b.Loop() {
				c.Outside(Interval{0, hi})
			}
		})
	}
}
