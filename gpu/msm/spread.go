package msm

import (
	"runtime"

	"golang.org/x/sync/errgroup"
)

// grain is the number of elements from which on another goroutine pays.
const grain = 1 << 12

// spread splits [0, n) into a contiguous range per core, and returns the first error.
func spread(n int, f func(lo, hi int) error) error {
	workers := min(runtime.GOMAXPROCS(0), (n+grain-1)/grain)
	if workers <= 1 {
		return f(0, n)
	}
	var group errgroup.Group
	for w := range workers {
		group.Go(func() error { return f(n*w/workers, n*(w+1)/workers) })
	}
	return group.Wait()
}
