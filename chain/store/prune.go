package store

import (
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"
	"github.com/weisyn/wes/chain"
)

// Prune removes what is deeper than the options say: undo data and outputs that were spent,
// attachments unless this is an archive. It works through at most some blocks at a call, and
// reports whether there is more. It is for the goroutine that writes, between moves.
func (s *Store) Prune(blocks int) (more bool, err error) {
	if s.move != nil {
		return false, fmt.Errorf("prune: %w", ErrMove)
	}
	undo, err := s.pruneUndo(blocks)
	if err != nil {
		return false, fmt.Errorf("prune undo data: %w", err)
	}
	attached := false
	if !s.o.Archive {
		if attached, err = s.pruneAttachments(blocks); err != nil {
			return false, fmt.Errorf("prune attachments: %w", err)
		}
	}
	s.publish()
	return undo || attached, nil
}

// deep returns the height up to which blocks are deeper than depth.
func (s *Store) deep(depth uint64) (uint64, bool) {
	if l := s.Ledger(); l.Height > depth {
		return l.Height - depth, true
	}
	return 0, false
}

// pruneUndo makes states below the depth of undo data impossible to return to. The record of the
// lowest one that remains is kept: it is where undoing ends.
func (s *Store) pruneUndo(blocks int) (more bool, err error) {
	limit, any := s.deep(s.o.UndoDepth)
	if !any || s.base >= limit {
		return false, nil
	}
	for range blocks {
		if s.base >= limit {
			return false, nil
		}
		if err := s.pruneBlock(s.base + 1); err != nil {
			return false, err
		}
	}
	return s.base < limit, nil
}

// pruneBlock makes the state after the block at a height the lowest one: outputs that it spent
// go, if nothing of their group is unspent or was spent later, and records below it.
func (s *Store) pruneBlock(height uint64) error {
	sn := s.acquire()
	defer sn.release()
	h, ok, err := sn.MainHash(height)
	if err != nil || !ok {
		return errors.Join(err, missing(heightKey(keyMain, height)))
	}
	b, ok, err := sn.Block(h)
	if err != nil || !ok {
		return errors.Join(err, missing(hashKey(keyBody, h)))
	}
	var w writes
	seen := map[group]bool{}
	for _, t := range b.Txs {
		for _, o := range t.Inputs {
			if g := groupOf(o); !seen[g] {
				seen[g] = true
				if err := w.dropGroup(sn.view, g, height); err != nil {
					return err
				}
			}
		}
	}
	for item, err := range sn.scan([]byte{keyRecord}, heightKey(keyRecord, s.base)) {
		if err != nil {
			return err
		}
		if at, _, err := splitHeightHash(item.key); err != nil || at >= height {
			break
		}
		w.remove(item.key)
	}
	w.set([]byte{keyBase}, encodeNumber(height))
	if err := s.writeAll("prune", w); err != nil {
		return err
	}
	s.base = height
	return nil
}

// dropGroup removes a group of which all was spent up to a height.
func (w *writes) dropGroup(v view, g group, height uint64) error {
	marked, err := v.spent(g)
	if err != nil || marked.marks == 0 || marked.last > height {
		return err
	}
	all, ok, err := v.outputs(g.key(keyGroup))
	if err != nil || !ok {
		return err
	}
	mask, err := all.mask()
	if err != nil {
		return corrupt(g.key(keyGroup), err, "its outputs")
	}
	if marked.marks == mask {
		w.remove(g.key(keyGroup))
		w.remove(g.key(keySpent))
	}
	return nil
}

// pruneAttachments goes through the queue up to a depth.
func (s *Store) pruneAttachments(blocks int) (more bool, err error) {
	limit, any := s.deep(s.o.AttachmentDepth)
	if !any {
		return false, nil
	}
	sn := s.acquire()
	defer sn.release()
	last, _, err := sn.number([]byte{keyPruned})
	if err != nil {
		return false, err
	}
	var w writes
	for item, err := range sn.scan([]byte{keyQueue}, heightKey(keyQueue, last)) {
		if err != nil {
			return false, err
		}
		height, h, err := splitHeightHash(item.key)
		if err != nil {
			return false, err
		}
		if height > limit {
			break
		}
		if height != last {
			if blocks--; blocks < 0 {
				more = true
				break
			}
			last = height
		}
		if err := w.dropAttachment(sn.view, height, h); err != nil {
			return false, err
		}
		w.remove(item.key)
	}
	if len(w) == 0 {
		return more, nil
	}
	w.set([]byte{keyPruned}, encodeNumber(last))
	return more, s.writeAll("prune", w)
}

// dropAttachment removes bytes that were last used at a height, but for those that are pinned
// or named: these enter the queue again when they are not any more.
func (w *writes) dropAttachment(v view, height uint64, h chain.Hash) error {
	used, _, err := v.number(hashKey(keyLastUse, h))
	if err != nil || used > height {
		return err
	}
	for _, prefix := range []byte{keyPin, keyNames} {
		if held, err := v.has(hashKey(prefix, h)); err != nil || held {
			return err
		}
	}
	w.remove(hashKey(keyAttachment, h))
	w.remove(hashKey(keyLastUse, h))
	return nil
}

// Pin keeps an attachment however deep it is.
func (s *Store) Pin(h chain.Hash) error {
	var w writes
	w.set(hashKey(keyPin, h), []byte{1})
	return s.writeAll("pin attachment", w)
}

// Unpin lets an attachment go AttachmentDepth blocks from now.
func (s *Store) Unpin(h chain.Hash) error {
	var w writes
	w.remove(hashKey(keyPin, h))
	w.use(h, s.Ledger().Height)
	return s.writeAll("unpin attachment", w)
}

// CollectGarbage rewrites files of the value log of which more than half is removed data, and
// returns how many there were. It may run beside all else, but once at a time. It takes as long
// as files are there, a file a second or so, and stops between two of them when stop is closed.
func (s *Store) CollectGarbage(stop <-chan struct{}) (files int, err error) {
	for {
		if err := s.checkSpace(nil); err != nil {
			return files, fmt.Errorf("collect garbage: %w", err)
		}
		select {
		case <-stop:
			return files, nil
		default:
		}
		switch err := s.db.RunValueLogGC(0.5); {
		case errors.Is(err, badger.ErrNoRewrite):
			return files, nil
		case err != nil:
			return files, fmt.Errorf("collect garbage: %w", err)
		}
		files++
	}
}
