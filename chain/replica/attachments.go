package replica

import (
	"crypto/sha256"
	"sync"

	"github.com/weisyn/wes/chain"
)

// attachments holds the bytes beside transactions that are in no block yet. It may be read from
// any goroutine.
type attachments struct {
	mu struct {
		sync.RWMutex
		bytes map[chain.Hash][]byte
		size  uint64 // bytes
	}
	stored chain.Attachments
}

var _ chain.Attachments = (*attachments)(nil)

func newAttachments(stored chain.Attachments) *attachments {
	a := &attachments{stored: stored}
	a.mu.bytes = map[chain.Hash][]byte{}
	return a
}

func (a *attachments) get(h chain.Hash) ([]byte, bool) {
	a.mu.RLock()
	defer a.mu.RUnlock()
	b, ok := a.mu.bytes[h]
	return b, ok
}

// Attachment implements chain.Attachments: what is held here, and then what is stored.
func (a *attachments) Attachment(h chain.Hash) ([]byte, bool, error) {
	if b, ok := a.get(h); ok {
		return b, true, nil
	}
	return a.stored.Attachment(h)
}

func (a *attachments) add(b []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	h := chain.Hash(sha256.Sum256(b))
	if _, known := a.mu.bytes[h]; !known {
		a.mu.bytes[h] = append([]byte(nil), b...)
		a.mu.size += uint64(len(b))
	}
}

func (a *attachments) size() uint64 {
	a.mu.RLock()
	defer a.mu.RUnlock()
	return a.mu.size
}

// keep forgets all but those named.
func (a *attachments) keep(named map[chain.Hash]bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for h, b := range a.mu.bytes {
		if !named[h] {
			delete(a.mu.bytes, h)
			a.mu.size -= uint64(len(b))
		}
	}
}

// attached lists the attachments of transactions, each once.
func attached(txs []*chain.Tx) []chain.Hash {
	var all []chain.Hash
	seen := map[chain.Hash]bool{}
	for _, t := range txs {
		for _, a := range t.Attachments {
			if !seen[a.SHA256] {
				seen[a.SHA256] = true
				all = append(all, a.SHA256)
			}
		}
	}
	return all
}
