package markettest_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/markettest"
)

// effect is what a setting changes: a number that is measured with the setting at a value.
type effect struct {
	set     func(o *markettest.Options, v uint64)
	measure func(s *scene) uint64
	values  [2]uint64
	want    [2]uint64
}

// submitted is the time since j was submitted, in ms.
func (s *scene) since(at uint64) uint64 { return at - s.job("j").Submitted }

// until runs until something holds, and returns how long that took, in ms.
func (s *scene) until(holds func() bool) uint64 {
	s.t.Helper()
	from := s.Now()
	for !holds() {
		if s.Now() > from+600_000 {
			s.t.Fatal("it never came")
		}
		s.pass(1)
	}
	return s.Now() - from
}

func (s *scene) ended() bool { p := s.job("j"); return p.Ended() }

func buyerEffects() map[string]effect {
	return map[string]effect{
		"Window": {func(o *markettest.Options, v uint64) { o.Buyer.Window = v }, func(s *scene) uint64 {
			s.order(markettest.Order{})
			return s.since(s.job("j").Closes)
		}, [2]uint64{200, 2000}, [2]uint64{200, 2000}},
		"Rounds": {func(o *markettest.Options, v uint64) { o.Buyer.Rounds = uint8(v) }, func(s *scene) uint64 {
			s.Operator("a", func(a *markettest.Operator) { a.Price = 5000 })
			s.pass(100)
			s.order(markettest.Order{})
			s.until(s.ended)
			return uint64(s.Explain("j").Rounds)
		}, [2]uint64{1, 5}, [2]uint64{1, 5}},
		"Search": {func(o *markettest.Options, v uint64) { o.Buyer.Search = v }, func(s *scene) uint64 {
			s.order(markettest.Order{})
			return s.until(s.ended) / 10_000
		}, [2]uint64{10_000, 60_000}, [2]uint64{1, 6}},
		"MaxAsked": {func(o *markettest.Options, v uint64) { o.Buyer.MaxAsked = int(v) }, func(s *scene) uint64 {
			s.Operator("a", nil)
			s.Operator("b", nil)
			s.pass(100)
			s.order(markettest.Order{})
			return uint64(len(s.job("j").Waiting))
		}, [2]uint64{1, 2}, [2]uint64{1, 2}},
		"MaxReserve": {func(o *markettest.Options, v uint64) { o.Buyer.MaxReserve = v }, func(s *scene) uint64 {
			s.Operator("a", nil)
			s.pass(100)
			s.order(markettest.Order{})
			s.pass(2000)
			return uint64(s.job("j").Attempt) // 0: its bid was refused
		}, [2]uint64{7, 8}, [2]uint64{0, 1}},
		"Countersign": {func(o *markettest.Options, v uint64) { o.Buyer.Countersign = v }, func(s *scene) uint64 {
			s.Operator("a", nil, markettest.NoSignature)
			s.pass(100)
			s.order(markettest.Order{})
			s.until(func() bool { return s.job("j").Within != 0 })
			return (s.since(s.job("j").Within) + 250) / 1000 // the question took up to 250 ms
		}, [2]uint64{1000, 5000}, [2]uint64{1, 5}},
		"Throughput": {func(o *markettest.Options, v uint64) { o.Buyer.Throughput = v }, func(s *scene) uint64 {
			s.Operator("a", nil, markettest.NoSignature)
			s.pass(100)
			s.order(markettest.Order{Payload: strings.Repeat("x", 10_000)})
			s.until(func() bool { return s.job("j").Within != 0 })
			return s.since(s.job("j").Within) / 10_000
		}, [2]uint64{1 << 20, 500}, [2]uint64{0, 2}},
		"SmallJob": {func(o *markettest.Options, v uint64) { o.Buyer.SmallJob = v }, func(s *scene) uint64 {
			s.Operator("a", func(a *markettest.Operator) { a.Posted = true })
			s.pass(100)
			s.order(markettest.Order{})
			return uint64(s.job("j").Attempt) // 1: awarded without a question
		}, [2]uint64{1999, 2000}, [2]uint64{0, 1}},
		"Retry": {func(o *markettest.Options, v uint64) { o.Buyer.Retry = v }, func(s *scene) uint64 {
			s.Operator("a", nil)
			s.c.Cheat(markettest.NeverFunds)
			s.pass(100)
			s.order(markettest.Order{})
			s.until(func() bool { return s.job("j").Funded != 0 })
			from := s.job("j").Funded
			return s.until(func() bool { return s.job("j").Funded != from }) / 1000
		}, [2]uint64{5000, 20_000}, [2]uint64{5, 20}},
		"Final": {func(o *markettest.Options, v uint64) { o.Buyer.Final = v }, func(s *scene) uint64 {
			s.Operator("a", nil)
			s.pass(100)
			s.order(markettest.Order{})
			s.until(s.ended)
			return s.job("j").View.LeftDepth
		}, [2]uint64{1, 9}, [2]uint64{1, 9}},
		"MaxAdverts": {func(o *markettest.Options, v uint64) { o.Buyer.MaxAdverts = int(v) }, func(s *scene) uint64 {
			s.Operator("a", nil)
			s.Operator("b", nil)
			s.pass(100)
			return uint64(len(s.c.Buyer().Adverts(s.Now())))
		}, [2]uint64{1, 2}, [2]uint64{1, 2}},
		"MaxChannels": {func(o *markettest.Options, v uint64) { o.Cap, o.Buyer.MaxChannels = 5000, int(v) }, func(s *scene) uint64 {
			return s.channels(2, 2000)
		}, [2]uint64{1, 2}, [2]uint64{1, 2}},
		"ChannelPause": {func(o *markettest.Options, v uint64) { o.Cap, o.Buyer.ChannelPause = 2_000_000, v }, func(s *scene) uint64 {
			return s.channels(1, 100) // there is no coin of that size
		}, [2]uint64{1, 600_000}, [2]uint64{3, 1}},
		"MaxJobs": {func(o *markettest.Options, v uint64) { o.Buyer.MaxJobs = int(v) }, func(s *scene) uint64 {
			for n := uint64(0); ; n++ {
				err := s.c.Submit(fmt.Sprint(n), markettest.Order{Program: "model", Level: chain.LevelZK, MaxPrice: 1, Within: 1000})
				if errors.Is(err, market.ErrTooMany) {
					return n
				}
				must(s.t, err)
			}
		}, [2]uint64{1, 7}, [2]uint64{1, 7}},
	}
}

// channels has three jobs done by each of some operators, and returns how often a channel was opened
// or could not be.
func (s *scene) channels(operators int, cost uint64) uint64 {
	for _, name := range []string{"a", "b"}[:operators] {
		s.Operator(name, func(o *markettest.Operator) { o.Posted, o.Cost = true, cost })
	}
	s.pass(100)
	for i := range 3 * operators {
		s.wants(fmt.Sprint(i))
		s.pass(500)
	}
	s.pass(60_000)
	return uint64(strings.Count(strings.Join(s.Trace(), "\n"), "channel with"))
}

// sold brings j to a.
func (s *scene) sold(set func(*markettest.Operator), cheats ...markettest.Cheat) *markettest.Operator {
	a := s.Operator("a", set, cheats...)
	s.pass(100)
	s.order(markettest.Order{})
	s.until(func() bool { return len(a.Seller().Sales()) > 0 })
	return a
}

func sellerEffects() map[string]effect {
	return map[string]effect{
		"BidTime": {func(o *markettest.Options, v uint64) { o.Seller.BidTime = v }, func(s *scene) uint64 {
			s.sold(nil)
			return (s.since(s.job("j").Agreed[0].Expiry)) / 1000
		}, [2]uint64{5000, 90_000}, [2]uint64{5, market.MaxBidTime / 1000}},
		"AcceptWait": {func(o *markettest.Options, v uint64) { o.Seller.AcceptWait = v }, func(s *scene) uint64 {
			s.c.Cheat(markettest.NeverAccepts)
			a := s.sold(nil, markettest.NeverSettles)
			s.until(func() bool { return a.Seller().Sales()[0].ExitedAt != 0 })
			x := a.Seller().Sales()[0]
			return (x.ExitedAt - x.Offered) / 1000
		}, [2]uint64{20_000, 40_000}, [2]uint64{20, 40}},
		"Margin": {func(o *markettest.Options, v uint64) { o.Seller.Margin = v; o.Seller.AcceptWait = 1 << 40 }, func(s *scene) uint64 {
			s.c.Cheat(markettest.NeverAccepts)
			a := s.sold(nil, markettest.NeverSettles)
			s.until(func() bool { return a.Seller().Sales()[0].ExitedAt != 0 })
			x := a.Seller().Sales()[0]
			return (x.AgreedEscrow().Due - x.ExitedAt) / 1000
		}, [2]uint64{30_000, 70_000}, [2]uint64{30, 70}},
		"RiskCap": {func(o *markettest.Options, v uint64) { o.Seller.RiskCap = v }, func(s *scene) uint64 {
			a := s.sold(nil)
			s.until(func() bool { return a.Seller().Sales()[0].Offered != 0 || s.job("j").Delivered != 0 })
			return a.Seller().Sales()[0].View.Depth
		}, [2]uint64{99, 100}, [2]uint64{2, 0}},
		"Retry": {func(o *markettest.Options, v uint64) { o.Seller.Retry = v }, func(s *scene) uint64 {
			s.c.Cheat(markettest.NeverAccepts)
			a := s.sold(nil, markettest.NeverSettles)
			at := func() uint64 { return a.Seller().Sales()[0].ExitedAt }
			s.until(func() bool { return at() != 0 })
			from := at()
			s.until(func() bool { return at() != from })
			return (at() - from) / 1000
		}, [2]uint64{4000, 8000}, [2]uint64{4, 8}},
		"Final": {func(o *markettest.Options, v uint64) { o.Seller.Final = v }, func(s *scene) uint64 {
			a := s.sold(nil)
			s.until(func() bool { return pointer(a.Seller().Sales()[0]).Ended() })
			return a.Seller().Sales()[0].View.LeftDepth
		}, [2]uint64{1, 9}, [2]uint64{1, 9}},
		"MaxSales": {func(o *markettest.Options, v uint64) { o.Seller.MaxSales = int(v) }, func(s *scene) uint64 {
			s.Operator("a", nil)
			s.pass(100)
			for i := range 4 {
				must(s.t, s.c.Submit(fmt.Sprint(i), markettest.Order{Program: "model", Level: chain.LevelZK, MaxPrice: 1000, Within: 600_000, Payload: "x"}))
			}
			s.pass(6000)
			capped := 0
			for i := range 4 {
				if s.Explain(fmt.Sprint(i)).Refused(market.CodeCapped) {
					capped++
				}
			}
			return uint64(4 - capped)
		}, [2]uint64{1, 3}, [2]uint64{1, 3}},
		"MaxWaiting": {func(o *markettest.Options, v uint64) { o.Seller.MaxWaiting = int(v) }, func(s *scene) uint64 {
			s.Operator("a", func(a *markettest.Operator) { a.Cost = 100_000; a.Slots = 4 })
			s.pass(100)
			for i := range 4 {
				must(s.t, s.c.Submit(fmt.Sprint(i), markettest.Order{Program: "model", Level: chain.LevelZK, MaxPrice: 1000, Within: 600_000, Payload: "x"}))
			}
			s.pass(12_000)
			var refused uint64
			for _, line := range s.Trace() {
				if strings.Contains(line, "refuses a request: busy") {
					refused = 1
				}
			}
			return refused
		}, [2]uint64{1, 4}, [2]uint64{1, 0}},
		"Bond": {func(o *markettest.Options, v uint64) { o.Seller.Bond = make([]market.Ref, v) }, func(s *scene) uint64 {
			s.sold(nil)
			return uint64(len(s.job("j").Agreed[0].Bond))
		}, [2]uint64{0, 1}, [2]uint64{0, 1}},
	}
}

// TestEverySettingHasAnEffect measures each setting of both machines at two values.
func TestEverySettingHasAnEffect(t *testing.T) {
	for _, side := range []struct {
		config  any
		effects map[string]effect
		given   []string // by whoever runs the machine
	}{
		{market.BuyerConfig{}, buyerEffects(), []string{"Chain", "Params"}},
		{market.SellerConfig{}, sellerEffects(), []string{"Chain", "Params", "Key"}},
	} {
		kind := reflect.TypeOf(side.config)
		for i := range kind.NumField() {
			name := kind.Field(i).Name
			if slices.Contains(side.given, name) {
				continue
			}
			e, tested := side.effects[name]
			if !tested {
				t.Errorf("no test has the effect of %s.%s", kind.Name(), name)
				continue
			}
			t.Run(kind.Name()+"."+name, func(t *testing.T) {
				for i, v := range e.values {
					o := auto()
					e.set(&o, v)
					if got := e.measure(newScene(t, o)); got != e.want[i] {
						t.Errorf("%d: got %d, want %d", v, got, e.want[i])
					}
				}
			})
		}
	}
}
