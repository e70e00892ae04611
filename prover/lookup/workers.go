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
	// minPiece is the least number of elements worth a task of its own.
	minPiece = 128
	// spins is how often to look for a change before other goroutines may run,
	// and patience how many times that happens before a worker sleeps.
	spins    = 64
	patience = 512
)

// scratch is the private memory of one worker.
type scratch struct {
	x, y fr.Vector // block elements each
	sums [2]sums   // partial sums of the stages of a round
}

// workers runs loops over pieces of tables on all cores. A proof has many short
// loops with little in between, so goroutines last for the proof and, for a
// while, wait for the next loop without giving their core away.
type workers struct {
	scratch []scratch // the first is the caller's
	current atomic.Pointer[loop]
	idle    []idler // of the others
	done    sync.WaitGroup
}

// loop is one call of each. Whoever takes an index runs it; a worker that comes
// late finds none left.
type loop struct {
	n        int
	f        func(s *scratch, i int)
	next     atomic.Int64
	finished atomic.Int64
}

// idler is where a worker sleeps when there was no loop for long.
type idler struct {
	asleep atomic.Bool
	wake   chan struct{}
}

// newWorkers returns workers that start when first needed; stop ends them.
func newWorkers() *workers {
	w := &workers{scratch: make([]scratch, runtime.GOMAXPROCS(0))}
	for i := range w.scratch {
		mem := make(fr.Vector, 2*block)
		w.scratch[i] = scratch{x: mem[:block], y: mem[block:]}
	}
	return w
}

func (w *workers) start() {
	w.idle = make([]idler, len(w.scratch)-1)
	for i := range w.idle {
		w.idle[i].wake = make(chan struct{}, 1)
		w.done.Go(func() { w.work(&w.scratch[i+1], &w.idle[i]) })
	}
}

// stop waits for the workers to end.
func (w *workers) stop() {
	w.publish(&loop{})
	w.done.Wait()
}

// publish makes l the current loop.
func (w *workers) publish(l *loop) {
	w.current.Store(l)
	for i := range w.idle {
		if w.idle[i].asleep.CompareAndSwap(true, false) {
			w.idle[i].wake <- struct{}{}
		}
	}
}

// work runs loops until one without a function comes.
func (w *workers) work(s *scratch, idle *idler) {
	var last *loop
	for {
		last = w.await(last, idle)
		if last.f == nil {
			return
		}
		last.run(s)
	}
}

// await returns the current loop once it is not last.
func (w *workers) await(last *loop, idle *idler) *loop {
	for range patience {
		for range spins {
			if l := w.current.Load(); l != last {
				return l
			}
		}
		runtime.Gosched()
	}
	idle.asleep.Store(true)
	if l := w.current.Load(); l != last && idle.asleep.CompareAndSwap(true, false) {
		return l
	}
	<-idle.wake
	return w.current.Load()
}

// run works on indices until none is left.
func (l *loop) run(s *scratch) {
	for i := int(l.next.Add(1)) - 1; i < l.n; i = int(l.next.Add(1)) - 1 {
		l.f(s, i)
		l.finished.Add(1)
	}
}

func (w *workers) clear() {
	for i := range w.scratch {
		w.scratch[i].sums = [2]sums{}
	}
}

// total adds up what the workers have summed for a stage since clear.
func (w *workers) total(stage int) sums {
	var z sums
	for i := range w.scratch {
		z.add(&w.scratch[i].sums[stage])
	}
	return z
}

// piece returns the number of entries of a block to work on at a time.
func (w *workers) piece(eq *weights) int {
	n := eq.n
	for len(w.scratch) > 1 && n > minPiece && eq.size() < n*2*len(w.scratch) {
		n /= 2
	}
	return n
}

// each calls f once for every i < n, concurrently; calls that share a scratch do
// not overlap.
func (w *workers) each(n int, f func(s *scratch, i int)) {
	if n == 1 || len(w.scratch) == 1 {
		for i := range n {
			f(&w.scratch[0], i)
		}
		return
	}
	if w.idle == nil {
		w.start()
	}
	l := &loop{n: n, f: f}
	w.publish(l)
	l.run(&w.scratch[0])
	for k := 0; int(l.finished.Load()) < n; k++ {
		if k%spins == spins-1 {
			runtime.Gosched()
		}
	}
}

// fill sets the first n elements of v to c and returns them.
func fill(v fr.Vector, n int, c *fr.Element) fr.Vector {
	v = v[:n]
	for i := range v {
		v[i] = *c
	}
	return v
}
