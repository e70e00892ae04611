package trade

import (
	"context"
	"errors"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
)

// verify checks a result as every node would. What this node cannot check yet is nobody's lie: it is
// tried again as long as the job is open.
func (d *Desk) verify(ctx context.Context, p *market.Purchase) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		begun := time.Now()
		ok, err := d.check(ctx, p)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			d.metrics.verify.Observe(time.Since(begun).Seconds())
			e := market.Verified{Job: p.ID, OK: ok}
			if !ok {
				e.Text = "the proof is missing or does not verify"
			}
			d.post(ctx, event{buyer: e})
			return
		}
		d.log.Warn("a result is not checked yet", keyJob, p.ID, keyError, err)
		sleep(ctx, pause)
		if now, found, err := d.Job(ctx, p.ID); err != nil || !found || now.Ended() {
			return
		}
	}
}

// check reports whether the stored output is proved, or for an optimistic job that it is here: its
// hash is the one that the operator has signed.
func (d *Desk) check(ctx context.Context, p *market.Purchase) (bool, error) {
	if p.Terms.Level == chain.LevelOptimistic || p.Proof == (chain.Hash{}) {
		return p.Terms.Level == chain.LevelOptimistic, nil
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
	e.Proof, err = d.blobs.get(p.Proof)
	return e, err
}

// audit computes the output of a claimed job itself, and refutes a claim of another one.
func (d *Desk) audit(ctx context.Context, p *market.Purchase, said chain.Hash) {
	if d.cfg.Works == nil {
		d.log.Warn("a claim is not checked: this node executes nothing", keyJob, p.ID)
		return
	}
	payload, err := d.blobs.get(p.Terms.Payload)
	if err != nil {
		d.log.Warn("a claim is not checked: its input is not here", keyJob, p.ID, keyError, err)
		return
	}
	final := d.cfg.Clock() + p.View.Claim[0].Final - min(p.View.Now, p.View.Claim[0].Final)
	limited, stop := d.until(ctx, final)
	defer stop()
	program, err := d.cfg.Works.Await(limited, p.Terms.Program)
	if err != nil {
		d.log.Warn("a claim is not checked: its program is not here", keyJob, p.ID, keyError, err)
		return
	}
	task := &Task{
		Job: p.ID, Program: program, Payload: payload, Payee: chain.LockHash(d.cfg.Signer.Lock()), Prove: true, Due: final,
	}
	ran, err := d.rerun(limited, task)
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

// auditAttempts is how often a run is tried that is to show a claim wrong.
const auditAttempts = 3

// rerun executes a task for this node itself.
func (d *Desk) rerun(ctx context.Context, t *Task) (ran *Ran, err error) {
	for range auditAttempts {
		ran, err = d.cfg.Works.Run(ctx, t, func(string, int, int) {})
		if err == nil || ctx.Err() != nil {
			return ran, err
		}
		d.cfg.Works.Done(t)
		t.Attempt++
	}
	return nil, err
}
