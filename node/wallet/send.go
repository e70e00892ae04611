package wallet

import (
	"context"
	"crypto/sha256"

	"github.com/weisyn/wes/chain"
)

// Payment is an amount for somebody.
type Payment struct {
	To    chain.Lock // chain.Address for whose lock is not known
	Value chain.Value
}

// Send builds a transaction that pays.
func (w *Wallet) Send(ctx context.Context, all ...Payment) (*Built, error) {
	var outputs []chain.Output
	for _, p := range all {
		if len(p.Value) == 0 {
			return nil, ErrAmount
		}
		outputs = append(outputs, chain.Output{Lock: p.To, Value: p.Value})
	}
	return w.build(ctx, &plan{outputs: fixed(outputs...)})
}

// fixed are outputs that do not depend on the first input.
func fixed(all ...chain.Output) func(chain.Outpoint) []chain.Output {
	return func(chain.Outpoint) []chain.Output { return append([]chain.Output(nil), all...) }
}

func attachment(a attached) chain.Attachment {
	return chain.Attachment{Kind: a.kind, SHA256: sha256.Sum256(a.bytes), Len: uint32(len(a.bytes))}
}
