package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// write sets a key, or removes it.
type write struct {
	key, value []byte
	remove     bool
}

// size bounds what a write takes of a transaction, in bytes.
func (w *write) size() int64 { return int64(len(w.key) + len(w.value) + 16) }

// writes are made in order.
type writes []write

func (w *writes) set(key, value []byte) { *w = append(*w, write{key: key, value: value}) }

func (w *writes) remove(key []byte) { *w = append(*w, write{key: key}); (*w)[len(*w)-1].remove = true }

// inverse undoes writes to keys that were not there, or whose value is the one removed.
func (w writes) inverse() writes {
	out := make(writes, len(w))
	for i := range w {
		out[i] = write{w[i].key, w[i].value, !w[i].remove}
	}
	return out
}

// room is what one transaction takes.
type room struct {
	entries int
	bytes   int64
}

// room returns nine tenths of Badger's limits.
func (s *Store) room() room {
	return room{int(s.db.MaxBatchCount() * 9 / 10), s.db.MaxBatchSize() * 9 / 10}
}

// take returns how many writes fit, from the first on; large values do not count, as they go to
// the value log.
func (s *Store) take(w writes) int {
	left := s.room()
	for i := range w {
		size := w[i].size()
		if int64(len(w[i].value)) >= s.db.Opts().ValueThreshold {
			size = int64(len(w[i].key)) + 32
		}
		left.entries--
		left.bytes -= size
		if left.entries < 0 || left.bytes < 0 {
			return i
		}
	}
	return len(w)
}

// writeAll makes writes of which any first part may stand alone, in as few transactions as
// they need.
func (s *Store) writeAll(what string, w writes) error {
	for len(w) > 0 {
		n := max(s.take(w), 1)
		if err := s.commit(w[:n]); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		w = w[n:]
	}
	return nil
}

// writeBlock makes the writes of a block in one transaction. Those of indexes, if they do not
// fit, follow from a redo record in it.
func (s *Store) writeBlock(core, index writes) error {
	whole := append(core, index...)
	if s.take(whole) == len(whole) {
		return s.commit(whole)
	}
	core = whole[:len(core):len(core)]
	core.set([]byte{keyRedo}, index.encode())
	if err := s.commit(core); err != nil {
		return err
	}
	return s.redo(index)
}

// redo makes the writes of a redo record. Making them twice changes nothing.
func (s *Store) redo(index writes) error {
	if err := s.writeAll("write indexes", index); err != nil {
		return err
	}
	var done writes
	done.remove([]byte{keyRedo})
	return s.commit(done)
}

// resume finishes the indexes of a block whose redo record is left.
func (s *Store) resume(v view) error {
	raw, ok, err := v.get([]byte{keyRedo})
	if err != nil || !ok {
		return err
	}
	index, ok := decodeWrites(raw)
	if !ok {
		return corrupt([]byte{keyRedo}, nil, "malformed writes")
	}
	return s.redo(index)
}

// commit makes writes in one transaction, all of them or none, and moves the working view
// after them. After a fault nothing is written any more.
func (s *Store) commit(w writes) error {
	if s.fault != nil {
		return s.fault
	}
	if err := s.checkSpace(w); err != nil {
		return err
	}
	if err := s.transact(w); err != nil {
		s.fault = fmt.Errorf("write to the store: %w", err)
		return s.fault
	}
	s.renew()
	return nil
}

func (s *Store) transact(w writes) error {
	txn := s.db.NewTransaction(true)
	defer txn.Discard()
	for i := range w {
		err := error(nil)
		if w[i].remove {
			err = txn.Delete(w[i].key)
		} else {
			err = txn.Set(w[i].key, w[i].value)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", describe(w[i].key), err)
		}
	}
	return full(txn.Commit())
}

// full marks errors of a full disk, which Badger passes on as text.
func full(err error) error {
	if err != nil && (strings.Contains(err.Error(), "no space left") || strings.Contains(err.Error(), "file too large")) {
		return fmt.Errorf("%w: %w", ErrDiskFull, err)
	}
	return err
}

// checkSpace leaves room for a write, for the log that Badger may begin and for compactions.
func (s *Store) checkSpace(w writes) error {
	var need uint64
	for i := range w {
		need += uint64(w[i].size())
	}
	free, err := freeSpace(s.dir)
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ask for the room on the disk: %w", err)
	}
	if free < 2*need+s.o.Reserve {
		return fmt.Errorf("%w: %d bytes are left in %s, a write of %d leaves %d of them free", ErrDiskFull, free, s.dir, need, s.o.Reserve)
	}
	return nil
}

// encode returns the writes, each as: 0 or 1 for one that removes, length of the key uvarint,
// key, length of the value uvarint, value.
func (w writes) encode() []byte {
	var b []byte
	for i := range w {
		remove := byte(0)
		if w[i].remove {
			remove = 1
		}
		b = append(b, remove)
		for _, p := range [][]byte{w[i].key, w[i].value} {
			b = append(binary.AppendUvarint(b, uint64(len(p))), p...)
		}
	}
	return b
}

// decodeWrites is the inverse of encode.
func decodeWrites(b []byte) (w writes, ok bool) {
	for len(b) > 0 {
		next := write{remove: b[0] == 1}
		if b[0] > 1 {
			return nil, false
		}
		b = b[1:]
		for _, p := range []*[]byte{&next.key, &next.value} {
			size, n := binary.Uvarint(b)
			if n <= 0 || size > uint64(len(b)-n) {
				return nil, false
			}
			*p, b = b[n:n+int(size)], b[n+int(size):]
		}
		w = append(w, next)
	}
	return w, true
}
