package sumcheck

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/vec"
)

// blockFunc adds the contribution of the indices [start, end), at most one block
// of them, to dst.
type blockFunc func(dst []fr.Element, start, end int)

// sumBlocks splits [0, n) into blocks of the given size, works on them with up
// to cores goroutines and returns the sum of the width contributions. newWorker
// is called once per goroutine, with its number below cores and the size of the
// largest block.
func sumBlocks(cores, n, width, size int, newWorker func(worker, size int) blockFunc) []fr.Element {
	size = max(1, min(size, n))
	blocks := (n + size - 1) / size
	workers := min(cores, blocks)
	if workers <= 1 {
		sum := make([]fr.Element, width)
		work := newWorker(0, size)
		for b := range blocks {
			work(sum, b*size, min((b+1)*size, n))
		}
		return sum
	}
	sums := make([][]fr.Element, workers)
	var next atomic.Int64
	var wg sync.WaitGroup
	for w := range sums {
		wg.Go(func() {
			sum := make([]fr.Element, width)
			work := newWorker(w, size)
			for b := int(next.Add(1)) - 1; b < blocks; b = int(next.Add(1)) - 1 {
				work(sum, b*size, min((b+1)*size, n))
			}
			sums[w] = sum
		})
	}
	wg.Wait()
	for _, s := range sums[1:] {
		for i := range s {
			sums[0][i].Add(&sums[0][i], &s[i])
		}
	}
	return sums[0]
}

// evaluate folds the pending challenge, if there is one, and returns the round
// polynomial at 0, 2, …, degree.
func (c *product) evaluate(degree int) []fr.Element {
	pending := c.pending != nil
	vars := c.factors[0].vars
	if pending {
		vars--
	}
	half := 1 << (vars - 1)
	// Every entry below the longest factor has to be folded, only those below
	// the shortest contribute.
	n := half
	if longest := c.longest(); longest < half {
		n = longest
	}
	if c.evaluators == nil {
		c.evaluators = make([]*evaluator, runtime.GOMAXPROCS(0))
	}
	g := sumBlocks(len(c.evaluators), n, degree, blockSize, func(worker, size int) blockFunc {
		if c.evaluators[worker] == nil {
			c.evaluators[worker] = newEvaluator(len(c.factors), size)
		}
		w := c.evaluators[worker]
		return func(dst []fr.Element, start, end int) {
			if pending {
				c.fold(start, end)
				c.fold(start+half, end+half)
			}
			lo, hi := w.cut(end - start)
			for k := range c.factors {
				f := c.factors[k]
				f.values = f.values[:min(len(f.values), 2*half)]
				if len(c.factors) == 2 {
					lo[k], hi[k] = f.block(lo[k], start), f.block(hi[k], start+half)
					continue
				}
				f.load(lo[k], start)
				f.load(hi[k], start+half)
			}
			if len(c.factors) == 2 {
				addQuadratic(dst, lo, hi)
				return
			}
			w.add(dst, lo, hi)
		}
	})
	if pending {
		c.shrink()
	}
	return g
}

func (c *product) longest() int {
	n := 0
	for k := range c.factors {
		n = max(n, len(c.factors[k].values))
	}
	return n
}

// evaluator holds one block of every factor, split at the top variable.
type evaluator struct {
	lo, hi    []fr.Vector
	low, high []fr.Vector // what cut returns
	acc       fr.Vector
}

func newEvaluator(factors, size int) *evaluator {
	w := &evaluator{
		acc: make(fr.Vector, size),
		low: make([]fr.Vector, factors), high: make([]fr.Vector, factors),
	}
	for range factors {
		w.lo = append(w.lo, make(fr.Vector, size))
		w.hi = append(w.hi, make(fr.Vector, size))
	}
	return w
}

// addQuadratic adds to dst the sums at 0, 2, …, len(dst) of a product of two
// factors, Σ lo·lo + (Σ hi·hi - Σ lo·lo - Σ d·d)·X + Σ d·d·X² with d = hi - lo.
func addQuadratic(dst []fr.Element, lo, hi []fr.Vector) {
	value, step := vec.Inner(lo[0], lo[1]), vec.Inner(hi[0], hi[1])
	twice := vec.InnerDifference(hi[0], lo[0], hi[1], lo[1])
	dst[0].Add(&dst[0], &value)
	step.Sub(&step, &value)
	value.Add(&value, &step)
	twice.Double(&twice)
	for t := 1; t < len(dst); t++ {
		step.Add(&step, &twice)
		value.Add(&value, &step)
		dst[t].Add(&dst[t], &value)
	}
}

// add adds to dst the sums at 0, 2, …, len(dst). It overwrites lo and hi.
func (w *evaluator) add(dst []fr.Element, lo, hi []fr.Vector) {
	n := len(lo[0])
	v := innerProduct(lo, w.acc[:n])
	dst[0].Add(&dst[0], &v)
	for k := range lo {
		lo[k].Sub(hi[k], lo[k])
	}
	for t := 1; t < len(dst); t++ {
		for k := range hi {
			hi[k].Add(hi[k], lo[k])
		}
		v = innerProduct(hi, w.acc[:n])
		dst[t].Add(&dst[t], &v)
	}
}

// cut returns the first n entries of lo and hi.
func (w *evaluator) cut(n int) (lo, hi []fr.Vector) {
	for k := range w.lo {
		w.low[k], w.high[k] = w.lo[k][:n], w.hi[k][:n]
	}
	return w.low, w.high
}

// innerProduct returns Σ_i Π_k rows[k][i]; acc is scratch of the same length.
func innerProduct(rows []fr.Vector, acc fr.Vector) fr.Element {
	if len(rows) == 1 {
		return rows[0].Sum()
	}
	first := rows[0]
	for k := 1; k < len(rows)-1; k++ {
		vec.Mul(acc, first, rows[k])
		first = acc
	}
	return vec.Inner(first, rows[len(rows)-1])
}
