package markettest_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/weisyn/wes/market/markettest"
)

var (
	seed      = flag.Uint64("seed", 0, "run the schedule of this seed only, and tell what happens")
	schedules = flag.Uint64("schedules", 300, "how many schedules to run")
)

// TestRandomSchedulesEndWithMoneyWhereItBelongs runs schedules from seed 1 on.
func TestRandomSchedulesEndWithMoneyWhereItBelongs(t *testing.T) {
	from, to := uint64(1), *schedules
	if *seed > 0 {
		from, to = *seed, *seed
	}
	for s := from; s <= to; s++ {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			t.Parallel()
			if err := markettest.Run(s, *seed > 0); err != nil {
				t.Fatalf("%v\nreplay: go test ./market/markettest -run RandomSchedules -seed %d", err, s)
			}
		})
	}
}
