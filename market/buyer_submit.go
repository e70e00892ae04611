package market

import (
	"errors"
	"fmt"
	"slices"

	"github.com/weisyn/wes/chain"
)

// Errors of an Order.
var (
	ErrTerms    = errors.New("the terms cannot be a job")
	ErrDeadline = errors.New("the deadline is over before the job begins")
	ErrPrice    = errors.New("the highest price leaves nothing for an operator")
	ErrTooMany  = errors.New("too many jobs at once")
	ErrAgain    = errors.New("there is such a job already")
)

// Submit takes an order, and returns the ids of its jobs. An error is one of this package's, or
// says what is wrong with the order.
func (b *Buyer) Submit(now uint64, o Order) ([]chain.Hash, Output, error) {
	if err := o.check(now); err != nil {
		return nil, Output{}, err
	}
	open := 0
	for _, p := range b.jobs {
		if !p.Ended() {
			open++
		}
	}
	if open+len(o.Nonces) > b.cfg.MaxJobs {
		return nil, Output{}, ErrTooMany
	}
	var ids []chain.Hash
	for _, nonce := range o.Nonces {
		id := o.Terms.JobID(b.cfg.Chain, nonce)
		if b.jobs[id] != nil || slices.Contains(ids, id) {
			return nil, Output{}, ErrAgain
		}
		ids = append(ids, id)
	}
	for i, id := range ids {
		p := &Purchase{
			ID: id, Group: ids[0], Nonce: o.Nonces[i], Terms: o.Terms, MaxPrice: o.MaxPrice - o.Terms.Royalty,
			Deadline: o.Deadline, Submitted: now,
			Assignment: Announced, Execution: Idle, Settlement: Unfunded,
		}
		b.jobs[id] = p
		p.enter(asking)
		b.out.save(id)
		b.begin(now, p)
	}
	return ids, b.take(), nil
}

func (o *Order) check(now uint64) error {
	if err := o.Terms.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrTerms, err)
	}
	switch n := len(o.Nonces); {
	case n == 0 || n > 16 || n > 1 && o.Terms.Level != chain.LevelOptimistic:
		return fmt.Errorf("%w: %d replicas", ErrTerms, n)
	case o.MaxPrice <= o.Terms.Royalty:
		return fmt.Errorf("%w: %d, of which the royalty is %d base units", ErrPrice, o.MaxPrice, o.Terms.Royalty)
	case o.Deadline <= now:
		return ErrDeadline
	}
	return nil
}
