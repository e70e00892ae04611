package wallet

import (
	"context"
	"crypto/sha256"
	"fmt"

	"github.com/weisyn/wes/chain"
)

// Publish builds a transaction that announces a resource, owned by the wallet. Models and
// circuits come with the bytes of their verifying key, and what one verification costs.
func (w *Wallet) Publish(ctx context.Context, r chain.Resource, key []byte, cost uint64) (*Built, error) {
	if r.Owner == nil {
		r.Owner = w.Lock()
	}
	p := &plan{}
	if len(key) > 0 {
		if len(key) > chain.MaxKeySize {
			return nil, fmt.Errorf("publish: a verifying key of %d bytes, at most %d", len(key), chain.MaxKeySize)
		}
		r.Key = &chain.VerifyingKey{Hash: sha256.Sum256(key), Len: uint32(len(key)), Cost: cost}
		p.attachments = []attached{{chain.AttachKey, key}}
	}
	p.outputs = fixed(chain.Output{Lock: w.Lock(), Body: &r})
	return w.build(ctx, p)
}
