package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/weisyn/wes/chain"
)

// MaxPage bounds the results of one call.
const MaxPage = 1000

// Cursor says where a page ended; the next begins there. Empty, it stands before the first
// result, and after the last one. It is valid for the same query only, on any state.
type Cursor []byte

// ErrCursor is returned for a cursor that no query with this subject gave.
var ErrCursor = errors.New("not a cursor of this query")

// start returns the key to begin at.
func (c Cursor) start(prefix []byte, size int) ([]byte, error) {
	if len(c) == 0 {
		return prefix, nil
	}
	if len(c) != size {
		return nil, ErrCursor
	}
	return append(bytes.Clone(prefix), c...), nil
}

// Sizes of what follows the subject in a key of an index, in bytes.
const outpointSize = chain.HashSize + 2

// Outputs returns up to limit unspent outputs of a subject, in the order of their outpoints,
// and where the next page begins.
func (v view) Outputs(s Subject, from Cursor, limit int) ([]chain.UTXO, Cursor, error) {
	prefix := s.key(keyUnspent)
	start, err := from.start(prefix, outpointSize)
	if err != nil {
		return nil, nil, fmt.Errorf("outputs: %w", err)
	}
	var page []chain.UTXO
	for item, err := range v.scan(prefix, start) {
		if err != nil {
			return nil, nil, err
		}
		if len(page) >= pageSize(limit) {
			return page, item.key[len(prefix):], nil
		}
		u, err := v.indexed(item.key, item.key[len(prefix):])
		if err != nil {
			return nil, nil, err
		}
		page = append(page, u)
	}
	return page, nil, nil
}

func pageSize(limit int) int { return max(1, min(limit, MaxPage)) }

// indexed returns the output that an entry of the index names.
func (v view) indexed(key, name []byte) (chain.UTXO, error) {
	if len(name) != outpointSize {
		return chain.UTXO{}, corrupt(key, nil, "%d bytes instead of an outpoint", len(name))
	}
	o := chain.Outpoint{Tx: chain.Hash(name), Index: uint32(binary.BigEndian.Uint16(name[chain.HashSize:]))}
	e, ok, err := v.Entry(o)
	if err == nil && !ok {
		err = corrupt(key, nil, "output %v:%d is not unspent", o.Tx, o.Index)
	}
	return chain.UTXO{Outpoint: o, Entry: e}, err
}

// Appearance is a transaction that touches a subject.
type Appearance struct {
	Place
	Receives bool // one of its outputs concerns the subject
	Spends   bool // one of its inputs does
}

// History returns up to limit transactions that touch a subject, the newest first, and where
// the next page begins. Every role of a lock has one history. States have none by their type.
func (v view) History(s Subject, from Cursor, limit int) ([]Appearance, Cursor, error) {
	if s.Role.party() {
		s.Role = RoleParty
	}
	prefix := s.key(keyHistory)
	start, err := from.start(prefix, placeSize)
	if err != nil {
		return nil, nil, fmt.Errorf("history: %w", err)
	}
	if len(from) == 0 {
		start = append(bytes.Clone(prefix), bytes.Repeat([]byte{0xff}, placeSize)...)
	}
	var page []Appearance
	for item, err := range v.scanBack(prefix, start) {
		if err != nil {
			return nil, nil, err
		}
		place := item.key[len(prefix):]
		if len(place) != placeSize || item.value[0]&^(flagReceives|flagSpends) != 0 {
			return nil, nil, corrupt(item.key, nil, "malformed")
		}
		if len(page) >= pageSize(limit) {
			return page, place, nil
		}
		p := Place{binary.BigEndian.Uint64(place), binary.BigEndian.Uint32(place[8:])}
		page = append(page, Appearance{p, item.value[0]&flagReceives != 0, item.value[0]&flagSpends != 0})
	}
	return page, nil, nil
}

// MissingKeys returns up to limit verifying keys that unspent outputs name and whose bytes have
// not come: blocks below enough work are connected without attachments.
func (v view) MissingKeys(from Cursor, limit int) ([]chain.Hash, Cursor, error) {
	prefix := []byte{keyNames}
	start, err := from.start(prefix, chain.HashSize)
	if err != nil {
		return nil, nil, fmt.Errorf("missing keys: %w", err)
	}
	var page []chain.Hash
	for item, err := range v.scan(prefix, start) {
		if err != nil {
			return nil, nil, err
		}
		if len(item.key) != 1+chain.HashSize {
			return nil, nil, corrupt(item.key, nil, "%d bytes instead of a hash", len(item.key)-1)
		}
		h := chain.Hash(item.key[1:])
		there, err := v.has(hashKey(keyAttachment, h))
		switch {
		case err != nil:
			return nil, nil, err
		case there:
		case len(page) >= pageSize(limit):
			return page, h[:], nil
		default:
			page = append(page, h)
		}
	}
	return page, nil, nil
}
