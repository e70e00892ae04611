package wallet

import (
	"fmt"
	"slices"

	"github.com/weisyn/wes/chain"
)

// assemble makes the transaction with some fee, without signatures.
func (w *Wallet) assemble(c *coins, p *plan, fee, drawn uint64) (*Partial, error) {
	chosen, err := w.choose(c, p, fee, drawn)
	if err != nil {
		return nil, err
	}
	part := &Partial{Tx: &chain.Tx{Chain: c.env.Chain}, drawn: drawn}
	if p.offer != nil {
		part = p.offer.extended()
	}
	t := part.Tx
	t.Until = p.until
	part.add(p, chosen, drawn)
	for _, u := range p.references {
		t.References = append(t.References, u.Outpoint)
	}
	for _, a := range p.attachments {
		t.Attachments = append(t.Attachments, a.named())
		part.Attachments = append(part.Attachments, a.bytes)
	}
	if err := w.giveBack(c, p, part, chosen, fee, drawn); err != nil {
		return nil, err
	}
	part.reveal(w.known(), w.secrets())
	return part, nil
}

// extended copies what is added to.
func (p *Partial) extended() *Partial {
	q, t := p.clone(), *p.Tx
	t.Inputs, t.Outputs, t.Fee = slices.Clone(t.Inputs), slices.Clone(t.Outputs), slices.Clone(t.Fee)
	q.Tx = &t
	q.known, q.secrets = slices.Clone(p.known), slices.Clone(p.secrets)
	return q
}

// add appends the inputs and outputs of a plan.
func (p *Partial) add(plan *plan, coins []chain.UTXO, drawn uint64) {
	t, first := p.Tx, len(p.inputs)
	for _, s := range plan.inputs {
		t.Inputs = append(t.Inputs, s.utxo.Outpoint)
		p.inputs = append(p.inputs, partialInput{spent: s.utxo.Entry.Output, exit: s.exit, moves: s.moves, steps: s.taken(drawn)})
	}
	for _, u := range coins {
		t.Inputs = append(t.Inputs, u.Outpoint)
		p.inputs = append(p.inputs, partialInput{spent: u.Entry.Output})
	}
	segments := func(last bool) {
		for i, s := range plan.inputs {
			if outputs := s.demanded(drawn); len(outputs) > 0 && s.last == last {
				p.inputs[first+i].base = uint32(len(t.Outputs))
				t.Outputs = append(t.Outputs, outputs...)
			}
		}
	}
	segments(false)
	t.Outputs = append(t.Outputs, plan.payout(t.Inputs[0]).outputs...)
	segments(true)
}

// choose takes coins for what a plan needs.
func (w *Wallet) choose(c *coins, p *plan, fee, drawn uint64) ([]chain.UTXO, error) {
	need, err := p.needs(chain.Tokens(w.FeeToken, fee), drawn)
	if err != nil {
		return nil, err
	}
	if !p.alone {
		return c.choose(need, p.outpoints(), w.MaxChain)
	}
	missing := valueOf(need)
	if len(missing) == 0 {
		return nil, nil
	}
	_, take, err := p.sums(chain.Outpoint{}, nil, chain.Tokens(w.FeeToken, fee), drawn)
	if err != nil {
		return nil, err
	}
	all := take[missing[0].Token]
	return nil, &FundsError{Token: missing[0].Token, Need: all, Have: all - missing[0].Amount}
}

// giveBack sets the fee, and pays what is left as change. Change that is not worth its own
// spending becomes fee.
func (w *Wallet) giveBack(c *coins, p *plan, part *Partial, coins []chain.UTXO, fee, drawn uint64) error {
	t := part.Tx
	give, take, err := p.sums(t.Inputs[0], coins, chain.Tokens(w.FeeToken, fee), drawn)
	if err != nil {
		return err
	}
	for token, n := range take {
		if give[token] < n {
			return fmt.Errorf("BUG: %d units of %v for %d", give[token], token, n)
		}
		give[token] -= n
	}
	left := valueOf(give)
	if len(left) == 1 && left[0].Token == w.FeeToken && w.FeeToken == (chain.TokenID{}) && left[0].Amount <= c.env.dust() {
		fee, left = fee+left[0].Amount, nil
	}
	lock := p.change
	if lock == nil {
		lock = w.Lock()
	}
	for part := range slices.Chunk(left, chain.MaxTokens) {
		t.Outputs = append(t.Outputs, chain.Output{Lock: lock, Value: part})
	}
	fees := map[chain.TokenID]uint64{w.FeeToken: fee}
	if err := add(fees, t.Fee); err != nil {
		return err
	}
	t.Fee = valueOf(fees)
	return nil
}
