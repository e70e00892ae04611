package simulator

import (
	"errors"
	"fmt"

	"github.com/weisyn/wes/chain"
)

// Check reports the first thing about honest nodes that is not as it must be once a network has
// healed.
func (w *World) Check() error {
	if w.fault != nil {
		return w.fault
	}
	first := w.honest()[0]
	want := first.store.Ledger()
	for _, n := range w.honest() {
		l := n.store.Ledger()
		if l.Tip != want.Tip {
			return fmt.Errorf("node %d stands at %v, node 0 at %v", n.id, &l, &want)
		}
		if l.Set.Sum() != want.Set.Sum() {
			return fmt.Errorf("node %d has other unspent outputs than node 0", n.id)
		}
		if err := n.checkSupply(); err != nil {
			return fmt.Errorf("node %d: %w", n.id, err)
		}
		if err := n.checkPool(); err != nil {
			return fmt.Errorf("node %d: %w", n.id, err)
		}
	}
	return nil
}

// checkSupply demands that the native token is what genesis created, and every other one what
// its policy says it minted.
func (n *node) checkSupply() error {
	var all []chain.UTXO
	for o, e := range n.store.Unspent {
		all = append(all, chain.UTXO{Outpoint: o, Entry: e})
	}
	if set := chain.HashSet(all); set.Sum() != n.ledgerHash() {
		return errors.New("the set hash is not that of the unspent outputs")
	}
	if got := n.store.Supply(chain.TokenID{}); got != n.world.supply {
		return fmt.Errorf("%d base units of the native token, genesis created %d", got, n.world.supply)
	}
	for _, s := range n.states(chain.StatePolicy) {
		held, err := chain.DecodeState(s.Entry.Output.Body.(*chain.State))
		if err != nil {
			return err
		}
		p := held.(*chain.TokenPolicy)
		if got := n.store.Supply(p.ID); got != p.Minted {
			return fmt.Errorf("%d units of token %v, %d minted", got, p.ID, p.Minted)
		}
	}
	return nil
}

func (n *node) ledgerHash() chain.Hash {
	l := n.store.Ledger()
	return l.Set.Sum()
}

// checkPool demands that a transaction that this node took in its present life is in a block,
// in the mempool, or was in conflict with one that is or was in a block.
func (n *node) checkPool() error {
	for _, x := range n.submitted {
		id := x.Tx.ID()
		if n.replica.Pending(id) != nil || n.clashed[id] {
			continue
		}
		l := n.store.Ledger()
		env := chain.Env{Chain: l.Chain, Height: l.Height + 1, Now: l.Time}
		if _, err := n.world.validator.CheckTx(env, n.store, nil, x.Tx, x.Witness); err != nil {
			continue // in a block, or impossible now
		}
		if n.contested(x.Tx) {
			continue
		}
		return fmt.Errorf("transaction %v is valid and was forgotten", id)
	}
	return nil
}

// contested reports whether the mempool holds another spender of an input.
func (n *node) contested(t *chain.Tx) bool {
	for _, o := range t.Inputs {
		if n.replica.Spender(o) != nil {
			return true
		}
	}
	return false
}
