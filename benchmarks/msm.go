package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/benchmarks/report"
	"github.com/weisyn/wes/gpu/msm"
)

// Engine is a place to multiply and transform.
type Engine struct {
	Name string
	// Open returns an error that wraps msm.ErrUnavailable where there is no such engine. An
	// engine that computes elsewhere than it began has another name afterwards.
	Open func(context.Context) (msm.Engine, error)
}

// steady is run, but for an engine that goes on elsewhere: then the figures are not its own.
func steady(engine msm.Engine, run func(context.Context, int) ([]report.Reading, error)) func(context.Context, int) ([]report.Reading, error) {
	name := engine.Name()
	return func(ctx context.Context, i int) ([]report.Reading, error) {
		readings, err := run(ctx, i)
		if now := engine.Name(); err == nil && now != name {
			return nil, fmt.Errorf("engine %s was lost, %s went on", name, now)
		}
		return readings, err
	}
}

// gnarkCrypto is the baseline of the suites msm and ntt.
const gnarkCrypto = "gnark-crypto"

// product is a batch of multi-scalar multiplications over shared bases.
type product struct {
	width, batch, log int
}

// products are single multiplications, and batches of narrow scalars as commitments have
// them. One batch of wide scalars serves: more of them only take minutes.
func products(quick bool) []product {
	var list []product
	for _, width := range []int{fr.Bits, 16, 8} {
		if quick {
			list = append(list, product{width, 1, 8}, product{width, 4, 7})
			continue
		}
		for log := 10; log <= 18; log++ {
			list = append(list, product{width, 1, log})
		}
		list = append(list, product{width, 64, 10})
		if width < fr.Bits {
			list = append(list, product{width, 512, 11}, product{width, 2048, 12})
		}
	}
	return list
}

func msmCases(o *Options) []Case {
	var cases []Case
	for _, e := range o.Engines {
		for _, p := range products(o.Quick) {
			cases = append(cases, p.measured(e, o))
		}
	}
	return cases
}

func (p product) measured(e Engine, o *Options) Case {
	n := 1 << p.log
	r := report.Result{
		Case: fmt.Sprintf("%d bit %d×2^%d", p.width, p.batch, p.log), Engine: e.Name,
		Title: fmt.Sprintf("%d × 2^%d, %d-bit scalars", p.batch, p.log, p.width), Series: fmt.Sprintf("%d bit", p.width),
		Parameters: map[string]int64{"width": int64(p.width), "batch": int64(p.batch), report.Points: int64(n)},
	}
	if p.batch == 1 {
		r.Case, r.Title = fmt.Sprintf("%d bit 2^%d", p.width, p.log), fmt.Sprintf("2^%d, %d-bit scalars", p.log, p.width)
	} else {
		r.Series += ", batch"
	}
	return Case{result: r, open: func(ctx context.Context, r *report.Result) (*trial, error) {
		s := source(o.Seed, "msm "+r.Case)
		points, scalars := randomPoints(s, n), randomScalars(s, p.batch*n, p.width)
		r.Input = newDigest().points(points).scalars(scalars).String()
		return openProduct(ctx, o, e, points, scalars, p.width)
	}}
}

// openProduct compares the engine's result with the baseline's before anything is timed.
func openProduct(ctx context.Context, o *Options, e Engine, points []bn254.G1Affine, scalars []fr.Element, width int) (_ *trial, err error) {
	engine, err := e.Open(ctx)
	if err != nil {
		return nil, err
	}
	p := &pair{metric: "time", against: gnarkCrypto, shortest: o.shortest}
	run, end := steady(engine, p.run), engine.Close
	defer func() {
		if err != nil {
			err = errors.Join(err, end())
		}
	}()
	bases, err := engine.Load(ctx, points)
	if err != nil {
		return nil, fmt.Errorf("load bases: %w", err)
	}
	end = func() error { return errors.Join(bases.Close(), engine.Close()) }
	var got []bn254.G1Affine
	want := make([]bn254.G1Affine, len(scalars)/len(points))
	p.subject = func(ctx context.Context) (err error) { got, err = bases.MSM(ctx, scalars, width); return err }
	p.baseline = func(context.Context) error { return multiExps(points, scalars, want) }
	if err := p.warm(ctx); err != nil {
		return nil, err
	}
	if !slices.Equal(got, want) {
		return nil, fmt.Errorf("engine %s and %s disagree", e.Name, gnarkCrypto)
	}
	return &trial{run: run, close: end}, nil
}

// multiExps is gnark-crypto's multiplication, row by row: it has none for shared bases.
func multiExps(points []bn254.G1Affine, scalars []fr.Element, out []bn254.G1Affine) error {
	n := len(points)
	for i := range out {
		if _, err := out[i].MultiExp(points, scalars[i*n:][:n], ecc.MultiExpConfig{}); err != nil {
			return err
		}
	}
	return nil
}
