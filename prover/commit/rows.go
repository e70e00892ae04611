package commit

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"golang.org/x/sync/errgroup"
)

// CommitRows commits to each row of a row-major matrix of cols columns: point i is
// Σ_j data[i·cols+j]·G_j. The last row may be short; its missing values count as
// zeros. A row of zeros commits to infinity. cols must be a power of two, at most
// [Key.Len], else the error is a [LengthError].
//
// The work is proportional to the non-zero values, and to the number of base-256
// digits they need. All cores take part, each with a scratch of some megabytes.
// progress, if not nil, hears how many of the rows are done; it is called from
// several goroutines but never by two at once, and done grows from call to call.
// When ctx ends, CommitRows soon returns an error that wraps the one of ctx.
func (k *Key) CommitRows(ctx context.Context, data []int32, cols int, progress func(done, total int)) ([]bn254.G1Affine, error) {
	if cols < 1 || cols > k.Len() || cols&(cols-1) != 0 {
		return nil, &LengthError{What: "row", Got: cols, Want: fmt.Sprintf("a power of two up to %d", k.Len())}
	}
	return SumRows(ctx, k.gens, data, cols, progress)
}

// SumRows is [Key.CommitRows] for any points of the curve, infinity among them, and for
// any number of columns from 1 to that of the points.
func SumRows(ctx context.Context, points []bn254.G1Affine, data []int32, cols int, progress func(done, total int)) ([]bn254.G1Affine, error) {
	if cols < 1 || cols > len(points) {
		return nil, &LengthError{What: "row", Got: cols, Want: fmt.Sprintf("1..%d", len(points))}
	}
	return (&committer{points: points, data: data, cols: cols, progress: progress}).run(ctx)
}

// committer is one call of SumRows or SumWindows.
type committer struct {
	points []bn254.G1Affine // of the columns, and perhaps more
	data   []int32
	cols   int
	wide   bool // that of a sorter
	share  int  // rows per worker, rounded up; no batch has more
	rows   []bn254.G1Affine
	next   atomic.Int64 // first row that no worker has taken

	progress func(done, total int)
	mu       struct {
		sync.Mutex
		done int
	}
}

// run sums the rows.
func (c *committer) run(ctx context.Context) ([]bn254.G1Affine, error) {
	rows := (len(c.data) + c.cols - 1) / c.cols
	if rows == 0 {
		return nil, nil
	}
	c.rows = make([]bn254.G1Affine, rows)
	workers := min(runtime.GOMAXPROCS(0), rows)
	c.share = (rows + workers - 1) / workers
	group, ctx := errgroup.WithContext(ctx)
	for range workers {
		group.Go(func() error { return c.work(ctx) })
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("sum rows: %w", err)
	}
	return c.rows, nil
}

// work commits to batches of rows until none are left. Workers take rows one by
// one, so no worker is left with all the dense ones.
func (c *committer) work(ctx context.Context) error {
	b := newBatch(c.points, c.share, c.cols, c.wide)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		for len(b.rows) < c.share && !b.full() {
			i := int(c.next.Add(1)) - 1
			if i >= len(c.rows) {
				break
			}
			b.add(i, c.data[i*c.cols:min((i+1)*c.cols, len(c.data))])
		}
		n := len(b.rows)
		if n == 0 {
			return nil
		}
		b.sum(c.rows)
		c.report(n)
	}
}

// report adds n finished rows to the progress.
func (c *committer) report(n int) {
	if c.progress == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.done += n
	c.progress(c.mu.done, len(c.rows))
}
