package msmtest

import (
	"context"
	"errors"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"golang.org/x/sync/errgroup"

	"github.com/weisyn/wes/gpu/msm"
	"github.com/weisyn/wes/prover/commit"
)

func lengths(t *testing.T, e msm.Engine) {
	var wrong *commit.LengthError
	if _, err := e.Load(t.Context(), nil); !errors.As(err, &wrong) {
		t.Errorf("no bases: %v", err)
	}
	b := newSystem(source(), 10).load(t, e)
	for _, c := range []struct{ scalars, width int }{{9, 8}, {11, 8}, {1, 254}, {10, 0}, {10, -1}, {10, 255}} {
		if _, err := b.MSM(t.Context(), make([]fr.Element, c.scalars), c.width); !errors.As(err, &wrong) {
			t.Errorf("%d scalars of %d bits over 10 bases: %v", c.scalars, c.width, err)
		}
	}
	for _, cols := range []int{-1, 0, 11} {
		if _, err := b.Rows(t.Context(), make([]int32, 20), cols, nil); !errors.As(err, &wrong) {
			t.Errorf("rows of %d over 10 bases: %v", cols, err)
		}
	}
	for _, n := range []int{0, 3, 6, 1<<10 + 1} {
		if err := e.NTT(t.Context(), make([]fr.Element, n), msm.Transform{}); !errors.As(err, &wrong) {
			t.Errorf("transform of %d: %v", n, err)
		}
	}
}

func wideScalars(t *testing.T, e msm.Engine) {
	r := source()
	s := newSystem(r, 1000)
	b := s.load(t, e)
	for _, width := range []int{1, 7, 8, 31, 32, 64, 65, 253} {
		scalars := narrow(r, 2*len(s.points), width)
		scalars[1234].SetBigInt(new(big.Int).Lsh(big.NewInt(1), uint(width)))
		var wide *msm.WidthError
		if _, err := b.MSM(t.Context(), scalars, width); !errors.As(err, &wide) || wide.Index != 1234 || wide.Width != width {
			t.Errorf("a wider scalar among those of %d bits: %v", width, err)
		}
	}
}

func canceled(t *testing.T, e msm.Engine) {
	r := source()
	s := newSystem(r, 64)
	b := s.load(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, width := range []int{8, msm.MaxWidth} {
		if _, err := b.MSM(ctx, narrow(r, 64*64, width), width); !errors.Is(err, context.Canceled) {
			t.Errorf("MSM: %v", err)
		}
	}
	if _, err := b.Rows(ctx, make([]int32, 1000), 64, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Rows: %v", err)
	}
	if err := e.NTT(ctx, narrow(r, 64, msm.MaxWidth), msm.Transform{}); !errors.Is(err, context.Canceled) {
		t.Errorf("NTT: %v", err)
	}
	scalars := narrow(r, 64, 8)
	got, err := b.MSM(t.Context(), scalars, 8)
	if err != nil {
		t.Fatalf("after cancelling: %v", err)
	}
	equal(t, "after cancelling", got, s.want(scalars))
}

func concurrent(t *testing.T, e msm.Engine) {
	var group errgroup.Group
	for i := range 4 {
		group.Go(func() error {
			r := source()
			s := newSystem(r, 50+i)
			b, err := e.Load(t.Context(), s.points)
			if err != nil {
				return err
			}
			for range 3 {
				scalars := narrow(r, 4*len(s.points), 20)
				got, err := b.MSM(t.Context(), scalars, 20)
				if err != nil {
					return err
				}
				for j, p := range s.want(scalars) {
					if got[j] != p {
						return errors.New("a point is wrong")
					}
				}
			}
			return b.Close()
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}
