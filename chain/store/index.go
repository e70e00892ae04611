package store

import (
	"encoding/binary"

	"github.com/weisyn/wes/chain"
)

// Flags of an entry in the history.
const (
	flagReceives byte = 1 << iota // an output of the transaction concerns the subject
	flagSpends                    // an input does
)

// index returns the writes to the indexes of a block. They set what was not there and remove
// what was, so their inverse undoes them.
func (c *change) index() writes {
	x := &indexer{change: c, here: c.places(), spent: c.spent, added: c.added}
	for i, t := range c.block.Txs {
		x.w.set(hashKey(keyTx, c.ids[i]), Place{c.height, uint32(i)}.encode())
		x.outputs(i, t)
		x.inputs(t)
		x.history(i)
	}
	return x.w
}

// indexer goes through the transactions of a block, and through what they spend and add.
type indexer struct {
	*change
	w       writes
	here    map[chain.Hash]int
	spent   []chain.UTXO // not yet met
	added   []chain.UTXO // not yet met
	touches []touch      // of one transaction, each subject once
}

// touch is how a transaction concerns a subject.
type touch struct {
	subject Subject
	flags   byte
}

func (x *indexer) touch(s Subject, flag byte) {
	if s.Role == RoleState {
		return
	}
	if s.Role.party() {
		s.Role = RoleParty
	}
	x.touches = append(x.touches, touch{s, flag})
}

func (x *indexer) outputs(i int, t *chain.Tx) {
	for k := range t.Outputs {
		if !t.Outputs[k].Kept() {
			continue
		}
		o := chain.Outpoint{Tx: x.ids[i], Index: uint32(k)}
		lasts := len(x.added) > 0 && x.added[0].Outpoint == o
		if lasts {
			x.added = x.added[1:]
		}
		for _, s := range subjects(&t.Outputs[k]) {
			x.touch(s, flagReceives)
			if lasts {
				x.w.set(unspentKey(s, o), []byte{1})
			}
		}
	}
}

func (x *indexer) inputs(t *chain.Tx) {
	for _, o := range t.Inputs {
		if i, inside := x.here[o.Tx]; inside {
			for _, s := range subjects(&x.block.Txs[i].Outputs[o.Index]) {
				x.touch(s, flagSpends)
			}
			continue
		}
		for _, s := range subjects(&x.spent[0].Entry.Output) {
			x.touch(s, flagSpends)
			x.w = append(x.w, write{unspentKey(s, o), []byte{1}, true})
		}
		x.spent = x.spent[1:]
	}
}

// history writes what one transaction touches.
func (x *indexer) history(i int) {
	all := make(map[Subject]byte, len(x.touches))
	for _, t := range x.touches {
		all[t.subject] |= t.flags
	}
	for s, flags := range all {
		x.w.set(historyKey(s, Place{x.height, uint32(i)}), []byte{flags})
	}
	x.touches = x.touches[:0]
}

func unspentKey(s Subject, o chain.Outpoint) []byte {
	return binary.BigEndian.AppendUint16(append(s.key(keyUnspent), o.Tx[:]...), uint16(o.Index))
}

func historyKey(s Subject, p Place) []byte { return append(s.key(keyHistory), p.encode()...) }
