package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	"github.com/consensys/gnark-crypto/utils"
	"github.com/weisyn/wes/benchmarks/report"
	"github.com/weisyn/wes/gpu/msm"
)

func nttCases(o *Options) []Case {
	least, most := 10, 20
	if o.Quick {
		least, most = 6, 8
	}
	var cases []Case
	for _, e := range o.Engines {
		for _, t := range msm.Transforms() {
			for log := least; log <= most; log++ {
				cases = append(cases, transform(e, t, log, o))
			}
		}
	}
	return cases
}

func transform(e Engine, t msm.Transform, log int, o *Options) Case {
	r := report.Result{
		Case: fmt.Sprintf("%s 2^%d", t, log), Title: fmt.Sprintf("%s, 2^%d", t, log), Series: t.String(), Engine: e.Name,
		Parameters: map[string]int64{report.Values: 1 << log},
	}
	return Case{result: r, open: func(ctx context.Context, r *report.Result) (*trial, error) {
		values := randomScalars(source(o.Seed, "ntt "+r.Case), 1<<log, fr.Bits)
		r.Input = newDigest().scalars(values).String()
		return openTransform(ctx, o, e, t, values)
	}}
}

// openTransform compares the engine's result with the baseline's before anything is timed.
// Both then go on to transform what they transformed: how long that takes does not depend on
// the values.
func openTransform(ctx context.Context, o *Options, e Engine, t msm.Transform, values []fr.Element) (_ *trial, err error) {
	engine, err := e.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, engine.Close())
		}
	}()
	got, want := slices.Clone(values), slices.Clone(values)
	domain := fft.NewDomain(uint64(len(values)))
	p := &pair{metric: "time", against: gnarkCrypto, shortest: o.shortest}
	run := steady(engine, p.run)
	p.subject = func(ctx context.Context) error { return engine.NTT(ctx, got, t) }
	p.baseline = func(context.Context) error { fourier(domain, want, t); return nil }
	if err := p.warm(ctx); err != nil {
		return nil, err
	}
	if !slices.Equal(got, want) {
		return nil, fmt.Errorf("engine %s and %s disagree", e.Name, gnarkCrypto)
	}
	return &trial{run: run, close: engine.Close}, nil
}

// fourier is gnark-crypto's transform from natural order to natural order.
func fourier(d *fft.Domain, values []fr.Element, t msm.Transform) {
	var options []fft.Option
	if t.Coset {
		options = append(options, fft.OnCoset())
	}
	if t.Inverse {
		d.FFTInverse(values, fft.DIF, options...)
	} else {
		d.FFT(values, fft.DIF, options...)
	}
	utils.BitReverse(values)
}
