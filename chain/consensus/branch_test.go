package consensus

import (
	"errors"
	"testing"
)

func TestBranchJudgesEveryHeader(t *testing.T) {
	cfg := testConfig()
	m := newMiner(t, cfg)
	one, l1 := m.child(m.genesisLink(), epoch+1000, nil)
	two, l2 := m.child(l1, epoch+2000, nil)
	late, _ := m.child(l2, epoch+3000, nil)
	wrong := two
	wrong.Bits++
	for name, c := range map[string]struct {
		headers []SealedHeader
		rule    HeaderRule // that the last one breaks; 0: none
	}{
		"good":         {[]SealedHeader{one, two}, 0},
		"out of order": {[]SealedHeader{two}, RuleHeight},
		"wrong bits":   {[]SealedHeader{one, wrong}, RuleBits},
		"twice":        {[]SealedHeader{one, one}, RuleHeight},
		"too early":    {[]SealedHeader{one, two, late}, RuleTime},
	} {
		b, err := NewBranch(cfg)
		if err != nil {
			t.Fatal(err)
		}
		now := late.Time - b.rules.cfg.MaxAhead - 1
		var broken *HeaderError
		for i := range c.headers {
			err = b.Extend(&c.headers[i], now)
			if i < len(c.headers)-1 && err != nil {
				t.Fatalf("%s: header %d: %v", name, i, err)
			}
		}
		if c.rule == 0 && (err != nil || b.Tip() != two.Hash()) {
			t.Errorf("%s: %v, tip %v", name, err, b.Tip())
		}
		if c.rule != 0 && (!errors.As(err, &broken) || broken.Rule != c.rule) {
			t.Errorf("%s: %v, want rule %v", name, err, c.rule)
		}
	}
}

func TestBranchKnowsWhenItsWorkIsEnough(t *testing.T) {
	cfg := testConfig()
	m := newMiner(t, cfg)
	one, l1 := m.child(m.genesisLink(), epoch+1000, nil)
	two, l2 := m.child(l1, epoch+2000, nil)
	cfg.MinWork = l2.work
	b, err := NewBranch(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range []*SealedHeader{&one, &two} {
		if b.Enough() {
			t.Errorf("%d headers are enough", i)
		}
		if err := b.Extend(h, two.Time); err != nil {
			t.Fatal(err)
		}
	}
	if !b.Enough() {
		t.Error("all are not enough")
	}
}
