package poly

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Parallel calls work on disjoint ranges that cover [0, n), on all cores. Ranges
// have about grain items; a single range runs on the caller's goroutine.
func Parallel(n, grain int, work func(start, end int)) {
	chunks := (n + grain - 1) / grain
	workers := min(runtime.GOMAXPROCS(0), chunks)
	if workers <= 1 {
		if n > 0 {
			work(0, n)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				c := int(next.Add(1)) - 1
				if c >= chunks {
					return
				}
				work(c*grain, min((c+1)*grain, n))
			}
		})
	}
	wg.Wait()
}
