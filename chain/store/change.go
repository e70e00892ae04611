package store

import (
	"fmt"

	"github.com/weisyn/wes/chain"
)

// change is what a block does to a ledger, net: what it both creates and spends is in its
// transactions only.
type change struct {
	block  *chain.Block
	hash   chain.Hash
	height uint64
	ids    []chain.Hash // of the transactions
	spent  []chain.UTXO // of before, in the order of inputs
	added  []chain.UTXO // in the order of outputs
	keys   []chain.KeyChange
}

// newChange takes what a validation has found.
func newChange(b *chain.Block, a *chain.Applied) *change {
	return &change{b, a.After.Tip, a.After.Height, ids(b), a.Undo.Spent, a.Changes.Added, a.Changes.Keys}
}

func ids(b *chain.Block) []chain.Hash {
	all := make([]chain.Hash, len(b.Txs))
	for i, t := range b.Txs {
		all[i] = t.ID()
	}
	return all
}

// derive returns what a block that was valid does, from its body and the outputs that it
// spends, which are kept whether they are spent or not.
func derive(v view, b *chain.Block, keys []chain.KeyChange) (*change, error) {
	c := &change{block: b, hash: b.Header.Hash(), height: b.Header.Height, ids: ids(b), keys: keys}
	here := c.places()
	spent := map[chain.Outpoint]bool{}
	for _, t := range b.Txs {
		for _, o := range t.Inputs {
			if _, inside := here[o.Tx]; inside {
				spent[o] = true
				continue
			}
			e, ok, err := v.retained(o)
			if err == nil && !ok {
				err = missing(groupOf(o).key(keyGroup))
			}
			if err != nil {
				return nil, err
			}
			c.spent = append(c.spent, chain.UTXO{Outpoint: o, Entry: e})
		}
	}
	for i, t := range b.Txs {
		for k := range t.Outputs {
			o := chain.Outpoint{Tx: c.ids[i], Index: uint32(k)}
			if !spent[o] && t.Outputs[k].Kept() {
				e := chain.Entry{Output: t.Outputs[k], Height: c.height, Coinbase: i == 0}
				c.added = append(c.added, chain.UTXO{Outpoint: o, Entry: e})
			}
		}
	}
	return c, nil
}

// places returns the index of each transaction of the block.
func (c *change) places() map[chain.Hash]int {
	all := make(map[chain.Hash]int, len(c.ids))
	for i, id := range c.ids {
		all[id] = i
	}
	return all
}

// marks returns what the block spends of each group.
func (c *change) marks() map[group]uint64 {
	all := map[group]uint64{}
	for i := range c.spent {
		all[groupOf(c.spent[i].Outpoint)] |= bit(c.spent[i].Outpoint)
	}
	return all
}

// connect writes the outputs, the marks and the names of keys.
func (c *change) connect(v view, w *writes) error {
	groups(c.added, func(g group, members []chain.UTXO) {
		w.set(g.key(keyGroup), appendOutputs(nil, members))
	})
	for g, marks := range c.marks() {
		s, err := v.spent(g)
		if err != nil {
			return err
		}
		if s.marks&marks != 0 {
			return fmt.Errorf("%w: %s %v are spent already", ErrMove, describe(g.key(keyGroup)), places(s.marks&marks))
		}
		w.set(g.key(keySpent), spent{s.marks | marks, max(s.last, c.height)}.encode())
	}
	for _, k := range c.keys {
		if err := w.name(v, k.Key, k.Added, k.Removed, c.height); err != nil {
			return err
		}
	}
	return nil
}

// disconnect is the inverse.
func (c *change) disconnect(v view, w *writes) error {
	groups(c.added, func(g group, _ []chain.UTXO) { w.remove(g.key(keyGroup)) })
	for g, marks := range c.marks() {
		s, err := v.spent(g)
		if err != nil {
			return err
		}
		if s.marks&marks != marks {
			return corrupt(g.key(keySpent), nil, "%v are not marked", places(marks&^s.marks))
		}
		if s.marks == marks {
			w.remove(g.key(keySpent))
		} else {
			w.set(g.key(keySpent), spent{s.marks &^ marks, s.last}.encode())
		}
	}
	for _, k := range c.keys {
		if err := w.name(v, k.Key, k.Removed, k.Added, c.height); err != nil {
			return err
		}
	}
	return nil
}

// name counts names of a verifying key. Its bytes may go some blocks after the last name.
func (w *writes) name(v view, h chain.Hash, added, removed, height uint64) error {
	key := hashKey(keyNames, h)
	n, _, err := v.number(key)
	if err != nil {
		return err
	}
	if removed > n+added {
		return corrupt(key, nil, "%d names, %d more and %d fewer", n, added, removed)
	}
	if n += added - removed; n > 0 {
		w.set(key, encodeNumber(n))
		return nil
	}
	w.remove(key)
	w.use(h, height)
	return nil
}

// use notes that an attachment is in use at a height.
func (w *writes) use(h chain.Hash, height uint64) {
	w.set(hashKey(keyLastUse, h), encodeNumber(height))
	w.set(heightHashKey(keyQueue, height, h), []byte{1})
}

// advance makes a block the tip.
func (w *writes) advance(l *chain.Ledger, r *record) {
	w.set(heightKey(keyMain, l.Height), l.Tip[:])
	w.set([]byte{keyLedger}, l.Encode())
	w.set(heightHashKey(keyRecord, l.Height, l.Tip), r.encode())
}
