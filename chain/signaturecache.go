package chain

import "crypto/sha256"

// SignatureCache remembers signatures that hold, so that those verified for the mempool are not
// verified again in a block. It is keyed by all that a signature depends on. It may be used from
// several goroutines at once.
type SignatureCache struct{ held *recent }

// NewSignatureCache remembers up to limit signatures, at least 1, and then forgets the oldest.
// Each takes some 100 bytes.
func NewSignatureCache(limit int) *SignatureCache { return &SignatureCache{newRecent(limit)} }

func (s *signature) id() Hash {
	b := make([]byte, 0, len(s.key)+len(s.message)+signatureSize)
	return sha256.Sum256(append(append(append(b, s.key[:]...), s.message[:]...), s.sig...))
}

// unknown returns those of some signatures that are not remembered, and their indices.
func (c *SignatureCache) unknown(all []signature) (left []signature, at []int) {
	for i := range all {
		if c == nil || !c.held.has(all[i].id()) {
			left, at = append(left, all[i]), append(at, i)
		}
	}
	return left, at
}

// add remembers signatures that hold.
func (c *SignatureCache) add(all []signature) {
	if c == nil {
		return
	}
	for i := range all {
		c.held.add(all[i].id())
	}
}
