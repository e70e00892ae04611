package trade

import (
	"context"
	"errors"
	"fmt"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/wallet"
)

// settlement is what a transaction that spends an escrow or claim is made of.
type settlement struct {
	side                   byte
	view                   market.View
	escrow                 []byte // data of the State
	payload, output, proof chain.Hash
}

// settle builds and submits the transaction of an exit.
func (d *Desk) settle(ctx context.Context, e market.Settle, s settlement) {
	id, err := d.spend(ctx, e.Exit, s)
	if ctx.Err() != nil {
		return
	}
	var told market.Event = market.Submitted{Job: e.Job, Exit: e.Exit, Tx: id}
	if err != nil {
		d.log.Info("settlement waits", keyJob, e.Job, "exit", e.Exit, keyError, err)
		told = market.SubmitFailed{Job: e.Job, Exit: e.Exit, Text: err.Error()}
	}
	d.metrics.settlements.WithLabelValues(e.Exit.String(), outcome(err)).Inc()
	if s.side == buyerSide {
		d.post(ctx, event{buyer: told})
	} else {
		d.post(ctx, event{seller: told})
	}
}

func outcome(err error) string {
	if err != nil {
		return "failed"
	}
	return "submitted"
}

func (d *Desk) spend(ctx context.Context, x market.Exit, s settlement) (chain.Hash, error) {
	u, err := d.money(ctx, s)
	if err != nil {
		return chain.Hash{}, err
	}
	if id, waits, err := d.underWay(ctx, u.Outpoint); err != nil || waits {
		return id, err
	}
	b, err := d.exit(ctx, x, u, s)
	if err != nil {
		return chain.Hash{}, err
	}
	if err := d.cfg.Ledger.Submit(ctx, b.Tx, b.Witness, b.Attachments); err != nil {
		return chain.Hash{}, errors.Join(err, d.cfg.Wallet.Cancel(b))
	}
	return b.Tx.ID(), nil
}

// underWay returns the transaction of this wallet that spends an escrow or claim, if it waits in the
// mempool. One that does not was built by a process that ended before anybody had it, or was dropped:
// what it reserves is given back. It may still be with others, but then it is that one or the next that
// enters the ledger, not both.
func (d *Desk) underWay(ctx context.Context, at chain.Outpoint) (id chain.Hash, waits bool, err error) {
	id, found, err := d.cfg.Wallet.Spending(ctx, at)
	if err != nil || !found {
		return id, false, err
	}
	if _, _, waits, err = d.cfg.Ledger.Pending(ctx, id); err != nil || waits {
		return id, waits, err
	}
	return id, false, d.cfg.Wallet.CancelID(id)
}

// errUnseen is returned for money that is neither in a block nor in the mempool.
var errUnseen = errors.New("the escrow is not to be seen")

// money returns the output that holds the money of a job, which may wait in the mempool. A block may
// take it from there between two looks.
func (d *Desk) money(ctx context.Context, s settlement) (u chain.UTXO, err error) {
	at := s.view.Output.Outpoint()
	for range 2 {
		var found bool
		if u, found, err = d.cfg.Ledger.Output(ctx, at); err != nil || found {
			return u, err
		}
		t, _, found, err := d.cfg.Ledger.Pending(ctx, at.Tx)
		if err != nil {
			return u, err
		}
		if found && int(at.Index) < len(t.Outputs) {
			return chain.UTXO{Outpoint: at, Entry: chain.Entry{Output: t.Outputs[at.Index]}}, nil
		}
	}
	return u, errUnseen
}

func (d *Desk) exit(ctx context.Context, x market.Exit, u chain.UTXO, s settlement) (*wallet.Built, error) {
	w := d.cfg.Wallet
	switch x {
	case market.ExitAccept:
		return w.Accept(ctx, u)
	case market.ExitMissed:
		return w.Missed(ctx, u)
	case market.ExitRelease:
		return w.Release(ctx, u)
	case market.ExitInvalid:
		return w.ClaimInvalid(ctx, u)
	case market.ExitFinal:
		return w.Final(ctx, u)
	}
	input, err := d.blobs.get(s.payload)
	if err != nil {
		return nil, err
	}
	output, err := d.blobs.get(s.output)
	if err != nil {
		return nil, err
	}
	if x == market.ExitClaim {
		return w.Claim(ctx, u, input, output)
	}
	proof, err := d.blobs.get(s.proof)
	if err != nil {
		return nil, err
	}
	evidence := wallet.Evidence{Input: input, Output: output, Proof: proof}
	switch x {
	case market.ExitProve, market.ExitLate:
		return w.Prove(ctx, u, evidence)
	case market.ExitRefute:
		return w.Refute(ctx, u, evidence)
	}
	return nil, fmt.Errorf("BUG: exit %v", x)
}
