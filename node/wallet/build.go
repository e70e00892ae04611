package wallet

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"slices"

	"github.com/weisyn/wes/chain"
)

// plan is a transaction without coins, change and fee.
type plan struct {
	inputs      []spend // states and resources that it spends
	references  []chain.Outpoint
	outputs     func(first chain.Outpoint) []chain.Output // by the first input
	minted      chain.Value
	attachments []attached
	cost        uint64 // units, beside signatures and attachments
}

// spend is an input with its witness but for signatures.
type spend struct {
	utxo    chain.UTXO
	witness chain.InputWitness
	key     bool // it needs a signature of the wallet's key
}

type attached struct {
	kind  chain.AttachmentKind
	bytes []byte
}

// build funds and signs a plan and reserves what it spends. If the transaction comes to nothing,
// give the outputs back with Cancel.
func (w *Wallet) build(ctx context.Context, p *plan) (*Built, error) {
	for tries := 0; ; tries++ {
		c, err := w.coins(ctx)
		if err != nil {
			return nil, err
		}
		b, used, err := w.fund(c, p)
		if err != nil {
			return nil, err
		}
		err = w.reserved.Take(used, c.env.Now, c.env.Now+reserveTime)
		if err == nil {
			return b, nil
		}
		if !errors.Is(err, ErrTaken) || tries == 5 {
			return nil, fmt.Errorf("wallet: %w", err)
		}
	}
}

// Cancel gives back what a transaction has reserved.
func (w *Wallet) Cancel(b *Built) error { return w.reserved.Free(b.Tx.Inputs) }

// fund chooses coins for a plan and a fee that the transaction's weight asks for: more inputs
// weigh more, so it goes round until both agree.
func (w *Wallet) fund(c *coins, p *plan) (*Built, []chain.Outpoint, error) {
	sortCoins(c.free)
	fee := uint64(1)
	for range 32 {
		chosen, err := c.choose(p, fee)
		if err != nil {
			return nil, nil, err
		}
		b, used, err := w.assemble(c, p, chosen, fee)
		if err != nil {
			return nil, nil, err
		}
		need := feeOf(c.env.FeeRate, b.weight(p))
		if need > w.MaxFee {
			return nil, nil, fmt.Errorf("%w: %d base units, at most %d", ErrFee, need, w.MaxFee)
		}
		if need <= fee {
			return b, used, nil
		}
		fee = need
	}
	return nil, nil, errors.New("BUG: no fee fits the transaction")
}

// sortCoins puts the largest amounts of the native token first: few inputs, and small change
// stays for another day. Ties are broken by name, so that a choice can be repeated.
func sortCoins(all []chain.UTXO) {
	slices.SortFunc(all, func(a, b chain.UTXO) int {
		return cmp.Or(
			cmp.Compare(len(a.Entry.Output.Value), len(b.Entry.Output.Value)),
			cmp.Compare(b.Entry.Output.Value.Of(chain.TokenID{}), a.Entry.Output.Value.Of(chain.TokenID{})),
			bytes.Compare(a.Outpoint.Tx[:], b.Outpoint.Tx[:]), cmp.Compare(a.Outpoint.Index, b.Outpoint.Index),
		)
	})
}

// needs sums what outputs and fee take, beyond what special inputs and minting give.
func (p *plan) needs(first chain.Outpoint, fee uint64) (map[chain.TokenID]uint64, error) {
	need, give := map[chain.TokenID]uint64{{}: fee}, map[chain.TokenID]uint64{}
	for _, o := range p.outputs(first) {
		if err := add(need, o.Value); err != nil {
			return nil, err
		}
	}
	if err := add(give, p.minted); err != nil {
		return nil, err
	}
	for _, s := range p.inputs {
		if err := add(give, s.utxo.Entry.Output.Value); err != nil {
			return nil, err
		}
	}
	for t, n := range give {
		need[t] -= min(need[t], n)
	}
	return need, nil
}

var errOverflow = errors.New("an amount exceeds 64 bits")

func add(m map[chain.TokenID]uint64, v chain.Value) error {
	for _, c := range v {
		sum, carry := bits.Add64(m[c.Token], c.Amount, 0)
		if carry != 0 {
			return errOverflow
		}
		m[c.Token] = sum
	}
	return nil
}

// choose takes coins until every token suffices.
func (c *coins) choose(p *plan, fee uint64) ([]chain.UTXO, error) {
	var first chain.Outpoint // amounts do not depend on it
	need, err := p.needs(first, fee)
	if err != nil {
		return nil, err
	}
	var chosen []chain.UTXO
	in := map[chain.Outpoint]bool{}
	for _, token := range tokensOf(need) {
		for _, u := range c.free {
			if need[token] == 0 {
				break
			}
			if in[u.Outpoint] || u.Entry.Output.Value.Of(token) == 0 {
				continue
			}
			in[u.Outpoint] = true
			chosen = append(chosen, u)
			for _, coin := range u.Entry.Output.Value {
				need[coin.Token] -= min(need[coin.Token], coin.Amount)
			}
		}
		if need[token] > 0 {
			return nil, c.short(token, need[token])
		}
	}
	if len(chosen) == 0 && len(p.inputs) == 0 {
		if len(c.free) == 0 {
			return nil, c.short(chain.TokenID{}, 1)
		}
		chosen = c.free[:1]
	}
	if len(chosen)+len(p.inputs)+len(p.references) > chain.MaxInputs {
		return nil, ErrInputs
	}
	return chosen, nil
}

// tokensOf lists tokens, the native one last: coins of others may bring some of it.
func tokensOf(m map[chain.TokenID]uint64) []chain.TokenID {
	return slices.SortedFunc(maps.Keys(m), func(a, b chain.TokenID) int { return bytes.Compare(b[:], a[:]) })
}

// short says what is missing of a token.
func (c *coins) short(t chain.TokenID, missing uint64) error {
	sum := func(all []chain.UTXO) (n uint64) {
		for _, u := range all {
			n += u.Entry.Output.Value.Of(t)
		}
		return n
	}
	have := sum(c.free)
	return &FundsError{Token: t, Need: have + missing, Have: have, Reserved: sum(c.held), Immature: sum(c.immature)}
}

// assemble makes and signs the transaction.
func (w *Wallet) assemble(c *coins, p *plan, chosen []chain.UTXO, fee uint64) (*Built, []chain.Outpoint, error) {
	inputs := slices.Clone(p.inputs)
	for _, u := range chosen {
		inputs = append(inputs, spend{utxo: u, key: true})
	}
	t := &chain.Tx{Chain: c.env.Chain, References: p.references, Fee: chain.Native(fee)}
	for _, s := range inputs {
		t.Inputs = append(t.Inputs, s.utxo.Outpoint)
	}
	t.Outputs = p.outputs(t.Inputs[0])
	change, err := change(inputs, p.minted, t.Outputs, fee)
	if err != nil {
		return nil, nil, err
	}
	for len(change) > 0 {
		n := min(len(change), chain.MaxTokens)
		t.Outputs = append(t.Outputs, chain.Output{Lock: w.Lock(), Value: change[:n]})
		change = change[n:]
	}
	b := &Built{Tx: t, Fee: fee}
	for _, a := range p.attachments {
		t.Attachments = append(t.Attachments, attachment(a))
		b.Attachments = append(b.Attachments, a.bytes)
	}
	b.Witness = w.sign(t, inputs)
	return b, t.Inputs, nil
}

// change is what inputs and minting give beyond outputs and fee.
func change(inputs []spend, minted chain.Value, outputs []chain.Output, fee uint64) (chain.Value, error) {
	in, out := map[chain.TokenID]uint64{}, map[chain.TokenID]uint64{{}: fee}
	err := add(in, minted)
	for _, s := range inputs {
		err = errors.Join(err, add(in, s.utxo.Entry.Output.Value))
	}
	for _, o := range outputs {
		err = errors.Join(err, add(out, o.Value))
	}
	if err != nil {
		return nil, err
	}
	var v chain.Value
	for _, t := range slices.Backward(tokensOf(in)) {
		if in[t] < out[t] {
			return nil, fmt.Errorf("BUG: %d units of %v for %d", in[t], t, out[t])
		}
		if rest := in[t] - out[t]; rest > 0 {
			v = append(v, chain.Coin{Token: t, Amount: rest})
		}
	}
	return v, nil
}

// sign makes the witnesses. An output paid to the address of the key needs the lock revealed.
func (w *Wallet) sign(t *chain.Tx, inputs []spend) chain.Witness {
	id := t.ID()
	var all chain.Witness
	for i, s := range inputs {
		in := s.witness
		in.Data = slices.Clone(in.Data)
		if s.key {
			if _, hidden := s.utxo.Entry.Output.Lock.(chain.Address); hidden {
				in.Data = append(in.Data, chain.EncodeLock(w.Lock()))
			}
			in.Data = append(in.Data, w.signer.Sign(chain.SigHash(t.Chain, id, uint32(i), &s.utxo.Entry.Output)))
		}
		all = append(all, in)
	}
	return all
}

// What validation charges, in units; see chain.md §7.
const (
	signatureCost = 40
	lockCost      = 4 // of the few nodes of a simple lock
	kibCost       = 3
)

// weight bounds the part of a block that a transaction takes up.
func (b *Built) weight(p *plan) uint64 {
	base := uint64(len(b.Tx.Encode()) + len(b.Witness.Encode()))
	var size uint64
	cost := p.cost + uint64(len(b.Tx.Inputs))*(signatureCost+lockCost)
	for _, a := range b.Tx.Attachments {
		size += uint64(a.Len)
		cost += kibCost * (uint64(a.Len)/1024 + 1)
	}
	return chain.Weight(base, size, cost)
}

// feeOf rounds up what a rate asks for a weight.
func feeOf(rate, weight uint64) uint64 {
	high, low := bits.Mul64(rate, weight)
	low, carry := bits.Add64(low, 999, 0)
	if high += carry; high >= 1000 {
		return 1<<64 - 1
	}
	fee, _ := bits.Div64(high, low, 1000)
	return max(fee, 1)
}

func sortedBalances(all map[chain.TokenID]*Balance) []Balance {
	var list []Balance
	for _, t := range slices.Backward(tokensKeys(all)) {
		list = append(list, *all[t])
	}
	return list
}

func tokensKeys(all map[chain.TokenID]*Balance) []chain.TokenID {
	return slices.SortedFunc(maps.Keys(all), func(a, b chain.TokenID) int { return bytes.Compare(b[:], a[:]) })
}
