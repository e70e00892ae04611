package store

import (
	"github.com/weisyn/wes/chain"
)

// Reader sees the state of the last End before it was taken, until it is closed. It may be used
// from many goroutines.
type Reader struct {
	*snapshot
}

var (
	_ chain.View        = (*Reader)(nil)
	_ chain.Attachments = (*Reader)(nil)
)

// Reader returns a reader of the published state, for the caller to close.
func (s *Store) Reader() *Reader {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.published.users.Add(1)
	return &Reader{s.mu.published}
}

// Close ends the use of the reader; it must not be used again.
func (r *Reader) Close() { r.release() }

// Ledger returns where the state stands.
func (r *Reader) Ledger() chain.Ledger { return r.ledger }

// Published reads the newest published state, anew at each call. It may be used from many
// goroutines.
type Published struct{ s *Store }

var _ chain.Attachments = Published{}

// Published returns what servers of peers read.
func (s *Store) Published() Published { return Published{s} }

// MainHash returns the ledger's block at a height.
func (p Published) MainHash(height uint64) (chain.Hash, bool, error) {
	r := p.s.Reader()
	defer r.Close()
	return r.MainHash(height)
}

// MainHeight returns the height of a block; false if it is not one of the ledger's.
func (p Published) MainHeight(h chain.Hash) (uint64, bool, error) {
	r := p.s.Reader()
	defer r.Close()
	return r.MainHeight(h)
}

// Header returns a header by the hash of its block.
func (p Published) Header(h chain.Hash) (chain.StoredHeader, bool, error) {
	r := p.s.Reader()
	defer r.Close()
	return r.Header(h)
}

// Body returns an encoded block by its hash.
func (p Published) Body(h chain.Hash) ([]byte, bool, error) {
	r := p.s.Reader()
	defer r.Close()
	return r.Body(h)
}

// Attachment returns bytes by their SHA-256.
func (p Published) Attachment(h chain.Hash) ([]byte, bool, error) {
	r := p.s.Reader()
	defer r.Close()
	return r.Attachment(h)
}
