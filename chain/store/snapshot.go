package store

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/weisyn/wes/chain"
)

// The format of snapshots is described in docs/snapshot.md.
const (
	snapshotMagic   = "wes-snap"
	snapshotVersion = 1
)

// maxOutputSize bounds an encoded output with its name, in bytes.
const maxOutputSize = chain.MaxTxBase + 128

var (
	// ErrSnapshot is returned by Import for a file that is no snapshot of the chain.
	ErrSnapshot = errors.New("not a snapshot of this chain")
	// ErrNotEmpty is returned by Import for a folder that holds something.
	ErrNotEmpty = errors.New("the folder is not empty")
)

// Export writes a snapshot of the ledger after the block at a height: headers up to the one
// above, which commits to the unspent outputs, these outputs, and the verifying keys that they
// name. The height is below the reader's, and no block above it may be pruned: it is at most
// UndoDepth below.
func (r *Reader) Export(out io.Writer, height uint64) error {
	w := &snapshotWriter{to: bufio.NewWriterSize(out, 1<<16), sum: sha256.New()}
	if err := w.write(r, height); err != nil {
		return fmt.Errorf("export the ledger after height %d: %w", height, err)
	}
	return nil
}

// snapshotWriter hashes what it writes.
type snapshotWriter struct {
	to  *bufio.Writer
	sum hash.Hash
	err error
}

func (w *snapshotWriter) bytes(p []byte) {
	if w.err == nil {
		w.sum.Write(p)
		_, w.err = w.to.Write(p)
	}
}

func (w *snapshotWriter) item(p []byte) {
	w.bytes(binary.BigEndian.AppendUint32(nil, uint32(len(p))))
	w.bytes(p)
}

func (w *snapshotWriter) write(r *Reader, height uint64) error {
	above, err := r.above(height)
	if err != nil {
		return err
	}
	w.bytes([]byte(snapshotMagic))
	w.bytes(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(nil, snapshotVersion), height))
	if err := w.headers(r, height+1); err != nil {
		return err
	}
	for u, err := range r.selected(above.choose) {
		if err != nil {
			return err
		}
		w.item(u.Encode())
		if w.err != nil {
			return w.err
		}
	}
	w.item(nil)
	if err := w.keys(r, above); err != nil {
		return err
	}
	w.item(nil)
	w.bytes(w.sum.Sum(nil))
	return errors.Join(w.err, w.to.Flush())
}

func (w *snapshotWriter) headers(r *Reader, last uint64) error {
	for height := uint64(1); height <= last; height++ {
		h, ok, err := r.MainHash(height)
		if err != nil || !ok {
			return errors.Join(err, missing(heightKey(keyMain, height)))
		}
		sh, ok, err := r.Header(h)
		if err != nil || !ok {
			return errors.Join(err, missing(heightHashKey(keyHeader, height, h)))
		}
		raw := sh.Header.Encode()
		w.bytes(raw[:])
		w.bytes(append([]byte{byte(len(sh.Seal))}, sh.Seal...))
	}
	return w.err
}

// above is what the blocks above a height have changed.
type above struct {
	view
	height uint64
	spent  map[group]uint64
	keys   map[chain.Hash]int64 // names after them, less names before
}

func (r *Reader) above(height uint64) (*above, error) {
	a := &above{r.view, height, map[group]uint64{}, map[chain.Hash]int64{}}
	if height >= r.ledger.Height {
		return nil, fmt.Errorf("no header above it commits to it; the ledger stands at height %d", r.ledger.Height)
	}
	for at := height; at <= r.ledger.Height; at++ {
		h, ok, err := r.MainHash(at)
		if err != nil || !ok {
			return nil, errors.Join(err, missing(heightKey(keyMain, at)))
		}
		b, rec, err := r.connected(at, h)
		switch {
		case err != nil:
			return nil, err
		case at > height:
			a.block(b, rec)
		}
	}
	return a, nil
}

// block undoes what a block has spent and named.
func (a *above) block(b *chain.Block, r *record) {
	for _, t := range b.Txs {
		for _, o := range t.Inputs {
			a.spent[groupOf(o)] |= bit(o)
		}
	}
	for _, k := range r.keys {
		a.keys[k.Key] += int64(k.Added) - int64(k.Removed)
	}
}

// choose takes the outputs that were unspent at the height.
func (a *above) choose(g group, height, mask uint64) (uint64, error) {
	if height > a.height {
		return 0, nil
	}
	s, err := a.view.spent(g)
	return mask &^ (s.marks &^ a.spent[g]), err
}

// keys writes the verifying keys that were named at the height, in the order of their hashes.
func (w *snapshotWriter) keys(r *Reader, a *above) error {
	for item, err := range r.scan([]byte{keyNames}, nil) {
		if err != nil {
			return err
		}
		if len(item.key) != 1+chain.HashSize || len(item.value) != 8 {
			return corrupt(item.key, nil, "malformed")
		}
		h := chain.Hash(item.key[1:])
		for _, gone := range a.gone(&h) {
			if err := w.key(r, gone); err != nil {
				return err
			}
		}
		if n := int64(decodeNumber(item.value)); n-a.keys[h] > 0 {
			if err := w.key(r, h); err != nil {
				return err
			}
		}
		delete(a.keys, h)
	}
	for _, gone := range a.gone(nil) {
		if err := w.key(r, gone); err != nil {
			return err
		}
	}
	return nil
}

// gone takes out the keys below a limit that are named at the height and not any more.
func (a *above) gone(limit *chain.Hash) (all []chain.Hash) {
	for h, n := range a.keys {
		if limit == nil || bytes.Compare(h[:], limit[:]) < 0 {
			delete(a.keys, h)
			if n < 0 {
				all = append(all, h)
			}
		}
	}
	slices.SortFunc(all, func(a, b chain.Hash) int { return bytes.Compare(a[:], b[:]) })
	return all
}

func (w *snapshotWriter) key(r *Reader, h chain.Hash) error {
	raw, ok, err := r.Attachment(h)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("verifying key %v has not come", h)
	}
	w.item(raw)
	return w.err
}
