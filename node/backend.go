package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/replica"
	"github.com/weisyn/wes/chain/store"
	"github.com/weisyn/wes/node/api"
)

// backend is the node as its API sees it.
type backend struct {
	*Node
	version string
}

var _ api.Node = (*backend)(nil)

// Status implements api.Node.
func (b *backend) Status() api.Status {
	s, reasons := b.ledger.status(), b.Ready()
	return api.Status{
		Version: b.version, Network: b.network.Name, Profile: b.network.Profile, Prefix: b.network.Prefix,
		Chain: b.network.Chain().String(), Height: s.Chain.Height, Tip: s.Chain.Tip.String(), Time: s.Chain.Time,
		Work: s.Chain.Work.String(), Headers: s.Chain.Headers, Syncing: s.Chain.Initial || s.Chain.Headers > s.Chain.Height,
		Ready: len(reasons) == 0, Reasons: reasons, Peers: s.Peers,
		Name: string(b.sockets.host.Self()), Addresses: b.sockets.host.Addresses(),
		Mempool: api.Mempool{
			Transactions: s.Mempool.Transactions, Bytes: s.Mempool.Bytes, FeeRate: uint64(s.Mempool.Floor),
		},
	}
}

// Peers implements api.Node.
func (b *backend) Peers() []api.Peer {
	all := []api.Peer{}
	for _, m := range b.sockets.host.Members() {
		all = append(all, api.Peer{
			Name: string(m.Peer), Addresses: []string{m.Address}, Agent: m.Agent, Inbound: !m.Outbound,
		})
	}
	return all
}

// Read implements api.Node.
func (b *backend) Read() api.Reader { return &published{b.store.Reader()} }

// Submit implements api.Node.
func (b *backend) Submit(ctx context.Context, t *chain.Tx, w chain.Witness, attachments [][]byte) error {
	err := b.ledger.submit(ctx, t, w, attachments)
	var refusal *replica.Refusal
	if errors.As(err, &refusal) {
		return &api.Refused{Err: refusal.Err}
	}
	return err
}

// Check implements api.Node.
func (b *backend) Check(_ context.Context, t *chain.Tx, w chain.Witness) (*chain.Verdict, error) {
	r := b.store.Reader()
	defer r.Close()
	l := r.Ledger()
	v, err := b.rules.CheckTx(chain.Env{Chain: l.Chain, Height: l.Height + 1, Now: l.Time}, r, r, t, w)
	var broken *chain.RuleError
	var missing *chain.UnavailableError
	if errors.As(err, &broken) || errors.As(err, &missing) {
		return nil, &api.Refused{Err: err}
	}
	return v, err
}

// Pending implements api.Node.
func (b *backend) Pending(ctx context.Context, id chain.Hash) (*chain.Tx, chain.Witness, bool, error) {
	return b.pending(ctx, id)
}

// pending returns a transaction of the mempool.
func (n *Node) pending(ctx context.Context, id chain.Hash) (t *chain.Tx, w chain.Witness, found bool, err error) {
	err = n.ledger.queue.do(ctx, func(uint64) error {
		if e := n.ledger.owned.replica.Pending(id); e != nil {
			t, w, found = e.Tx, e.Witness, true
		}
		return nil
	})
	return t, w, found, err
}

// Make implements api.Node.
func (b *backend) Make(ctx context.Context, blocks int) ([]chain.Hash, error) {
	made, err := b.Node.Make(ctx, blocks)
	if errors.Is(err, ErrNoMiner) {
		return nil, api.ErrNoMiner
	}
	return made, err
}

// Confirmed implements api.Node.
func (b *backend) Confirmed(ctx context.Context, block chain.Hash) (work string, err error) {
	found := false
	err = b.ledger.queue.do(ctx, func(uint64) error {
		above, ok := b.ledger.owned.replica.Above(block)
		work, found = above.String(), ok
		return nil
	})
	if err == nil && !found {
		err = fmt.Errorf("block %v: %w", block, api.ErrNotFound)
	}
	return work, err
}

// Subscribe implements api.Node.
func (b *backend) Subscribe() (<-chan api.Notice, func()) {
	from, cancel := b.ledger.feed.subscribe()
	to := make(chan api.Notice)
	done := make(chan struct{})
	go func() {
		defer close(to)
		for n := range from {
			select {
			case to <- notice(n):
			case <-done:
				return
			}
		}
	}()
	stop := func() {
		select {
		case <-done:
		default:
			close(done)
		}
		cancel()
	}
	return to, stop
}

func notice(n Notice) api.Notice {
	out := api.Notice{Undone: n.Undone, Applied: n.Applied}
	if n.Entered != nil {
		out.Entered = n.Entered.Tx
	}
	return out
}

// published is a state of the store as the API reads it.
type published struct{ *store.Reader }

var _ api.Reader = (*published)(nil)

// Place implements api.Reader.
func (p *published) Place(tx chain.Hash) (height uint64, index int, found bool, err error) {
	at, found, err := p.Tx(tx)
	return at.Height, int(at.Index), found, err
}

// Outputs implements api.Reader.
func (p *published) Outputs(s api.Subject, from []byte, limit int) ([]chain.UTXO, []byte, error) {
	all, next, err := p.Reader.Outputs(subject(s), from, limit)
	return all, next, cursorError(err)
}

// History implements api.Reader.
func (p *published) History(s api.Subject, from []byte, limit int) ([]api.Appearance, []byte, error) {
	all, next, err := p.Reader.History(subject(s), from, limit)
	var out []api.Appearance
	for _, a := range all {
		out = append(out, api.Appearance{Height: a.Height, Index: int(a.Index), Receives: a.Receives, Spends: a.Spends})
	}
	return out, next, cursorError(err)
}

// cursorError makes a cursor of another query the caller's mistake.
func cursorError(err error) error {
	if errors.Is(err, store.ErrCursor) {
		return fmt.Errorf("%w: %w", api.ErrNotFound, err)
	}
	return err
}

func subject(s api.Subject) store.Subject {
	roles := map[api.Role]store.Role{
		api.RoleLock: store.RoleLock, api.RoleOwner: store.RoleOwner, api.RoleUser: store.RoleUser,
		api.RoleClient: store.RoleClient, api.RoleOperator: store.RoleOperator, api.RoleToken: store.RoleToken,
		api.RoleContent: store.RoleContent, api.RoleJob: store.RoleJob, api.RoleState: store.RoleState,
	}
	return store.Subject{Role: roles[s.Role], ID: s.ID}
}
