package wallet

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"

	"github.com/weisyn/wes/chain"
)

// Sign returns a copy with the wallet's signature on every input whose locks name its key, on
// any way through them.
func (w *Wallet) Sign(p *Partial) *Partial {
	p = p.clone()
	id, own := p.Tx.ID(), w.signer.Public()
	o := p.opener(chain.Env{})
	for i := range p.inputs {
		if p.inputs[i].asks(o, own) {
			s := signature{key: own}
			copy(s.bytes[:], w.signer.Sign(p.sigHash(id, i)))
			p.inputs[i].put(s)
		}
	}
	return p
}

// asks reports whether a key can help to open an input.
func (in *partialInput) asks(p *opener, k chain.PublicKey) bool {
	p.visited = 0
	if p.names(in.spent.Lock, k) {
		return true
	}
	return slices.ContainsFunc(in.steps, func(s step) bool { return s.kind == stepLock && p.names(s.lock, k) })
}

// names reports whether a lock names a key.
func (p *opener) names(l chain.Lock, k chain.PublicKey) bool {
	if p.visited++; p.visited > maxVisited {
		return false
	}
	in := func(all ...chain.Lock) bool {
		return slices.ContainsFunc(all, func(l chain.Lock) bool { return p.names(l, k) })
	}
	switch l := l.(type) {
	case chain.Key:
		return l.Key == k
	case chain.Multi:
		return slices.Contains(l.Keys, k)
	case chain.All:
		return in(l.Locks...)
	case chain.Any:
		return in(l.Locks...)
	case chain.Delegate:
		return in(l.Owner, l.Delegate)
	case chain.Address:
		behind, ok := p.known[l.Hash]
		return ok && in(behind)
	}
	return false
}

// Merge returns a copy with the signatures of both, each of which must hold.
func (p *Partial) Merge(q *Partial) (*Partial, error) {
	bare := func(p *Partial) []byte {
		p = p.clone()
		for i := range p.inputs {
			p.inputs[i].signatures = nil
		}
		return p.Encode()
	}
	if !bytes.Equal(bare(p), bare(q)) {
		return nil, fmt.Errorf("merge: %w", ErrPartial)
	}
	out, id := p.clone(), p.Tx.ID()
	for i := range q.inputs {
		for _, s := range q.inputs[i].signatures {
			h := p.sigHash(id, i)
			if !ed25519.Verify(s.key[:], h[:], s.bytes[:]) {
				return nil, fmt.Errorf("merge: %w: the signature of input %d under key %x is wrong", ErrPartial, i, s.key[:])
			}
			out.inputs[i].put(s)
		}
	}
	if out.Attachments == nil {
		out.Attachments = q.Attachments
	}
	return out, nil
}

// Finish makes the transaction of its signatures. It returns a PartialError if some are missing.
func (w *Wallet) Finish(ctx context.Context, p *Partial) (*Built, error) {
	env, err := w.ledger.Env(ctx)
	if err != nil {
		return nil, fmt.Errorf("wallet: %w", err)
	}
	return p.finish(env.Env, w.FeeToken)
}

func (p *Partial) finish(env chain.Env, feeToken chain.TokenID) (*Built, error) {
	id := p.Tx.ID()
	b := &Built{Tx: p.Tx, Attachments: p.Attachments, FeeToken: feeToken, Drawn: p.drawn}
	b.Fee = p.Tx.Fee.Of(b.FeeToken)
	var gaps []Gap
	opener := p.opener(env)
	for i := range p.inputs {
		in, h := &p.inputs[i], p.sigHash(id, i)
		opener.signs = func(k chain.PublicKey) bool {
			s, ok := in.of(k)
			return ok && ed25519.Verify(k[:], h[:], s)
		}
		o := in.open(opener)
		gaps = append(gaps, o.gaps...)
		b.Witness = append(b.Witness, in.witness(&o, func(k chain.PublicKey) []byte { s, _ := in.of(k); return s }))
	}
	if len(gaps) > 0 {
		return nil, &PartialError{p, gaps}
	}
	return b, nil
}

// Review is what a partial transaction does to a wallet.
type Review struct {
	Spends   chain.Value // by inputs that ask for the wallet's signature
	Receives chain.Value // under the wallet's own lock
	Fee      chain.Value // of the whole transaction
}

// Review sums what a partial transaction takes and gives. What its inputs hold is what the
// partial transaction says; signatures commit to it, so they are worthless if it is wrong.
func (w *Wallet) Review(p *Partial) (Review, error) {
	own, lock := w.signer.Public(), chain.LockHash(w.Lock())
	spends, receives := map[chain.TokenID]uint64{}, map[chain.TokenID]uint64{}
	o := p.opener(chain.Env{})
	for i := range p.inputs {
		if p.inputs[i].asks(o, own) {
			if err := add(spends, p.inputs[i].spent.Value); err != nil {
				return Review{}, err
			}
		}
	}
	for i := range p.Tx.Outputs {
		if out := &p.Tx.Outputs[i]; chain.LockHash(out.Lock) == lock {
			if err := add(receives, out.Value); err != nil {
				return Review{}, err
			}
		}
	}
	return Review{valueOf(spends), valueOf(receives), p.Tx.Fee}, nil
}
