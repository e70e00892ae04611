package wallet

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/weisyn/wes/chain"
)

// Publish builds a transaction that announces a resource, as output 0, owned by the wallet. Models
// and circuits come with the bytes of their verifying key, and what one verification costs. The
// predecessor, if there is one, is spent.
func (w *Wallet) Publish(ctx context.Context, r chain.Resource, key []byte, cost uint64) (*Built, error) {
	if r.Owner == nil {
		r.Owner = w.Lock()
	}
	p := &plan{}
	if r.Predecessor != nil {
		old, there, err := w.ledger.Output(ctx, *r.Predecessor)
		if err != nil {
			return nil, fmt.Errorf("wallet: %w", err)
		}
		if _, ok := old.Entry.Output.Body.(*chain.Resource); !there || !ok {
			return nil, fmt.Errorf("publish: %w: the predecessor is no resource, or was replaced", ErrState)
		}
		p.inputs = []spend{{utxo: old}}
	}
	if len(key) > 0 {
		if len(key) > chain.MaxKeySize {
			return nil, fmt.Errorf("publish: %w: a verifying key of %d bytes, at most %d", ErrSize, len(key), chain.MaxKeySize)
		}
		r.Key = &chain.VerifyingKey{Hash: sha256.Sum256(key), Len: uint32(len(key)), Cost: cost}
		p.attachments = []attached{{chain.AttachKey, key}}
	}
	p.pay = pays(chain.Output{Lock: w.Lock(), Body: &r})
	return w.build(ctx, p)
}
