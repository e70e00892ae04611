package market

import "testing"

func TestChannelsAreForSmallJobs(t *testing.T) {
	for _, c := range []struct {
		price, fee uint64
		want       bool
	}{{0, 0, false}, {1, 0, false}, {49, 1, true}, {50, 1, false}, {1<<64 - 1, 1 << 62, true}, {1<<64 - 1, 1 << 56, false}} {
		if got := Worthwhile(c.price, c.fee); got != c.want {
			t.Errorf("price %d, fee %d: %v", c.price, c.fee, got)
		}
	}
}
