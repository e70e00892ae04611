package store

import (
	"fmt"
	"slices"

	"github.com/weisyn/wes/chain"
)

// move is a move of the ledger between Begin and End.
type move struct {
	start   chain.Hash   // the tip at Begin
	undo    []chain.Hash // from the tip at Begin down
	apply   []chain.Hash // upwards
	undone  int
	applied int
}

// encode returns the start, then both lists, each as its length in 8 bytes and its hashes.
func (m *move) encode() []byte {
	b := append([]byte(nil), m.start[:]...)
	for _, list := range [][]chain.Hash{m.undo, m.apply} {
		b = append(b, encodeNumber(uint64(len(list)))...)
		for _, h := range list {
			b = append(b, h[:]...)
		}
	}
	return b
}

func decodeMove(b []byte) (*move, bool) {
	m := &move{}
	if len(b) < chain.HashSize {
		return nil, false
	}
	m.start, b = chain.Hash(b), b[chain.HashSize:]
	for _, list := range []*[]chain.Hash{&m.undo, &m.apply} {
		if len(b) < 8 {
			return nil, false
		}
		n := decodeNumber(b)
		if b = b[8:]; n > uint64(len(b)/chain.HashSize) {
			return nil, false
		}
		for range n {
			*list = append(*list, chain.Hash(b))
			b = b[chain.HashSize:]
		}
	}
	return m, len(b) == 0
}

// Begin opens a move of the ledger: blocks to undo, from the tip down, and then to apply. A
// move that undoes blocks is on disk when Begin returns.
func (s *Store) Begin(undo, apply []chain.Hash) error {
	l := s.Ledger()
	if s.move != nil || len(undo) > 0 && undo[0] != l.Tip {
		return fmt.Errorf("begin: %w", ErrMove)
	}
	if uint64(len(undo)) > l.Height-s.base {
		return fmt.Errorf("begin: %w: undo data below height %d", ErrPruned, s.base)
	}
	m := &move{start: l.Tip, undo: slices.Clone(undo), apply: slices.Clone(apply)}
	if len(undo) > 0 {
		var w writes
		w.set([]byte{keyJournal}, m.encode())
		if err := s.commit(w); err != nil {
			return fmt.Errorf("begin: %w", err)
		}
	}
	s.move = m
	return nil
}

// Disconnect undoes the tip, which is the next block of the move to be undone, and returns it.
func (s *Store) Disconnect() (*chain.Block, error) {
	m, l := s.move, s.Ledger()
	if m == nil || m.undone == len(m.undo) || m.undo[m.undone] != l.Tip {
		return nil, fmt.Errorf("disconnect %v: %w", l.Tip, ErrMove)
	}
	b, err := s.leave()
	if err != nil {
		return nil, fmt.Errorf("disconnect %v: %w", l.Tip, err)
	}
	m.undone++
	return b, nil
}

// leave undoes the tip.
func (s *Store) leave() (*chain.Block, error) {
	sn := s.acquire()
	defer sn.release()
	l := s.Ledger()
	b, r, err := sn.connected(l.Height, l.Tip)
	if err != nil {
		return nil, err
	}
	_, before, err := sn.connected(l.Height-1, b.Header.Parent)
	if err != nil {
		return nil, err
	}
	c, err := derive(sn.view, b, r.keys)
	if err != nil {
		return nil, err
	}
	var core writes
	if err := c.disconnect(sn.view, &core); err != nil {
		return nil, err
	}
	core.remove(heightKey(keyMain, l.Height))
	core.set([]byte{keyLedger}, before.after.Encode())
	if err := s.writeBlock(core, c.index().inverse()); err != nil {
		return nil, err
	}
	s.stand(&before.after)
	return b, nil
}

// connected returns a block that was connected, and its record. The body of a block that a
// snapshot ends with is not there.
func (v view) connected(height uint64, h chain.Hash) (*chain.Block, *record, error) {
	r, ok, err := v.record(height, h)
	if err == nil && !ok {
		err = fmt.Errorf("%w: undo data of block %v at height %d", ErrPruned, h, height)
	}
	if err != nil {
		return nil, nil, err
	}
	b, _, err := v.Block(h)
	return b, r, err
}

// Connect appends a block that is valid on the working state, the next of the move. Checked
// says that its attachments and proofs were.
func (s *Store) Connect(b *chain.Block, a *chain.Applied, checked bool) error {
	m, l := s.move, s.Ledger()
	if m == nil || m.undone < len(m.undo) || m.applied == len(m.apply) || m.apply[m.applied] != a.After.Tip || a.Undo.Before.Tip != l.Tip {
		return fmt.Errorf("connect %v: %w", a.After.Tip, ErrMove)
	}
	if err := s.enter(newChange(b, a), &record{a.After, checked, a.Changes.Keys}); err != nil {
		return fmt.Errorf("connect %v: %w", a.After.Tip, err)
	}
	m.applied++
	return nil
}

// enter makes a block the tip.
func (s *Store) enter(c *change, r *record) error {
	sn := s.acquire()
	defer sn.release()
	var core writes
	staged, err := sn.has(hashKey(keyBody, c.hash))
	if err != nil {
		return err
	}
	if !staged && !s.o.volatile {
		core.set(hashKey(keyBody, c.hash), c.block.Encode())
	}
	if err := c.connect(sn.view, &core); err != nil {
		return err
	}
	core.advance(&r.after, r)
	index := c.index()
	for _, t := range c.block.Txs {
		for _, a := range t.Attachments {
			index.use(a.SHA256, c.height)
		}
	}
	if err := s.writeBlock(core, index); err != nil {
		return err
	}
	s.stand(&r.after)
	return nil
}

// End closes the move: readers see the working state from here on.
func (s *Store) End() error {
	if s.move == nil {
		return fmt.Errorf("end: %w", ErrMove)
	}
	if err := s.close(); err != nil {
		return fmt.Errorf("end: %w", err)
	}
	return nil
}

// close removes the journal and shows readers the working state.
func (s *Store) close() error {
	if len(s.move.undo) > 0 {
		var w writes
		w.remove([]byte{keyJournal})
		if err := s.commit(w); err != nil {
			return err
		}
	}
	s.move = nil
	s.publish()
	return nil
}

// Rollback returns to where Begin stood.
func (s *Store) Rollback() error {
	if s.move == nil {
		return fmt.Errorf("roll back: %w", ErrMove)
	}
	if err := s.unwind(); err != nil {
		return fmt.Errorf("roll back: %w", err)
	}
	return nil
}

// unwind leaves the blocks that were applied and enters those that were undone. Where it is
// cut off, it can begin again.
func (s *Store) unwind() error {
	m := s.move
	for slices.Contains(m.apply, s.Ledger().Tip) {
		if _, err := s.leave(); err != nil {
			return err
		}
	}
	tip := s.Ledger().Tip
	k := slices.Index(m.undo, tip) // -1: all of them are undone
	if k < 0 {
		k = len(m.undo)
	}
	if tip == m.start {
		k = 0
	}
	for _, h := range slices.Backward(m.undo[:k]) {
		if err := s.again(h); err != nil {
			return err
		}
	}
	if l := s.Ledger(); l.Tip != m.start {
		return corrupt([]byte{keyJournal}, nil, "the move began at %v, its way back ends at %v", m.start, l.Tip)
	}
	return s.close()
}

// again connects a block that was undone.
func (s *Store) again(h chain.Hash) error {
	sn := s.acquire()
	defer sn.release()
	b, r, err := sn.connected(s.Ledger().Height+1, h)
	if err != nil {
		return err
	}
	c, err := derive(sn.view, b, r.keys)
	if err != nil {
		return err
	}
	return s.enter(c, r)
}

// recover finishes a move that was cut off, or returns to where it began.
func (s *Store) recover() error {
	raw, ok, err := s.mu.working.get([]byte{keyJournal})
	if err != nil || !ok {
		return err
	}
	m, ok := decodeMove(raw)
	if !ok {
		return corrupt([]byte{keyJournal}, nil, "malformed")
	}
	s.move = m
	if n := len(m.apply); n > 0 && m.apply[n-1] == s.Ledger().Tip {
		return s.close()
	}
	return s.unwind()
}
