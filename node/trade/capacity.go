package trade

import (
	"sync"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/capacity"
)

// Capacity is an operator's capacity: package capacity over what Works offers. It may be used from any
// goroutine.
type Capacity struct {
	works Works
	mu    struct {
		sync.Mutex
		planner *capacity.Planner
		pricing capacity.Pricing
	}
}

var _ market.Capacity = (*Capacity)(nil)

// NewCapacity returns a capacity without devices.
func NewCapacity(w Works, o capacity.Options, p capacity.Pricing) *Capacity {
	c := &Capacity{works: w}
	c.mu.planner, c.mu.pricing = capacity.New(o), p
	return c
}

// on runs f with the planner.
func (c *Capacity) on(f func(p *capacity.Planner)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(c.mu.planner)
}

// AddSlot adds a device.
func (c *Capacity) AddSlot(s capacity.Slot) (err error) {
	c.on(func(p *capacity.Planner) { err = p.AddSlot(s) })
	return err
}

// RemoveSlot removes a device.
func (c *Capacity) RemoveSlot(device string) {
	c.on(func(p *capacity.Planner) { p.RemoveSlot(device) })
}

// Slots lists the devices.
func (c *Capacity) Slots() (all []capacity.Slot) {
	c.on(func(p *capacity.Planner) { all = p.Slots() })
	return all
}

// Depth returns how many tasks wait or run, and how many bids stand.
func (c *Capacity) Depth() (tasks, bids int) {
	c.on(func(p *capacity.Planner) { tasks, bids = p.Depth() })
	return tasks, bids
}

// Cordon stops or allows new work.
func (c *Capacity) Cordon(on bool) { c.on(func(p *capacity.Planner) { p.Cordon(on) }) }

// Cordoned reports whether no new work is taken.
func (c *Capacity) Cordoned() (on bool) {
	c.on(func(p *capacity.Planner) { on = p.Cordoned() })
	return on
}

// Price is what is asked for a run of a program now.
func (c *Capacity) Price(p *Program) uint64 {
	n := needOf(p, chain.PublicKey{})
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.pricing.Price(&n)
}

// SetPricing replaces the prices, of bids from now on.
func (c *Capacity) SetPricing(p capacity.Pricing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.pricing = p
}

// Observe takes a measured run of a program, in ns.
func (c *Capacity) Observe(p *Program, class string, ns uint64) {
	n := needOf(p, chain.PublicKey{})
	c.on(func(pl *capacity.Planner) { pl.Observe(&n, class, ns) })
}

// Estimate returns how long a run of a program takes on a device, in ms; false if that is not known.
func (c *Capacity) Estimate(p *Program, device string) (ms uint64, known bool) {
	n := needOf(p, chain.PublicKey{})
	c.on(func(pl *capacity.Planner) { ms, known = pl.Estimate(&n, device) })
	return ms, known
}

func needOf(p *Program, client chain.PublicKey) capacity.Need {
	return capacity.Need{Program: capacity.Program(p.Ref.Tx), Client: client, Units: p.Units, Memory: p.Memory}
}

// Quote implements market.Capacity.
func (c *Capacity) Quote(now uint64, job chain.Hash, t *market.Terms, deadline, until uint64) (q market.Quote, r *market.Refusal) {
	p, offered := c.works.Program(t.Program)
	if !offered {
		return q, &market.Refusal{Code: market.CodeUnknownProgram}
	}
	n := needOf(&p, t.Client)
	c.on(func(pl *capacity.Planner) {
		promise, class, denial := pl.Hold(now, capacity.ID(job), n, deadline, until)
		price := c.mu.pricing.Price(&n)
		if denial != nil {
			r = &market.Refusal{Code: codeOf(denial.Reason), Price: price, Wait: denial.Wait}
			return
		}
		q = market.Quote{Price: price, Promise: promise, Class: class, ProveFee: p.ProveFee}
	})
	return q, r
}

func codeOf(r capacity.Reason) market.Code {
	switch r {
	case capacity.Infeasible:
		return market.CodeInfeasible
	case capacity.Busy:
		return market.CodeBusy
	case capacity.Draining:
		return market.CodeDraining
	case capacity.Unmeasured:
		return market.CodeUnknownProgram
	}
	return market.CodeCapped
}

// Commit implements market.Capacity.
func (c *Capacity) Commit(now uint64, job chain.Hash, due uint64) (r *market.Refusal) {
	c.on(func(p *capacity.Planner) {
		if !p.Commit(now, capacity.ID(job), due) {
			r = &market.Refusal{Code: market.CodeExpired}
		}
	})
	return r
}

// Restore implements market.Capacity.
func (c *Capacity) Restore(_ uint64, job chain.Hash, t *market.Terms, due uint64) {
	p, offered := c.works.Program(t.Program)
	n := needOf(&p, t.Client)
	if !offered {
		n.Program = capacity.Program(t.Program.Tx)
	}
	c.on(func(pl *capacity.Planner) { pl.Restore(capacity.ID(job), n, due) })
}

// Release implements market.Capacity.
func (c *Capacity) Release(_ uint64, job chain.Hash) {
	c.on(func(p *capacity.Planner) { p.Release(capacity.ID(job)) })
}

// Ready implements market.Capacity.
func (c *Capacity) Ready(_ uint64, job chain.Hash) {
	c.on(func(p *capacity.Planner) { p.Ready(capacity.ID(job)) })
}

// Place implements market.Capacity.
func (c *Capacity) Place(now uint64) (all []market.Placement) {
	c.on(func(p *capacity.Planner) {
		for _, x := range p.Place(now) {
			all = append(all, market.Placement{Job: chain.Hash(x.ID), Device: x.Slot.Device, Class: x.Slot.Class})
		}
	})
	return all
}

// Finish implements market.Capacity. took is in ms; 0 of a run that failed.
func (c *Capacity) Finish(_ uint64, job chain.Hash, took, _ uint64) {
	c.on(func(p *capacity.Planner) { p.Finish(capacity.ID(job), took*1_000_000) })
}

// Again implements market.Capacity.
func (c *Capacity) Again(_ uint64, job chain.Hash, cpu bool) (ok bool) {
	c.on(func(p *capacity.Planner) { ok = p.Again(capacity.ID(job), cpu) })
	return ok
}

// Hopeless implements market.Capacity.
func (c *Capacity) Hopeless(now uint64) (all []chain.Hash) {
	c.on(func(p *capacity.Planner) {
		for _, id := range p.Hopeless(now) {
			all = append(all, chain.Hash(id))
		}
	})
	return all
}
