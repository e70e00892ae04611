package node

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/mempool"
	"github.com/weisyn/wes/chain/replica"
	"github.com/weisyn/wes/chain/store"
	"github.com/weisyn/wes/chain/ures"
	"github.com/weisyn/wes/node/storefront"
	"github.com/weisyn/wes/node/trade"
	"github.com/weisyn/wes/node/wallet"
	"github.com/weisyn/wes/node/works"
)

// marketLedger is the node's ledger as its desk and wallet see it.
type marketLedger struct{ n *Node }

var (
	_ trade.Ledger      = (*marketLedger)(nil)
	_ wallet.States     = (*marketLedger)(nil)
	_ storefront.Ledger = (*marketLedger)(nil)
)

// Env implements wallet.Ledger.
func (m *marketLedger) Env(context.Context) (wallet.Env, error) {
	r := m.n.store.Reader()
	defer r.Close()
	l := r.Ledger()
	return wallet.Env{
		Tip: l.Tip, Env: chain.Env{Chain: l.Chain, Height: l.Height + 1, Now: l.Time}, FeeRate: m.feeRate(), Maturity: m.n.rules.Params.Maturity,
	}, nil
}

func (m *marketLedger) feeRate() uint64 { return uint64(m.n.ledger.status().Mempool.Floor) }

// Unspent implements wallet.Ledger.
func (m *marketLedger) Unspent(ctx context.Context, lock chain.Hash, visit func(chain.UTXO) bool) error {
	return m.outputs(ctx, store.Subject{Role: store.RoleLock, ID: lock}, visit)
}

// StatesOf implements wallet.States.
func (m *marketLedger) StatesOf(ctx context.Context, lock chain.Hash, visit func(chain.UTXO) bool) error {
	seen := map[chain.Outpoint]bool{}
	for _, role := range []store.Role{store.RoleOwner, store.RoleClient, store.RoleOperator} {
		going := true
		err := m.outputs(ctx, store.Subject{Role: role, ID: lock}, func(u chain.UTXO) bool {
			if !seen[u.Outpoint] {
				seen[u.Outpoint] = true
				going = visit(u)
			}
			return going
		})
		if err != nil || !going {
			return err
		}
	}
	return nil
}

// outputs visits the unspent outputs of a subject in one state of the ledger.
func (m *marketLedger) outputs(ctx context.Context, s store.Subject, visit func(chain.UTXO) bool) error {
	r := m.n.store.Reader()
	defer r.Close()
	var from store.Cursor
	for {
		page, next, err := r.Outputs(s, from, store.MaxPage)
		if err != nil {
			return err
		}
		for _, u := range page {
			if !visit(u) {
				return nil
			}
		}
		if from = next; from == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// Output implements wallet.Ledger.
func (m *marketLedger) Output(_ context.Context, o chain.Outpoint) (chain.UTXO, bool, error) {
	r := m.n.store.Reader()
	defer r.Close()
	e, found, err := r.Entry(o)
	return chain.UTXO{Outpoint: o, Entry: e}, found, err
}

// Tip implements trade.Ledger.
func (m *marketLedger) Tip() trade.Tip {
	r := m.n.store.Reader()
	defer r.Close()
	l := r.Ledger()
	return trade.Tip{Height: l.Height, Time: l.Time}
}

// Touches implements trade.Ledger.
func (m *marketLedger) Touches(ctx context.Context, job chain.Hash) (trade.Tip, []trade.Touch, error) {
	return m.history(ctx, store.Subject{Role: store.RoleJob, ID: job})
}

// Held implements trade.Ledger.
func (m *marketLedger) Held(ctx context.Context, lock chain.Hash) (trade.Tip, []trade.Touch, error) {
	return m.history(ctx, store.Subject{Role: store.RoleLock, ID: lock})
}

// history returns the transactions that touch a subject, the oldest first.
func (m *marketLedger) history(ctx context.Context, s store.Subject) (trade.Tip, []trade.Touch, error) {
	r := m.n.store.Reader()
	defer r.Close()
	l := r.Ledger()
	tip := trade.Tip{Height: l.Height, Time: l.Time}
	var all []trade.Touch
	var from store.Cursor
	for {
		page, next, err := r.History(s, from, store.MaxPage)
		if err != nil {
			return tip, nil, err
		}
		for _, a := range page {
			t, err := touch(r, a.Place)
			if err != nil {
				return tip, nil, err
			}
			all = append(all, t)
		}
		if from = next; from == nil || ctx.Err() != nil {
			break
		}
	}
	slices.Reverse(all)
	return tip, all, ctx.Err()
}

// touch reads a transaction of a block.
func touch(r *store.Reader, at store.Place) (trade.Touch, error) {
	h, found, err := r.MainHash(at.Height)
	if err != nil || !found {
		return trade.Touch{}, fmt.Errorf("read block %d (found: %v): %w", at.Height, found, err)
	}
	b, found, err := r.Block(h)
	if err != nil || !found || int(at.Index) >= len(b.Txs) {
		return trade.Touch{}, fmt.Errorf("read transaction %d of block %d (found: %v): %w", at.Index, at.Height, found, err)
	}
	return trade.Touch{Height: at.Height, Tx: b.Txs[at.Index], Witness: b.Witnesses[at.Index]}, nil
}

// Pending implements trade.Ledger.
func (m *marketLedger) Pending(ctx context.Context, id chain.Hash) (t *chain.Tx, w chain.Witness, found bool, err error) {
	return m.n.pending(ctx, id)
}

// Submit implements trade.Ledger.
func (m *marketLedger) Submit(ctx context.Context, t *chain.Tx, w chain.Witness, attachments [][]byte) error {
	err := m.n.ledger.submit(ctx, t, w, attachments)
	var refusal *replica.Refusal
	if errors.As(err, &refusal) && errors.Is(refusal.Err, mempool.ErrKnown) {
		return nil
	}
	return err
}

// Key implements trade.Ledger.
func (m *marketLedger) Key(_ context.Context, h chain.Hash) ([]byte, bool, error) {
	r := m.n.store.Reader()
	defer r.Close()
	return r.VerifyingKey(h)
}

// Changes implements trade.Ledger.
func (m *marketLedger) Changes() (<-chan trade.Change, func()) {
	from, cancel := m.n.ledger.feed.subscribe()
	to, done := make(chan trade.Change), make(chan struct{})
	go func() {
		defer close(to)
		for x := range from {
			c := trade.Change{Moved: x.Entered == nil}
			if x.Entered != nil {
				c.Entered = x.Entered.Tx
			}
			select {
			case to <- c:
			case <-done:
				return
			}
		}
	}()
	return to, func() { close(done); cancel() }
}

// Bounds of what is looked at: announcements of one content, resources of one owner.
const (
	maxAnnounced = 64
	maxResources = 1024
)

// Resources implements storefront.Ledger.
func (m *marketLedger) Resources(ctx context.Context, lock chain.Hash) (all []chain.UTXO, err error) {
	err = m.Unspent(ctx, lock, func(u chain.UTXO) bool {
		if _, ok := u.Entry.Output.Body.(*chain.Resource); ok {
			all = append(all, u)
		}
		return len(all) < maxResources
	})
	return all, err
}

// worksSource is what an operator's programs come from.
type worksSource struct{ *marketLedger }

var _ works.Source = (*worksSource)(nil)

// Announced implements works.Source and storefront.Ledger.
func (m *marketLedger) Announced(ctx context.Context, cid string) (all []chain.UTXO, err error) {
	raw, err := ures.ParseCID(cid)
	if err != nil {
		return nil, err
	}
	err = m.outputs(ctx, store.Subject{Role: store.RoleContent, ID: sha256.Sum256(raw)}, func(u chain.UTXO) bool {
		all = append(all, u)
		return len(all) < maxAnnounced
	})
	return all, err
}

// Kept implements works.Source.
func (w *worksSource) Kept() (all []string) {
	for _, p := range w.n.resources.List() {
		if !p.Replica {
			all = append(all, p.CID)
		}
	}
	return all
}

// contentStall is how long a content may bring no byte. Others are not looked at meanwhile.
const contentStall = 30 * time.Second

// errStalled is why a content that nobody has is given up.
var errStalled = errors.New("no byte of it came for a while: nobody who is reached has it")

// Content implements works.Source.
func (w *worksSource) Content(ctx context.Context, cid string, most uint64) (io.ReadCloser, error) {
	own, stop := context.WithCancelCause(ctx)
	stalled := time.AfterFunc(contentStall, func() { stop(errStalled) })
	_, err := w.n.resources.Fetch(own, cid, "", most, func(int) { stalled.Reset(contentStall) })
	stalled.Stop()
	stop(nil)
	if err != nil {
		if context.Cause(own) == errStalled {
			err = errStalled
		}
		return nil, err
	}
	f, _, err := w.n.resources.Open(ctx, cid)
	return f, err
}

// FeeRate implements works.Source.
func (w *worksSource) FeeRate() uint64 { return w.feeRate() }

// Moves implements works.Source.
func (w *worksSource) Moves() <-chan struct{} { return w.n.ledger.feed.moves() }
