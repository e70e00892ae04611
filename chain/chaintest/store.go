package chaintest

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/weisyn/wes/chain"
)

// ErrDisk is what a Store returns for the write at which it was told to fail.
var ErrDisk = errors.New("disk fault")

// Store is a whole store in memory: what package replica needs, in maps. Readers see the
// working state.
type Store struct {
	*Memory
	// FailAt makes the n-th write from now fail, and all after it; 0 never.
	FailAt int

	ledger  chain.Ledger
	order   []chain.Hash // of headers, parents first
	headers map[chain.Hash]chain.StoredHeader
	bodies  map[chain.Hash][]byte
	main    []chain.Hash // by height
	undo    []*chain.Undo
	journal *Store // as it was at Begin
	failed  bool
}

// NewStore returns a store that stands on a genesis block.
func NewStore(genesis *chain.Block, a *chain.Applied) (*Store, error) {
	hash := genesis.Header.Hash()
	s := &Store{
		Memory: NewMemory(), ledger: a.After,
		headers: map[chain.Hash]chain.StoredHeader{hash: {Header: genesis.Header, Stored: true}},
		bodies:  map[chain.Hash][]byte{hash: genesis.Encode()},
		main:    []chain.Hash{hash}, undo: []*chain.Undo{nil},
	}
	return s, s.Write(&a.Changes)
}

// Reopen returns what is left after a crash: every write that was made, and no half of a move.
func (s *Store) Reopen() *Store {
	if s.journal != nil {
		s.restore()
	}
	s.failed, s.FailAt = false, 0
	return s
}

// write counts a write and fails if its turn has come.
func (s *Store) write() error {
	if s.FailAt--; s.FailAt == 0 {
		s.failed = true
	}
	if s.failed {
		return ErrDisk
	}
	return nil
}

// Ledger is that of the working state.
func (s *Store) Ledger() chain.Ledger { return s.ledger }

// Headers yields all headers but the genesis block's, parents first.
func (s *Store) Headers() iter.Seq2[chain.StoredHeader, error] {
	return func(yield func(chain.StoredHeader, error) bool) {
		for _, h := range s.order {
			if !yield(s.headers[h], nil) {
				return
			}
		}
	}
}

// Header returns a header by the hash of its block.
func (s *Store) Header(h chain.Hash) (chain.StoredHeader, bool, error) {
	x, ok := s.headers[h]
	return x, ok, nil
}

// PutHeaders adds headers.
func (s *Store) PutHeaders(hs []chain.StoredHeader) error {
	if err := s.write(); err != nil {
		return err
	}
	for _, h := range hs {
		hash := h.Header.Hash()
		if _, known := s.headers[hash]; known {
			continue
		}
		if _, known := s.headers[h.Header.Parent]; !known {
			return fmt.Errorf("header %v before its parent", hash)
		}
		s.headers[hash] = h
		s.order = append(s.order, hash)
	}
	return nil
}

// MarkStored records that bodies and attachments are at hand.
func (s *Store) MarkStored(hs []chain.Hash) error {
	return s.mark(hs, func(h *chain.StoredHeader) { h.Stored = true })
}

// MarkBad records that blocks break a rule, and forgets their bodies.
func (s *Store) MarkBad(hs []chain.Hash) error {
	return s.mark(hs, func(h *chain.StoredHeader) {
		h.Bad, h.Stored = true, false
		delete(s.bodies, h.Header.Hash())
	})
}

func (s *Store) mark(hs []chain.Hash, set func(*chain.StoredHeader)) error {
	if err := s.write(); err != nil {
		return err
	}
	for _, hash := range hs {
		h, known := s.headers[hash]
		if !known {
			return fmt.Errorf("no header %v", hash)
		}
		set(&h)
		s.headers[hash] = h
	}
	return nil
}

// PutBody stages a block.
func (s *Store) PutBody(b *chain.Block) error {
	if err := s.write(); err != nil {
		return err
	}
	s.bodies[b.Header.Hash()] = b.Encode()
	return nil
}

// Body returns an encoded block.
func (s *Store) Body(h chain.Hash) ([]byte, bool, error) {
	b, ok := s.bodies[h]
	return b, ok, nil
}

// Block returns a block.
func (s *Store) Block(h chain.Hash) (*chain.Block, bool, error) {
	raw, ok := s.bodies[h]
	if !ok {
		return nil, false, nil
	}
	b, err := chain.DecodeBlock(raw)
	return b, err == nil, err
}

// PutAttachments stages bytes under their hashes.
func (s *Store) PutAttachments(all ...[]byte) error {
	if err := s.write(); err != nil {
		return err
	}
	for _, b := range all {
		s.attached[chain.Hash(sha256.Sum256(b))] = bytes.Clone(b)
	}
	return nil
}

// MainHash returns the block of the ledger's branch at a height.
func (s *Store) MainHash(height uint64) (chain.Hash, bool, error) {
	if height >= uint64(len(s.main)) {
		return chain.Hash{}, false, nil
	}
	return s.main[height], true, nil
}

// MainHeight returns the height of a block of the ledger's branch.
func (s *Store) MainHeight(h chain.Hash) (uint64, bool, error) {
	x, known := s.headers[h]
	if !known || x.Header.Height >= uint64(len(s.main)) || s.main[x.Header.Height] != h {
		return 0, false, nil
	}
	return x.Header.Height, true, nil
}

// Begin opens a move of the ledger.
func (s *Store) Begin(_, _ []chain.Hash) error {
	if err := s.write(); err != nil {
		return err
	}
	if s.journal != nil {
		return errors.New("a move within a move")
	}
	s.journal = &Store{Memory: s.Snapshot(), ledger: s.ledger, main: slices.Clone(s.main), undo: slices.Clone(s.undo)}
	return nil
}

// Disconnect undoes the last block.
func (s *Store) Disconnect() (*chain.Block, error) {
	if err := s.write(); err != nil {
		return nil, err
	}
	last := len(s.main) - 1
	if s.journal == nil || last == 0 {
		return nil, errors.New("nothing to undo, or no move begun")
	}
	b, found, err := s.Block(s.main[last])
	if err != nil || !found {
		return nil, fmt.Errorf("block to undo (found: %v): %w", found, err)
	}
	l, c := chain.Undone(s.undo[last])
	s.ledger, s.main, s.undo = l, s.main[:last], s.undo[:last]
	return b, s.Write(c)
}

// Connect appends a block.
func (s *Store) Connect(b *chain.Block, a *chain.Applied, _ bool) error {
	if err := s.write(); err != nil {
		return err
	}
	if s.journal == nil || a.Undo.Before.Tip != s.ledger.Tip {
		return errors.New("a block on another ledger, or no move begun")
	}
	s.ledger, s.main, s.undo = a.After, append(s.main, a.After.Tip), append(s.undo, &a.Undo)
	return s.Write(&a.Changes)
}

// End closes the move.
func (s *Store) End() error {
	if err := s.write(); err != nil {
		return err
	}
	if s.journal == nil {
		return errors.New("no move begun")
	}
	s.journal = nil
	return nil
}

// Rollback returns to where Begin stood.
func (s *Store) Rollback() error {
	if err := s.write(); err != nil {
		return err
	}
	if s.journal == nil {
		return errors.New("no move begun")
	}
	s.restore()
	return nil
}

func (s *Store) restore() {
	j := s.journal
	s.Unspent, s.Named = maps.Clone(j.Unspent), maps.Clone(j.Named)
	s.ledger, s.main, s.undo, s.journal = j.ledger, j.main, j.undo, nil
}
