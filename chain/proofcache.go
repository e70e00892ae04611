package chain

import "sync"

// ProofCache remembers claims that hold, so that a proof checked for the mempool is not
// checked again in a block. Failures are not remembered: they belong to a transaction, not to
// a claim. A claim names its proof, key and values by hash, and validation compares the bytes
// with those hashes first, so bytes swapped on the way neither enter nor use the cache.
type ProofCache struct {
	ProofVerifier
	limit int
	mu    struct {
		sync.Mutex
		held  map[Hash]bool
		order []Hash // a ring, oldest at next once it is full
		next  int
	}
}

var _ ProofVerifier = (*ProofCache)(nil)

// NewProofCache remembers up to limit claims, at least 1, and then forgets the oldest.
func NewProofCache(v ProofVerifier, limit int) *ProofCache {
	c := &ProofCache{ProofVerifier: v, limit: max(limit, 1)}
	c.mu.held = map[Hash]bool{}
	return c
}

// Verify implements ProofVerifier.
func (p *ProofCache) Verify(c *Claim, e *Evidence) (bool, error) {
	id := c.ID()
	if p.has(id) {
		return true, nil
	}
	ok, err := p.ProofVerifier.Verify(c, e)
	if ok && err == nil {
		p.add(id)
	}
	return ok, err
}

func (p *ProofCache) has(id Hash) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mu.held[id]
}

func (p *ProofCache) add(id Hash) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.mu.held[id]:
		return
	case len(p.mu.order) < p.limit:
		p.mu.order = append(p.mu.order, id)
	default:
		delete(p.mu.held, p.mu.order[p.mu.next])
		p.mu.order[p.mu.next] = id
		p.mu.next = (p.mu.next + 1) % p.limit
	}
	p.mu.held[id] = true
}
