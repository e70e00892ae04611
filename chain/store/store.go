package store

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/dgraph-io/badger/v4"
	"github.com/weisyn/wes/chain"
)

// formatVersion is the version of the layout.
const formatVersion = 1

// Store keeps one ledger in a folder. One goroutine writes, any may read.
type Store struct {
	dir   string
	o     Options
	db    *badger.DB
	used  bool   // tables were there when it was opened
	base  uint64 // height of the lowest state that can be returned to
	move  *move  // nil between End and Begin
	fault error  // of a write: then none follows

	mu struct {
		sync.Mutex
		ledger    chain.Ledger // of the working state
		working   *snapshot    // after the last write
		published *snapshot    // after the last End
	}
}

// snapshot is a state of the database that stays readable until all who use it release it.
type snapshot struct {
	view
	ledger chain.Ledger
	users  atomic.Int64
}

func (s *snapshot) release() {
	if s.users.Add(-1) == 0 {
		s.txn.Discard()
	}
}

// Open opens the store in a folder, or creates it there with the genesis block. It finishes or
// rolls back what was cut off. Errors are ErrLocked, ErrOtherChain, ErrFormat, ErrDiskFull, a
// CorruptError, or faults of this machine.
func Open(dir string, o Options) (*Store, error) {
	s, err := open(dir, o)
	if err != nil {
		return nil, fmt.Errorf("open store in %s: %w", dir, err)
	}
	return s, nil
}

func open(dir string, o Options) (*Store, error) {
	s, err := openRaw(dir, o)
	if err != nil {
		return nil, err
	}
	if err := s.start(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// openRaw opens or creates the database in a folder.
func openRaw(dir string, o Options) (*Store, error) {
	o, err := o.validate()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	used := false
	err = exclusively(dir, func() (err error) {
		used, err = inspect(dir)
		return err
	})
	if err != nil {
		return nil, err
	}
	db, err := badger.Open(o.badger(dir))
	if err != nil {
		return nil, openError(err)
	}
	s := &Store{dir: dir, o: o, db: db, used: used}
	s.renew()
	return s, nil
}

// damaged lists what Badger's errors say of files that can't be right.
var damaged = []string{"checksum", "anifest", "table", "corrupt", "varint", "datakey", "Encryption key", "magic", "sanity", "nvalid"}

// openError tells apart what Badger says in text only.
func openError(err error) error {
	says := func(part string) bool { return strings.Contains(err.Error(), part) }
	switch {
	case says("Another process is using this Badger database"):
		return fmt.Errorf("%w: %v", ErrLocked, err)
	case says("no space left") || says("file too large"):
		return full(err)
	case says("permission denied") || says("too many open files") || says("cannot allocate memory"):
		return err
	case slices.ContainsFunc(damaged, says):
		return &CorruptError{"database", "can't be opened", err}
	}
	return err
}

// start reads where the ledger stands, after a genesis block if there is none. If there were
// tables there must be one: Badger removes tables that its manifest has lost.
func (s *Store) start() error {
	v := s.mu.working.view
	raw, ok, err := v.get([]byte{keyFormat})
	switch {
	case err != nil:
		return err
	case !ok && s.used:
		return missing([]byte{keyFormat})
	case !ok:
		if err := s.create(v); err != nil {
			return err
		}
	case len(raw) != 1 || raw[0] != formatVersion:
		return fmt.Errorf("%w: version %d, this program reads %d", ErrFormat, raw[0], formatVersion)
	}
	if err := s.load(); err != nil {
		return err
	}
	if err := s.resume(s.mu.working.view); err != nil {
		return err
	}
	if err := s.recover(); err != nil {
		return err
	}
	s.publish()
	return nil
}

// load reads the ledger, and what must be there with it.
func (s *Store) load() error {
	v := s.mu.working.view
	key := []byte{keyLedger}
	raw, err := v.must(key)
	if err != nil {
		return err
	}
	l, err := chain.DecodeLedger(raw)
	if err != nil {
		return corrupt(key, err, "a ledger that does not decode")
	}
	if l.Chain != s.o.Applied.After.Chain {
		return fmt.Errorf("%w: of genesis block %v, not %v", ErrOtherChain, l.Chain, s.o.Applied.After.Chain)
	}
	if s.base, _, err = v.number([]byte{keyBase}); err != nil {
		return err
	}
	if at, ok, err := v.MainHash(l.Height); err != nil || !ok || at != l.Tip {
		return errors.Join(err, corrupt(heightKey(keyMain, l.Height), nil, "it is not the tip %v", l.Tip))
	}
	s.mu.ledger = l
	return nil
}

// create writes the genesis block into an empty folder.
func (s *Store) create(v view) error {
	for item, err := range v.scan(nil, nil) {
		if err != nil {
			return err
		}
		return fmt.Errorf("%w: %s, and no version", ErrFormat, describe(item.key))
	}
	core, index, err := s.genesis(v)
	if err != nil {
		return err
	}
	core.set([]byte{keyFormat}, []byte{formatVersion})
	return s.writeBlock(core, index)
}

// genesis returns the writes of the genesis block.
func (s *Store) genesis(v view) (core, index writes, err error) {
	b, a := s.o.Genesis, s.o.Applied
	h := b.Header.Hash()
	if a.After.Tip != h {
		return nil, nil, fmt.Errorf("%w: genesis block %v, applied %v", errOptions, h, a.After.Tip)
	}
	core.set(hashKey(keyBody, h), b.Encode())
	core.header(h, &chain.StoredHeader{Header: b.Header, Seal: b.Seal, Stored: true})
	c := newChange(b, a)
	if err := c.connect(v, &core); err != nil {
		return nil, nil, err
	}
	core.advance(&a.After, &record{a.After, true, c.keys})
	return core, c.index(), nil
}

// Close ends writing and the views of the store. Readers must be closed before.
func (s *Store) Close() error {
	s.mu.Lock()
	for _, sn := range []*snapshot{s.mu.working, s.mu.published} {
		if sn != nil {
			sn.release()
		}
	}
	s.mu.Unlock()
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close store: %w", err)
	}
	return nil
}

// renew moves the working view after the last write.
func (s *Store) renew() {
	next := &snapshot{view: view{s.db.NewTransaction(false)}}
	next.users.Store(1)
	s.mu.Lock()
	last := s.mu.working
	s.mu.working = next
	s.mu.Unlock()
	if last != nil {
		last.release()
	}
}

// publish lets readers see the working state.
func (s *Store) publish() {
	next := &snapshot{view: view{s.db.NewTransaction(false)}, ledger: s.mu.ledger}
	next.users.Store(1)
	s.mu.Lock()
	last := s.mu.published
	s.mu.published = next
	s.mu.Unlock()
	if last != nil {
		last.release()
	}
}

// acquire returns the working view, for the caller to release.
func (s *Store) acquire() *snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.working.users.Add(1)
	return s.mu.working
}

// Ledger returns where the working state stands.
func (s *Store) Ledger() chain.Ledger {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.ledger
}

func (s *Store) stand(l *chain.Ledger) {
	s.mu.Lock()
	s.mu.ledger = *l
	s.mu.Unlock()
}
