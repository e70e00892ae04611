package trade

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/channel"
	"github.com/weisyn/wes/node/wallet"
)

// openChannel funds a channel; that it stands is told once the operator takes part in it.
func (d *Desk) openChannel(ctx context.Context, e market.OpenChannel) {
	x, err := d.fundChannel(ctx, e.To)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		d.log.Info("no channel is opened", keyPeer, e.To.Peer, keyError, err)
		d.post(ctx, event{buyer: market.ChannelFailed{Operator: e.To.Operator}})
		return
	}
	d.post(ctx, event{do: func(ctx context.Context, _ uint64) {
		d.save(payerSide, x, x.Record())
		d.owned.payers[x.ID()] = x
		d.then(func() { d.work.Go(func() { d.tendPayer(ctx, x) }) })
	}})
}

// fundChannel makes the transaction that funds a channel, and stores it. Nobody has it yet.
func (d *Desk) fundChannel(ctx context.Context, to market.Contact) (*payer, error) {
	env, err := d.cfg.Ledger.Env(ctx)
	if err != nil {
		return nil, err
	}
	t := channel.Terms{
		Chain: d.cfg.Chain, Client: d.cfg.Signer.Public(), Operator: to.Operator, Cap: d.cfg.ChannelCap,
		Fee: 2 * closingFee(env.FeeRate), Expiry: max(d.cfg.Clock(), env.Now) + uint64(d.cfg.ChannelLife.Milliseconds()),
	}
	if err := t.Check(); err != nil {
		return nil, err
	}
	built, err := d.cfg.Wallet.Send(ctx, wallet.Payment{To: t.Lock(), Value: chain.Tokens(t.Token, t.Cap)})
	if err != nil {
		return nil, err
	}
	p, err := d.storeFunding(t, built)
	if err != nil {
		return nil, errors.Join(err, d.cfg.Wallet.Cancel(built))
	}
	return newPayer(p), nil
}

func (d *Desk) storeFunding(t channel.Terms, built *wallet.Built) (*channel.Payer, error) {
	want := t.Output()
	index := slices.IndexFunc(built.Tx.Outputs, func(o chain.Output) bool { return o.Hash() == want.Hash() })
	if index < 0 {
		return nil, errors.New("BUG: a payment without its output")
	}
	p, err := channel.OpenPayer(t, &chain.UTXO{
		Outpoint: chain.Outpoint{Tx: built.Tx.ID(), Index: uint32(index)}, Entry: chain.Entry{Output: built.Tx.Outputs[index]},
	})
	if err != nil {
		return nil, err
	}
	s := market.Start{Job: p.ID(), Tx: built.Tx.Encode(), Witness: built.Witness.Encode()}
	return p, d.blobs.write(fundingName(payerSide, p.ID()), s.Encode())
}

// announced takes part in a channel of a client, once its funding is deep enough for its cap.
func (d *Desk) announced(ctx context.Context, request []byte) ([]byte, error) {
	a, err := channel.DecodeAnnounce(request)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", market.ErrMessage, err)
	}
	var ack []byte
	err = d.ask(ctx, func(context.Context, uint64) {
		if x := d.owned.payees[a.ID()]; x != nil {
			ack = x.acknowledgement()
		}
	})
	if err != nil || ack != nil {
		return ack, err
	}
	return d.newPayee(ctx, a)
}

func (d *Desk) newPayee(ctx context.Context, a *channel.Announce) ([]byte, error) {
	if !d.takesChannels() {
		return nil, errRefused
	}
	u, err := d.funding(ctx, a)
	if err != nil {
		return nil, err
	}
	env, err := d.cfg.Ledger.Env(ctx)
	if err != nil {
		return nil, err
	}
	var ack []byte
	var refused error
	err = d.ask(ctx, func(ctx context.Context, now uint64) {
		x := d.owned.payees[a.ID()]
		if x == nil {
			x, refused = d.takePart(now, a, u, env.FeeRate)
		}
		if refused == nil {
			d.then(func() { ack = x.acknowledgement() })
		}
	})
	return ack, errors.Join(err, refused)
}

// takesChannels reports whether jobs may be paid through channels.
func (d *Desk) takesChannels() bool { return d.cfg.Works != nil && d.cfg.Posted && !d.draining() }

// draining reports whether no new work is taken.
func (d *Desk) draining() bool {
	c, ok := d.cfg.Capacity.(interface{ Cordoned() bool })
	return ok && c.Cordoned()
}

// Bounds of channels.
const (
	maxPayers   = 16 // of a client
	maxPayees   = 1024
	maxOfClient = 4
)

// takePart opens the operator's side of a channel.
func (d *Desk) takePart(now uint64, a *channel.Announce, u *chain.UTXO, rate uint64) (*payee, error) {
	of := 0
	for _, x := range d.owned.payees {
		if x.Announce().Terms.Client == a.Terms.Client {
			of++
		}
	}
	switch {
	case len(d.owned.payees) >= maxPayees || of >= maxOfClient:
		return nil, errRefused
	case a.Terms.Chain != d.cfg.Chain || a.Terms.Token != chain.TokenID{} || a.Terms.Fee < closingFee(rate):
		return nil, errRefused
	}
	p, err := channel.OpenPayee(now, channel.Options{}, d.cfg.Signer.Public(), a, u)
	if err != nil {
		return nil, err
	}
	x := &payee{Payee: p}
	d.save(payeeSide, x, p.Record())
	d.owned.payees[p.ID()] = x
	return x, nil
}

// funding finds the output that funds a channel: in a block, or for a cap that the operator risks in
// the mempool.
func (d *Desk) funding(ctx context.Context, a *channel.Announce) (*chain.UTXO, error) {
	u, found, err := d.cfg.Ledger.Output(ctx, a.Funding())
	if err != nil || found {
		return &u, err
	}
	if a.Terms.Cap > d.cfg.Seller.RiskCap {
		return nil, errUnseen
	}
	t, _, found, err := d.cfg.Ledger.Pending(ctx, a.Tx)
	if err != nil {
		return nil, err
	}
	if !found || int(a.Index) >= len(t.Outputs) {
		return nil, errUnseen
	}
	return &chain.UTXO{Outpoint: a.Funding(), Entry: chain.Entry{Output: t.Outputs[a.Index]}}, nil
}
