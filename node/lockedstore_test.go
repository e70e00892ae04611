package node

import (
	"iter"
	"sync"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// lockedStore lets peers read a memory store while its owner writes.
type lockedStore struct {
	mu sync.RWMutex
	*chaintest.Store
}

func (s *lockedStore) Entry(o chain.Outpoint) (chain.Entry, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Store.Entry(o)
}

func (s *lockedStore) VerifyingKey(h chain.Hash) ([]byte, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Store.VerifyingKey(h)
}

func (s *lockedStore) Attachment(h chain.Hash) ([]byte, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Store.Attachment(h)
}

func (s *lockedStore) Headers() iter.Seq2[chain.StoredHeader, error] { return s.Store.Headers() }

func (s *lockedStore) Header(h chain.Hash) (chain.StoredHeader, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Store.Header(h)
}

func (s *lockedStore) Block(h chain.Hash) (*chain.Block, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Store.Block(h)
}

func (s *lockedStore) Body(h chain.Hash) ([]byte, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Store.Body(h)
}

func (s *lockedStore) MainHash(n uint64) (chain.Hash, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Store.MainHash(n)
}

func (s *lockedStore) MainHeight(h chain.Hash) (uint64, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.Store.MainHeight(h)
}

// write makes one write alone.
func (s *lockedStore) write(f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return f()
}

func (s *lockedStore) PutHeaders(hs []chain.StoredHeader) error {
	return s.write(func() error { return s.Store.PutHeaders(hs) })
}

func (s *lockedStore) MarkStored(hs []chain.Hash) error {
	return s.write(func() error { return s.Store.MarkStored(hs) })
}

func (s *lockedStore) MarkBad(hs []chain.Hash) error {
	return s.write(func() error { return s.Store.MarkBad(hs) })
}

func (s *lockedStore) PutBody(b *chain.Block) error {
	return s.write(func() error { return s.Store.PutBody(b) })
}

func (s *lockedStore) PutAttachments(all ...[]byte) error {
	return s.write(func() error { return s.Store.PutAttachments(all...) })
}

func (s *lockedStore) Begin(undo, apply []chain.Hash) error {
	return s.write(func() error { return s.Store.Begin(undo, apply) })
}

func (s *lockedStore) Disconnect() (b *chain.Block, err error) {
	err = s.write(func() error { b, err = s.Store.Disconnect(); return err })
	return b, err
}

func (s *lockedStore) Connect(b *chain.Block, a *chain.Applied, checked bool) error {
	return s.write(func() error { return s.Store.Connect(b, a, checked) })
}
func (s *lockedStore) End() error      { return s.write(s.Store.End) }
func (s *lockedStore) Rollback() error { return s.write(s.Store.Rollback) }
