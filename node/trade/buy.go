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
	return raw, t.ID(), d.cfg.Ledger.Submit(ctx, t, w, nil)
}

const (
	// collectWait is how long an operator may keep a request for news.
	collectWait = 20 * time.Second
	// Between failed requests there is a pause, which doubles.
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// collect asks for news until ctx ends or the result is here.
func (d *Desk) collect(ctx context.Context, e market.CollectFrom) {
	var seen uint64
	pause := firstPause
	for ctx.Err() == nil {
		n, err := d.collectOnce(ctx, e, seen)
		if err != nil {
			d.log.Debug("no news of a job", keyJob, e.Job, keyPeer, e.To.Peer, keyError, err)
			sleep(ctx, pause)
			pause = min(2*pause, lastPause)
			continue
		}
		if pause = firstPause; len(n.Result) > 0 {
			d.receive(ctx, n)
			return
		}
		seen = n.Version
		d.post(ctx, event{buyer: market.Progressed{
			Job: e.Job, Execution: n.Execution, Code: n.Code, Stage: n.Stage, Done: n.Done, Total: n.Total, Device: n.Device,
		}})
	}
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (d *Desk) collectOnce(ctx context.Context, e market.CollectFrom, seen uint64) (*market.Delivery, error) {
	ctx, stop := context.WithTimeout(ctx, 2*collectWait)
	defer stop()
	q := market.Collect{Job: e.Job, Seen: seen, Reveal: e.Reveal}
	raw, err := d.cfg.Peers.Ask(ctx, e.To, CollectProtocol, q.Encode(), market.MaxDelivery)
	if err != nil {
		return nil, err
	}
	n, err := market.DecodeDelivery(raw)
	if err == nil && n.Job != e.Job {
		err = fmt.Errorf("%w: news of another job", market.ErrMessage)
	}
	return n, err
}

// receive stores a result and reports it.
func (d *Desk) receive(ctx context.Context, n *market.Delivery) {
	e := market.Delivered{Job: n.Job, Result: n.Result, Signature: n.Signature, Revealed: n.Revealed}
	if n.Revealed {
		var err error
		if e.Output, err = d.blobs.put(n.Output); err == nil && len(n.Proof) > 0 {
			e.Proof, err = d.blobs.put(n.Proof)
		}
		if err != nil {
			d.running.fail(err)
			return
		}
	}
	d.post(ctx, event{buyer: e})
}

// verify checks a result as every node would.
func (d *Desk) verify(ctx context.Context, p *market.Purchase) {
	begun := time.Now()
	ok, err := d.check(ctx, p)
	if ctx.Err() != nil {
		return
	}
	d.metrics.verify.Observe(time.Since(begun).Seconds())
	e := market.Verified{Job: p.ID, OK: ok && err == nil}
	switch {
	case err != nil:
		e.Text = err.Error()
	case !ok:
		e.Text = "the proof does not verify"
	}
	d.post(ctx, event{buyer: e})
}

// check reports whether the stored output is proved, or for an optimistic job that it is here: its
// hash is the one that the operator has signed.
func (d *Desk) check(ctx context.Context, p *market.Purchase) (bool, error) {
	if p.Terms.Level == chain.LevelOptimistic {
		return true, nil
	}
	evidence, err := d.evidence(ctx, p)
	if err != nil {
		return false, err
	}
	e := p.AgreedEscrow()
	return d.cfg.Proofs.Verify(&chain.Claim{
		Kind: e.Kind, Key: e.Key, Chain: d.cfg.Chain, Job: e.Job, Payee: chain.LockHash(e.Operator), Model: e.Model,
		Input: e.Input, Output: p.Output, Proof: p.Proof,
		InputLen: uint32(len(evidence.Input)), OutputLen: uint32(len(evidence.Output)), ProofLen: uint32(len(evidence.Proof)),
	}, evidence)
}

// evidence reads what a proof is about. The input of a job of kind prove is the public part of its
// payload, which was stored beside it.
func (d *Desk) evidence(ctx context.Context, p *market.Purchase) (*chain.Evidence, error) {
	key, found, err := d.cfg.Ledger.Key(ctx, p.Terms.Key)
	if err == nil && !found {
		err = errors.New("the ledger does not have the verifying key")
	}
	if err != nil {
		return nil, err
	}
	e := &chain.Evidence{Key: key}
	if e.Input, err = d.blobs.get(p.Terms.Input); err != nil {
		return nil, err
	}
	if e.Output, err = d.blobs.get(p.Output); err != nil {
		return nil, err
	}
	if p.Proof == (chain.Hash{}) {
		return nil, errors.New("there is no proof")
	}
	e.Proof, err = d.blobs.get(p.Proof)
	return e, err
}

// audit computes the output of a claimed job itself, and refutes a claim of another one.
func (d *Desk) audit(ctx context.Context, p *market.Purchase, said chain.Hash) {
	if d.cfg.Works == nil {
		d.log.Warn("a claim is not checked: this node executes nothing", keyJob, p.ID)
		return
	}
	program, offered := d.cfg.Works.Program(p.Terms.Program)
	payload, err := d.blobs.get(p.Terms.Payload)
	if err != nil || !offered {
		d.cfg.Works.Want(p.Terms.Program)
		d.log.Warn("a claim is not checked: the program or its input is not here", keyJob, p.ID, keyError, err)
		return
	}
	task := &Task{
		Job: p.ID, Program: program, Payload: payload, Payee: chain.LockHash(d.cfg.Signer.Lock()), Prove: true,
		Due: p.View.Now + d.cfg.Params.ClaimWindow,
	}
	ran, err := d.cfg.Works.Run(ctx, task, func(string, int, int) {})
	if err != nil {
		d.log.Warn("a claim is not checked", keyJob, p.ID, keyError, err)
		return
	}
	output, err := d.blobs.put(ran.Output)
	if err != nil {
		d.running.fail(err)
		return
	}
	d.cfg.Works.Done(task)
	if output == said {
		return
	}
	proof, err := d.blobs.put(ran.Proof)
	if err != nil {
		d.running.fail(err)
		return
	}
	d.settle(ctx, market.Settle{Job: p.ID, Exit: market.ExitRefute}, settlement{
		side: buyerSide, view: p.View, escrow: p.Escrow, proof: proof, output: output, payload: p.Terms.Input,
	})
}
