package wire

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// FirstOutside returns the index of the first point that does not lie in the subgroup of prime
// order, on the curve, or -1. All cores share the work.
func FirstOutside[P any, Q interface {
	*P
	IsInSubGroup() bool
}](points []P) int {
	first := atomic.Int64{}
	first.Store(int64(len(points)))
	next := atomic.Int64{}
	const chunk = 64
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (len(points)+chunk-1)/chunk) {
		wait.Go(func() {
			for {
				lo := next.Add(chunk) - chunk
				if lo >= first.Load() {
					return
				}
				for i := lo; i < min(lo+chunk, int64(len(points))); i++ {
					if !Q(&points[i]).IsInSubGroup() {
						lower(&first, i)
						break
					}
				}
			}
		})
	}
	wait.Wait()
	if n := int(first.Load()); n < len(points) {
		return n
	}
	return -1
}

func lower(v *atomic.Int64, to int64) {
	for old := v.Load(); to < old; old = v.Load() {
		if v.CompareAndSwap(old, to) {
			return
		}
	}
}
