package benchmarks

import (
	"errors"
	"fmt"
	"os"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/store"
)

// openStore keeps the ledger on disk, as nodes do: every block is durable when it is connected.
func openStore(l *simpleLedger) (_ ledgerStore, err error) {
	dir, err := os.MkdirTemp("", "wes-bench-")
	if err != nil {
		return ledgerStore{}, err
	}
	remove := func() error { return os.RemoveAll(dir) }
	applied, err := l.Genesis(l.genesis)
	if err != nil {
		return ledgerStore{}, errors.Join(err, remove())
	}
	s, err := store.Open(dir, store.Options{Genesis: l.genesis, Applied: applied})
	if err != nil {
		return ledgerStore{}, errors.Join(err, remove())
	}
	end := func() error { return errors.Join(s.Close(), remove()) }
	for _, b := range append(l.before, l.block) {
		if err := stage(s, b); err != nil {
			return ledgerStore{}, errors.Join(err, end())
		}
	}
	for _, b := range l.before {
		at := s.Ledger()
		a, err := l.Apply(&at, s, b, s)
		if err == nil {
			err = connect(s, b, a)
		}
		if err != nil {
			return ledgerStore{}, errors.Join(fmt.Errorf("prepare the ledger: %w", err), end())
		}
	}
	return ledgerStore{
		view:       s,
		connect:    func(b *chain.Block, a *chain.Applied) error { return connect(s, b, a) },
		disconnect: func() error { return disconnect(s, l.block) },
		close:      end,
	}, nil
}

// stage writes header and body.
func stage(s *store.Store, b *chain.Block) error {
	hash := b.Header.Hash()
	return errors.Join(s.PutHeaders([]chain.StoredHeader{{Header: b.Header}}), s.PutBody(b), s.MarkStored([]chain.Hash{hash}))
}

// connect is a move of the ledger by one block.
func connect(s *store.Store, b *chain.Block, a *chain.Applied) error {
	if err := s.Begin(nil, []chain.Hash{b.Header.Hash()}); err != nil {
		return err
	}
	if err := s.Connect(b, a, true); err != nil {
		return err
	}
	return s.End()
}

func disconnect(s *store.Store, b *chain.Block) error {
	if err := s.Begin([]chain.Hash{b.Header.Hash()}, nil); err != nil {
		return err
	}
	if _, err := s.Disconnect(); err != nil {
		return err
	}
	return s.End()
}
