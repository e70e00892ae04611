//go:build cgo && (icicle || icicle_v3) && !(icicle && icicle_v3)

package icicle

import (
	"context"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"

	"github.com/weisyn/wes/gpu/msm"
)

// engine is ICICLE on one device.
type engine struct {
	device string
	thread *thread
	domain int // size for which roots of unity are on the device; of the thread
}

var _ msm.Engine = (*engine)(nil)

// Open starts the engine. The error wraps msm.ErrUnavailable where o.Device does not work.
func Open(ctx context.Context, o Options) (msm.Engine, error) {
	e := &engine{thread: newThread()}
	err := e.thread.do(ctx, func() error {
		var findings []Finding
		e.device, findings = choose(o)
		if e.device == "" {
			last := findings[len(findings)-1]
			return fmt.Errorf("%w: %s: %s: %s", msm.ErrUnavailable, last.Subject, last.Why, last.Remedy)
		}
		return nil
	})
	if err != nil {
		e.thread.close()
		return nil, fmt.Errorf("open ICICLE: %w", err)
	}
	return e, nil
}

// Name is that of the library and the device.
func (e *engine) Name() string { return Distribution + " on " + e.device }

// Close frees the roots of unity.
func (e *engine) Close() error {
	err := e.thread.do(context.Background(), func() error {
		if e.domain == 0 {
			return nil
		}
		e.domain = 0
		return failure("release domain", releaseDomain())
	})
	e.thread.close()
	if err != nil && err != errClosed {
		return fmt.Errorf("close ICICLE: %w", err)
	}
	return nil
}

// Load copies points to the device.
func (e *engine) Load(ctx context.Context, points []bn254.G1Affine) (msm.Bases, error) {
	if err := msm.CheckLoad(len(points)); err != nil {
		return nil, fmt.Errorf("load bases: %w", err)
	}
	b := &bases{engine: e, points: points}
	var written []affine
	written, b.positions = finite(points)
	err := e.thread.do(ctx, func() error {
		if len(written) == 0 {
			return nil
		}
		if _, err := b.device.Malloc(len(affine{})*len(canonical{})*8, len(written)); err != success {
			return failure("allocate bases", err)
		}
		if err := copyToDevice(&b.device, written); err != success {
			b.device.Free()
			return failure("copy bases", err)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load bases: %w", err)
	}
	return b, nil
}

// NTT transforms on the device.
func (e *engine) NTT(ctx context.Context, values []fr.Element, t msm.Transform) error {
	err := msm.CheckNTT(len(values))
	if err == nil {
		err = e.thread.do(ctx, func() error { return e.transform(values, t) })
	}
	if err != nil {
		return fmt.Errorf("transform: %w", err)
	}
	return nil
}

func (e *engine) transform(values []fr.Element, t msm.Transform) error {
	if len(values) == 1 {
		return nil // one coefficient is its value everywhere
	}
	if err := e.roots(len(values)); err != nil {
		return err
	}
	c, d := defaultNTT(), forward
	if t.Coset {
		shift := fft.GeneratorFullMultiplicativeGroup()
		c.CosetGen = split(&shift)
	}
	if t.Inverse {
		d = inverse
	}
	in := host(values)
	return failure("transform", transform(in, d, &c, in))
}

// roots makes sure that the device has roots of unity of order n. Those of a higher order
// serve too.
func (e *engine) roots(n int) error {
	if n <= e.domain {
		return nil
	}
	if e.domain > 0 {
		e.domain = 0
		if err := releaseDomain(); err != success {
			return failure("release domain", err)
		}
	}
	root, err := fft.Generator(uint64(n))
	if err != nil {
		return err
	}
	if err := initDomain(split(&root)); err != success {
		return failure("make domain", err)
	}
	e.domain = n
	return nil
}

// failure names the step that has a status, nil for success.
func failure(step string, s status) error {
	if s == success {
		return nil
	}
	return fmt.Errorf("%s: %s", step, s.AsString())
}
