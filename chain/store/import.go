package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/weisyn/wes/chain"
)

// Import makes a store of a snapshot, in a folder that is empty or not there. It is done whole
// or not at all: the folder appears under its name when everything was checked, and what a
// crash leaves beside it is removed by the next call. Check judges work, bits, time and seal of
// each header, in order; links, heights and the hash of the unspent outputs are checked here.
// Errors are ErrNotEmpty, ErrSnapshot, what check returns, or faults.
//
// The ledger stands below the last header. It has no bodies of the blocks up to there, no history
// of them, and can't return below. Before it is open, memory is bounded, and the disk takes
// about as much as the file that was read so far.
func Import(dir string, o Options, from io.Reader, check func(h *chain.StoredHeader) error) error {
	if err := importInto(dir, o, from, check); err != nil {
		return fmt.Errorf("import a snapshot: %w", err)
	}
	return nil
}

func importInto(dir string, o Options, from io.Reader, check func(h *chain.StoredHeader) error) error {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%w: %s", ErrNotEmpty, dir)
	}
	partial := dir + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return err
	}
	o.volatile = true
	s, err := openRaw(partial, o)
	if err != nil {
		return err
	}
	im := &importer{s: s, snapshotReader: newSnapshotReader(from)}
	err = im.run(check)
	if err == nil {
		err = s.db.Sync()
	}
	if err = errors.Join(err, s.Close()); err != nil {
		return errors.Join(err, os.RemoveAll(partial))
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.Rename(partial, dir); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(dir))
}

// importer fills an empty database from a snapshot.
type importer struct {
	*snapshotReader
	s    *Store
	w    writes
	seen int   // of w, counted in used
	used int64 // bytes of w

	base  chain.Header
	last  chain.Header // above the base
	set   chain.LtHash
	named int // distinct verifying keys
}

func (im *importer) run(check func(h *chain.StoredHeader) error) error {
	if err := im.head(); err != nil {
		return err
	}
	if err := im.headers(check); err != nil {
		return err
	}
	if err := im.outputs(); err != nil {
		return err
	}
	if got := im.set.Sum(); got != im.last.UTXOHash {
		return refuse("its outputs hash to %v, the header at height %d says %v", got, im.last.Height, im.last.UTXOHash)
	}
	if err := im.keys(); err != nil {
		return err
	}
	if err := im.end(); err != nil {
		return err
	}
	return im.finish()
}

func (im *importer) headers(check func(h *chain.StoredHeader) error) error {
	genesis := im.s.o.Genesis
	im.last = genesis.Header
	parent := genesis.Header.Hash()
	im.w.set(hashKey(keyBody, parent), genesis.Encode())
	im.w.header(parent, &chain.StoredHeader{Header: genesis.Header, Seal: genesis.Seal, Stored: true})
	im.w.set(heightKey(keyMain, 0), parent[:])
	for height := uint64(1); height <= im.height+1; height++ {
		h, err := im.header()
		if err != nil {
			return err
		}
		if h.Header.Parent != parent || h.Header.Height != height || h.Header.Chain != im.s.o.Applied.After.Chain {
			return refuse("the header at height %d does not follow from the one before", height)
		}
		if err := check(&h); err != nil {
			return err
		}
		hash := h.Header.Hash()
		im.w.header(hash, &h)
		if height <= im.height {
			im.w.set(heightKey(keyMain, height), hash[:])
			im.base = h.Header
		}
		if err := im.flush(); err != nil {
			return err
		}
		im.last, parent = h.Header, hash
	}
	return nil
}

// setChunk is the number of outputs that are hashed at a time.
const setChunk = 1024

// outputs writes the unspent outputs by groups.
func (im *importer) outputs() error {
	var chunk []chain.UTXO
	for {
		u, err := im.output()
		if err != nil {
			return err
		}
		if u == nil {
			return im.add(chunk)
		}
		if len(chunk) >= setChunk && groupOf(u.Outpoint) != groupOf(chunk[len(chunk)-1].Outpoint) {
			if err := im.add(chunk); err != nil {
				return err
			}
			chunk = chunk[:0]
		}
		chunk = append(chunk, *u)
	}
}

// add writes outputs of whole groups.
func (im *importer) add(all []chain.UTXO) error {
	sum := chain.HashSet(all)
	im.set.Add(&sum)
	names := map[chain.Hash]uint64{}
	mixed := false
	groups(all, func(g group, members []chain.UTXO) {
		for i := range members {
			mixed = mixed || members[i].Entry.Height != members[0].Entry.Height || members[i].Entry.Coinbase != members[0].Entry.Coinbase
			for _, k := range members[i].Entry.Output.Keys() {
				names[k.Key.Hash]++
			}
			for _, s := range subjects(&members[i].Entry.Output) {
				im.w.set(unspentKey(s, members[i].Outpoint), []byte{1})
			}
		}
		im.w.set(g.key(keyGroup), appendOutputs(nil, members))
	})
	if mixed {
		return refuse("outputs of one transaction from two heights")
	}
	return errors.Join(im.name(names), im.flush())
}

// name adds to the names of keys. Those of this call are written before the next.
func (im *importer) name(names map[chain.Hash]uint64) error {
	if len(names) == 0 {
		return nil
	}
	if err := im.write(); err != nil {
		return err
	}
	sn := im.s.acquire()
	defer sn.release()
	for h, more := range names {
		n, known, err := sn.number(hashKey(keyNames, h))
		if err != nil {
			return err
		}
		if !known {
			im.named++
		}
		im.w.set(hashKey(keyNames, h), encodeNumber(n+more))
	}
	return nil
}

// keys writes the verifying keys: exactly those that are named.
func (im *importer) keys() error {
	if err := im.write(); err != nil {
		return err
	}
	sn := im.s.acquire()
	defer sn.release()
	for read := 0; ; read++ {
		raw, h, err := im.key()
		if err != nil {
			return err
		}
		if raw == nil {
			if read != im.named {
				return refuse("%d verifying keys of %d", read, im.named)
			}
			return nil
		}
		named, err := sn.has(hashKey(keyNames, h))
		if err != nil {
			return err
		}
		if !named {
			return refuse("no output names verifying key %v", h)
		}
		im.w.set(hashKey(keyAttachment, h), append([]byte{1}, raw...))
		im.w.set(hashKey(keyLastUse, h), encodeNumber(im.height))
		if err := im.flush(); err != nil {
			return err
		}
	}
}

// finish writes where the ledger stands.
func (im *importer) finish() error {
	l := chain.Ledger{
		Chain: im.s.o.Applied.After.Chain, Tip: im.base.Hash(), Height: im.height, Time: im.base.Time, Set: im.set,
	}
	im.w.advance(&l, &record{after: l})
	im.w.set([]byte{keyBase}, encodeNumber(im.height))
	im.w.set([]byte{keyFormat}, []byte{formatVersion})
	return im.write()
}

// flushSize is the number of bytes of writes that are gathered, at most.
const flushSize = 4 << 20

// flush writes what has gathered, if it is much.
func (im *importer) flush() error {
	for ; im.seen < len(im.w); im.seen++ {
		im.used += im.w[im.seen].size()
	}
	if im.used < flushSize && len(im.w) < 1<<14 {
		return nil
	}
	return im.write()
}

func (im *importer) write() error {
	err := im.s.writeAll("write", im.w)
	im.w, im.seen, im.used = nil, 0, 0
	return err
}
