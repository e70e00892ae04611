package markettest_test

import (
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/markettest"
)

// TestPriceRampReachesTheBidder has an operator that asks for a little less than the highest price.
func TestPriceRampReachesTheBidder(t *testing.T) {
	s := newScene(t, auto())
	s.Operator("a", func(a *markettest.Operator) { a.Price = 750 })
	s.pass(100)
	s.order(markettest.Order{MaxPrice: 1000})
	s.pass(120_000)
	s.expect("j", market.Paid, market.CodeAccepted)
	if p := s.job("j"); p.Round != 6 || p.Price() != 750 { // 1000 · 0.8 = 800 is the reserve of round 6 of 0 to 7
		t.Errorf("round %d, price %d", p.Round, p.Price())
	}
}

// TestExplainSaysWhyNobodyBid has one operator for each reason.
func TestExplainSaysWhyNobodyBid(t *testing.T) {
	s := newScene(t, auto())
	s.Operator("a", func(a *markettest.Operator) { a.Price = 5000 })
	s.Operator("b", func(b *markettest.Operator) { b.Price = 100; b.Cost = 900_000 })
	s.Operator("e", func(e *markettest.Operator) { e.Draining = true })
	s.Operator("f", func(f *markettest.Operator) { f.Bound = 0 })
	s.pass(100)
	s.order(markettest.Order{})
	s.pass(60_000)
	s.expect("j", market.Unfunded, market.CodeNoBid)
	e := s.Explain("j")
	for _, c := range []market.Code{market.CodePrice, market.CodeInfeasible, market.CodeDraining, market.CodeCapped} {
		if !e.Refused(c) {
			t.Errorf("nobody says %s", c)
		}
	}
	if e.Rounds != 8 || e.Reserve != 1000 || e.Highest != 1000 || e.Asked != 4 || e.Bids != 0 || e.Capable != 3 ||
		!slices.Equal(e.Prices, []uint64{100, 100, 100, 100, 5000}) {
		t.Errorf("%+v", e.Explanation)
	}
}

func TestOperatorsThatDoNotHaveTheProgramSaySo(t *testing.T) {
	s := newScene(t, auto())
	a := s.Operator("a", nil)
	s.pass(100)
	a.Programs = a.Programs[:0] // its advert still stands
	s.order(markettest.Order{})
	s.pass(60_000)
	s.expect("j", market.Unfunded, market.CodeNoBid)
	if !s.Explain("j").Refused(market.CodeUnknownProgram) {
		t.Error("it does not say so")
	}
}

// TestAJobWaitsWhileItsProgramIsFetched: rounds are for prices, and nobody has named one.
func TestAJobWaitsWhileItsProgramIsFetched(t *testing.T) {
	for fetched, code := range map[uint64]market.Code{12_000: market.CodeAccepted, 29_000: market.CodeAccepted, 60_000: market.CodeNoBid} {
		s := newScene(t, auto())
		a := s.Operator("a", nil)
		s.pass(100)
		all := a.Programs
		a.Programs = nil
		s.order(markettest.Order{})
		s.pass(fetched)
		a.Programs = all
		s.pass(120_000)
		if p := s.job("j"); p.Code != code {
			t.Errorf("fetched after %d ms: %s", fetched, p.Code)
		}
	}
}

func TestTermsAndFundsAreCheckedAgainstTheLedger(t *testing.T) {
	s := newScene(t, auto())
	a := s.Operator("a", nil)
	s.pass(100)
	s.order(markettest.Order{Program: "licensed"})
	s.pass(30)
	p := s.job("j")
	ask := &market.Ask{Terms: p.Terms, Nonce: [16]byte{9}, Reserve: 1000, Deadline: p.Deadline}
	for name, c := range map[string]struct {
		change func(*market.Ask)
		code   market.Code
	}{
		"as it is":         {func(*market.Ask) {}, market.CodeOK},
		"less royalty":     {func(a *market.Ask) { a.Terms.Royalty-- }, market.CodeTerms},
		"cheaper key":      {func(a *market.Ask) { a.Terms.KeyCost-- }, market.CodeTerms},
		"no funds":         {func(a *market.Ask) { a.Terms.Client = public("nobody") }, market.CodeNoFunds},
		"past":             {func(a *market.Ask) { a.Deadline = s.Now() }, market.CodeExpired},
		"for itself":       {func(a *market.Ask) { a.Terms.Client = public("a") }, market.CodeTerms},
		"unknown program":  {func(a *market.Ask) { a.Terms.Program.Index = 7 }, market.CodeUnknownProgram},
		"too little money": {func(a *market.Ask) { a.Reserve = 99 }, market.CodePrice},
	} {
		x := *ask
		c.change(&x)
		problem := s.Problem(&x)
		if name == "for itself" {
			problem = nil
		}
		out := a.Seller().Step(s.Now(), market.Asked{Ticket: 1 << 40, Peer: "c", Ask: &x, Problem: problem})
		answer := out.Effects[0].(market.Reply).Answer
		if got := answer.Refusal; c.code == market.CodeOK && len(answer.Bid) != 1 || c.code != market.CodeOK && (len(got) != 1 || got[0].Code != c.code) {
			t.Errorf("%s: %+v", name, answer)
		}
	}
}

func TestPostedPriceIsTakenWithoutAQuestion(t *testing.T) {
	s := newScene(t, auto())
	s.Operator("a", func(a *markettest.Operator) { a.Posted = true })
	s.pass(100)
	s.order(markettest.Order{})
	if p := s.job("j"); p.Attempt != 1 || len(p.Waiting) != 0 {
		t.Fatalf("attempt %d, %d asked", p.Attempt, len(p.Waiting))
	}
	s.pass(120_000)
	s.expect("j", market.Paid, market.CodeAccepted)
}

// TestPostedPriceThatDoesNotHoldIsNotTaken raises the price after the advert; then all are asked, from
// the lowest reserve on.
func TestPostedPriceThatDoesNotHoldIsNotTaken(t *testing.T) {
	s := newScene(t, auto())
	a := s.Operator("a", func(a *markettest.Operator) { a.Posted = true })
	s.Operator("b", func(b *markettest.Operator) { b.Price = 200 })
	s.pass(100)
	a.Raise(400)
	s.order(markettest.Order{})
	s.pass(500)
	if p := s.job("j"); p.Round != 0 || !s.Explain("j").Refused(market.CodePrice) {
		t.Errorf("round %d", p.Round)
	}
	s.pass(120_000)
	s.expect("j", market.Paid, market.CodeAccepted)
	if p := s.job("j"); p.Price() != 200 {
		t.Errorf("%d was paid", p.Price())
	}
}

func TestCheapestBidWinsAndHistoryCounts(t *testing.T) {
	s := newScene(t, auto())
	s.Operator("a", func(a *markettest.Operator) { a.Price = 100 }, markettest.NoSignature)
	s.Operator("b", func(b *markettest.Operator) { b.Price = 110 })
	s.pass(100)
	s.order(markettest.Order{MaxPrice: 150})
	s.pass(120_000)
	// One broken promise of none kept makes 100 cost 100 · 4/3.
	must(t, s.c.Submit("k", markettest.Order{Program: "model", Level: chain.LevelZK, MaxPrice: 600, Within: 600_000, Payload: "k"}))
	s.pass(2000)
	if p := s.job("k"); p.Attempt != 1 || p.Price() != 110 {
		t.Errorf("attempt %d, price %d", p.Attempt, p.Price())
	}
}

// TestAdmissionRefusesWhatCannotBeDoneInTime has one slot, busy for 10 of the 15 s that there are.
func TestAdmissionRefusesWhatCannotBeDoneInTime(t *testing.T) {
	s := newScene(t, auto())
	s.Operator("a", func(a *markettest.Operator) { a.Cost = 10_000 })
	s.pass(100)
	for _, name := range []string{"j1", "j2"} {
		must(t, s.c.Submit(name, markettest.Order{Program: "model", Level: chain.LevelZK, MaxPrice: 1000, Within: 15_000, Payload: name}))
		s.pass(200)
	}
	s.pass(300_000)
	s.expect("j1", market.Paid, market.CodeAccepted)
	s.expect("j2", market.Unfunded, market.CodeNoBid)
	if !s.Explain("j2").Refused(market.CodeBusy) {
		t.Error("not busy")
	}
}

func TestJobsAtOnceSpendDifferentCoins(t *testing.T) {
	s := newScene(t, auto())
	s.Operator("a", func(a *markettest.Operator) { a.Slots = 4 })
	s.pass(100)
	names := []string{"j1", "j2", "j3", "j4", "j5"}
	for _, name := range names {
		must(t, s.c.Submit(name, markettest.Order{Program: "model", Level: chain.LevelZK, MaxPrice: 1000, Within: 600_000, Payload: name}))
	}
	s.pass(200_000)
	for _, name := range names {
		s.expect(name, market.Paid, market.CodeAccepted)
	}
}

func TestClientWithoutMoneyIsToldSo(t *testing.T) {
	s := newScene(t, auto())
	s.Operator("a", func(a *markettest.Operator) { a.Price = 2_000_000 })
	s.pass(100)
	s.order(markettest.Order{MaxPrice: 3_000_000})
	s.pass(60_000)
	s.expect("j", market.Unfunded, market.CodeNoFunds)
}

func TestCanceledJobsEndUntilTheyAreAssigned(t *testing.T) {
	for wait, code := range map[uint64]market.Code{10: market.CodeCanceled, 200: market.CodeAccepted} {
		s := newScene(t, auto())
		s.Operator("a", nil)
		s.pass(100)
		s.order(markettest.Order{})
		s.pass(wait)
		s.Cancel("j")
		s.pass(200_000)
		if p := s.job("j"); p.Code != code {
			t.Errorf("after %d ms: %s", wait, p.Code)
		}
	}
}

func TestNobodyWorksForItself(t *testing.T) {
	s := newScene(t, auto())
	s.Operator("c", nil)
	s.pass(100)
	s.order(markettest.Order{})
	s.pass(60_000)
	s.expect("j", market.Unfunded, market.CodeNoBid)
}

// TestFailedRunsHaveTheirReason has the reasons for which an operator gives a job up.
func TestFailedRunsHaveTheirReason(t *testing.T) {
	for code, attempts := range map[market.Code]uint8{
		market.CodeDevice: 3, market.CodeMemory: 3, market.CodeHung: 3, market.CodeExecution: 3, market.CodeBadInput: 1, market.CodeDeadline: 1,
	} {
		s := newScene(t, auto())
		a := s.Operator("a", func(a *markettest.Operator) { a.Fails = code })
		s.pass(100)
		s.order(markettest.Order{})
		s.pass(9000)
		x := a.Seller().Sales()[0]
		if x.Code != code || x.Execution != market.Failed || x.Attempts != attempts || s.job("j").Code != code {
			t.Errorf("%s: %s after %d attempts", code, x.Code, x.Attempts)
		}
		s.pass(200_000)
		s.expect("j", market.Refunded, market.CodeReleased)
	}
	if s := newScene(t, auto()); s.Balance(chaintest.NewWallet("a").Lock()) != 40_000_000 {
		t.Error("another start")
	}
}
