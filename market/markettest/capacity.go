package markettest

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
)

// capacity has equal slots, runs what is due first, and counts bids as load. Times are in ms.
type capacity struct {
	slots    int
	cost     uint64 // of every run
	price    uint64
	bound    int // tasks and bids at once
	draining bool
	offers   func(market.Ref) bool
	tasks    map[chain.Hash]*task
}

// task is a bid that holds capacity, or a job.
type task struct {
	job       chain.Hash
	due       uint64
	until     uint64 // of a bid; 0: it is committed
	ready     bool
	running   bool
	ends      uint64 // of a run, expected
	committed bool
}

var _ market.Capacity = (*capacity)(nil)

func (c *capacity) expire(now uint64) {
	for id, t := range c.tasks {
		if !t.committed && t.until < now {
			delete(c.tasks, id)
		}
	}
}

// line are the tasks in the order in which they run.
func (c *capacity) line() []*task {
	var all []*task
	for _, t := range c.tasks {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b *task) int {
		return cmp.Or(cmp.Compare(a.due, b.due), bytes.Compare(a.job[:], b.job[:]))
	})
	return all
}

// plan returns when every task will be done, and whether all are in time.
func (c *capacity) plan(now uint64) (map[chain.Hash]uint64, bool) {
	free := make([]uint64, c.slots)
	for i := range free {
		free[i] = now
	}
	done, in := map[chain.Hash]uint64{}, true
	for _, t := range c.line() {
		if t.running {
			i := slices.Index(free, slices.Min(free))
			free[i] = max(t.ends, now)
		}
	}
	for _, t := range c.line() {
		if t.running {
			continue
		}
		i := slices.Index(free, slices.Min(free))
		free[i] += c.cost
		done[t.job] = free[i]
		in = in && free[i] <= t.due
	}
	return done, in
}

// Quote implements market.Capacity.
func (c *capacity) Quote(now uint64, job chain.Hash, t *market.Terms, deadline, until uint64) (market.Quote, *market.Refusal) {
	c.expire(now)
	switch {
	case c.draining:
		return market.Quote{}, &market.Refusal{Code: market.CodeDraining}
	case !c.offers(t.Program):
		return market.Quote{}, &market.Refusal{Code: market.CodeUnknownProgram}
	case now+c.cost > deadline:
		return market.Quote{}, &market.Refusal{Code: market.CodeInfeasible, Price: c.price}
	case len(c.tasks) >= c.bound:
		return market.Quote{}, &market.Refusal{Code: market.CodeCapped, Wait: c.cost}
	}
	c.tasks[job] = &task{job: job, due: deadline, until: until}
	done, in := c.plan(now)
	if !in {
		delete(c.tasks, job)
		return market.Quote{}, &market.Refusal{Code: market.CodeBusy, Price: c.price, Wait: c.cost}
	}
	return market.Quote{Price: c.price, Promise: done[job] - now, Class: "slot", ProveFee: settlementFee}, nil
}

// Commit implements market.Capacity.
func (c *capacity) Commit(now uint64, job chain.Hash, due uint64) *market.Refusal {
	t := c.tasks[job]
	if t == nil {
		return &market.Refusal{Code: market.CodeBusy}
	}
	t.due, t.committed = due, true
	return nil
}

// Restore implements market.Capacity.
func (c *capacity) Restore(_ uint64, job chain.Hash, _ *market.Terms, due uint64) {
	c.tasks[job] = &task{job: job, due: due, committed: true}
}

// Release implements market.Capacity.
func (c *capacity) Release(_ uint64, job chain.Hash) { delete(c.tasks, job) }

// Ready implements market.Capacity.
func (c *capacity) Ready(_ uint64, job chain.Hash) {
	if t := c.tasks[job]; t != nil {
		t.ready = true
	}
}

// Place implements market.Capacity.
func (c *capacity) Place(now uint64) (all []market.Placement) {
	busy := 0
	for _, t := range c.tasks {
		if t.running {
			busy++
		}
	}
	for _, t := range c.line() {
		if busy < c.slots && t.ready && !t.running {
			t.running, t.ends = true, now+c.cost
			busy++
			all = append(all, market.Placement{Job: t.job, Device: "slot", Class: "slot"})
		}
	}
	return all
}

// Finish implements market.Capacity.
func (c *capacity) Finish(_ uint64, job chain.Hash, took, _ uint64) {
	if t := c.tasks[job]; t != nil {
		t.running, t.ready = false, false
		if took > 0 {
			delete(c.tasks, job)
		}
	}
}

// Again implements market.Capacity.
func (c *capacity) Again(_ uint64, job chain.Hash, _ bool) bool {
	t := c.tasks[job]
	if t != nil {
		t.ready = true
	}
	return t != nil
}

// Hopeless implements market.Capacity.
func (c *capacity) Hopeless(now uint64) (all []chain.Hash) {
	for _, t := range c.line() {
		if t.committed && !t.running && now+c.cost > t.due {
			all = append(all, t.job)
		}
	}
	return all
}
