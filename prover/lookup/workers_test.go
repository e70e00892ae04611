package lookup

import (
	"sync/atomic"
	"testing"
	"time"
)

func TestEachRunsEveryIndexOnce(t *testing.T) {
	w := &workers{scratch: make([]scratch, 4)}
	defer w.stop()
	for round, n := range []int{0, 1, 2, 3, 1000, 5, 64, 2} {
		if round%3 == 2 {
			waitForSleep(t, w)
		}
		counts := make([]atomic.Int64, n)
		busy := make([]atomic.Bool, len(w.scratch))
		w.each(n, func(s *scratch, i int) {
			for k := range w.scratch {
				if s == &w.scratch[k] && busy[k].Swap(true) {
					t.Error("two calls share a scratch")
				}
			}
			counts[i].Add(1)
			for k := range w.scratch {
				if s == &w.scratch[k] {
					busy[k].Store(false)
				}
			}
		})
		for i := range counts {
			if c := counts[i].Load(); c != 1 {
				t.Fatalf("loop of %d: index %d ran %d times", n, i, c)
			}
		}
	}
}

func TestStopEndsSleepingAndUnstartedWorkers(t *testing.T) {
	w := &workers{scratch: make([]scratch, 3)}
	w.stop()
	w = &workers{scratch: make([]scratch, 3)}
	w.each(8, func(*scratch, int) {})
	waitForSleep(t, w)
	w.stop()
}

// waitForSleep returns once every worker sleeps.
func waitForSleep(t *testing.T, w *workers) {
	t.Helper()
	for i := range w.idle {
		for !w.idle[i].asleep.Load() {
			time.Sleep(time.Millisecond)
		}
	}
}
