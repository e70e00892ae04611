package wallet

import (
	"context"
	"fmt"

	"github.com/weisyn/wes/chain"
)

// basisPoints is the number of basis points in a whole.
const basisPoints = 10_000

// fraction returns ⌊n · points / 10,000⌋, of at most 10,000 points.
func fraction(n, points uint64) uint64 {
	return n/basisPoints*points + n%basisPoints*points/basisPoints
}

// Evidence is what a proof is attached with.
type Evidence struct{ Input, Output, Proof []byte }

// Accept builds the client's transaction that pays the operator, with its fee from the reserve.
func (w *Wallet) Accept(ctx context.Context, escrow chain.UTXO) (*Built, error) {
	e, err := stateOf[*chain.JobEscrow](&escrow)
	if err != nil {
		return nil, err
	}
	return w.leave(ctx, e, &plan{}, spend{
		utxo: escrow, exit: chain.EscrowAccept,
		steps:   func(used uint64) []step { return []step{unlock(e.Client), number(used)} },
		segment: func(used uint64) []chain.Output { return paid(e, e.Price, used) },
	})
}

// Prove builds the operator's transaction that shows a proof and is paid for it, with its fee from the
// reserve: the whole price up to the due time, half of it up to the late one.
func (w *Wallet) Prove(ctx context.Context, escrow chain.UTXO, ev Evidence) (*Built, error) {
	e, err := stateOf[*chain.JobEscrow](&escrow)
	if err != nil {
		return nil, err
	}
	env, err := w.ledger.Env(ctx)
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	exit, price, p := chain.EscrowProve, e.Price, &plan{until: e.Due}
	if env.Now > e.Due {
		exit, price, p = chain.EscrowLate, e.Price/2, &plan{from: e.Due + 1, until: e.Late}
	}
	output, named := w.attach(p, e, e.Operator, env.Chain, ev)
	return w.leave(ctx, e, p, spend{
		utxo: escrow, exit: exit,
		steps: func(used uint64) []step {
			return append(append([]step{unlock(e.Operator)}, named...), number(used))
		},
		segment: func(used uint64) []chain.Output { return append(paid(e, price, used), receipt(e, output, price)) },
	})
}

// Release builds the operator's transaction that gives the job up for a share of the bond.
func (w *Wallet) Release(ctx context.Context, escrow chain.UTXO) (*Built, error) {
	e, err := stateOf[*chain.JobEscrow](&escrow)
	if err != nil {
		return nil, err
	}
	env, err := w.ledger.Env(ctx)
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	half := e.Start + (e.Due-e.Start)/2
	points, p := w.Params.ReleaseLate, &plan{from: half, until: e.Late}
	if env.Now < half {
		points, p = w.Params.ReleaseEarly, &plan{until: half - 1}
	}
	share := fraction(e.Bond, points)
	outputs := owe(refund(e, share), e.Operator, e.Token, e.Bond-share)
	p.inputs = []spend{{
		utxo: escrow, exit: chain.EscrowRelease, steps: takes(unlock(e.Operator)), segment: demands(outputs...),
	}}
	return w.build(ctx, p)
}

// Missed builds the client's transaction that takes its money back after the late time.
func (w *Wallet) Missed(ctx context.Context, escrow chain.UTXO) (*Built, error) {
	e, err := stateOf[*chain.JobEscrow](&escrow)
	if err != nil {
		return nil, err
	}
	share := fraction(e.Bond, w.Params.Missed)
	outputs := owe(refund(e, share), chain.Burn(), e.Token, e.Bond-share)
	return w.build(ctx, &plan{
		inputs: []spend{{
			utxo: escrow, exit: chain.EscrowMissed, steps: takes(unlock(e.Client)), segment: demands(outputs...),
		}},
		from: e.Late + 1,
	})
}

// leave builds an exit that may use the fee reserve.
func (w *Wallet) leave(ctx context.Context, e *chain.JobEscrow, p *plan, s spend) (*Built, error) {
	p.inputs = []spend{s}
	if e.Token == w.FeeToken {
		p.reserve = e.FeeReserve
	}
	return w.build(ctx, p)
}

// attach adds the evidence of a proof that pays a payee, and returns the hash of the output and
// the steps that name the attachments.
func (w *Wallet) attach(p *plan, e *chain.JobEscrow, payee chain.Lock, id chain.Hash, ev Evidence) (chain.Hash, []step) {
	p.attachments = []attached{{chain.AttachInput, ev.Input}, {chain.AttachOutput, ev.Output}, {chain.AttachProof, ev.Proof}}
	in, out, proof := p.attachments[0].named(), p.attachments[1].named(), p.attachments[2].named()
	p.cost = w.ProofCost(&chain.Claim{
		Kind: e.Kind, Key: e.Key, Chain: id, Job: e.Job, Payee: chain.LockHash(payee), Model: e.Model,
		Input: in.SHA256, Output: out.SHA256, Proof: proof.SHA256, InputLen: in.Len, OutputLen: out.Len, ProofLen: proof.Len,
	})
	return out.SHA256, []step{number(0), number(1), number(2)}
}

// owe appends an asset; of nothing, no output.
func owe(all []chain.Output, l chain.Lock, token chain.TokenID, amount uint64) []chain.Output {
	if amount == 0 {
		return all
	}
	return append(all, chain.Output{Lock: l, Value: chain.Tokens(token, amount)})
}

// paid is what a done job pays: price is at most the escrow's, the rest goes back.
func paid(e *chain.JobEscrow, price, used uint64) []chain.Output {
	all := owe(nil, e.Operator, e.Token, price+e.Bond)
	all = owe(all, e.Royalty.Lock, e.Token, e.Royalty.Amount)
	return owe(all, e.Client, e.Token, e.Price-price+e.FeeReserve-used)
}

// refund is all of the client's money, and a share of the bond.
func refund(e *chain.JobEscrow, share uint64) []chain.Output {
	return owe(nil, e.Client, e.Token, e.Price+e.Royalty.Amount+e.FeeReserve+share)
}

func receipt(e *chain.JobEscrow, output chain.Hash, price uint64) chain.Output {
	r := chain.Receipt{
		Job: e.Job, Kind: e.Kind, Level: e.Level, Model: e.Model, Input: e.Input, Output: output,
		Operator: chain.LockHash(e.Operator), Paid: chain.Coin{Token: e.Token, Amount: price},
	}
	return chain.Output{Lock: e.Client, Body: r.State()}
}
