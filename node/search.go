package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"sync/atomic"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/consensus"
)

// searchStep is the number of nonces tried between two looks at the context.
const searchStep = 4096

// search tries nonces for a header until one meets its target, or ctx ends. The first 8 bytes
// of a nonce are the number of the goroutine, which no two share, the last 8 count. tried grows
// by the number of hashes. It returns false if ctx ended first.
func search(ctx context.Context, h *chain.Header, threads int, tried *atomic.Uint64) (nonce [16]byte, found bool) {
	target, ok := consensus.Target(h.Bits)
	if !ok {
		return nonce, false
	}
	var limit chain.Hash
	target.FillBytes(limit[:])
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var once sync.Once
	var all sync.WaitGroup
	for i := range threads {
		all.Go(func() {
			if n, ok := searchFrom(ctx, h, uint64(i), &limit, tried); ok {
				once.Do(func() { nonce, found = n, true })
				stop()
			}
		})
	}
	all.Wait()
	return nonce, found
}

// searchFrom tries the nonces of one goroutine.
func searchFrom(ctx context.Context, h *chain.Header, thread uint64, limit *chain.Hash, tried *atomic.Uint64) (nonce [16]byte, found bool) {
	b := h.Encode()
	binary.BigEndian.PutUint64(b[:8], thread)
	for count := uint64(0); ; count++ {
		if count%searchStep == 0 && ctx.Err() != nil {
			return nonce, false
		}
		binary.BigEndian.PutUint64(b[8:16], count)
		once := sha256.Sum256(b[:])
		twice := sha256.Sum256(once[:])
		if bytes.Compare(twice[:], limit[:]) <= 0 {
			tried.Add(count%searchStep + 1)
			return [16]byte(b[:16]), true
		}
		if count%searchStep == searchStep-1 {
			tried.Add(searchStep)
		}
	}
}
