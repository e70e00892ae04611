package markettest_test

import (
	"flag"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/markettest"
)

var (
	seed      = flag.Uint64("seed", 0, "run the schedule of this seed only, and tell what happens")
	schedules = flag.Uint64("schedules", 300, "how many schedules to run")
)

// TestRandomSchedulesEndWithMoneyWhereItBelongs runs schedules from seed 1 on. Together they must see
// every way in which money leaves an escrow, and the ends without.
func TestRandomSchedulesEndWithMoneyWhereItBelongs(t *testing.T) {
	from, to := uint64(1), *schedules
	if *seed > 0 {
		from, to = *seed, *seed
	}
	var mu sync.Mutex
	exits, codes := map[market.Exit]int{}, map[market.Code]int{}
	t.Cleanup(func() {
		t.Log(exits, codes)
		for x := market.ExitAccept; x <= market.ExitRefute; x++ {
			if exits[x] == 0 && !slices.Contains([]market.Exit{market.ExitClaim, market.ExitInvalid}, x) && to-from >= 299 {
				t.Errorf("no schedule sees %v", x)
			}
		}
		for _, c := range []market.Code{market.CodeNoBid, market.CodeNotFunded, market.CodeDisagree, market.CodeBadProof, market.CodeBadResult, market.CodeVoucher, market.CodeUnpaid} {
			if codes[c] == 0 && to-from >= 299 {
				t.Errorf("no schedule sees %s", c)
			}
		}
	})
	for s := from; s <= to; s++ {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			t.Parallel()
			all, err := markettest.Run(s, *seed > 0)
			if err != nil {
				t.Fatalf("%v\nreplay: go test ./market/markettest -run RandomSchedules -seed %d", err, s)
			}
			mu.Lock()
			defer mu.Unlock()
			for _, p := range all {
				exits[p.View.Exit]++
				codes[p.Code]++
			}
		})
	}
}
