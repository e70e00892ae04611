package store

import (
	"bytes"
	"crypto/sha256"
	"fmt"

	"github.com/weisyn/wes/chain"
)

// PutBody stages a block under the hash of its header. The caller has compared its roots with
// the header's.
func (s *Store) PutBody(b *chain.Block) error {
	var w writes
	w.set(hashKey(keyBody, b.Header.Hash()), b.Encode())
	return s.writeAll("put body", w)
}

// isAttachment reports whether a value is that of an attachment with the key.
func isAttachment(key, value []byte) bool {
	h := sha256.Sum256(value[1:])
	return value[0] == 1 && bytes.Equal(key[1:], h[:])
}

// PutAttachments stages bytes under their SHA-256. Each is at most chain.MaxTxAttachments long.
func (s *Store) PutAttachments(all ...[]byte) error {
	height := s.Ledger().Height
	var w writes
	for _, p := range all {
		if len(p) > chain.MaxTxAttachments {
			return fmt.Errorf("put attachments: %d bytes exceed %d", len(p), chain.MaxTxAttachments)
		}
		h := chain.Hash(sha256.Sum256(p))
		w.use(h, height)
		w.set(hashKey(keyAttachment, h), append([]byte{1}, p...))
	}
	return s.writeAll("put attachments", w)
}
