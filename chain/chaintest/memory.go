// Package chaintest helps to test what works with a ledger: a store in memory, a proof system
// without proofs, wallets, and a network of one node that connects and undoes blocks.
package chaintest

import (
	"crypto/sha256"
	"fmt"
	"maps"

	"github.com/weisyn/wes/chain"
)

// Memory keeps unspent outputs, verifying keys and attachments in maps. Reads may run at once,
// writes may not.
type Memory struct {
	Unspent  map[chain.Outpoint]chain.Entry
	Named    map[chain.Hash]uint64 // how many unspent outputs name a verifying key
	attached map[chain.Hash][]byte
}

var (
	_ chain.View        = (*Memory)(nil)
	_ chain.Attachments = (*Memory)(nil)
)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{
		Unspent: map[chain.Outpoint]chain.Entry{}, Named: map[chain.Hash]uint64{}, attached: map[chain.Hash][]byte{},
	}
}

// Entry implements chain.View.
func (m *Memory) Entry(o chain.Outpoint) (chain.Entry, bool, error) {
	e, ok := m.Unspent[o]
	return e, ok, nil
}

// VerifyingKey implements chain.View: it has only keys that an unspent output names.
func (m *Memory) VerifyingKey(h chain.Hash) ([]byte, bool, error) {
	if m.Named[h] == 0 {
		return nil, false, nil
	}
	b, ok := m.attached[h]
	return b, ok, nil
}

// Attachment implements chain.Attachments.
func (m *Memory) Attachment(h chain.Hash) ([]byte, bool, error) {
	b, ok := m.attached[h]
	return b, ok, nil
}

// Attach stores bytes beside the ledger and returns how a transaction names them.
func (m *Memory) Attach(kind chain.AttachmentKind, b []byte) chain.Attachment {
	h := chain.Hash(sha256.Sum256(b))
	m.attached[h] = b
	return chain.Attachment{Kind: kind, SHA256: h, Len: uint32(len(b))}
}

// Withhold forgets an attachment and returns its bytes.
func (m *Memory) Withhold(h chain.Hash) []byte {
	b := m.attached[h]
	delete(m.attached, h)
	return b
}

// Write makes changes. It returns an error, and stops, where they do not fit what is stored.
func (m *Memory) Write(c *chain.Changes) error {
	for _, o := range c.Removed {
		if _, ok := m.Unspent[o]; !ok {
			return fmt.Errorf("remove %v:%d: not there", o.Tx, o.Index)
		}
		delete(m.Unspent, o)
	}
	for _, u := range c.Added {
		if _, ok := m.Unspent[u.Outpoint]; ok {
			return fmt.Errorf("add %v:%d: already there", u.Outpoint.Tx, u.Outpoint.Index)
		}
		m.Unspent[u.Outpoint] = u.Entry
	}
	for _, k := range c.Keys {
		n := m.Named[k.Key] + k.Added
		if k.Removed > n {
			return fmt.Errorf("key %v: %d names removed of %d", k.Key, k.Removed, n)
		}
		m.Named[k.Key] = n - k.Removed
		if n == k.Removed {
			delete(m.Named, k.Key)
		}
	}
	return nil
}

// Snapshot returns a copy of the unspent outputs and of the names of keys.
func (m *Memory) Snapshot() *Memory {
	return &Memory{Unspent: maps.Clone(m.Unspent), Named: maps.Clone(m.Named)}
}

// Supply sums what all unspent outputs hold of a token.
func (m *Memory) Supply(t chain.TokenID) uint64 {
	var sum uint64
	for _, e := range m.Unspent {
		sum += e.Output.Value.Of(t)
	}
	return sum
}
