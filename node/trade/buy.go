package trade

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/wallet"
)

// Names of the requests between desks.
const (
	AskProtocol     = "market-ask"
	AwardProtocol   = "market-award"
	StartProtocol   = "market-start"
	CollectProtocol = "market-collect"
)

// attempt names a contract.
type attempt struct {
	job chain.Hash
	n   uint32
}

// buy carries out an effect of the client. Whatever waits for somebody runs beside the owner.
func (d *Desk) buy(ctx context.Context, e market.Effect) {
	switch e := e.(type) {
	case market.AskFor:
		d.work.Go(func() { d.askFor(ctx, e) })
	case market.Contract:
		d.beginContract(ctx, e)
	case market.Abandon:
		d.abandon(ctx, e)
	case market.Fund:
		d.work.Go(func() { d.fund(ctx, e) })
	case market.CollectFrom:
		own, done := d.running.begin(ctx, taskName{collectTask, e.Job})
		d.work.Go(func() { defer done(); d.collect(own, e) })
	case market.StopCollecting:
		d.running.end(taskName{collectTask, e.Job})
	case market.Verify:
		p, _ := d.owned.buyer.Job(e.Job)
		d.work.Go(func() { d.verify(ctx, &p) })
	case market.Settle:
		p, _ := d.owned.buyer.Job(e.Job)
		d.work.Go(func() {
			d.settle(ctx, e, settlement{side: buyerSide, view: p.View, escrow: p.Escrow, proof: p.Proof, output: p.Output, payload: p.Terms.Payload})
		})
	case market.Audit:
		p, _ := d.owned.buyer.Job(e.Job)
		d.work.Go(func() { d.audit(ctx, &p, e.Output) })
	case market.OpenChannel:
		d.work.Go(func() { d.openChannel(ctx, e) })
	case market.Pay:
		d.pay(ctx, e)
	default:
		panic(fmt.Sprintf("BUG: effect %T of the client", e))
	}
}

func (d *Desk) askFor(ctx context.Context, e market.AskFor) {
	own, stop := d.until(ctx, e.Within)
	defer stop()
	answer, err := d.exchange(own, e.To, e.Ask)
	if err != nil {
		d.log.Debug("no answer to a question", keyJob, e.Job, keyPeer, e.To.Peer, keyError, err)
	}
	d.post(ctx, event{buyer: market.Answered{Job: e.Job, Round: e.Round, From: e.To, Answer: answer}})
}

func (d *Desk) exchange(ctx context.Context, to market.Contact, a *market.Ask) (*market.Answer, error) {
	raw, err := d.cfg.Peers.Ask(ctx, to, AskProtocol, d.signed(a).Encode(), market.MaxAsk)
	if err != nil {
		return nil, err
	}
	return market.DecodeAnswer(raw)
}

// signed is an ask that this node may send.
func (d *Desk) signed(a *market.Ask) *market.Ask {
	own := *a
	name, _ := d.cfg.Peers.Self()
	own.Signature = [ed25519.SignatureSize]byte(d.cfg.Signer.Sign(own.Digest(name)))
	return &own
}

// until returns a context that ends at an instant, in ms since 1970.
func (d *Desk) until(ctx context.Context, at uint64) (context.Context, context.CancelFunc) {
	now := d.cfg.Clock()
	return context.WithTimeout(ctx, time.Duration(at-min(at, now))*time.Millisecond)
}

// beginContract has an operator take a job on, for an escrow or for a channel in which the price is
// reserved before.
func (d *Desk) beginContract(ctx context.Context, e market.Contract) {
	run := d.contract
	if e.Channel != (chain.Hash{}) {
		if failed := d.reserve(e); failed != nil {
			failed.Job, failed.Attempt = e.Job, e.Attempt
			d.step(ctx, event{buyer: *failed})
			return
		}
		run = d.contractThrough
	}
	own, done := d.running.begin(ctx, taskName{contractTask, e.Job})
	d.then(func() { d.work.Go(func() { defer done(); run(own, ctx, e) }) })
}

// contract makes the escrow. own ends when it is abandoned.
func (d *Desk) contract(own, ctx context.Context, e market.Contract) {
	limited, stop := d.until(own, e.Within)
	defer stop()
	built, failed := d.engage(limited, e)
	if failed != nil {
		failed.Job, failed.Attempt = e.Job, e.Attempt
		d.post(ctx, event{buyer: *failed})
		return
	}
	d.post(ctx, event{do: func(ctx context.Context, _ uint64) {
		id := built.Tx.ID()
		d.owned.sealed[attempt{e.Job, e.Attempt}] = id
		d.step(ctx, event{buyer: market.Contracted{Job: e.Job, Attempt: e.Attempt, At: market.Ref{Tx: id}, Until: built.Tx.Until}})
		d.then(func() { delete(d.owned.sealed, attempt{e.Job, e.Attempt}) })
	}})
}

// engage makes the three steps of an escrow, and stores the signed transaction.
func (d *Desk) engage(ctx context.Context, e market.Contract) (*wallet.Built, *market.ContractFailed) {
	offer, failed := d.offer(ctx, e)
	if failed != nil {
		return nil, failed
	}
	built, failed := d.seal(ctx, e, offer)
	if failed != nil {
		d.cancel(offer.Tx.ID())
	}
	return built, failed
}

// own is a failure that no other operator changes.
func own(c market.Code, err error) *market.ContractFailed {
	return &market.ContractFailed{Refusal: market.Refusal{Code: c, Text: clip(err.Error())}, Own: true}
}

func theirs(c market.Code, err error) *market.ContractFailed {
	return &market.ContractFailed{Refusal: market.Refusal{Code: c, Text: clip(err.Error())}}
}

// clip bounds a text for a record, in bytes.
func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), 200)], "") }

func (d *Desk) offer(ctx context.Context, e market.Contract) (*wallet.Partial, *market.ContractFailed) {
	program, found, err := d.cfg.Ledger.Output(ctx, e.Ask.Terms.Program.Outpoint())
	if err == nil && !found {
		err = errors.New("the program is not announced any more")
	}
	if err != nil {
		return nil, own(market.CodeTerms, err)
	}
	offer, err := d.cfg.Wallet.OfferEscrow(ctx, e.Escrow, program)
	var funds *wallet.FundsError
	switch {
	case errors.As(err, &funds):
		return nil, own(market.CodeNoFunds, err)
	case err != nil:
		return nil, own(market.CodeEscrow, err)
	}
	return offer, nil
}

func (d *Desk) seal(ctx context.Context, e market.Contract, offer *wallet.Partial) (*wallet.Built, *market.ContractFailed) {
	payload, err := d.blobs.get(e.Ask.Terms.Payload)
	if err != nil {
		return nil, own(market.CodeEscrow, err)
	}
	award := &market.Award{
		Ask: *d.signed(e.Ask), Bid: e.Bid, Posted: e.Posted, Escrow: e.Escrow.State().Data, Offer: offer.Encode(), Payload: payload,
	}
	raw, err := d.cfg.Peers.Ask(ctx, e.To, AwardProtocol, award.Encode(), market.MaxStart)
	if err != nil {
		return nil, theirs(market.CodeUnreachable, err)
	}
	answer, err := market.DecodeCountersigned(raw)
	if err != nil {
		return nil, theirs(market.CodeEscrow, err)
	}
	if len(answer.Refusal) > 0 {
		return nil, &market.ContractFailed{Refusal: answer.Refusal[0]}
	}
	joined, err := wallet.DecodePartial(answer.Partial)
	if err != nil {
		return nil, theirs(market.CodeEscrow, err)
	}
	built, err := d.cfg.Wallet.SealEscrow(ctx, offer, joined)
	if err != nil {
		return nil, theirs(market.CodeEscrow, err)
	}
	start := market.Start{Job: e.Job, Tx: built.Tx.Encode(), Witness: built.Witness.Encode()}
	if err := d.blobs.write(fundingName(buyerSide, e.Job), start.Encode()); err != nil {
		return nil, own(market.CodeEscrow, errors.Join(err, d.cfg.Wallet.CancelID(built.Tx.ID())))
	}
	return built, nil
}

// cancel gives back what a transaction that nobody has reserves.
func (d *Desk) cancel(id chain.Hash) {
	if err := d.cfg.Wallet.CancelID(id); err != nil {
		d.log.Warn("a reservation is left to end by itself", "transaction", id, keyError, err)
	}
}

// abandon ends a contract under way, and gives back one that was signed too late.
func (d *Desk) abandon(ctx context.Context, e market.Abandon) {
	d.running.end(taskName{contractTask, e.Job})
	d.forgetReserved(ctx, e)
	if id, ok := d.owned.sealed[attempt{e.Job, e.Attempt}]; ok {
		d.cancel(id)
	}
}

// fund submits the funding transaction and sends it to the operator.
func (d *Desk) fund(ctx context.Context, e market.Fund) {
	raw, id, err := d.propagate(ctx, buyerSide, e.Job)
	if err != nil {
		d.log.Debug("funding not submitted", keyJob, e.Job, "transaction", id, keyError, err)
		d.post(ctx, event{buyer: market.SubmitFailed{Job: e.Job, Text: err.Error()}})
		return
	}
	d.post(ctx, event{buyer: market.Submitted{Job: e.Job, Tx: id}})
	own, stop := context.WithTimeout(ctx, 10*time.Second)
	defer stop()
	if _, err := d.cfg.Peers.Ask(own, e.To, StartProtocol, raw, market.MaxAsk); err != nil {
		d.log.Debug("operator not told of the funding", keyJob, e.Job, keyError, err) // it sees the ledger
	}
}

// propagate submits a stored funding transaction.
func (d *Desk) propagate(ctx context.Context, side byte, job chain.Hash) (raw []byte, id chain.Hash, err error) {
	if raw, err = d.blobs.read(fundingName(side, job)); err != nil {
		return nil, id, err
	}
	s, err := market.DecodeStart(raw)
	if err != nil {
		return nil, id, err
	}
	t, err := chain.DecodeTx(s.Tx)
	if err != nil {
		return nil, id, err
	}
	w, err := chain.DecodeWitness(s.Witness)
	if err != nil {
		return nil, id, err
	}
	id = t.ID()
	return raw, id, d.cfg.Ledger.Submit(ctx, t, w, nil)
}
