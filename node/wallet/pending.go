package wallet

import (
	"context"
	"fmt"
	"slices"

	"github.com/weisyn/wes/chain"
)

// Pending is a transaction that may yet enter a block.
type Pending struct {
	ID     chain.Hash
	Owner  chain.Hash       // LockHash of the wallet's own lock
	Inputs []chain.Outpoint // that it reserves
	Others []chain.Outpoint // inputs that another party reserves
	Change []Change         // what the wallet may spend before a block has it
	Until  uint64           // last instant at which it can take effect, ms since 1970
}

// Change is an output of a pending transaction under the wallet's own lock.
type Change struct {
	Index  uint32
	Output chain.Output
}

// underWay are the wallet's transactions that may yet enter a block.
//
// One is alive while each of its inputs is unspent or created by one that is alive. When one
// entered a block its inputs are gone, and when a conflicting one did, some are. The dead stay
// recorded until their time is over: the ledger may undo blocks.
type underWay struct {
	alive map[chain.Hash]*Pending
	order []*Pending // of the alive, parents first
	dead  map[chain.Hash]bool
	held  map[chain.Outpoint]bool // inputs of the alive, and of other wallets' transactions
}

// sortOut tells the alive from the dead. own holds the unspent outputs under the wallet's lock;
// others are looked up.
func sortOut(ctx context.Context, l Ledger, owner chain.Hash, all []Pending, own map[chain.Outpoint]bool) (*underWay, error) {
	u := &underWay{alive: map[chain.Hash]*Pending{}, dead: map[chain.Hash]bool{}, held: map[chain.Outpoint]bool{}}
	for i := range all {
		p := &all[i]
		alive := true
		if p.Owner == owner {
			var err error
			if alive, err = u.lives(ctx, l, p, own); err != nil {
				return nil, err
			}
		}
		switch {
		case !alive:
			u.dead[p.ID] = true
			continue
		case p.Owner == owner:
			u.alive[p.ID], u.order = p, append(u.order, p)
		}
		for _, o := range p.Inputs {
			u.held[o] = true
		}
	}
	return u, nil
}

func (u *underWay) lives(ctx context.Context, l Ledger, p *Pending, own map[chain.Outpoint]bool) (bool, error) {
	for _, list := range [][]chain.Outpoint{p.Inputs, p.Others} {
		for _, o := range list {
			if own[o] || u.alive[o.Tx] != nil {
				continue
			}
			if _, there, err := l.Output(ctx, o); err != nil || !there {
				return false, err
			}
		}
	}
	return true, nil
}

// change lists the change that is not spent yet, oldest first.
func (u *underWay) change() []chain.UTXO {
	var all []chain.UTXO
	for _, p := range u.order {
		for _, c := range p.Change {
			o := chain.Outpoint{Tx: p.ID, Index: c.Index}
			if !u.held[o] {
				all = append(all, chain.UTXO{Outpoint: o, Entry: chain.Entry{Output: c.Output}})
			}
		}
	}
	return all
}

// ancestors adds the transactions that inputs depend on.
func (u *underWay) ancestors(inputs []chain.Outpoint, set map[chain.Hash]bool) {
	for _, o := range inputs {
		if p := u.alive[o.Tx]; p != nil && !set[p.ID] {
			set[p.ID] = true
			u.ancestors(p.Inputs, set)
		}
	}
}

// fits reports whether a mempool takes a transaction with these inputs: with its ancestors, and
// each of them with its descendants, it makes at most limit.
func (u *underWay) fits(inputs []chain.Outpoint, limit int) bool {
	above := map[chain.Hash]bool{}
	u.ancestors(inputs, above)
	if len(above) == 0 {
		return true
	}
	if len(above)+1 > limit {
		return false
	}
	family := map[chain.Hash]int{} // itself and its descendants
	for _, p := range u.order {
		all := map[chain.Hash]bool{p.ID: true}
		u.ancestors(p.Inputs, all)
		for id := range all {
			family[id]++
		}
	}
	for id := range above {
		if family[id]+1 > limit {
			return false
		}
	}
	return true
}

// pending describes a transaction of the wallet's.
func (w *Wallet) pending(p *Partial) *Pending {
	r := &Pending{ID: p.Tx.ID(), Owner: chain.LockHash(w.Lock()), Inputs: p.Tx.Inputs, Until: p.Tx.Until}
	for i := range p.Tx.Outputs {
		if o := &p.Tx.Outputs[i]; o.Body == nil && o.Lock == w.Lock() {
			r.Change = append(r.Change, Change{uint32(i), *o})
		}
	}
	return r
}

// Spending returns the wallet's transaction that reserves an output; false if there is none.
func (w *Wallet) Spending(ctx context.Context, o chain.Outpoint) (id chain.Hash, found bool, err error) {
	env, err := w.ledger.Env(ctx)
	if err != nil {
		return id, false, fmt.Errorf("wallet: %w", err)
	}
	all, err := w.reserved.Pending(env.Now)
	if err != nil {
		return id, false, fmt.Errorf("wallet: %w", err)
	}
	for i := range all {
		if all[i].Owner == chain.LockHash(w.Lock()) && slices.Contains(all[i].Inputs, o) {
			return all[i].ID, true, nil
		}
	}
	return id, false, nil
}

// Cancel gives back what a transaction has reserved that was not submitted, or was refused.
func (w *Wallet) Cancel(b *Built) error { return w.CancelID(b.Tx.ID()) }

// CancelID is Cancel by the transaction's id. Of a transaction of several signers it is safe only while none
// of them can finish it.
func (w *Wallet) CancelID(id chain.Hash) error {
	if err := w.reserved.Remove(id); err != nil {
		return fmt.Errorf("wallet: %w", err)
	}
	return nil
}
