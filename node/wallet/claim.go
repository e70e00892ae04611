package wallet

import (
	"context"
	"fmt"
	"math"

	"github.com/weisyn/wes/chain"
)

// Claim builds the operator's transaction that says the output of an optimistic job. It attaches
// input and output; a fee comes from the reserve.
func (w *Wallet) Claim(ctx context.Context, escrow chain.UTXO, input, output []byte) (*Built, error) {
	p := &plan{attachments: []attached{{chain.AttachInput, input}, {chain.AttachOutput, output}}}
	said := p.attachments[1].named().SHA256
	return w.claim(ctx, escrow, p, chain.EscrowClaim, w.Params.ClaimWindow, []step{number(0), number(1)},
		func(e chain.JobEscrow, final uint64) *chain.State {
			c := chain.OptClaim{Escrow: e, Output: said, Final: final}
			return c.State()
		})
}

// ClaimInvalid builds the operator's transaction that says that the witness of a job of kind prove
// does not satisfy the circuit.
func (w *Wallet) ClaimInvalid(ctx context.Context, escrow chain.UTXO) (*Built, error) {
	return w.claim(ctx, escrow, &plan{}, chain.EscrowInvalid, w.Params.InvalidWindow, nil,
		func(e chain.JobEscrow, final uint64) *chain.State {
			c := chain.InvalidClaim{Escrow: e, Final: final}
			return c.State()
		})
}

// claim builds an exit to a claim. Its window ends so that the instant of finality stays far
// enough ahead.
func (w *Wallet) claim(
	ctx context.Context, escrow chain.UTXO, p *plan, exit uint32, window uint64, named []step,
	state func(chain.JobEscrow, uint64) *chain.State,
) (*Built, error) {
	e, err := stateOf[*chain.JobEscrow](&escrow)
	if err != nil {
		return nil, err
	}
	env, err := w.ledger.Env(ctx)
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	if env.Now > e.Due {
		return nil, fmt.Errorf("claim: %w: due at %d, it is %d", ErrTime, e.Due, env.Now)
	}
	p.until = min(e.Due, max(env.Now, w.Clock())+w.Lifetime)
	final := p.until + min(window, math.MaxUint64-p.until)
	return w.leave(ctx, e, p, spend{
		utxo: escrow, exit: exit,
		steps: func(used uint64) []step {
			return append(append([]step{unlock(e.Operator)}, named...), number(final), number(used))
		},
		segment: func(used uint64) []chain.Output {
			held := *e
			held.FeeReserve -= used
			sum, _ := held.Total()
			return []chain.Output{{Lock: chain.Open(), Value: chain.Tokens(e.Token, sum), Body: state(held, final)}}
		},
	})
}

// claimed is a claim of either kind.
type claimed struct {
	escrow *chain.JobEscrow
	final  uint64
	output chain.Hash
	wrong  bool // of an invalid witness
}

func claimOf(u *chain.UTXO) (claimed, error) {
	if c, err := stateOf[*chain.OptClaim](u); err == nil {
		return claimed{&c.Escrow, c.Final, c.Output, false}, nil
	}
	c, err := stateOf[*chain.InvalidClaim](u)
	if err != nil {
		return claimed{}, err
	}
	return claimed{&c.Escrow, c.Final, chain.Hash{}, true}, nil
}

// Final builds the operator's transaction that is paid for a claim that stood.
func (w *Wallet) Final(ctx context.Context, claim chain.UTXO) (*Built, error) {
	c, err := claimOf(&claim)
	if err != nil {
		return nil, err
	}
	e := c.escrow
	segment := func(used uint64) []chain.Output { return append(paid(e, e.Price, used), receipt(e, c.output, e.Price)) }
	if c.wrong {
		fee := fraction(e.Price, w.Params.InvalidFee)
		segment = func(used uint64) []chain.Output {
			all := owe(nil, e.Operator, e.Token, fee+e.Bond)
			return owe(all, e.Client, e.Token, e.Price-fee+e.Royalty.Amount+e.FeeReserve-used)
		}
	}
	return w.leave(ctx, e, &plan{from: c.final}, spend{
		utxo: claim, exit: chain.ClaimFinal, segment: segment,
		steps: func(used uint64) []step { return []step{unlock(e.Operator), number(used)} },
	})
}

// Refute builds a transaction that shows a proof against a claim, made for the wallet's lock: of
// another output, or for a claim of an invalid witness of any.
func (w *Wallet) Refute(ctx context.Context, claim chain.UTXO, ev Evidence) (*Built, error) {
	c, err := claimOf(&claim)
	if err != nil {
		return nil, err
	}
	env, err := w.ledger.Env(ctx)
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	e := c.escrow
	client, prover := fraction(e.Bond, w.Params.FraudClient), fraction(e.Bond, w.Params.FraudProver)
	outputs := owe(refund(e, client), w.Lock(), e.Token, prover)
	outputs = owe(outputs, chain.Burn(), e.Token, e.Bond-client-prover)
	p := &plan{until: c.final - min(c.final, 1)}
	_, named := w.attach(p, e, w.Lock(), env.Chain, ev)
	p.inputs = []spend{{
		utxo: claim, exit: chain.ClaimRefute, segment: demands(outputs...),
		steps: takes(append([]step{data(chain.EncodeLock(w.Lock()))}, named...)...),
	}}
	return w.build(ctx, p)
}
