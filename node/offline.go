package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/consensus"
	"github.com/weisyn/wes/chain/store"
)

// Offline is the ledger of a home folder in which no node runs.
type Offline struct{ node *Node }

// OpenOffline opens the ledger of a home folder. It takes the folder for this process, and fails
// with ErrHome if a node runs in it or it has no ledger.
func OpenOffline(ctx context.Context, c Config, o Options) (*Offline, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(c.Home, storeFolder)); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s has no ledger yet: a node that runs there fetches it", ErrHome, c.Home)
	}
	o = o.withDefaults()
	n, err := openOffline(c, o)
	if err != nil {
		return nil, err
	}
	if err := n.openStore(ctx, o); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return &Offline{n}, nil
}

// openOffline takes the home folder, and opens the rules of its network.
func openOffline(c Config, o Options) (*Node, error) {
	n := &Node{cfg: c, log: o.Log}
	var err error
	if n.network, err = c.HomeNetwork(); err != nil {
		return nil, err
	}
	if n.home, err = openHome(c.Home, n.network); err != nil {
		return nil, err
	}
	n.closers.add("home", n.home.close)
	return n, nil
}

// Close gives the folder back.
func (f *Offline) Close() error { return f.node.Close() }

// Ledger returns where the ledger stands.
func (f *Offline) Ledger() chain.Ledger { return f.node.store.Ledger() }

// Verify validates every block and every proof whose attachments are kept anew, from the genesis
// block on; see store.Verify. Progress is called with heights.
func (f *Offline) Verify(ctx context.Context, progress func(height, of uint64)) (store.Report, error) {
	return f.node.store.Verify(ctx, f.node.rules, progress)
}

// Export writes a snapshot of the ledger after the block at a height; see store.Reader.Export.
func (f *Offline) Export(out io.Writer, height uint64) error {
	r := f.node.store.Reader()
	defer r.Close()
	return r.Export(out, height)
}

// ImportSnapshot makes the ledger of a home folder, which has none, of a snapshot. Every header
// is judged by the rules of the network; see store.Import for the rest.
func ImportSnapshot(ctx context.Context, c Config, o Options, from io.Reader) error {
	if err := c.validate(); err != nil {
		return err
	}
	o = o.withDefaults()
	n, err := openOffline(c, o)
	if err != nil {
		return err
	}
	return errors.Join(n.importSnapshot(ctx, o, from), n.Close())
}

func (n *Node) importSnapshot(ctx context.Context, o Options, from io.Reader) error {
	headers, err := n.network.consensus()
	if err != nil {
		return err
	}
	branch, err := consensus.NewBranch(headers)
	if err != nil {
		return err
	}
	options, err := n.storeOptions(o)
	if err != nil {
		return err
	}
	err = store.Import(n.home.path(storeFolder), options, from, func(h *chain.StoredHeader) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return branch.Extend(&consensus.SealedHeader{Header: h.Header, Seal: h.Seal}, uint64(time.Now().UnixMilli()))
	})
	if err != nil {
		return n.advise(err)
	}
	if !branch.Enough() {
		err := fmt.Errorf("import a snapshot: %w: its work is less than the network is known to have", store.ErrSnapshot)
		return errors.Join(err, os.RemoveAll(n.home.path(storeFolder)))
	}
	return nil
}
