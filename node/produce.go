package node

import (
	"context"
	"errors"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/consensus"
	"github.com/weisyn/wes/chain/replica"
)

// producer is the ledger as a miner sees it.
type producer struct {
	*ledger
	key   chain.PublicKey // named in headers
	payee chain.Lock      // is paid the fees
	alone bool            // there are no peers to wait for: make blocks before any has been heard
}

var _ blockSource = (*producer)(nil)

// template implements blockSource.
func (p *producer) template(ctx context.Context, force bool) (b *chain.Block, err error) {
	err = p.onReplica(ctx, func(now uint64, r *replica.Replica) error {
		if !force && !(p.caughtUp(now) && r.Due(now)) {
			return nil
		}
		var busy error
		b, busy = r.Template(now, p.key, p.payee)
		if errors.Is(busy, consensus.ErrBusy) {
			b = nil
			return nil
		}
		return busy
	})
	return b, err
}

// caughtUp reports whether blocks made now are of use: before the first sync is over others may
// have a longer branch.
func (p *producer) caughtUp(now uint64) bool {
	s, _ := p.owned.replica.Status(now)
	return !s.Initial || p.alone && len(p.owned.peers) == 0
}

// mined implements blockSource.
func (p *producer) mined(ctx context.Context, b *chain.Block) error {
	err := p.onReplica(ctx, func(now uint64, r *replica.Replica) error { return r.Mined(now, b) })
	if errors.Is(err, replica.ErrStale) {
		return errStale
	}
	return err
}

// changed implements blockSource.
func (p *producer) changed() <-chan struct{} { return p.feed.changed() }

// moves implements blockSource.
func (p *producer) moves() <-chan struct{} { return p.feed.moves() }
