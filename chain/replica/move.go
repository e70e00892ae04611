package replica

import (
	"errors"
	"fmt"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/consensus"
)

// validated is a block that was found valid on a ledger.
type validated struct {
	block   chain.Hash
	on      chain.Hash
	applied *chain.Applied
}

// progress is how far a move of the ledger has come.
type progress struct {
	undone, applied []*chain.Block // as they were left and entered
	report          consensus.Switched
}

// move moves the ledger and reports it. If something was undone it ends whole or not at all.
func (r *Replica) move(now uint64, s *consensus.Switch) error {
	apply := make([]chain.Hash, len(s.Apply))
	for i, a := range s.Apply {
		apply[i] = a.Block
	}
	if err := r.store.Begin(s.Undo, apply); err != nil {
		return fmt.Errorf("begin a move of the ledger: %w", err)
	}
	p, err := r.walk(s)
	if err != nil {
		return fmt.Errorf("move the ledger: %w", err)
	}
	if err := r.close(p, len(s.Undo) > 0); err != nil {
		return err
	}
	l := r.store.Ledger()
	p.report.Tip = l.Tip
	if err := r.core.Step(now, p.report); err != nil {
		return fmt.Errorf("consensus: %w", err)
	}
	return r.moved(now, &l, p)
}

// walk undoes and applies blocks, as far as they are valid and at hand.
func (r *Replica) walk(s *consensus.Switch) (*progress, error) {
	p := &progress{}
	for range s.Undo {
		b, err := r.store.Disconnect()
		if err != nil {
			return nil, err
		}
		p.undone = append([]*chain.Block{b}, p.undone...)
	}
	for _, a := range s.Apply {
		b, err := r.apply(&a, &p.report)
		if err != nil {
			return nil, err
		}
		if b == nil {
			break
		}
		p.applied = append(p.applied, b)
	}
	return p, nil
}

// apply validates and connects a block; nil with an entry in the report if that cannot be.
func (r *Replica) apply(a *consensus.Application, report *consensus.Switched) (*chain.Block, error) {
	b, found, err := r.store.Block(a.Block)
	if err != nil {
		return nil, err
	}
	if !found {
		report.Unavailable = a.Block
		return nil, nil
	}
	applied, err := r.validate(a, b)
	var broken *chain.RuleError
	var missing *chain.UnavailableError
	switch {
	case errors.As(err, &broken):
		report.Invalid = a.Block
		return nil, nil
	case errors.As(err, &missing):
		report.Unavailable, report.Missing = a.Block, missing.Missing
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("validate block %v: %w", a.Block, err)
	}
	return b, r.store.Connect(b, applied, !a.Buried)
}

func (r *Replica) validate(a *consensus.Application, b *chain.Block) (*chain.Applied, error) {
	l := r.store.Ledger()
	if v := r.ready; v != nil && v.block == a.Block && v.on == l.Tip {
		return v.applied, nil
	}
	if a.Buried {
		return r.cfg.Validator.Apply(&l, r.store, b, nil)
	}
	return r.cfg.Validator.Apply(&l, r.store, b, r.held)
}

// close ends the move where it is, or where it began.
func (r *Replica) close(p *progress, whole bool) error {
	stopped := p.report.Invalid != chain.Hash{} || p.report.Unavailable != chain.Hash{}
	if !stopped || !whole {
		if err := r.store.End(); err != nil {
			return fmt.Errorf("end a move of the ledger: %w", err)
		}
		return nil
	}
	p.undone, p.applied = nil, nil
	if err := r.store.Rollback(); err != nil {
		return fmt.Errorf("roll a move of the ledger back: %w", err)
	}
	return nil
}

// moved lets the mempool follow.
func (r *Replica) moved(now uint64, l *chain.Ledger, p *progress) error {
	if len(p.undone)+len(p.applied) == 0 {
		return nil
	}
	r.emit(Moved{p.undone, p.applied, l.Height, l.Tip})
	result, err := r.pool.Reorganise(now, next(l), p.undone, p.applied)
	if err != nil {
		return err
	}
	r.entered(&result, again)
	return nil
}
