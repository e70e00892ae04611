package lookup

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

const (
	// blockVars is the log2 of block.
	blockVars = 9
	// block is the number of elements a kernel works on at a time: few enough
	// that the scratch vectors of a worker stay in the second-level cache.
	block = 1 << blockVars
)

// scratch is the private memory of one worker.
type scratch struct {
	x, y      fr.Vector  // block elements each
	one, curv fr.Element // partial sums
}

// workers runs loops over blocks on all cores, one goroutine per scratch.
type workers struct {
	scratch []scratch
}

func newWorkers() *workers {
	w := &workers{scratch: make([]scratch, runtime.GOMAXPROCS(0))}
	for i := range w.scratch {
		mem := make(fr.Vector, 2*block)
		w.scratch[i] = scratch{x: mem[:block], y: mem[block:]}
	}
	return w
}

func (w *workers) clear() {
	for i := range w.scratch {
		w.scratch[i].one.SetZero()
		w.scratch[i].curv.SetZero()
	}
}

// total adds up what the workers have summed since clear.
func (w *workers) total() (one, curv fr.Element) {
	for i := range w.scratch {
		one.Add(&one, &w.scratch[i].one)
		curv.Add(&curv, &w.scratch[i].curv)
	}
	return one, curv
}

// each calls f once for every i < n, concurrently when n is worth it; calls
// that share a scratch do not overlap.
func (w *workers) each(n int, f func(s *scratch, i int)) {
	const grain = 2
	if n <= 2*grain || len(w.scratch) == 1 {
		for i := range n {
			f(&w.scratch[0], i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for g := range w.scratch {
		wg.Go(func() {
			for {
				to := int(next.Add(grain))
				for i := to - grain; i < min(to, n); i++ {
					f(&w.scratch[g], i)
				}
				if to >= n {
					return
				}
			}
		})
	}
	wg.Wait()
}

// fill sets the first n elements of v to c and returns them.
func fill(v fr.Vector, n int, c *fr.Element) fr.Vector {
	v = v[:n]
	for i := range v {
		v[i] = *c
	}
	return v
}
