package store

import (
	"encoding/binary"

	"github.com/weisyn/wes/chain"
)

// record is what is kept of a connected block, beside its body, to undo it or do it again:
//
//	checked 0 or 1, length of the ledger uvarint, ledger, then for each key:
//	hash, more names uvarint, fewer names uvarint
type record struct {
	after   chain.Ledger
	checked bool // attachments and proofs were
	keys    []chain.KeyChange
}

func (r *record) encode() []byte {
	l := r.after.Encode()
	b := make([]byte, 0, len(l)+3+len(r.keys)*(chain.HashSize+2))
	checked := byte(0)
	if r.checked {
		checked = 1
	}
	b = binary.AppendUvarint(append(b, checked), uint64(len(l)))
	b = append(b, l...)
	for _, k := range r.keys {
		b = append(b, k.Key[:]...)
		b = binary.AppendUvarint(binary.AppendUvarint(b, k.Added), k.Removed)
	}
	return b
}

func decodeRecord(b []byte) (*record, bool) {
	if len(b) < 2 || b[0] > 1 {
		return nil, false
	}
	r := &record{checked: b[0] == 1}
	size, n := binary.Uvarint(b[1:])
	if n <= 0 || size > uint64(len(b)-1-n) {
		return nil, false
	}
	b = b[1+n:]
	var err error
	if r.after, err = chain.DecodeLedger(b[:size]); err != nil {
		return nil, false
	}
	return r, r.decodeKeys(b[size:])
}

func (r *record) decodeKeys(b []byte) bool {
	for len(b) > 0 {
		if len(b) < chain.HashSize {
			return false
		}
		k := chain.KeyChange{Key: chain.Hash(b)}
		b = b[chain.HashSize:]
		for _, n := range []*uint64{&k.Added, &k.Removed} {
			var size int
			if *n, size = binary.Uvarint(b); size <= 0 {
				return false
			}
			b = b[size:]
		}
		r.keys = append(r.keys, k)
	}
	return true
}

// record reads what is kept of a connected block; false if it was pruned.
func (v view) record(height uint64, h chain.Hash) (*record, bool, error) {
	key := heightHashKey(keyRecord, height, h)
	raw, ok, err := v.get(key)
	if err != nil || !ok {
		return nil, false, err
	}
	r, ok := decodeRecord(raw)
	if !ok || r.after.Tip != h || r.after.Height != height {
		return nil, false, corrupt(key, nil, "malformed, or of another block")
	}
	return r, true, nil
}
