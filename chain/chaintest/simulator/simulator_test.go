package simulator

import (
	"flag"
	"fmt"
	"testing"
)

var (
	seed      = flag.Uint64("seed", 0, "run the schedule of this seed only")
	schedules = flag.Uint64("schedules", 100, "how many schedules to run")
)

// TestRandomSchedulesEndInOneTip runs schedules from seed 1 on.
func TestRandomSchedulesEndInOneTip(t *testing.T) {
	from, to := uint64(1), *schedules
	if *seed > 0 {
		from, to = *seed, *seed
	}
	for s := from; s <= to; s++ {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			t.Parallel()
			if err := Run(s); err != nil {
				t.Fatalf("%v\nreplay: go test ./chain/chaintest/simulator -run RandomSchedules -seed %d", err, s)
			}
		})
	}
}
