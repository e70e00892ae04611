package trade

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/channel"
)

const (
	price = 10_000
	limit = 1_000_000 // cap of the channels here
)

// TestJobsOfAChannelAreTwoTransactions: after the first job, which has an escrow, ten are paid by
// vouchers, and the drained operator closes.
func TestJobsOfAChannelAreTwoTransactions(t *testing.T) {
	inFair(t, limit, func(f *fair) {
		f.opened()
		before := f.operator.profit()
		for i := range 10 {
			f.order(fmt.Sprint(i))
		}
		f.pass(time.Minute)
		for i := range 10 {
			f.expect(fmt.Sprint(i), market.Paid, market.CodeVoucher)
		}
		if c := f.client.one(); c.Role != roleClient || c.State != ChannelOpen || c.Paid != 10*price || c.Jobs != 0 || c.Room == 0 {
			t.Errorf("the client sees %+v", c)
		}
		if c := f.operator.one(); c.Role != roleOperator || c.State != ChannelOpen || c.Paid != 10*price || c.Cap != limit {
			t.Errorf("the operator sees %+v", c)
		}
		f.operator.config.Capacity.(*Capacity).Cordon(true)
		f.pass(3 * time.Minute)
		f.noChannels()
		if n := f.ledger.transactions(1); n != 4 {
			t.Errorf("%d transactions, not those of one escrow and one channel", n)
		}
		fee := 2 * int64(closingFee(feeRate))
		if got := f.operator.profit() - before; got != 10*price-fee {
			t.Errorf("the operator has earned %d, want %d less %d", got, 10*price, fee)
		}
	})
}

func (f *fair) noChannels() {
	f.t.Helper()
	for _, s := range []*stall{f.client, f.operator} {
		all, err := s.desk.Channels(f.t.Context())
		must(f.t, err)
		if len(all) > 0 {
			f.t.Errorf("%s still has %+v", s.name, all)
		}
	}
}

// TestVouchersOutliveACrashBeforeTheyAreStored: the operator's disk fails when a voucher comes, so it
// is not acknowledged. A new process gets it again.
func TestVouchersOutliveACrashBeforeTheyAreStored(t *testing.T) {
	inFair(t, limit, func(f *fair) {
		f.opened()
		d := f.operator.desk
		f.hub.meddleWith(func(protocol string, request []byte) []byte {
			if protocol == VoucherProtocol {
				_ = d.journal.file.Close()
			}
			return request
		})
		f.order("j")
		f.pass(5 * time.Second)
		f.expect("j", market.InChannel, market.CodeOK)
		f.hub.meddleWith(nil)
		if err := f.operator.close(); err == nil {
			t.Fatal("the operator goes on without its disk")
		}
		f.operator.open()
		f.pass(time.Minute)
		f.expect("j", market.Paid, market.CodeVoucher)
		f.expectSale("j", market.Paid, market.CodeVoucher)
		if c := f.operator.one(); c.Paid != price {
			t.Errorf("the operator has vouchers of %d", c.Paid)
		}
	})
}

func (f *fair) expectSale(name string, s market.Settlement, c market.Code) {
	f.t.Helper()
	all, err := f.operator.desk.Sales(f.t.Context())
	must(f.t, err)
	for _, x := range all {
		if x.ID == f.jobs[name] && (x.Settlement != s || x.Code != c) {
			f.t.Errorf("the operator's job is %s %q, want %s %q", x.Settlement, x.Code, s, c)
		}
	}
}

// TestRestartsOfBothSidesChangeNothing restarts them while a voucher is on its way.
func TestRestartsOfBothSidesChangeNothing(t *testing.T) {
	for name, restart := range map[string]func(f *fair){
		"client":   func(f *fair) { f.client.reopen() },
		"operator": func(f *fair) { f.operator.reopen() },
		"both":     func(f *fair) { f.client.reopen(); f.operator.reopen() },
	} {
		t.Run(name, func(t *testing.T) {
			inFair(t, limit, func(f *fair) {
				f.opened()
				f.hub.meddleWith(func(protocol string, request []byte) []byte {
					if protocol == VoucherProtocol {
						return nil
					}
					return request
				})
				f.order("j")
				f.pass(5 * time.Second)
				f.expect("j", market.InChannel, market.CodeOK)
				f.hub.meddleWith(nil)
				restart(f)
				f.pass(time.Minute)
				f.expect("j", market.Paid, market.CodeVoucher)
				f.order("k")
				f.pass(time.Minute)
				f.expect("k", market.Paid, market.CodeVoucher)
				if a, b := f.client.one(), f.operator.one(); a.Paid != 2*price || b.Paid != 2*price {
					t.Errorf("the client has paid %d, the operator has %d", a.Paid, b.Paid)
				}
			})
		})
	}
}

// TestVouchersOfTheWrongAmountPayNothing changes what is paid on the way, and replays an old voucher.
func TestVouchersOfTheWrongAmountPayNothing(t *testing.T) {
	inFair(t, limit, func(f *fair) {
		f.opened()
		f.order("i")
		f.pass(30 * time.Second)
		old := f.hub.first(VoucherProtocol)
		f.hub.meddleWith(func(protocol string, request []byte) []byte {
			if protocol != VoucherProtocol {
				return request
			}
			p, err := channel.DecodePayments(request)
			if err != nil || len(p.Vouchers) == 0 {
				return request
			}
			p.Vouchers[0].Paid--
			return p.Encode()
		})
		f.order("j")
		f.pass(30 * time.Second)
		f.expect("j", market.InChannel, market.CodeOK)
		f.hub.meddleWith(nil)
		f.pass(30 * time.Second)
		f.expect("j", market.Paid, market.CodeVoucher)
		raw, err := f.operator.desk.Serve(f.t.Context(), "client", VoucherProtocol, old)
		must(t, err)
		if ack, err := channel.DecodeAck(raw); err != nil || ack.N != 2 {
			t.Errorf("a replayed voucher is answered by %+v, %v", ack, err)
		}
		if c := f.operator.one(); c.Paid != 2*price {
			t.Errorf("the operator has vouchers of %d", c.Paid)
		}
	})
}

// TestWhatIsNotClosedComesBack: an operator that is gone closes nothing. The client takes all back from
// the expiry on, and the job that was not acknowledged is not paid.
func TestWhatIsNotClosedComesBack(t *testing.T) {
	inFair(t, limit, func(f *fair) {
		f.opened()
		before := f.operator.profit()
		f.hub.meddleWith(func(protocol string, request []byte) []byte {
			if protocol == VoucherProtocol {
				return nil
			}
			return request
		})
		f.order("j")
		f.pass(30 * time.Second)
		must(t, f.operator.close())
		f.pass(2*time.Hour + 5*time.Minute)
		f.expect("j", market.Refunded, market.CodeUnpaid)
		f.operator.open()
		f.pass(time.Minute)
		f.expectSale("j", market.Refunded, market.CodeUnpaid)
		f.noChannels()
		if got := f.operator.profit(); got != before {
			t.Errorf("the operator has earned %d", got-before)
		}
	})
}

// TestChannelsAreClosedInTime: the operator closes half an hour before the expiry, unasked.
func TestChannelsAreClosedInTime(t *testing.T) {
	inFair(t, limit, func(f *fair) {
		f.opened()
		f.order("j")
		f.pass(30 * time.Second)
		f.expect("j", market.Paid, market.CodeVoucher)
		f.pass(95 * time.Minute)
		f.noChannels()
		f.order("k") // and the next job opens another
		f.pass(2 * time.Minute)
		f.expect("k", market.Paid, market.CodeAccepted)
		f.client.one()
	})
}

// TestExhaustedChannelsAreReplacedAndClosed: the first has room for two jobs; the operator closes it
// because the client asks.
func TestExhaustedChannelsAreReplacedAndClosed(t *testing.T) {
	inFair(t, 25_000+2*closingFee(feeRate), func(f *fair) {
		f.opened()
		first := f.client.one().ID
		for i, want := range []market.Code{market.CodeVoucher, market.CodeVoucher, market.CodeAccepted, market.CodeVoucher} {
			f.order(fmt.Sprint(i))
			f.pass(2 * time.Minute)
			f.expect(fmt.Sprint(i), market.Paid, want)
		}
		f.pass(2 * time.Minute)
		if c := f.client.one(); c.ID == first || c.Paid != price {
			t.Errorf("the client has %+v", c)
		}
	})
}

// TestBadResultsAreNotPaid: the operator's proof does not verify.
func TestBadResultsAreNotPaid(t *testing.T) {
	inFair(t, limit, func(f *fair) {
		f.opened()
		f.operator.config.Works.(*testWorks).wrong.Store(true)
		f.order("j")
		f.pass(time.Minute)
		f.expect("j", market.Refunded, market.CodeBadProof)
		if c := f.client.one(); c.Paid != 0 || c.Jobs != 0 {
			t.Errorf("the client's channel is %+v", c)
		}
	})
}

// TestCompactionKeepsChannels writes both journals anew and opens them.
func TestCompactionKeepsChannels(t *testing.T) {
	inFair(t, limit, func(f *fair) {
		f.opened()
		f.order("j")
		f.pass(time.Minute)
		for _, s := range []*stall{f.client, f.operator} {
			before := s.one()
			must(t, s.close())
			d, err := Open(s.config)
			must(t, err)
			must(t, d.journal.compact(d.records()))
			must(t, d.Close())
			s.open()
			f.pass(30 * time.Second) // an advert comes
			if after := s.one(); after != before {
				t.Errorf("%s: %+v became %+v", s.name, before, after)
			}
		}
	})
}

// TestOperatorsRefuseChannels has every reason for which one is not taken part in.
func TestOperatorsRefuseChannels(t *testing.T) {
	inFair(t, limit, func(f *fair) {
		f.opened()
		good := f.announce()
		for name, change := range map[string]func(a *channel.Announce){
			"another chain":  func(a *channel.Announce) { a.Terms.Chain[0]++ },
			"a token":        func(a *channel.Announce) { a.Terms.Token[0]++ },
			"too low a fee":  func(a *channel.Announce) { a.Terms.Fee = closingFee(feeRate) - 1 },
			"another's":      func(a *channel.Announce) { a.Terms.Operator[0]++ },
			"another output": func(a *channel.Announce) { a.Index++ },
			"another cap":    func(a *channel.Announce) { a.Terms.Cap++ },
			"no funding":     func(a *channel.Announce) { a.Tx[0]++ },
		} {
			a := good
			change(&a)
			if _, err := f.operator.desk.Serve(f.t.Context(), "client", AnnounceProtocol, a.Encode()); err == nil {
				t.Errorf("%s: the operator takes part", name)
			}
		}
		if _, err := f.operator.desk.Serve(f.t.Context(), "client", AnnounceProtocol, good.Encode()); err != nil {
			t.Errorf("the one that it knows: %v", err)
		}
		for _, protocol := range []string{AnnounceProtocol, VoucherProtocol} {
			if _, err := f.operator.desk.Serve(f.t.Context(), "client", protocol, []byte("?")); !errors.Is(err, market.ErrMessage) {
				t.Errorf("%s of rubbish: %v", protocol, err)
			}
		}
		stranger := channel.Payments{}
		if _, err := f.operator.desk.Serve(f.t.Context(), "client", VoucherProtocol, stranger.Encode()); !errors.Is(err, errRefused) {
			t.Errorf("vouchers of no channel: %v", err)
		}
	})
}

// announce is what the client has told the operator of its channel.
func (f *fair) announce() channel.Announce {
	f.t.Helper()
	a, err := channel.DecodeAnnounce(f.hub.first(AnnounceProtocol))
	must(f.t, err)
	return *a
}

// TestLargeCapsWaitForABlock: above the operator's risk cap the mempool does not do.
func TestLargeCapsWaitForABlock(t *testing.T) {
	for _, c := range []struct {
		risk uint64
		want ChannelState
	}{{limit, ChannelOpen}, {limit - 1, ChannelOpening}} {
		inFair(t, limit, func(f *fair) {
			f.operator.config.Seller.RiskCap = c.risk
			f.operator.reopen()
			f.pass(21 * time.Second) // the next block is 9 s away
			f.order("first")
			f.pass(5 * time.Second)
			if got := f.client.one().State; got != c.want {
				t.Errorf("risk cap %d: the channel is %s before a block has its funding", c.risk, got)
			}
			f.pass(20 * time.Second)
			if got := f.client.one().State; got != ChannelOpen {
				t.Errorf("risk cap %d: the channel is %s after", c.risk, got)
			}
		})
	}
}

// TestMetricsShowChannels guards each metric of channels.
func TestMetricsShowChannels(t *testing.T) {
	inFair(t, limit, func(f *fair) {
		registry := prometheus.NewRegistry()
		f.operator.config.Registry = registry
		f.operator.reopen()
		f.pass(20 * time.Second)
		f.opened()
		f.order("j")
		f.pass(time.Minute)
		m := f.operator.desk.metrics
		for name, got := range map[string][2]float64{
			"channels":       {testutil.ToFloat64(m.channels.WithLabelValues(roleOperator)), 1},
			"channel_units":  {testutil.ToFloat64(m.channelUnits.WithLabelValues(roleOperator)), price},
			"vouchers_total": {testutil.ToFloat64(m.vouchers.WithLabelValues(roleOperator)), 1},
		} {
			if got[0] != got[1] {
				t.Errorf("wes_market_%s is %v, want %v", name, got[0], got[1])
			}
		}
	})
}
