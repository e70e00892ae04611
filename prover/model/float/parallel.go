package float

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// parallel calls f on ranges of at least grain items (the last may be shorter)
// that together cover [0, n), on all cores, and returns when all are done.
func parallel(n, grain int, f func(lo, hi int)) {
	workers := runtime.GOMAXPROCS(0)
	chunk := max(grain, (n+8*workers-1)/(8*workers))
	if workers = min(workers, (n+chunk-1)/chunk); workers <= 1 {
		if n > 0 {
			f(0, n)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				lo := int(next.Add(int64(chunk))) - chunk
				if lo >= n {
					return
				}
				f(lo, min(lo+chunk, n))
			}
		})
	}
	wg.Wait()
}
