package wallet

import (
	"context"

	"github.com/weisyn/wes/chain"
)

// Payment is an amount for somebody.
type Payment struct {
	To    chain.Lock // chain.Address for whose lock is not known
	Value chain.Value
}

// Send builds a transaction that pays.
func (w *Wallet) Send(ctx context.Context, all ...Payment) (*Built, error) {
	outputs, err := outputsOf(all)
	if err != nil {
		return nil, err
	}
	return w.build(ctx, &plan{pay: pays(outputs...)})
}

func outputsOf(all []Payment) ([]chain.Output, error) {
	var outputs []chain.Output
	for _, p := range all {
		if len(p.Value) == 0 {
			return nil, ErrAmount
		}
		outputs = append(outputs, chain.Output{Lock: p.To, Value: p.Value})
	}
	if len(outputs) == 0 {
		return nil, ErrAmount
	}
	return outputs, nil
}

// SendFrom builds a transaction that pays from certain assets alone, whatever their locks, and the fee too.
// What is left goes back under the lock of the first. It returns a PartialError where others
// have to sign.
func (w *Wallet) SendFrom(ctx context.Context, from []chain.UTXO, all ...Payment) (*Built, error) {
	outputs, err := outputsOf(all)
	if err != nil {
		return nil, err
	}
	p := &plan{pay: pays(outputs...), alone: true}
	for _, u := range from {
		if u.Entry.Output.Body != nil {
			return nil, ErrState
		}
		p.inputs = append(p.inputs, spend{utxo: u})
	}
	if len(from) == 0 {
		return nil, ErrAmount
	}
	p.change = from[0].Entry.Output.Lock
	return w.build(ctx, p)
}
