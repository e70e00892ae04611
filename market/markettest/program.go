package markettest

import (
	"crypto/sha256"
	"fmt"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
)

// publisher announces the programs and is paid the royalty.
const publisher = "publisher"

// Program is a model or circuit of the world. A model turns an input into "output of INPUT". A
// circuit is satisfied by every witness that does not begin with "bad".
type Program struct {
	Name    string
	Kind    chain.JobKind
	Ref     market.Ref
	Key     chain.VerifyingKey
	Model   chain.Hash
	Royalty uint64
}

// announce publishes "model", which is free, "licensed", which asks for a royalty, and "circuit".
func (w *World) announce() error {
	n := w.ledger.net
	owner := chaintest.NewWallet(publisher)
	for i, p := range []*Program{
		{Name: "model", Kind: chain.JobInfer}, {Name: "licensed", Kind: chain.JobInfer, Royalty: 7}, {Name: "circuit", Kind: chain.JobProve},
	} {
		raw, key := chaintest.Key(10, byte(i))
		p.Key, p.Model = key, sha256.Sum256([]byte(p.Name))
		r := &chain.Resource{
			CID: []byte(p.Name), Kind: chain.ResourceModel, Size: 1, Name: p.Name, Owner: owner.Lock(), Key: &key,
			Price: chain.Coin{Amount: p.Royalty},
		}
		if p.Kind == chain.JobProve {
			r.Kind = chain.ResourcePlonk
		}
		coin := w.ledger.coins(owner.Lock(), nil)[0]
		d := n.Draft().Spend(coin, chaintest.With{Data: []any{owner}}).Pay(
			chain.Output{Lock: owner.Lock(), Body: r}, chain.Output{Lock: owner.Lock(), Value: coin.Entry.Output.Value},
		)
		d.Attachments = []chain.Attachment{n.Store.Attach(chain.AttachKey, raw)}
		s := d.Sign()
		if err := w.ledger.submit(s); err != nil {
			return fmt.Errorf("announce %s: %w", p.Name, err)
		}
		if err := w.ledger.mine(w.now, nil); err != nil {
			return err
		}
		p.Ref = market.Ref{Tx: s.ID()}
		w.programs[p.Name] = p
	}
	return nil
}

// Program returns a program by its name.
func (w *World) Program(name string) *Program { return w.programs[name] }

func (w *World) programAt(ref market.Ref) *Program {
	for _, p := range w.programs {
		if p.Ref == ref {
			return p
		}
	}
	return nil
}

// input returns the input as the ledger sees it. The public part of a witness is its first half.
func (p *Program) input(payload []byte) []byte {
	if p.Kind == chain.JobProve {
		return payload[:len(payload)/2]
	}
	return payload
}

// run executes the program; false if the witness does not satisfy it.
func (p *Program) run(payload []byte) ([]byte, bool) {
	if p.Kind == chain.JobProve {
		return []byte{}, string(payload[:min(3, len(payload))]) != "bad"
	}
	return append([]byte("output of "), payload...), true
}

// terms are the terms of a job for a client.
func (p *Program) terms(level chain.Level, client chain.PublicKey, payload []byte) market.Terms {
	t := market.Terms{
		Kind: p.Kind, Level: level, Program: p.Ref, Key: p.Key.Hash, KeyLen: p.Key.Len, KeyCost: p.Key.Cost, Model: p.Model,
		Input: sha256.Sum256(p.input(payload)), Payload: sha256.Sum256(payload), PayloadLen: uint32(len(payload)), Client: client,
	}
	if p.Royalty > 0 {
		t.Royalty, t.Owner = p.Royalty, chain.EncodeLock(chaintest.NewWallet(publisher).Lock())
	}
	return t
}

// problem is what the ledger says against a question.
func (w *World) problem(a *market.Ask) *market.Refusal {
	p, t := w.programAt(a.Terms.Program), &a.Terms
	if p == nil {
		return &market.Refusal{Code: market.CodeUnknownProgram}
	}
	want := p.terms(t.Level, t.Client, nil)
	want.Input, want.Payload, want.PayloadLen = t.Input, t.Payload, t.PayloadLen
	if want.Hash() != t.Hash() {
		return &market.Refusal{Code: market.CodeTerms, Text: "the terms are not those of the program"}
	}
	if len(w.ledger.coins(chain.Key{Key: t.Client}, nil)) == 0 {
		return &market.Refusal{Code: market.CodeNoFunds, Text: "the client has nothing"}
	}
	return nil
}

// claim is what a proof of a job shows.
func claimOf(id chain.Hash, e *chain.JobEscrow, payee chain.Lock, input, output []byte) chain.Claim {
	return chain.Claim{
		Kind: e.Kind, Key: e.Key, Chain: id, Job: e.Job, Payee: chain.LockHash(payee), Model: e.Model,
		Input: sha256.Sum256(input), Output: sha256.Sum256(output),
	}
}
