package markettest_test

import (
	"fmt"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/markettest"
)

// funded brings job j of a and c into a block, where blocks are mined on demand, and kills a.
func funded(t *testing.T, o markettest.Order, client, operator []markettest.Cheat) *scene {
	t.Helper()
	s := newScene(t, markettest.Options{}, client...)
	s.Operator("a", func(a *markettest.Operator) { a.Price = 1000 }, operator...)
	s.pass(100)
	if o.MaxPrice == 0 {
		o.MaxPrice = 2000
	}
	s.order(o)
	s.pass(1000)
	s.Mine()
	s.pass(200)
	if p := s.job("j"); p.Settlement != market.Escrowed || p.View.Escrow != market.InBlock {
		t.Fatalf("j is %s", p.Settlement)
	}
	return s
}

// tip makes the ledger's time an instant, in ms since 1970, and lets the parties see it.
func (s *scene) tip(at uint64) {
	s.t.Helper()
	s.pass(at - s.Now())
	s.Mine()
}

// bury mines blocks, one a second.
func (s *scene) bury(n int) {
	s.t.Helper()
	for range n {
		s.pass(1000)
		s.Mine()
	}
	s.pass(1000)
}

func (s *scene) escrow() *chain.JobEscrow {
	p := s.job("j")
	return p.AgreedEscrow()
}

// profits are what c and a have more than at first, in base units; f counts the fee of the funding.
func (s *scene) profits() (client, operator int64) {
	profit := func(name string) int64 {
		return int64(s.Balance(chaintest.NewWallet(name).Lock())) - 40*1_000_000
	}
	return profit("c"), profit("a")
}

func (s *scene) expectProfits(client, operator int64) {
	s.t.Helper()
	if c, o := s.profits(); c != client || o != operator {
		s.t.Fatalf("client %+d, operator %+d, want %+d and %+d", c, o, client, operator)
	}
}

const (
	fundingFee = 3
	settling   = 5 // fee of a settlement
)

// TestProofsAreSettledAtTheirInstants has an operator with a result that comes back when the ledger's
// time is an instant.
func TestProofsAreSettledAtTheirInstants(t *testing.T) {
	const price, bond = 1000, 500
	for _, c := range []struct {
		name             string
		at               func(e *chain.JobEscrow) uint64
		settlement       market.Settlement
		code             market.Code
		client, operator int64
	}{
		{"t_due", func(e *chain.JobEscrow) uint64 { return e.Due }, market.Paid, market.CodeProved, -price - settling, price},
		{"t_due+1", func(e *chain.JobEscrow) uint64 { return e.Due + 1 }, market.Paid, market.CodeLate, -price/2 - settling, price / 2},
		{"t_late", func(e *chain.JobEscrow) uint64 { return e.Late }, market.Paid, market.CodeLate, -price/2 - settling, price / 2},
		{"t_late+1", func(e *chain.JobEscrow) uint64 { return e.Late + 1 }, market.Slashed, market.CodeMissed, bond / 2, -bond},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := funded(t, markettest.Order{}, []markettest.Cheat{markettest.NeverAccepts}, nil)
			if c.code != market.CodeMissed { // who has a result does not call it missed
				s.pass(10_000)
			}
			s.Kill("a")
			s.tip(c.at(s.escrow()))
			s.Restart("a")
			s.bury(8)
			s.expect("j", c.settlement, c.code)
			s.expectProfits(c.client-fundingFee, c.operator)
		})
	}
}

func TestMissedJobsAreTakenBackAfterTheLateTimeOnly(t *testing.T) {
	s := funded(t, markettest.Order{}, nil, []markettest.Cheat{markettest.Silent})
	s.tip(s.escrow().Late)
	s.pass(60_000)
	s.expect("j", market.Escrowed, market.CodeOK)
	s.tip(s.escrow().Late + 60_001)
	s.bury(8)
	s.expect("j", market.Slashed, market.CodeMissed)
	s.expectProfits(500/2-fundingFee, -500)
	if st := s.c.Buyer().Standing(chaintest.NewWallet("a").Public()); st.Broken != 1 || st.Done != 0 {
		t.Errorf("standing %+v", st)
	}
}

// TestEarlyReleaseCostsLess has an operator that finds out before or at half of the time that it
// cannot do the job.
func TestEarlyReleaseCostsLess(t *testing.T) {
	const bond = 500
	half := func(e *chain.JobEscrow) uint64 { return e.Start + (e.Due-e.Start)/2 }
	for _, c := range []struct {
		name  string
		at    func(e *chain.JobEscrow) uint64
		share int64
		code  market.Code
	}{
		{"before", func(e *chain.JobEscrow) uint64 { return half(e) - 1 }, bond * 5 / 100, market.CodeReleased},
		{"at half", half, bond * 20 / 100, market.CodeReleased},
		{"t_late", func(e *chain.JobEscrow) uint64 { return e.Late }, bond * 20 / 100, market.CodeReleased},
		{"t_late+1", func(e *chain.JobEscrow) uint64 { return e.Late + 1 }, bond / 2, market.CodeMissed},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := funded(t, markettest.Order{}, nil, []markettest.Cheat{markettest.LosesItsDevice})
			s.Kill("a")
			s.tip(c.at(s.escrow()))
			s.Restart("a")
			s.pass(30_000)
			s.bury(8)
			s.expect("j", map[bool]market.Settlement{true: market.Slashed, false: market.Refunded}[c.code == market.CodeMissed], c.code)
			if client, _ := s.profits(); client != c.share-fundingFee {
				t.Errorf("the client has %+d, want %+d", client, c.share-fundingFee)
			}
		})
	}
}

func TestClaimsAreMadeUpToTheDueTime(t *testing.T) {
	for _, c := range []struct {
		after uint64
		code  market.Code
		end   market.Settlement
	}{{0, market.CodeClaimed, market.Escrowed}, {1, market.CodeReleased, market.Refunded}} {
		t.Run(fmt.Sprint(c.after), func(t *testing.T) {
			s := funded(t, markettest.Order{Level: chain.LevelOptimistic}, []markettest.Cheat{markettest.NeverAccepts}, nil)
			s.pass(10_000)
			s.Kill("a")
			s.tip(s.escrow().Due + c.after)
			s.Restart("a")
			s.bury(8)
			s.expect("j", c.end, c.code)
		})
	}
}

func TestClaimsArePaidFromTheFinalInstant(t *testing.T) {
	s := funded(t, markettest.Order{Level: chain.LevelOptimistic}, []markettest.Cheat{markettest.NeverAccepts}, nil)
	s.pass(60_000)
	s.bury(1)
	s.expect("j", market.Escrowed, market.CodeClaimed)
	final := s.job("j").View.Claim[0].Final
	s.tip(final - 1)
	s.pass(100_000)
	s.Kill("a")
	s.bury(2)
	s.expect("j", market.Escrowed, market.CodeClaimed)
	s.Restart("a")
	s.bury(8)
	s.expect("j", market.Paid, market.CodeClaimStood)
	s.expectProfits(-1000-fundingFee-settling-3, 1000)
}

// TestFraudIsShownAgainstADishonestClaimOnly is the same claim of an operator that lies and of one
// that does not.
func TestFraudIsShownAgainstADishonestClaimOnly(t *testing.T) {
	for _, lies := range []bool{false, true} {
		t.Run(fmt.Sprint(lies), func(t *testing.T) {
			var cheats []markettest.Cheat
			if lies {
				cheats = append(cheats, markettest.ClaimsAnother)
			}
			s := funded(t, markettest.Order{Level: chain.LevelOptimistic}, []markettest.Cheat{markettest.NeverAccepts}, cheats)
			s.pass(60_000)
			s.bury(8)
			if !lies {
				s.expect("j", market.Escrowed, market.CodeClaimed)
				return
			}
			s.expect("j", market.Slashed, market.CodeRefuted)
			s.expectProfits(10_000/4+10_000/4-fundingFee-settling, -10_000)
		})
	}
}

// TestClaimIsAuditedAfterARestart kills the client when it has seen the claim.
func TestClaimIsAuditedAfterARestart(t *testing.T) {
	s := funded(t, markettest.Order{Level: chain.LevelOptimistic}, []markettest.Cheat{markettest.NeverAccepts}, []markettest.Cheat{markettest.ClaimsAnother})
	s.pass(60_000)
	s.Mine()
	s.until(func() bool { return s.job("j").Code == market.CodeClaimed })
	s.Restart("c")
	s.bury(8)
	s.expect("j", market.Slashed, market.CodeRefuted)
}

// TestLostRefutationIsMadeAgain loses the client's transaction on its way to the mempool.
func TestLostRefutationIsMadeAgain(t *testing.T) {
	s := funded(t, markettest.Order{Level: chain.LevelOptimistic}, []markettest.Cheat{markettest.NeverAccepts}, []markettest.Cheat{markettest.ClaimsAnother})
	s.pass(60_000)
	s.Mine()
	s.until(func() bool { return s.job("j").Code == market.CodeClaimed })
	s.Lose(1)
	s.pass(1000)
	s.Lose(0)
	s.pass(30_000)
	s.bury(8)
	s.expect("j", market.Slashed, market.CodeRefuted)
}

func TestInvalidWitness(t *testing.T) {
	const price, bond = 1000, 500
	for _, c := range []struct {
		name             string
		payload          string
		cheats           []markettest.Cheat
		after            uint64 // of the due time; 0: at once
		settlement       market.Settlement
		code             market.Code
		client, operator int64
	}{
		{"stands", "bad witness.", nil, 0, market.Refunded, market.CodeWitness, -price/10 - settling - 3, price / 10},
		{"refuted", "good witness", []markettest.Cheat{markettest.FalseWitness}, 0, market.Slashed, market.CodeRefuted, bond/4 + bond/4 - settling, -bond},
		{"too late", "bad witness.", nil, 1, market.Refunded, market.CodeReleased, bond / 5, -bond / 5},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := funded(t, markettest.Order{Program: "circuit", Payload: c.payload}, nil, c.cheats)
			if c.after > 0 {
				s.Kill("a")
				s.tip(s.escrow().Due + c.after)
				s.Restart("a")
			}
			s.pass(10_000)
			s.bury(1)
			if c.code != market.CodeReleased {
				if p := s.job("j"); p.View.Exit != market.ExitInvalid && p.View.Exit != market.ExitRefute || p.Settlement != market.Escrowed {
					t.Fatalf("j is %s, by %v", p.Settlement, p.View.Exit)
				}
				s.bury(3)
				s.pass(700_000)
			}
			s.bury(9)
			s.expect("j", c.settlement, c.code)
			s.expectProfits(c.client-fundingFee, c.operator)
		})
	}
}

// TestPriceIsFixedAtTheAssignment compares what the client has paid with what was agreed on, for both
// ways of being paid.
func TestPriceIsFixedAtTheAssignment(t *testing.T) {
	for _, cheats := range [][]markettest.Cheat{nil, {markettest.NeverAccepts}} {
		s := funded(t, markettest.Order{Program: "licensed"}, cheats, nil)
		s.pass(60_000)
		s.bury(8)
		s.expect("j", market.Paid, map[bool]market.Code{true: market.CodeAccepted, false: market.CodeProved}[cheats == nil])
		s.expectProfits(-1000-7-fundingFee-settling, 1000)
	}
}
