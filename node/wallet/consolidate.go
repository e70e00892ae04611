package wallet

import (
	"cmp"
	"context"
	"slices"

	"github.com/weisyn/wes/chain"
)

// MaxConsolidate is how many coins a transaction joins at most: inputs of 149 bytes fill a
// transaction at some 870.
const MaxConsolidate = 800

// Consolidate builds a transaction that joins up to limit of the smallest confirmed coins that
// are worth their fee. It returns ErrNothing if there are fewer than two.
func (w *Wallet) Consolidate(ctx context.Context, limit int) (*Built, error) {
	c, err := w.coins(ctx)
	if err != nil {
		return nil, err
	}
	all := slices.DeleteFunc(c.free, func(u chain.UTXO) bool { return isDust(&u, c.env.dust()) })
	slices.SortFunc(all, func(a, b chain.UTXO) int {
		return cmp.Or(
			cmp.Compare(a.Entry.Output.Value.Of(chain.TokenID{}), b.Entry.Output.Value.Of(chain.TokenID{})),
			compareNames(a.Outpoint, b.Outpoint),
		)
	})
	all = all[:min(len(all), max(limit, 0), MaxConsolidate)]
	if len(all) < 2 {
		return nil, ErrNothing
	}
	p := &plan{}
	for _, u := range all {
		p.inputs = append(p.inputs, spend{utxo: u})
	}
	return w.build(ctx, p)
}
