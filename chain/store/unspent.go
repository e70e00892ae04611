package store

import (
	"encoding/binary"
	"iter"

	"github.com/weisyn/wes/chain"
)

// Unspent yields all unspent outputs, in the order of their outpoints' bytes.
func (v view) Unspent() iter.Seq2[chain.UTXO, error] {
	return v.selected(func(g group, _ uint64, mask uint64) (uint64, error) {
		s, err := v.spent(g)
		return mask &^ s.marks, err
	})
}

// chooser says which outputs of a group to take: of those in its mask, created at a height.
type chooser func(g group, height, mask uint64) (uint64, error)

// selected yields the outputs that a chooser takes.
func (v view) selected(choose chooser) iter.Seq2[chain.UTXO, error] {
	return func(yield func(chain.UTXO, error) bool) {
		for item, err := range v.scan([]byte{keyGroup}, nil) {
			var all []chain.UTXO
			if err == nil {
				all, err = members(&item, choose)
			}
			if err != nil {
				yield(chain.UTXO{}, err)
				return
			}
			for i := range all {
				if !yield(all[i], nil) {
					return
				}
			}
		}
	}
}

// members decodes the chosen outputs of a group.
func members(it *item, choose chooser) ([]chain.UTXO, error) {
	if len(it.key) != 1+chain.HashSize+2 {
		return nil, corrupt(it.key, nil, "%d bytes instead of a group's name", len(it.key)-1)
	}
	g := group{chain.Hash(it.key[1:]), binary.BigEndian.Uint16(it.key[1+chain.HashSize:])}
	all, err := parseOutputs(it.value)
	if err != nil {
		return nil, corrupt(it.key, err, "its head")
	}
	mask, err := all.mask()
	if err != nil {
		return nil, corrupt(it.key, err, "its outputs")
	}
	chosen, err := choose(g, all.height, mask)
	if err != nil {
		return nil, err
	}
	var out []chain.UTXO
	var fault error
	err = all.each(func(place int, encoded []byte) bool {
		if chosen>>place&1 == 1 {
			var e chain.Entry
			e, fault = all.entry(encoded)
			out = append(out, chain.UTXO{Outpoint: g.outpoint(place), Entry: e})
		}
		return fault == nil
	})
	if fault != nil {
		return nil, corrupt(it.key, fault, "an output that does not decode")
	}
	return out, err
}
