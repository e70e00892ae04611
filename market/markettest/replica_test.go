package markettest_test

import (
	"fmt"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/markettest"
)

// TestReplicasOfTheMajorityArePaid has one wrong replica of three.
func TestReplicasOfTheMajorityArePaid(t *testing.T) {
	s := newScene(t, auto())
	s.Operator("a", nil)
	s.Operator("b", nil, markettest.WrongOutput)
	s.Operator("e", nil)
	s.pass(100)
	s.order(markettest.Order{Level: chain.LevelOptimistic, Replicas: 3})
	s.hours(2)
	for i := range 3 {
		name := fmt.Sprintf("j.%d", i+1)
		if to, _ := pointer(s.job(name)).Contact(); to.Peer == "b" {
			s.expect(name, market.Slashed, market.CodeDisagree)
		} else {
			s.expect(name, market.Paid, market.CodeAccepted)
		}
	}
	const bond = 1000
	if got := s.Balance(chaintest.NewWallet("b").Lock()); got != 40_000_000-bond {
		t.Errorf("the wrong replica's operator has %d", got)
	}
}

// TestNoReplicaIsRevealedBeforeAllAreSigned has one operator that takes long.
func TestNoReplicaIsRevealedBeforeAllAreSigned(t *testing.T) {
	s := newScene(t, auto())
	for i, name := range []string{"a", "b", "e"} {
		s.Operator(name, func(o *markettest.Operator) { o.Cost = 2000 + uint64(i)*10_000 })
	}
	s.pass(100)
	s.order(markettest.Order{Level: chain.LevelOptimistic, Replicas: 3})
	for range 1000 {
		s.pass(100)
		signed, revealed := 0, 0
		for i := range 3 {
			p := s.job(fmt.Sprintf("j.%d", i+1))
			if len(p.Result) > 0 {
				signed++
			}
			if p.Revealed {
				revealed++
			}
		}
		if revealed > 0 && signed < 3 {
			t.Fatalf("%d revealed, %d signed", revealed, signed)
		}
	}
	for i := range 3 {
		s.expect(fmt.Sprintf("j.%d", i+1), market.Paid, market.CodeAccepted)
	}
}

// TestFastReplicaDoesNotShowItsOutputOnTheLedger has one replica done long before the other.
func TestFastReplicaDoesNotShowItsOutputOnTheLedger(t *testing.T) {
	s := newScene(t, auto())
	s.Operator("a", nil)
	s.Operator("b", func(b *markettest.Operator) { b.Cost = 50_000 })
	s.pass(100)
	s.order(markettest.Order{Level: chain.LevelOptimistic, Replicas: 2})
	s.pass(200_000)
	for _, name := range []string{"j.1", "j.2"} {
		s.expect(name, market.Paid, market.CodeAccepted)
	}
}

// TestReplicaWithoutOperatorDoesNotHoldUpTheOthers has two operators for three replicas.
func TestReplicaWithoutOperatorDoesNotHoldUpTheOthers(t *testing.T) {
	s := newScene(t, auto())
	s.Operator("a", nil)
	s.Operator("b", nil)
	s.pass(100)
	s.order(markettest.Order{Level: chain.LevelOptimistic, Replicas: 3})
	s.pass(200_000)
	paid := 0
	for i := range 3 {
		if p := s.job(fmt.Sprintf("j.%d", i+1)); p.Settlement == market.Paid {
			paid++
		} else if p.Code != market.CodeNoBid {
			t.Errorf("%s %s", p.Settlement, p.Code)
		}
	}
	if paid != 2 {
		t.Errorf("%d are paid", paid)
	}
}
