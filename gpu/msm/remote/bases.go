package remote

import (
	"context"
	"fmt"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/gpu/msm"
	"github.com/weisyn/wes/gpu/worker"
)

// bases are points that the child has under a number, or had before it was lost.
type bases struct {
	engine *Engine
	points []bn254.G1Affine
	number uint64

	mu struct {
		sync.Mutex
		fallback msm.Bases // nil until needed
	}
}

var _ msm.Bases = (*bases)(nil)

func (b *bases) head(argument int) []byte {
	h := head{engine: b.engine.name, bases: b.number, argument: uint64(argument)}
	return h.encode()
}

// send gives the points to the child.
func (b *bases) send(ctx context.Context) error {
	return b.engine.child.Do(ctx, worker.Job{Method: methodLoad, Body: [][]byte{b.head(0), memory(b.points)}})
}

// local are the points in the fallback engine.
func (b *bases) local(ctx context.Context) (msm.Bases, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.mu.fallback == nil {
		local, err := b.engine.fallback.Load(ctx, b.points)
		if err != nil {
			return nil, err
		}
		b.mu.fallback = local
	}
	return b.mu.fallback, nil
}

// do runs a job on the child, sending the points first if it does not have them. It
// reports whether the fallback has to do it.
func (b *bases) do(ctx context.Context, j worker.Job) (fallBack bool, err error) {
	return b.engine.attempt(func() error {
		for {
			err := b.engine.child.Do(ctx, j)
			if reason(err) != reasonUnknown {
				return err
			}
			// Between the two another caller may lose the child, which its losses bound.
			if err := b.send(ctx); err != nil {
				return err
			}
		}
	})
}

// MSM sends scalars and receives the sums.
func (b *bases) MSM(ctx context.Context, scalars []fr.Element, width int) (sums []bn254.G1Affine, err error) {
	if err = msm.CheckMSM(len(b.points), len(scalars), width); err == nil {
		err = msm.CheckWidth(scalars, width)
	}
	if err != nil {
		return nil, fmt.Errorf("multiply bases: %w", err)
	}
	fallBack, err := b.do(ctx, worker.Job{
		Method: methodMultiply, Body: [][]byte{b.head(width), memory(scalars)},
		Receive: receivePoints(len(scalars)/len(b.points), &sums),
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("multiply bases: %w", err)
	case !fallBack:
		return sums, nil
	}
	local, err := b.local(ctx)
	if err != nil {
		return nil, err
	}
	return local.MSM(ctx, scalars, width)
}

// Rows sends integers and receives the sums.
func (b *bases) Rows(ctx context.Context, rows []int32, cols int, progress func(done, total int)) (sums []bn254.G1Affine, err error) {
	if err := msm.CheckRows(len(b.points), cols); err != nil {
		return nil, fmt.Errorf("multiply rows: %w", err)
	}
	progress = growing(progress)
	fallBack, err := b.do(ctx, worker.Job{
		Method: methodRows, Body: [][]byte{b.head(cols), memory(rows)},
		Receive:  receivePoints((len(rows)+cols-1)/cols, &sums),
		Progress: func(_ string, done, total int) { progress(done, total) },
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("multiply rows: %w", err)
	case !fallBack:
		return sums, nil
	}
	local, err := b.local(ctx)
	if err != nil {
		return nil, err
	}
	return local.Rows(ctx, rows, cols, progress)
}

// growing passes only progress on: a job that is done again begins again. Calls must not
// overlap.
func growing(progress func(done, total int)) func(done, total int) {
	most := 0
	return func(done, total int) {
		if progress != nil && done > most {
			most = done
			progress(done, total)
		}
	}
}

// Close frees the points in the child and in the fallback. A child that does not have them
// has nothing to free.
func (b *bases) Close() error {
	b.mu.Lock()
	local := b.mu.fallback
	b.mu.Unlock()
	if local != nil {
		if err := local.Close(); err != nil {
			return fmt.Errorf("close bases: %w", err)
		}
	}
	_, err := b.engine.attempt(func() error {
		err := b.engine.child.Do(context.Background(), worker.Job{Method: methodDrop, Body: [][]byte{b.head(0)}})
		if reason(err) == reasonUnknown {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("close bases: %w", err)
	}
	return nil
}
