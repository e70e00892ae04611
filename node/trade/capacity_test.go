package trade

import (
	"errors"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/capacity"
)

// TestCapacityQuotesAndRefusesAsPlanned: reasons of the planner have the market's codes.
func TestCapacityQuotesAndRefusesAsPlanned(t *testing.T) {
	x := &trial{program: Program{Ref: market.Ref{Index: 1}, Units: 2_000_000, Memory: 1 << 20, ProveFee: 9}}
	c := NewCapacity(x, capacity.Options{MaxPerClient: 2}, capacity.Pricing{PerUnit: 50, Minimum: 7})
	slot := capacity.Slot{Device: "gpu", Class: "test", Memory: 1 << 20}
	terms := market.Terms{Program: x.program.Ref}
	const now, late = 1000, 1 << 40
	var takes uint64 // ms, with the margin of an estimate
	quote := func(job byte, deadline uint64) market.Code {
		q, refusal := c.Quote(now, chain.Hash{job}, &terms, deadline, now)
		if refusal != nil {
			return refusal.Code
		}
		if q.Price != 100 || q.ProveFee != 9 || q.Class != "test" || q.Promise < takes {
			t.Errorf("%+v", q)
		}
		return market.CodeOK
	}
	if got := quote(1, late); got != market.CodeInfeasible {
		t.Errorf("without a device: %q", got)
	}
	if err := c.AddSlot(slot); err != nil {
		t.Fatal(err)
	}
	if err := c.AddSlot(slot); !errors.Is(err, capacity.ErrTwice) {
		t.Errorf("twice: %v", err)
	}
	if got := quote(1, late); got != market.CodeUnknownProgram {
		t.Errorf("unmeasured: %q", got)
	}
	c.Observe(&x.program, "test", 1_000_000_000)
	var known bool
	takes, known = c.Estimate(&x.program, "gpu")
	if !known || takes < 1000 {
		t.Errorf("%d, %v", takes, known)
	}
	if got := quote(2, now+takes-1); got != market.CodeInfeasible {
		t.Errorf("too soon: %q", got)
	}
	if got := quote(1, now+takes); got != market.CodeOK {
		t.Errorf("just in time: %q", got)
	}
	if got := quote(2, now+takes); got != market.CodeBusy {
		t.Errorf("behind another: %q", got)
	}
	if r := c.Commit(now, chain.Hash{1}, now+2*takes); r != nil {
		t.Error(r)
	}
	if r := c.Commit(now, chain.Hash{9}, now+2*takes); r == nil || r.Code != market.CodeExpired {
		t.Errorf("%+v", r)
	}
	c.Ready(now, chain.Hash{1})
	if p := c.Place(now); len(p) != 1 || p[0] != (market.Placement{Job: chain.Hash{1}, Device: "gpu", Class: "test"}) {
		t.Errorf("%+v", p)
	}
	if tasks, bids := c.Depth(); tasks != 1 || bids != 0 {
		t.Errorf("%d, %d", tasks, bids)
	}
	if all := c.Hopeless(now + 2*takes + 1); len(all) != 1 {
		t.Errorf("%v", all)
	}
	c.Finish(now, chain.Hash{1}, 0, 0)
	if !c.Again(now, chain.Hash{1}, false) || c.Again(now, chain.Hash{1}, true) {
		t.Error("there is a device, and no CPU")
	}
	c.Release(now, chain.Hash{1})
	c.Restore(now, chain.Hash{3}, &terms, late)
	c.Restore(now, chain.Hash{4}, &market.Terms{}, late) // of a program that is not offered yet
	if tasks, _ := c.Depth(); tasks != 2 {
		t.Errorf("%d tasks were restored", tasks)
	}
	if got := quote(5, late); got != market.CodeCapped {
		t.Errorf("a third of one client: %q", got)
	}
	if c.Cordon(true); !c.Cordoned() || quote(6, late) != market.CodeDraining {
		t.Error("it takes new work")
	}
	c.SetPricing(capacity.Pricing{Fixed: map[capacity.Program]uint64{capacity.Program(x.program.Ref.Tx): 3}})
	if got := c.Price(&x.program); got != 3 {
		t.Errorf("price %d", got)
	}
	if c.RemoveSlot("gpu"); len(c.Slots()) != 0 {
		t.Error("the device is there still")
	}
	if _, r := c.Quote(now, chain.Hash{7}, &market.Terms{Program: market.Ref{Index: 2}}, late, now); r == nil || r.Code != market.CodeUnknownProgram {
		t.Errorf("%+v", r)
	}
}
