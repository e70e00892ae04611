package trade

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/wallet"
)

// sell carries out an effect of the operator. Whatever waits for somebody runs beside the owner.
func (d *Desk) sell(ctx context.Context, e market.Effect) {
	switch e := e.(type) {
	case market.Reply:
		d.metrics.answered(d.owned.tickets[e.Ticket].kind, &e)
		d.answer(e.Ticket, encodeReply(&e))
	case market.Deliver:
		d.work.Go(func() { d.deliver(ctx, e) })
	case market.Countersign:
		d.work.Go(func() { d.countersign(ctx, e) })
	case market.Disengage:
		d.disengage(e.Job)
		d.forgo(e)
	case market.Propagate:
		d.work.Go(func() { d.propagateSale(ctx, e.Job) })
	case market.Run:
		s, _ := d.owned.seller.Sale(e.Job)
		own, done := d.running.begin(ctx, taskName{runTask, e.Job})
		d.work.Go(func() { defer done(); d.runJob(own, ctx, e, &s) })
	case market.Halt:
		d.running.end(taskName{runTask, e.Job})
	case market.Settle:
		s, _ := d.owned.seller.Sale(e.Job)
		d.work.Go(func() {
			d.settle(ctx, e, settlement{side: sellerSide, view: s.View, escrow: s.Escrow, proof: s.Proof, output: s.Output, payload: s.Terms.Input})
		})
	default:
		panic(fmt.Sprintf("BUG: effect %T of the operator", e))
	}
}

func encodeReply(r *market.Reply) []byte {
	switch {
	case r.Answer != nil:
		return r.Answer.Encode()
	case r.Countersigned != nil:
		return r.Countersigned.Encode()
	}
	return nil
}

// answer gives the waiting request what to send; nil refuses it.
func (d *Desk) answer(t market.Ticket, raw []byte) {
	if waiting, ok := d.owned.tickets[t]; ok {
		waiting.answer <- raw
		delete(d.owned.tickets, t)
	}
}

// deliver signs and sends what a client has waited for.
func (d *Desk) deliver(ctx context.Context, e market.Deliver) {
	n := e.Delivery
	if e.Signed {
		digest := e.Result.Digest(d.cfg.Chain)
		n.Result, n.Signature = e.Result.Encode(), d.cfg.Signer.Sign(digest)
	}
	if e.Signed && n.Revealed {
		var err error
		if n.Output, err = d.blobs.get(e.Output); err == nil && e.Proof != (chain.Hash{}) {
			n.Proof, err = d.blobs.get(e.Proof)
		}
		if err != nil {
			d.running.fail(fmt.Errorf("deliver a result: %w", err))
			return
		}
	}
	raw := n.Encode()
	d.post(ctx, event{do: func(context.Context, uint64) {
		if !e.Signed || !n.Revealed || d.noteDelivery(e) {
			d.then(func() { d.answer(e.Ticket, raw) })
		}
	}})
}

// countersign checks what the client wants and makes the operator's half of the funding.
func (d *Desk) countersign(ctx context.Context, e market.Countersign) {
	var partial *wallet.Partial
	refusal := d.takePayload(ctx, e)
	if refusal == nil && e.Award.Channel != (chain.Hash{}) {
		d.post(ctx, event{do: func(ctx context.Context, now uint64) { d.accept(ctx, now, e) }})
		return
	}
	if refusal == nil {
		partial, refusal = d.join(ctx, e)
	}
	told := market.Signed{Job: e.Job, Refusal: refusal}
	if refusal == nil {
		told.Partial, told.Until = partial.Encode(), partial.Tx.Until
	}
	d.post(ctx, event{do: func(ctx context.Context, _ uint64) {
		if refusal == nil {
			d.owned.sealed[attempt{job: e.Job}] = partial.Tx.ID()
		}
		d.step(ctx, event{seller: told})
	}})
}

// takePayload stores what a job is about, if it fits.
func (d *Desk) takePayload(ctx context.Context, e market.Countersign) *market.Refusal {
	t := &e.Award.Ask.Terms
	program, offered := d.cfg.Works.Program(t.Program)
	if !offered {
		return &market.Refusal{Code: market.CodeUnknownProgram}
	}
	if sha256.Sum256(e.Award.Payload) != t.Payload {
		return &market.Refusal{Code: market.CodeBadInput, Text: "the payload is not the one of the terms"}
	}
	input, refusal := d.cfg.Works.Check(ctx, &program, e.Award.Payload)
	if refusal != nil {
		return refusal
	}
	if sha256.Sum256(input) != t.Input {
		return &market.Refusal{Code: market.CodeBadInput, Text: "the input is not the one of the terms"}
	}
	if err := d.keep(e.Award.Payload, input); err != nil {
		d.running.fail(err)
		return &market.Refusal{Code: market.CodeBusy}
	}
	return nil
}

// join makes the operator's half of the funding.
func (d *Desk) join(ctx context.Context, e market.Countersign) (*wallet.Partial, *market.Refusal) {
	offer, err := wallet.DecodePartial(e.Award.Offer)
	if err != nil {
		return nil, &market.Refusal{Code: market.CodeEscrow, Text: clip(err.Error())}
	}
	joined, err := d.cfg.Wallet.JoinEscrow(ctx, offer, e.Escrow)
	if err != nil {
		return nil, joinRefusal(err)
	}
	return joined, nil
}

// joinRefusal tells the client no more of the operator's money than that there is too little.
func joinRefusal(err error) *market.Refusal {
	var funds *wallet.FundsError
	if errors.As(err, &funds) {
		return &market.Refusal{Code: market.CodeCapped, Text: "the operator cannot bind another bond now"}
	}
	return &market.Refusal{Code: market.CodeEscrow, Text: clip(err.Error())}
}

func (d *Desk) keep(all ...[]byte) error {
	for _, b := range all {
		if _, err := d.blobs.put(b); err != nil {
			return err
		}
	}
	return nil
}

// disengage gives back what a countersigned escrow reserves. Once it is funded that has no effect
// worth mentioning: the ledger has spent it.
func (d *Desk) disengage(job chain.Hash) {
	if id, ok := d.owned.sealed[attempt{job: job}]; ok {
		delete(d.owned.sealed, attempt{job: job})
		d.cancel(id)
	}
}

func (d *Desk) propagateSale(ctx context.Context, job chain.Hash) {
	_, id, err := d.propagate(ctx, sellerSide, job)
	if err != nil {
		d.post(ctx, event{seller: market.SubmitFailed{Job: job, Text: err.Error()}})
		return
	}
	d.post(ctx, event{seller: market.Submitted{Job: job, Tx: id}})
}

// runJob executes a job. own ends when the run is to end, ctx when the desk does.
func (d *Desk) runJob(own, ctx context.Context, e market.Run, s *market.Sale) {
	task, told := d.task(own, e, s)
	if task != nil {
		told = d.execute(own, ctx, task, s)
	}
	if own.Err() != nil {
		return // whoever ended it waits for nothing
	}
	told.Job = e.Job
	d.post(ctx, event{do: func(ctx context.Context, _ uint64) {
		d.step(ctx, event{seller: told})
		if task != nil {
			d.then(func() { d.cfg.Works.Done(task) })
		}
	}})
}

// task is what a job asks for; nil with the reason if it cannot be done.
func (d *Desk) task(own context.Context, e market.Run, s *market.Sale) (*Task, market.RunEnded) {
	program, err := d.cfg.Works.Await(own, s.Terms.Program)
	if err != nil {
		return nil, market.RunEnded{Code: market.CodeUnknownProgram, Text: err.Error()}
	}
	payload, err := d.blobs.get(s.Terms.Payload)
	if err != nil {
		return nil, market.RunEnded{Code: market.CodeExecution, Text: err.Error()}
	}
	escrow := s.AgreedEscrow()
	return &Task{
		Job: e.Job, Program: program, Payload: payload, Payee: chain.LockHash(escrow.Operator), Device: e.Device, Prove: e.Prove,
		Due: escrow.Due, Attempt: s.Attempts,
	}, market.RunEnded{}
}

func (d *Desk) execute(own, ctx context.Context, t *Task, s *market.Sale) market.RunEnded {
	ran, err := d.cfg.Works.Run(own, t, func(stage string, done, total int) {
		d.post(ctx, event{seller: market.RunProgressed{Job: t.Job, Stage: stage, Done: uint32(done), Total: uint32(total)}})
	})
	var failed *RunError
	switch {
	case errors.As(err, &failed):
		return market.RunEnded{Code: failed.Code, Text: failed.Text}
	case err != nil:
		return market.RunEnded{Code: market.CodeExecution, Text: err.Error()}
	}
	told := market.RunEnded{Took: ran.Took, Memory: ran.Memory}
	if told.Output, err = d.blobs.put(ran.Output); err == nil && len(ran.Proof) > 0 {
		told.Proof, err = d.blobs.put(ran.Proof)
	}
	if err != nil {
		d.running.fail(err)
	}
	d.metrics.ran(s, ran)
	return told
}
