package wallet

import (
	"crypto/sha256"
	"maps"
	"math/bits"
	"slices"

	"github.com/weisyn/wes/chain"
)

// plan is a transaction without coins, change and fee.
type plan struct {
	inputs      []spend // that it is about, coins aside
	references  []chain.UTXO
	pay         func(first chain.Outpoint) payout // by the first input; nil for nothing
	attachments []attached
	cost        uint64             // units of proofs
	reserve     uint64             // of FeeToken: the most that an input gives for the fee
	sponsor     *chain.SponsorPool // whose input gives its own share of the weight, no more and no less
	limit       uint64             // the most that the sponsor's input holds for this
	from, until uint64             // window, ms since 1970; until 0 is the wallet's lifetime
	lifetime    uint64             // ms; 0 is the wallet's
	change      chain.Lock         // nil is the wallet's
	alone       bool               // takes no coins of the wallet
	offer       *Partial           // that it is added to
	given       chain.Value        // brought by another party later
	owed        chain.Value        // that the offer waits for
}

// payout is what a plan creates, segments aside.
type payout struct {
	outputs []chain.Output
	minted  chain.Value
}

// spend is an input that is not a coin. After the lock of the output come steps, which, like the
// segment, may depend on how much of the fee the input gives.
type spend struct {
	utxo    chain.UTXO
	exit    uint32
	moves   *uint64
	steps   func(drawn uint64) []step
	segment func(drawn uint64) []chain.Output
	last    bool // its segment comes after what the plan pays
}

func (s *spend) taken(drawn uint64) []step {
	if s.steps == nil {
		return nil
	}
	return s.steps(drawn)
}

func (s *spend) demanded(drawn uint64) []chain.Output {
	if s.segment == nil {
		return nil
	}
	return s.segment(drawn)
}

type attached struct {
	kind  chain.AttachmentKind
	bytes []byte
}

func (a *attached) named() chain.Attachment {
	return chain.Attachment{Kind: a.kind, SHA256: sha256.Sum256(a.bytes), Len: uint32(len(a.bytes))}
}

// takes are steps that depend on nothing.
func takes(all ...step) func(uint64) []step { return func(uint64) []step { return all } }

// demands are outputs that depend on nothing.
func demands(all ...chain.Output) func(uint64) []chain.Output {
	return func(uint64) []chain.Output { return all }
}

// pays creates outputs that do not depend on the first input.
func pays(all ...chain.Output) func(chain.Outpoint) payout {
	return func(chain.Outpoint) payout { return payout{outputs: all} }
}

func (p *plan) payout(first chain.Outpoint) payout {
	if p.pay == nil {
		return payout{}
	}
	return p.pay(first)
}

// outpoints are those of the inputs.
func (p *plan) outpoints() []chain.Outpoint {
	var all []chain.Outpoint
	for _, s := range p.inputs {
		all = append(all, s.utxo.Outpoint)
	}
	return all
}

// needs sums what outputs and fee take beyond what inputs, minting and others give.
func (p *plan) needs(fee chain.Value, drawn uint64) (map[chain.TokenID]uint64, error) {
	give, take, err := p.sums(chain.Outpoint{}, nil, fee, drawn) // amounts do not depend on the first input
	if err != nil {
		return nil, err
	}
	for t, n := range give {
		if need, asked := take[t]; asked {
			take[t] = need - min(need, n)
		}
	}
	return take, nil
}

// sums adds up both sides of a transaction with some coins.
func (p *plan) sums(first chain.Outpoint, coins []chain.UTXO, fee chain.Value, drawn uint64) (give, take map[chain.TokenID]uint64, err error) {
	paid := p.payout(first)
	given, taken := []chain.Value{paid.minted, p.given}, []chain.Value{fee, p.owed}
	for _, u := range coins {
		given = append(given, u.Entry.Output.Value)
	}
	for _, s := range p.inputs {
		given = append(given, s.utxo.Entry.Output.Value)
		taken = append(taken, valuesOf(s.demanded(drawn))...)
	}
	taken = append(taken, valuesOf(paid.outputs)...)
	if give, err = total(given); err == nil {
		take, err = total(taken)
	}
	return give, take, err
}

func total(all []chain.Value) (map[chain.TokenID]uint64, error) {
	sum := map[chain.TokenID]uint64{}
	for _, v := range all {
		if err := add(sum, v); err != nil {
			return nil, err
		}
	}
	return sum, nil
}

func valuesOf(all []chain.Output) []chain.Value {
	var list []chain.Value
	for i := range all {
		list = append(list, all[i].Value)
	}
	return list
}

func add(m map[chain.TokenID]uint64, v chain.Value) error {
	for _, c := range v {
		sum, carry := bits.Add64(m[c.Token], c.Amount, 0)
		if carry != 0 {
			return ErrAmount
		}
		m[c.Token] = sum
	}
	return nil
}

// valueOf lists sums above zero, by token.
func valueOf(m map[chain.TokenID]uint64) chain.Value {
	var v chain.Value
	for _, t := range slices.SortedFunc(maps.Keys(m), compareTokens) {
		if m[t] > 0 {
			v = append(v, chain.Coin{Token: t, Amount: m[t]})
		}
	}
	return v
}
