package mempool

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/weisyn/wes/chain"
)

// Reorganise follows the ledger to another tip, of which view shows the state already and env
// is that of the next block: undone are the blocks left, applied those entered, both lowest
// first. Transactions of blocks left come back, whatever policy says of them, and nothing that
// is still valid is lost but for the size of the pool. It returns the orphans that were waiting
// for the new blocks. An error is a fault of this machine; the pool is then to be made anew.
func (p *Pool) Reorganise(now uint64, env chain.Env, undone, applied []*chain.Block) (Result, error) {
	p.env = env
	var r Result
	var err error
	if len(undone) > 0 {
		err = p.rebuild(now, undone)
	} else {
		for _, b := range applied {
			p.connect(b)
		}
		err = p.recheck()
	}
	if err != nil {
		return r, fmt.Errorf("follow the ledger: %w", err)
	}
	in := map[chain.Hash]bool{}
	for _, b := range applied {
		for _, t := range b.Txs {
			in[t.ID()] = true
		}
	}
	p.orphans.forget(in)
	for _, id := range p.orphans.waitedFor(in) {
		if err := p.adopt(now, id, &r); err != nil {
			return r, fmt.Errorf("follow the ledger: %w", err)
		}
	}
	p.trim(now)
	return r, nil
}

// connect removes what a block holds, and then what it makes impossible: a block may spend
// what another of its transactions refers to.
func (p *Pool) connect(b *chain.Block) {
	for _, t := range b.Txs {
		if e := p.entries[t.ID()]; e != nil {
			p.confirm(e)
		}
	}
	for _, t := range b.Txs {
		for _, o := range t.Inputs {
			var dead []*Entry
			if e := p.spent[o]; e != nil {
				dead = append(dead, e)
			}
			p.remove(withDescendants(append(dead, p.refers[o]...)...))
		}
	}
}

// recheck removes what time has made invalid.
func (p *Pool) recheck() error {
	for _, e := range p.inOrder() {
		if !e.timed || p.entries[e.ID] != e {
			continue
		}
		ok, err := p.holds(e)
		if err != nil {
			return err
		}
		if !ok {
			p.remove(withDescendants(e))
		}
	}
	return nil
}

// holds checks all of an entry but what is attached, which was checked and does not change.
func (p *Pool) holds(e *Entry) (bool, error) {
	v, err := p.rules.CheckTx(p.env, &overlay{p}, nil, e.Tx, e.Witness)
	switch {
	case err == nil:
		e.Cost, e.Weight = v.Cost, v.Weight
		return true, nil
	case refuses(err):
		return false, nil
	}
	return false, err
}

// rebuild enters the transactions of blocks left, and then what was in the pool, in an order
// in which parents come first. What is in the new blocks spends what is gone, and stays out.
func (p *Pool) rebuild(now uint64, undone []*chain.Block) error {
	old := p.inOrder()
	p.clear()
	for _, b := range undone {
		for i, t := range b.Txs {
			if t.Coinbase() {
				continue
			}
			whole, err := p.attached(t)
			if err != nil {
				return err
			}
			if !whole {
				continue
			}
			if err := p.readmit(p.measure(now, t, b.Witnesses[i])); err != nil {
				return err
			}
		}
	}
	for _, e := range old {
		e.parents, e.children, e.timed = nil, nil, false
		if err := p.readmit(e); err != nil {
			return err
		}
	}
	return nil
}

// attached reports whether all attachments are at hand. Those of a block that was connected without
// them, deep below others, may not be: then whoever wants the transaction in a block has to send
// it again.
func (p *Pool) attached(t *chain.Tx) (bool, error) {
	for _, a := range t.Attachments {
		_, found, err := p.att.Attachment(a.SHA256)
		if err != nil || !found {
			return false, err
		}
	}
	return true, nil
}

// readmit enters what is valid. All that is readmitted comes from one branch and the pool on
// it, so no two spend the same output.
func (p *Pool) readmit(e *Entry) error {
	missing, err := p.resolve(e)
	if err != nil || len(missing) > 0 || p.entries[e.ID] != nil {
		return err
	}
	ok, err := p.holds(e)
	if ok {
		p.enter(e)
	}
	return err
}

func (p *Pool) inOrder() []*Entry {
	all := make([]*Entry, 0, len(p.entries))
	for _, e := range p.entries {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *Entry) int { return cmp.Compare(a.order, b.order) })
	return all
}
