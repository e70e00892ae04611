package remote

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/gpu/msm"
	"github.com/weisyn/wes/gpu/worker"
)

// Child runs jobs in a child process, and starts another after it was lost.
type Child interface {
	Do(ctx context.Context, j worker.Job) error
	Close() error
}

var _ Child = (*worker.Supervisor)(nil)

// Engine is the parent's side.
type Engine struct {
	child    Child
	name     string
	fallback msm.Engine
	numbers  atomic.Uint64 // of bases, the last one given

	mu struct {
		sync.Mutex
		lost error // why the fallback is in use, nil while it is not
	}
}

var _ msm.Engine = (*Engine)(nil)

// New makes an engine that computes on the one of a name in a child, which must offer
// Methods. The engine owns child and fallback.
func New(child Child, name string, fallback msm.Engine) *Engine {
	return &Engine{child: child, name: name, fallback: fallback}
}

// Name is that of the engine that is in use.
func (e *Engine) Name() string {
	if e.Lost() != nil {
		return e.fallback.Name()
	}
	return e.name
}

// Lost says why the fallback is in use, nil while it is not.
func (e *Engine) Lost() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.mu.lost
}

// Close ends the child and closes the fallback.
func (e *Engine) Close() error { return errors.Join(e.child.Close(), e.fallback.Close()) }

// attempt does a job on the child, twice if it is lost. It reports whether the fallback
// has to do it.
func (e *Engine) attempt(job func() error) (fallBack bool, err error) {
	if e.Lost() != nil {
		return true, nil
	}
	for range 2 {
		err = job()
		var f *worker.Failure
		if !errors.As(err, &f) || ended(f) {
			return false, err
		}
		if !f.Lost {
			break
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.mu.lost = err
	return true, nil
}

// ended says that a failure is not the child's: the job's context ended, or the job was
// refused for what it is.
func ended(f *worker.Failure) bool {
	switch f.Reason {
	case worker.ReasonCanceled, worker.ReasonDeadline, worker.ReasonInput:
		return true
	}
	return false
}

// reason is that of a failure, empty for other errors.
func reason(err error) worker.Reason {
	var f *worker.Failure
	if errors.As(err, &f) {
		return f.Reason
	}
	return ""
}

// Load sends points to the child.
func (e *Engine) Load(ctx context.Context, points []bn254.G1Affine) (msm.Bases, error) {
	if err := msm.CheckLoad(len(points)); err != nil {
		return nil, fmt.Errorf("load bases: %w", err)
	}
	b := &bases{engine: e, points: points, number: e.numbers.Add(1)}
	if fallBack, err := e.attempt(func() error { return b.send(ctx) }); err != nil || fallBack {
		if err == nil {
			_, err = b.local(ctx)
		}
		if err != nil {
			return nil, fmt.Errorf("load bases: %w", err)
		}
	}
	return b, nil
}

// NTT sends values to the child and takes the result when it is complete.
func (e *Engine) NTT(ctx context.Context, values []fr.Element, t msm.Transform) error {
	if err := msm.CheckNTT(len(values)); err != nil {
		return fmt.Errorf("transform: %w", err)
	}
	h := head{engine: e.name}
	if t.Inverse {
		h.argument |= flagInverse
	}
	if t.Coset {
		h.argument |= flagCoset
	}
	var result []fr.Element
	job := worker.Job{
		Method: methodTransform, Body: [][]byte{h.encode(), memory(values)},
		Receive: receiveScalars(len(values), &result),
	}
	fallBack, err := e.attempt(func() error { return e.child.Do(ctx, job) })
	switch {
	case fallBack:
		return e.fallback.NTT(ctx, values, t)
	case err != nil:
		return fmt.Errorf("transform: %w", err)
	}
	copy(values, result)
	return nil
}
