package markettest

import (
	"errors"
	"fmt"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
)

// evidence is what a transaction attaches.
type evidence struct{ input, output, proof []byte }

// settlementFee is what a settlement takes from the fee reserve, at most.
const settlementFee = 5

// settle builds and submits the transaction of an exit.
func (p *peer) settle(x market.Exit, v *market.View, ev evidence) (chain.Hash, error) {
	s, err := p.exit(x, v, ev)
	if err != nil {
		return chain.Hash{}, err
	}
	return s.ID(), p.submit(s)
}

// submit gives a transaction to the mempool, which may lose it.
func (p *peer) submit(s chaintest.Signed) error {
	if p.w.lost() {
		return nil
	}
	if err := p.w.ledger.submit(s); err != nil {
		return err
	}
	p.w.changed()
	return nil
}

// exit builds the transaction of an exit, signed by this peer.
func (p *peer) exit(x market.Exit, v *market.View, ev evidence) (chaintest.Signed, error) {
	u, found := p.w.ledger.output(v.Output.Outpoint())
	if !found {
		return chaintest.Signed{}, errors.New("the money is not to be seen")
	}
	read, err := chain.DecodeState(u.Entry.Output.Body.(*chain.State))
	if err != nil {
		return chaintest.Signed{}, err
	}
	d := &leaving{peer: p, Draft: p.w.ledger.net.Draft(), u: u, now: p.w.ledger.net.Now(), ev: ev}
	switch s := read.(type) {
	case *chain.JobEscrow:
		err = d.escrow(x, s)
	case *chain.OptClaim:
		err = d.claim(x, &s.Escrow, s.Output)
	case *chain.InvalidClaim:
		err = d.claim(x, &s.Escrow, chain.Hash{})
	}
	return d.Sign(), err
}

// leaving is a transaction that spends an escrow or claim.
type leaving struct {
	*peer
	*chaintest.Draft
	u   chain.UTXO
	now uint64
	ev  evidence
}

func (d *leaving) spend(exit uint32, choices []uint64, outputs []chain.Output) {
	d.Spend(d.u, chaintest.With{Exit: exit, Choices: choices, Data: []any{d.wallet}}).Pay(outputs...)
}

func (d *leaving) escrow(x market.Exit, e *chain.JobEscrow) error {
	params := &d.w.ledger.net.Params
	used := min(e.FeeReserve, settlementFee)
	switch x {
	case market.ExitAccept:
		d.Fee = chain.Native(used)
		d.spend(chain.EscrowAccept, []uint64{used}, paid(e, e.Price, used))
	case market.ExitProve, market.ExitLate:
		exit, price := chain.EscrowProve, e.Price
		if x == market.ExitLate {
			exit, price = chain.EscrowLate, e.Price/2
		}
		d.Fee = chain.Native(used)
		output := d.attach(true)
		d.spend(exit, []uint64{0, 1, 2, used}, append(paid(e, price, used), receipt(e, output, price)))
	case market.ExitRelease:
		points := params.ReleaseLate
		if d.now < e.Start+(e.Due-e.Start)/2 {
			points = params.ReleaseEarly
		}
		share := e.Bond * points / 10_000
		d.spend(chain.EscrowRelease, nil, owe(refund(e, share), e.Operator, e.Bond-share))
	case market.ExitMissed:
		share := e.Bond * params.Missed / 10_000
		d.spend(chain.EscrowMissed, nil, owe(refund(e, share), chain.Burn(), e.Bond-share))
	case market.ExitClaim, market.ExitInvalid:
		d.claiming(x, e, used)
	default:
		return fmt.Errorf("no exit %v of an escrow", x)
	}
	return nil
}

// claimSlack is how long a claim may wait for its block, in ms.
const claimSlack = 60_000

func (d *leaving) claiming(x market.Exit, e *chain.JobEscrow, used uint64) {
	params := &d.w.ledger.net.Params
	held := *e
	held.FeeReserve -= used
	total, _ := held.Total()
	d.Fee = chain.Native(used)
	if x == market.ExitInvalid {
		final := d.now + claimSlack + params.InvalidWindow
		c := chain.InvalidClaim{Escrow: held, Final: final}
		d.spend(chain.EscrowInvalid, []uint64{final, used}, []chain.Output{{Lock: chain.Open(), Value: chain.Native(total), Body: c.State()}})
		return
	}
	final := d.now + claimSlack + params.ClaimWindow
	c := chain.OptClaim{Escrow: held, Output: d.attach(false), Final: final}
	d.spend(chain.EscrowClaim, []uint64{0, 1, final, used}, []chain.Output{{Lock: chain.Open(), Value: chain.Native(total), Body: c.State()}})
}

func (d *leaving) claim(x market.Exit, e *chain.JobEscrow, said chain.Hash) error {
	params := &d.w.ledger.net.Params
	switch x {
	case market.ExitFinal:
		used := min(e.FeeReserve, settlementFee)
		d.Fee = chain.Native(used)
		outputs := append(paid(e, e.Price, used), receipt(e, said, e.Price))
		if said == (chain.Hash{}) {
			pay := e.Price * params.InvalidFee / 10_000
			outputs = owe(owe(nil, e.Operator, pay+e.Bond), e.Client, e.Price-pay+e.Royalty.Amount+e.FeeReserve-used)
		}
		d.spend(chain.ClaimFinal, []uint64{used}, outputs)
	case market.ExitRefute:
		client, prover := e.Bond*params.FraudClient/10_000, e.Bond*params.FraudProver/10_000
		outputs := owe(owe(refund(e, client), d.wallet.Lock(), prover), chain.Burn(), e.Bond-client-prover)
		d.attach(true)
		d.Spend(d.u, chaintest.With{
			Exit: chain.ClaimRefute, Choices: []uint64{0, 1, 2}, Data: []any{chain.EncodeLock(d.wallet.Lock())},
		}).Pay(outputs...)
	default:
		return fmt.Errorf("no exit %v of a claim", x)
	}
	return nil
}

// attach attaches input, output and, if asked for, proof, and returns the hash of the output.
func (d *leaving) attach(proof bool) chain.Hash {
	store := d.w.ledger.net.Store
	in, out := store.Attach(chain.AttachInput, d.ev.input), store.Attach(chain.AttachOutput, d.ev.output)
	d.Attachments = []chain.Attachment{in, out}
	if proof {
		d.Attachments = append(d.Attachments, store.Attach(chain.AttachProof, d.ev.proof))
	}
	return out.SHA256
}

// paid is what a done job pays: price is at most the escrow's, the rest goes back.
func paid(e *chain.JobEscrow, price, used uint64) []chain.Output {
	all := owe(nil, e.Operator, price+e.Bond)
	all = owe(all, e.Royalty.Lock, e.Royalty.Amount)
	return owe(all, e.Client, e.Price-price+e.FeeReserve-used)
}

// refund is all of the client's money, and a share of the bond.
func refund(e *chain.JobEscrow, share uint64) []chain.Output {
	return owe(nil, e.Client, e.Price+e.Royalty.Amount+e.FeeReserve+share)
}

func owe(all []chain.Output, l chain.Lock, amount uint64) []chain.Output {
	if amount == 0 {
		return all
	}
	return append(all, chain.Output{Lock: l, Value: chain.Native(amount)})
}

func receipt(e *chain.JobEscrow, output chain.Hash, price uint64) chain.Output {
	r := chain.Receipt{
		Job: e.Job, Kind: e.Kind, Level: e.Level, Model: e.Model, Input: e.Input, Output: output,
		Operator: chain.LockHash(e.Operator), Paid: chain.Coin{Amount: price},
	}
	return chain.Output{Lock: e.Client, Body: r.State()}
}

// describe names what a transaction does to jobs.
func (w *World) describe(s chaintest.Signed) (all []string) {
	for i, in := range s.Witness {
		e, claim := w.ledger.escrowSpent(s.Tx.Inputs[i])
		if e == nil {
			continue
		}
		x := market.ExitOf(in.Exit)
		if claim && in.Exit == chain.ClaimRefute {
			x = market.ExitRefute
		} else if claim {
			x = market.ExitFinal
		}
		all = append(all, fmt.Sprintf("%v %s", x, w.name(e.Job)))
	}
	for i := range s.Tx.Outputs {
		if e, claim := escrowOf(&s.Tx.Outputs[i]); e != nil && !claim {
			all = append(all, fmt.Sprintf("fund %s price=%d bond=%d", w.name(e.Job), e.Price, e.Bond))
		}
	}
	return all
}

// escrowOf reads the escrow of an output, also that of a claim.
func escrowOf(o *chain.Output) (e *chain.JobEscrow, claim bool) {
	s, ok := o.Body.(*chain.State)
	if !ok {
		return nil, false
	}
	read, err := chain.DecodeState(s)
	if err != nil {
		return nil, false
	}
	switch s := read.(type) {
	case *chain.JobEscrow:
		return s, false
	case *chain.OptClaim:
		return &s.Escrow, true
	case *chain.InvalidClaim:
		return &s.Escrow, true
	}
	return nil, false
}

// escrowSpent finds the escrow that an output of a block or the mempool was.
func (l *ledger) escrowSpent(o chain.Outpoint) (*chain.JobEscrow, bool) {
	for _, b := range append(l.blocks[:len(l.blocks):len(l.blocks)], l.pool) {
		for _, s := range b {
			if s.ID() == o.Tx && int(o.Index) < len(s.Tx.Outputs) {
				return escrowOf(&s.Tx.Outputs[o.Index])
			}
		}
	}
	return nil, false
}
