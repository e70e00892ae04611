package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"
	"github.com/weisyn/wes/chain"
)

// view reads one state of the database. It may be used from many goroutines.
type view struct{ txn *badger.Txn }

var (
	_ chain.View        = view{}
	_ chain.Attachments = view{}
)

// get returns a value that the caller owns; false if there is none.
func (v view) get(key []byte) ([]byte, bool, error) {
	item, err := v.txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fault(key, err)
	}
	raw, err := item.ValueCopy(nil)
	if err != nil {
		return nil, false, fault(key, err)
	}
	if len(raw) == 0 {
		return nil, false, corrupt(key, nil, "its value can't be read")
	}
	return raw, true, nil
}

// fault says which key can't be read. A store that is closed is no damage.
func fault(key []byte, err error) error {
	if errors.Is(err, badger.ErrDBClosed) || errors.Is(err, badger.ErrDiscardedTxn) {
		return fmt.Errorf("read %s: %w", describe(key), err)
	}
	return corrupt(key, err, "can't be read")
}

// has reports whether a key is there, without its value.
func (v view) has(key []byte) (bool, error) {
	_, err := v.txn.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fault(key, err)
	}
	return true, nil
}

// must is get for what has to be there.
func (v view) must(key []byte) ([]byte, error) {
	raw, ok, err := v.get(key)
	if err == nil && !ok {
		err = missing(key)
	}
	return raw, err
}

// number reads an integer of 8 bytes.
func (v view) number(key []byte) (uint64, bool, error) {
	raw, ok, err := v.get(key)
	if err != nil || !ok {
		return 0, false, err
	}
	if len(raw) != 8 {
		return 0, false, corrupt(key, nil, "%d bytes instead of 8", len(raw))
	}
	return binary.BigEndian.Uint64(raw), true, nil
}

func encodeNumber(n uint64) []byte { return binary.BigEndian.AppendUint64(make([]byte, 0, 8), n) }

func decodeNumber(b []byte) uint64 { return binary.BigEndian.Uint64(b) }

// Entry implements chain.View.
func (v view) Entry(o chain.Outpoint) (chain.Entry, bool, error) {
	if !holds(o) {
		return chain.Entry{}, false, nil
	}
	e, ok, err := v.retained(o)
	if err != nil || !ok {
		return chain.Entry{}, false, err
	}
	s, err := v.spent(groupOf(o))
	return e, s.marks&bit(o) == 0, err
}

// retained returns an output that is kept, whether it is unspent or not.
func (v view) retained(o chain.Outpoint) (e chain.Entry, found bool, err error) {
	key := groupOf(o).key(keyGroup)
	all, ok, err := v.outputs(key)
	if err != nil || !ok {
		return e, false, err
	}
	var fault error
	err = all.each(func(place int, encoded []byte) bool {
		if place == int(o.Index%groupSize) {
			found = true
			e, fault = all.entry(encoded)
		}
		return !found
	})
	if err = errors.Join(err, fault); err != nil {
		return e, false, corrupt(key, err, "output %d", o.Index)
	}
	return e, found, nil
}

func (v view) outputs(key []byte) (outputs, bool, error) {
	raw, ok, err := v.get(key)
	if err != nil || !ok {
		return outputs{}, false, err
	}
	all, err := parseOutputs(raw)
	if err != nil {
		return outputs{}, false, corrupt(key, err, "its head")
	}
	return all, true, nil
}

func (v view) spent(g group) (spent, error) {
	key := g.key(keySpent)
	raw, ok, err := v.get(key)
	if err != nil || !ok {
		return spent{}, err
	}
	s, ok := parseSpent(raw)
	if !ok {
		return spent{}, corrupt(key, nil, "malformed marks")
	}
	return s, nil
}

// VerifyingKey implements chain.View: it has keys that an unspent output names and whose bytes
// have come.
func (v view) VerifyingKey(h chain.Hash) ([]byte, bool, error) {
	named, err := v.has(hashKey(keyNames, h))
	if err != nil || !named {
		return nil, false, err
	}
	return v.Attachment(h)
}

// Attachment returns bytes by their SHA-256.
func (v view) Attachment(h chain.Hash) ([]byte, bool, error) {
	raw, ok, err := v.get(hashKey(keyAttachment, h))
	if err != nil || !ok {
		return nil, false, err
	}
	return raw[1:], true, nil
}

// Body returns an encoded block by its hash.
func (v view) Body(h chain.Hash) ([]byte, bool, error) { return v.get(hashKey(keyBody, h)) }

// Block returns a block by its hash.
func (v view) Block(h chain.Hash) (*chain.Block, bool, error) {
	raw, ok, err := v.Body(h)
	if err != nil || !ok {
		return nil, false, err
	}
	b, err := readBlock(hashKey(keyBody, h), raw)
	return b, err == nil, err
}

func readBlock(key, raw []byte) (*chain.Block, error) {
	b, err := chain.DecodeBlock(raw)
	if err != nil {
		return nil, corrupt(key, err, "a block that does not decode")
	}
	if h := b.Header.Hash(); !bytes.Equal(key[1:], h[:]) {
		return nil, corrupt(key, nil, "block %v", h)
	}
	return b, nil
}

// MainHash returns the ledger's block at a height.
func (v view) MainHash(height uint64) (chain.Hash, bool, error) {
	key := heightKey(keyMain, height)
	raw, ok, err := v.get(key)
	if err != nil || !ok {
		return chain.Hash{}, false, err
	}
	if len(raw) != chain.HashSize {
		return chain.Hash{}, false, corrupt(key, nil, "%d bytes instead of a hash", len(raw))
	}
	return chain.Hash(raw), true, nil
}

// MainHeight returns the height of a block; false if it is not one of the ledger's.
func (v view) MainHeight(h chain.Hash) (uint64, bool, error) {
	height, ok, err := v.number(hashKey(keyHeight, h))
	if err != nil || !ok {
		return 0, false, err
	}
	at, ok, err := v.MainHash(height)
	return height, ok && at == h, err
}

// Place is where a transaction stands in the ledger.
type Place struct {
	Height uint64
	Index  uint32 // in the block
}

const placeSize = 12

func (p Place) encode() []byte {
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(make([]byte, 0, placeSize), p.Height), p.Index)
}

// Tx returns the place of a transaction of the ledger.
func (v view) Tx(id chain.Hash) (Place, bool, error) {
	key := hashKey(keyTx, id)
	raw, ok, err := v.get(key)
	if err != nil || !ok {
		return Place{}, false, err
	}
	if len(raw) != placeSize {
		return Place{}, false, corrupt(key, nil, "%d bytes instead of a place", len(raw))
	}
	return Place{binary.BigEndian.Uint64(raw), binary.BigEndian.Uint32(raw[8:])}, true, nil
}
