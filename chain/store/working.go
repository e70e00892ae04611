package store

import "github.com/weisyn/wes/chain"

var (
	_ chain.View        = (*Store)(nil)
	_ chain.Attachments = (*Store)(nil)
)

// Entry implements chain.View, of the working state.
func (s *Store) Entry(o chain.Outpoint) (chain.Entry, bool, error) {
	sn := s.acquire()
	defer sn.release()
	return sn.Entry(o)
}

// VerifyingKey implements chain.View, of the working state.
func (s *Store) VerifyingKey(h chain.Hash) ([]byte, bool, error) {
	sn := s.acquire()
	defer sn.release()
	return sn.VerifyingKey(h)
}

// Attachment implements chain.Attachments.
func (s *Store) Attachment(h chain.Hash) ([]byte, bool, error) {
	sn := s.acquire()
	defer sn.release()
	return sn.Attachment(h)
}

// Header returns a header by the hash of its block, the genesis block included.
func (s *Store) Header(h chain.Hash) (chain.StoredHeader, bool, error) {
	sn := s.acquire()
	defer sn.release()
	return sn.Header(h)
}

// Block returns a block by its hash.
func (s *Store) Block(h chain.Hash) (*chain.Block, bool, error) {
	sn := s.acquire()
	defer sn.release()
	return sn.Block(h)
}
