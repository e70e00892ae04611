package markettest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/markettest"
)

// opened returns a scene in which the client has a channel of cap with a, which was opened ahead
// with job 0. That one was paid by an escrow.
func opened(t *testing.T, cap uint64, set func(*markettest.Operator), client, operator []markettest.Cheat) (*scene, *markettest.Operator) {
	t.Helper()
	o := auto()
	o.Cap = cap
	s := newScene(t, o, client...)
	a := s.Operator("a", func(a *markettest.Operator) {
		a.Posted = true
		if set != nil {
			set(a)
		}
	})
	s.pass(100)
	s.wants("0")
	s.pass(120_000)
	s.expect("0", market.Paid, market.CodeAccepted)
	for _, x := range operator {
		a.Cheat(x)
	}
	return s, a
}

// wants has the client order a small job.
func (s *scene) wants(name string) {
	s.t.Helper()
	must(s.t, s.c.Submit(name, markettest.Order{Program: "licensed", Level: 1, MaxPrice: 1000, Within: 600_000, Payload: name}))
}

// TestManySmallJobsAreTwoTransactions has a channel pay for 20 jobs: its funding and its closing are
// on the ledger, and the fees are those of these two.
func TestManySmallJobsAreTwoTransactions(t *testing.T) {
	s, _ := opened(t, 5000, nil, nil, nil)
	for i := range 20 {
		s.wants(fmt.Sprint("j", i))
		s.pass(500)
	}
	s.pass(60_000)
	for i := range 20 {
		name := fmt.Sprint("j", i)
		s.expect(name, market.Paid, market.CodeVoucher)
		if p := s.job(name); !p.Ended() || !p.Verified() || !p.At.IsZero() {
			t.Errorf("%s: ended %v, verified %v, funded as %v", name, p.Ended(), p.Verified(), p.At)
		}
	}
	s.hours(2)
	must(t, s.Check())
	const jobs, price, royalty = 21, 100, 7
	s.expectProfits(-jobs*(price+royalty)-fundingFee-settling-fundingFee, jobs*price-settling)
}

// TestChannelsPayForGoodResultsOnly has each cheat of an operator alone.
func TestChannelsPayForGoodResultsOnly(t *testing.T) {
	for _, c := range []struct {
		cheat  markettest.Cheat
		code   market.Code
		lied   bool
		broken uint32
	}{
		{markettest.WrongOutput, market.CodeBadProof, true, 1},
		{markettest.StolenProof, market.CodeBadProof, true, 1},
		{markettest.ReplayedProof, market.CodeBadProof, true, 1},
		{markettest.Unsigned, market.CodeBadResult, true, 1},
		{markettest.Silent, market.CodeDeadline, false, 1},
		{markettest.LosesItsDevice, market.CodeDevice, false, 1},
		{markettest.FalseWitness, market.CodeWitness, false, 0},
	} {
		t.Run(string(c.cheat), func(t *testing.T) {
			s, _ := opened(t, 5000, nil, nil, []markettest.Cheat{c.cheat})
			s.wants("j")
			s.pass(900_000)
			s.expect("j", market.Refunded, c.code)
			st := s.c.Buyer().Standing(public("a"))
			if (st.Lied > 0) != c.lied || st.Broken != c.broken || !s.ended() {
				t.Errorf("ended %v, standing %+v", s.ended(), st)
			}
			s.hours(2)
			s.expectProfits(-107-fundingFee-settling-fundingFee-settling, 100) // nothing but job 0, and a reclaimed cap
		})
	}
}

// TestOperatorsGetWhatClientsHavePaid has clients that do not pay what they should.
func TestOperatorsGetWhatClientsHavePaid(t *testing.T) {
	for _, c := range []struct {
		cheat      markettest.Cheat
		settlement market.Settlement
		code       market.Code
		paid       int64
	}{
		{markettest.NeverPays, market.Refunded, market.CodeUnpaid, 0},
		{markettest.PaysLess, market.Refunded, market.CodeUnpaid, 0},
		{markettest.PaysLate, market.Paid, market.CodeVoucher, 100 - settling},
	} {
		t.Run(string(c.cheat), func(t *testing.T) {
			s, a := opened(t, 5000, nil, []markettest.Cheat{c.cheat}, nil)
			s.wants("j")
			s.pass(60_000)
			s.expect("j", market.InChannel, market.CodeOK)
			s.hours(2)
			s.expect("j", c.settlement, c.code)
			must(t, s.Check())
			if _, operator := s.profits(); operator != 100+c.paid {
				t.Errorf("the operator has %+d, want %+d", operator, 100+c.paid)
			}
			if sale, _ := a.Seller().Sale(s.job("j").ID); sale.Settlement != c.settlement || sale.Code != c.code {
				t.Errorf("the operator's job is %s %s", sale.Settlement, sale.Code)
			}
		})
	}
}

// TestUnpaidJobsSendTheNextToAnEscrow: an operator that lets one job be unpaid answers the next with
// CodePayment, and its client goes on by escrow until a voucher is acknowledged.
func TestUnpaidJobsSendTheNextToAnEscrow(t *testing.T) {
	s, _ := opened(t, 5000, func(a *markettest.Operator) { a.Unpaid, a.Slots = 1, 4 }, nil, nil)
	s.wants("j0")
	s.pass(200)
	s.wants("j1")
	s.pass(60_000)
	s.expect("j0", market.Paid, market.CodeVoucher)
	s.expect("j1", market.Paid, market.CodeAccepted)
	if e := s.Explain("j1"); e.Refused(market.CodePayment) || s.c.Buyer().Standing(public("a")).Broken > 0 {
		t.Error("a full channel counts against the operator")
	}
	s.wants("j2")
	s.pass(60_000)
	s.expect("j2", market.Paid, market.CodeVoucher)
}

// TestAnExhaustedChannelIsReplaced: the first has room for two jobs.
func TestAnExhaustedChannelIsReplaced(t *testing.T) {
	s, _ := opened(t, 220, nil, nil, nil)
	for i, want := range []market.Code{market.CodeVoucher, market.CodeVoucher, market.CodeAccepted, market.CodeVoucher} {
		name := fmt.Sprint("j", i)
		s.wants(name)
		s.pass(60_000)
		s.expect(name, market.Paid, want)
	}
	s.hours(2)
	must(t, s.Check())
}

// TestWhatTheClientDoesNotTakeIsForgotten: a client that is gone does not keep a job open for ever.
func TestWhatTheClientDoesNotTakeIsForgotten(t *testing.T) {
	s, a := opened(t, 5000, nil, nil, nil)
	s.wants("j")
	s.pass(1000)
	s.Kill("c")
	s.pass(3_000_000)
	sale, _ := a.Seller().Sale(s.job("j").ID)
	if !sale.Ended() || sale.Settlement != market.Refunded || sale.Code != market.CodeUnpaid || sale.Delivered != 0 {
		t.Errorf("%s %s, delivered %d", sale.Settlement, sale.Code, sale.Delivered)
	}
}

// TestRestartsLoseNoPaidJob restarts either side after each line of what happens.
func TestRestartsLoseNoPaidJob(t *testing.T) {
	for _, name := range []string{"c", "a"} {
		lines := 1
		for at := 0; at <= lines; at++ {
			s, _ := opened(t, 5000, nil, nil, nil)
			from := len(s.Trace())
			s.RestartAfter(from+at, name)
			for i := range 3 {
				s.wants(fmt.Sprint("j", i))
				s.pass(30_000)
			}
			lines = max(lines, len(s.Trace())-from)
			s.hours(2)
			must(t, s.Check())
			for i := range 3 {
				p := s.job(fmt.Sprint("j", i))
				if orphan := p.Code == market.CodeNoBid && p.Attempt > 0; p.Settlement != market.Paid && !orphan {
					t.Errorf("%s restarted after line %d: %s %s", name, at, p.Settlement, p.Code)
				}
			}
		}
	}
}

// TestNoChannelsWhereNoneAreWanted guards the ways in which a job takes an escrow as ever.
func TestNoChannelsWhereNoneAreWanted(t *testing.T) {
	for name, run := range map[string]func(t *testing.T) *scene{
		"no cap": func(t *testing.T) *scene { s, _ := opened(t, 0, nil, nil, nil); return s },
		"a price that an escrow is worth": func(t *testing.T) *scene {
			s, _ := opened(t, 5000, func(a *markettest.Operator) { a.Price = 50 * settling }, nil, nil)
			return s
		},
	} {
		s := run(t)
		s.wants("j")
		s.pass(120_000)
		s.expect("j", market.Paid, market.CodeAccepted)
		if strings.Contains(strings.Join(s.Trace(), "\n"), "opens channel") {
			t.Errorf("%s: a channel was opened", name)
		}
	}
}
