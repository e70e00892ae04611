package msmtest

import (
	"fmt"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/gpu/msm"
)

func multiply(t *testing.T, e msm.Engine, s *system, scalars []fr.Element, width int) {
	t.Helper()
	got, err := s.load(t, e).MSM(t.Context(), scalars, width)
	if err != nil {
		t.Fatalf("%d bases, %d scalars of %d bits: %v", len(s.points), len(scalars), width, err)
	}
	equal(t, fmt.Sprintf("%d bases, %d scalars of %d bits", len(s.points), len(scalars), width), got, s.want(scalars))
}

func sizes(t *testing.T, e msm.Engine) {
	r := source()
	all := []int{1, 2, 3, 7, 8, 31, 64, 100, 255, 256, 257, 1000, 1024, 4096}
	if large() {
		all = append(all, 1<<14, 1<<14+1, 1<<16, 1<<18)
	}
	for _, n := range all {
		s := newSystem(r, n)
		multiply(t, e, s, narrow(r, n, msm.MaxWidth), msm.MaxWidth)
		multiply(t, e, s, narrow(r, n, 8), 8)
	}
	s := newSystem(r, 300)
	for _, v := range []int64{0, 1, -1, -2, 1 << 62} {
		scalars := make([]fr.Element, len(s.points))
		for i := range scalars {
			scalars[i].SetInt64(v)
		}
		multiply(t, e, s, scalars, msm.MaxWidth)
	}
	multiply(t, e, &system{logs: make([]fr.Element, 40), points: multiples(make([]fr.Element, 40))}, narrow(r, 80, 254), 254)
}

func batches(t *testing.T, e msm.Engine) {
	r := source()
	for _, c := range []struct{ n, batch, width int }{
		{1, 0, 8},
		{1, 5, 254},
		{3, 100, 16},
		{16, 64, 254},
		{64, 33, 8},
		{100, 10, 31},
		{100, 10, 32},
		{1024, 16, 8},
		{1024, 3, 253},
		{1500, 2, 12},
	} {
		multiply(t, e, newSystem(r, c.n), narrow(r, c.n*c.batch, c.width), c.width)
	}
	// Few zeros, as few scalars are in practice.
	scalars := make([]fr.Element, 1024*16)
	for i := range scalars {
		scalars[i].SetUint64(r.Uint64N(1 << 8))
	}
	multiply(t, e, newSystem(r, 1024), scalars, 8)
}

func widths(t *testing.T, e msm.Engine) {
	r := source()
	s := newSystem(r, 90)
	b := s.load(t, e)
	step := 1
	if testing.Short() {
		step = 11
	}
	for width := 1; width <= msm.MaxWidth; width += step {
		scalars := narrow(r, 3*len(s.points), width)
		got, err := b.MSM(t.Context(), scalars, width)
		if err != nil {
			t.Fatalf("%d bits: %v", width, err)
		}
		equal(t, fmt.Sprintf("%d bits", width), got, s.want(scalars))
	}
}
