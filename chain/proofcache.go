package chain

// ProofCache remembers claims that hold, so that a proof checked for the mempool is not
// checked again in a block. Failures are not remembered: they belong to a transaction, not to
// a claim. A claim names its proof, key and values by hash, and validation compares the bytes
// with those hashes first, so bytes swapped on the way neither enter nor use the cache.
type ProofCache struct {
	ProofVerifier
	held *recent
}

var _ ProofVerifier = (*ProofCache)(nil)

// NewProofCache remembers up to limit claims, at least 1, and then forgets the oldest.
func NewProofCache(v ProofVerifier, limit int) *ProofCache {
	return &ProofCache{v, newRecent(limit)}
}

// Verify implements ProofVerifier.
func (p *ProofCache) Verify(c *Claim, e *Evidence) (bool, error) {
	id := c.ID()
	if p.held.has(id) {
		return true, nil
	}
	ok, err := p.ProofVerifier.Verify(c, e)
	if ok && err == nil {
		p.held.add(id)
	}
	return ok, err
}
