package wallet

import (
	"context"

	"github.com/weisyn/wes/chain"
)

// Split builds a transaction that divides the largest confirmed coin, so that there are about count
// coins of at least least base units of WES each: transactions that wait for others need a coin each.
// It returns ErrNothing if there are half as many already, or no coin can be divided.
func (w *Wallet) Split(ctx context.Context, count int, least uint64) (*Built, error) {
	c, err := w.coins(ctx)
	if err != nil {
		return nil, err
	}
	there := 0
	var largest chain.UTXO
	for _, u := range c.free {
		amount := u.Entry.Output.Value.Of(chain.TokenID{})
		if amount >= least {
			there++
		}
		if amount > largest.Entry.Output.Value.Of(chain.TokenID{}) {
			largest = u
		}
	}
	whole := largest.Entry.Output.Value.Of(chain.TokenID{})
	parts := min(uint64(max(count-there+1, 0)), whole/max(least, 1))
	if there >= count/2 || parts < 2 {
		return nil, ErrNothing
	}
	p := &plan{inputs: []spend{{utxo: largest}}}
	var outputs []chain.Output
	for range parts - 1 { // the last one is the change, which pays the fee
		outputs = append(outputs, chain.Output{Lock: w.Lock(), Value: chain.Tokens(chain.TokenID{}, whole/parts)})
	}
	p.pay = pays(outputs...)
	return w.build(ctx, p)
}
