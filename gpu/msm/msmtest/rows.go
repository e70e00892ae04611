package msmtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/gpu/msm"
)

// wantRows is the result of Rows.
func (s *system) wantRows(rows []int32, cols int) []bn254.G1Affine {
	sums := make([]fr.Element, (len(rows)+cols-1)/cols)
	for i, v := range rows {
		var term fr.Element
		term.SetInt64(int64(v)).Mul(&term, &s.logs[i%cols])
		sums[i/cols].Add(&sums[i/cols], &term)
	}
	return multiples(sums)
}

func rowValues(t *testing.T, e msm.Engine) {
	r := source()
	pick := func(vs ...int32) func() int32 { return func() int32 { return vs[r.IntN(len(vs))] } }
	s := newSystem(r, 128)
	b := s.load(t, e)
	for name, next := range map[string]func() int32{
		"zero":      pick(0),
		"one":       pick(1),
		"minus one": pick(-1),
		"-128":      pick(-128),
		"max":       pick(math.MaxInt32),
		"min":       pick(math.MinInt32),
		"limits":    pick(0, 127, -127, 128, -128, 129, 255, 256, -256, 1<<15, -1<<15, math.MaxInt32, math.MinInt32),
		"bit":       pick(0, 0, 0, 1),
		"signed 8":  func() int32 { return int32(r.IntN(256)) - 128 },
		"relu":      func() int32 { return max(0, int32(r.IntN(255))-127) },
		"signed 16": func() int32 { return int32(r.IntN(1<<16)) - 1<<15 },
		"any":       func() int32 { return int32(r.Uint32()) },
	} {
		rows := fill(1000, next)
		got, err := b.Rows(t.Context(), rows, 128, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		equal(t, name, got, s.wantRows(rows, 128))
	}
}

func fill(n int, next func() int32) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = next()
	}
	return rows
}

func rowShapes(t *testing.T, e msm.Engine) {
	r := source()
	s := newSystem(r, 4096)
	b := s.load(t, e)
	shapes := []struct{ cols, cells int }{
		{1, 0}, {1, 1}, {1, 7}, {7, 3}, {7, 7}, {7, 700}, {100, 250}, {1024, 1024}, {1024, 1500}, {4096, 4096}, {4096, 12000},
	}
	if large() {
		shapes = append(shapes, struct{ cols, cells int }{4096, 1 << 20})
	}
	for _, c := range shapes {
		rows := fill(c.cells, eightBits(r))
		got, err := b.Rows(t.Context(), rows, c.cols, nil)
		if err != nil {
			t.Fatalf("%d cells in rows of %d: %v", c.cells, c.cols, err)
		}
		equal(t, fmt.Sprintf("%d cells in rows of %d", c.cells, c.cols), got, s.wantRows(rows, c.cols))
	}
}

func eightBits(r *rand.Rand) func() int32 { return func() int32 { return int32(r.IntN(256)) - 128 } }

func rowProgress(t *testing.T, e msm.Engine) {
	r := source()
	b := newSystem(r, 16).load(t, e)
	last := 0
	_, err := b.Rows(t.Context(), fill(300*16, eightBits(r)), 16, func(done, total int) {
		if done < last || done > total || total != 300 {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last = done
	})
	if err != nil {
		t.Fatal(err)
	}
	if last != 300 {
		t.Errorf("ended at %d", last)
	}
}
