package markettest_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/markettest"
)

// auto has blocks every 10 s.
func auto() markettest.Options { return markettest.Options{Spacing: 10_000} }

func public(name string) chain.PublicKey { return chaintest.NewWallet(name).Public() }

// hours lets a job of the longest kind end.
func (s *scene) hours(n uint64) { s.t.Helper(); s.pass(n * 3_600_000) }

// TestCheatingOperatorsAreNotPaid has each cheat alone: what becomes of the job, and whether the
// operator is shunned.
func TestCheatingOperatorsAreNotPaid(t *testing.T) {
	for _, c := range []struct {
		cheat      markettest.Cheat
		level      chain.Level
		settlement market.Settlement
		code       market.Code
		lied       bool
	}{
		{markettest.WrongOutput, chain.LevelZK, market.Slashed, market.CodeBadProof, true},
		{markettest.StolenProof, chain.LevelZK, market.Slashed, market.CodeBadProof, true},
		{markettest.ReplayedProof, chain.LevelZK, market.Slashed, market.CodeBadProof, true},
		{markettest.Unsigned, chain.LevelZK, market.Paid, market.CodeBadResult, true}, // its proof is good
		{markettest.CopiesOutput, chain.LevelOptimistic, market.Paid, market.CodeBadResult, true},
		{markettest.Silent, chain.LevelZK, market.Slashed, market.CodeMissed, false},
		{markettest.LosesItsDevice, chain.LevelZK, market.Refunded, market.CodeDevice, false},
		{markettest.NeverSettles, chain.LevelZK, market.Paid, market.CodeAccepted, false},
	} {
		t.Run(string(c.cheat), func(t *testing.T) {
			s := newScene(t, auto())
			s.Operator("a", nil, c.cheat)
			s.pass(100)
			s.order(markettest.Order{Level: c.level})
			s.hours(2)
			p := s.job("j")
			if c.code == market.CodeDevice { // the operator's reason, then how it ended
				c.code = market.CodeReleased
			}
			s.expect("j", c.settlement, c.code)
			st := s.c.Buyer().Standing(public("a"))
			if (st.Lied > 0) != c.lied || !p.Ended() {
				t.Errorf("ended %v, standing %+v", p.Ended(), st)
			}
		})
	}
}

func TestLiarsAreShunned(t *testing.T) {
	s := newScene(t, auto())
	s.Operator("a", func(a *markettest.Operator) { a.Price = 10 }, markettest.WrongOutput)
	s.pass(100)
	s.order(markettest.Order{})
	s.pass(60_000)
	s.Operator("b", func(b *markettest.Operator) { b.Price = 500 })
	s.pass(100)
	must(t, s.c.Submit("k", markettest.Order{Program: "model", Level: chain.LevelZK, MaxPrice: 1000, Within: 600_000, Payload: "k"}))
	s.pass(200_000)
	s.expect("k", market.Paid, market.CodeAccepted)
	if p := s.job("k"); p.Price() != 500 {
		t.Errorf("%d was paid", p.Price())
	}
}

// TestLiarThatIsHeardAgainIsNotAsked has an advert come while a round waits for somebody to ask.
func TestLiarThatIsHeardAgainIsNotAsked(t *testing.T) {
	s := newScene(t, auto())
	s.Operator("a", nil, markettest.WrongOutput)
	s.pass(100)
	s.order(markettest.Order{})
	s.pass(29_000)
	must(t, s.c.Submit("k", markettest.Order{Program: "model", Level: chain.LevelZK, MaxPrice: 1000, Within: 600_000, Payload: "k"}))
	s.pass(60_000)
	s.expect("k", market.Unfunded, market.CodeNoBid)
}

func TestNextBestGetsTheJobWithoutACountersignature(t *testing.T) {
	for _, cheat := range []markettest.Cheat{markettest.NoSignature, markettest.Withdraws} {
		t.Run(string(cheat), func(t *testing.T) {
			s := newScene(t, auto())
			s.Operator("a", func(a *markettest.Operator) { a.Price = 10 }, cheat)
			s.Operator("b", func(b *markettest.Operator) { b.Price = 20 })
			s.pass(100)
			s.order(markettest.Order{})
			s.pass(120_000)
			s.expect("j", market.Paid, market.CodeAccepted)
			if to, _ := pointer(s.job("j")).Contact(); to.Peer != "b" {
				t.Errorf("%s did it", to.Peer)
			}
			if st := s.c.Buyer().Standing(public("a")); st.Broken == 0 {
				t.Error("a broken promise is not remembered")
			}
			code := s.job("j").Declines[0].Refusal.Code
			if want := map[markettest.Cheat]market.Code{markettest.NoSignature: market.CodeUnreachable, markettest.Withdraws: market.CodeExpired}[cheat]; code != want {
				t.Errorf("code %s", code)
			}
		})
	}
}

func pointer[T any](v T) *T { return &v }

func TestCheatingClientsGetNoSignature(t *testing.T) {
	for cheat, code := range map[markettest.Cheat]market.Code{
		markettest.LiesOfPrice: market.CodeEscrow, markettest.LiesOfTime: market.CodeEscrow, markettest.LiesOfBid: market.CodeExpired,
		markettest.OtherPayload: market.CodeBadInput,
	} {
		t.Run(string(cheat), func(t *testing.T) {
			s := newScene(t, auto(), cheat)
			a := s.Operator("a", nil)
			s.pass(100)
			s.order(markettest.Order{})
			s.pass(60_000)
			if len(s.job("j").Declines) == 0 || !slices.ContainsFunc(a.Seller().Sales(), func(market.Sale) bool { return true }) && cheat == markettest.OtherPayload {
				t.Fatalf("%+v", s.job("j"))
			}
			s.expect("j", market.Unfunded, market.CodeNoBid)
			if got := s.Explain("j").Refused(code); !got {
				t.Errorf("nobody refused with %s", code)
			}
			if s.Balance(chaintest.NewWallet("a").Lock()) != 40_000_000 {
				t.Error("money has moved")
			}
		})
	}
}

func TestClientThatNeverAcceptsPaysOnTheLedger(t *testing.T) {
	s := newScene(t, auto(), markettest.NeverAccepts)
	s.Operator("a", nil)
	s.pass(100)
	s.order(markettest.Order{})
	s.pass(200_000)
	s.expect("j", market.Paid, market.CodeProved)
}

func TestOperatorFundsWhenTheClientDoesNot(t *testing.T) {
	s := newScene(t, auto())
	a := s.Operator("a", nil)
	s.pass(100)
	s.order(markettest.Order{})
	s.until(func() bool { return len(a.Seller().Sales()) > 0 && !a.Seller().Sales()[0].At.IsZero() })
	s.Kill("c")
	s.pass(60_000)
	if x := a.Seller().Sales()[0]; x.View.Escrow != market.InBlock {
		t.Fatalf("the escrow is %d", x.View.Escrow)
	}
	s.Restart("c")
	s.pass(120_000)
	s.expect("j", market.Paid, market.CodeProved) // it was not there to accept
	if p := s.job("j"); !p.Verified() {
		t.Error("the client does not have the result")
	}
}

func TestUnfundedJobsEndWithoutMoney(t *testing.T) {
	s := newScene(t, auto(), markettest.NeverFunds, markettest.FundsAlone)
	a := s.Operator("a", nil)
	s.pass(100)
	s.order(markettest.Order{})
	s.pass(800_000)
	s.expect("j", market.Unfunded, market.CodeNotFunded)
	x := a.Seller().Sales()[0]
	if !pointer(s.job("j")).Ended() || !x.Ended() || x.Code != market.CodeNotFunded || x.Settlement != market.Unfunded {
		t.Errorf("sale %s %s", x.Settlement, x.Code)
	}
}

// TestFundingMadeAgainIsTheSameJob has a client that makes the escrow by itself, in another
// transaction than the one that was signed.
func TestFundingMadeAgainIsTheSameJob(t *testing.T) {
	s := newScene(t, auto(), markettest.FundsAlone)
	s.Operator("a", nil)
	s.pass(100)
	s.order(markettest.Order{})
	s.pass(200_000)
	s.expect("j", market.Paid, market.CodeAccepted)
	if s.Balance(chaintest.NewWallet("a").Lock()) != 40_000_000+100+50 { // the bond was the client's gift
		t.Errorf("the operator has %d", s.Balance(chaintest.NewWallet("a").Lock()))
	}
}

// TestAnotherEscrowOfTheSameJobIsNotTheAgreedOne has a client that funds one of a price of 1.
func TestAnotherEscrowOfTheSameJobIsNotTheAgreedOne(t *testing.T) {
	s := newScene(t, auto(), markettest.FundsLess)
	a := s.Operator("a", nil)
	s.pass(100)
	s.order(markettest.Order{})
	s.pass(100_000)
	if x := a.Seller().Sales()[0]; x.View.Escrow != market.Nowhere || x.Execution != market.Queued {
		t.Errorf("the operator works for it: %s", x.Execution)
	}
}

func TestStrangersCollectNothing(t *testing.T) {
	s := newScene(t, auto(), markettest.NeverAccepts)
	a := s.Operator("a", nil)
	s.pass(100)
	s.order(markettest.Order{})
	s.pass(8000)
	x := a.Seller().Sales()[0]
	if x.Execution != market.Done {
		t.Fatal(x.Execution)
	}
	out := a.Seller().Step(s.Now(), market.Collecting{Ticket: 1 << 40, Peer: "d", Ask: &market.Collect{Job: x.ID, Reveal: true}, Until: s.Now() + 1000})
	if len(out.Effects) != 1 || out.Effects[0].(market.Reply).Refusal == nil {
		t.Errorf("%+v", out.Effects)
	}
	out = a.Seller().Step(s.Now(), market.Started{Ticket: 1<<40 + 1, Peer: "d", Job: x.ID})
	if len(out.Effects) != 1 || out.Effects[0].(market.Reply).Refusal == nil {
		t.Errorf("%+v", out.Effects)
	}
}

func TestReorganisationAcrossAnAccept(t *testing.T) {
	for _, drop := range []bool{false, true} {
		t.Run(fmt.Sprint(drop), func(t *testing.T) {
			s := newScene(t, auto())
			s.Operator("a", nil)
			s.pass(100)
			s.order(markettest.Order{})
			for s.job("j").Settlement != market.Paid {
				s.pass(1000)
			}
			n := 0
			s.Reorganise(2, func(chaintest.Signed) bool { n++; return drop })
			s.pass(200)
			if p := s.job("j"); n == 0 || p.Ended() {
				t.Fatalf("%d transactions undone", n)
			}
			s.pass(200_000)
			s.expect("j", market.Paid, market.CodeAccepted)
			if p := s.job("j"); !p.Ended() {
				t.Error("it has not ended")
			}
		})
	}
}

// TestOnlyTheLedgerSaysWhatLanded kills an operator between giving its proof to the ledger and
// hearing that it did.
func TestOnlyTheLedgerSaysWhatLanded(t *testing.T) {
	s := newScene(t, auto(), markettest.NeverAccepts)
	a := s.Operator("a", nil)
	s.pass(100)
	s.order(markettest.Order{})
	s.until(func() bool { return s.job("j").View.Exit == market.ExitProve })
	s.Kill("a")
	s.pass(30_000)
	s.Restart("a")
	s.pass(100_000)
	s.expect("j", market.Paid, market.CodeProved)
	if x := a.Seller().Sales()[0]; !x.Ended() || x.Settlement != market.Paid || x.Code != market.CodeProved {
		t.Errorf("sale %s %s", x.Settlement, x.Code)
	}
}

// TestUnreachableOperatorIsNotGone kills an operator at work; the job waits for it.
func TestUnreachableOperatorIsNotGone(t *testing.T) {
	s := newScene(t, auto())
	s.Operator("a", func(a *markettest.Operator) { a.Cost = 20_000 })
	s.pass(100)
	s.order(markettest.Order{})
	s.pass(10_000)
	s.Kill("a")
	s.pass(30_000)
	s.expect("j", market.Escrowed, market.CodeOK)
	s.Restart("a")
	s.pass(200_000)
	s.expect("j", market.Paid, market.CodeAccepted)
}

func TestLostDeviceIsTriedAgainAndThenReleasedEarly(t *testing.T) {
	s := newScene(t, auto())
	a := s.Operator("a", nil, markettest.LosesItsDevice)
	s.pass(100)
	s.order(markettest.Order{})
	s.pass(120_000)
	s.expect("j", market.Refunded, market.CodeReleased)
	x := a.Seller().Sales()[0]
	if x.Attempts != 3 || !x.CPU || s.Balance(chaintest.NewWallet("a").Lock()) != 40_000_000-50*5/100 {
		t.Errorf("%d attempts, cpu %v, the operator has %d", x.Attempts, x.CPU, s.Balance(chaintest.NewWallet("a").Lock()))
	}
}

// TestResultsAreDeliveredAtTheDepthThatTheirValueAsksFor has a risk cap of 10.
func TestResultsAreDeliveredAtTheDepthThatTheirValueAsksFor(t *testing.T) {
	for price, depth := range map[uint64]uint64{10: 0, 11: 2, 100: 2, 101: 6, 1000: 6, 1001: 30} {
		t.Run(fmt.Sprint(price), func(t *testing.T) {
			o := auto()
			o.Seller.RiskCap = 10
			s := newScene(t, o)
			s.Operator("a", func(a *markettest.Operator) { a.Price = price; a.Cost = 400_000 })
			s.pass(100)
			// The run ends at once where the depth is 0, to see that it needs no block.
			s.order(markettest.Order{MaxPrice: 10_000, Within: 3_600_000})
			var seen uint64
			for s.job("j").Delivered == 0 {
				s.pass(100)
				seen = s.job("j").View.Depth
				if s.Now() > chaintest.GenesisTime+900_000 {
					t.Fatal("never delivered")
				}
			}
			if seen < depth {
				t.Errorf("delivered at depth %d, want %d", seen, depth)
			}
			s.pass(200_000)
			s.expect("j", market.Paid, market.CodeAccepted)
		})
	}
}
