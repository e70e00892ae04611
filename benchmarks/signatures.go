package benchmarks

import (
	"sync"
	"sync/atomic"

	"github.com/hdevalence/ed25519consensus"
	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// signature is one that a block asks to be verified.
type signature struct {
	key     chain.PublicKey
	message chain.Hash
	bytes   []byte
}

// signaturesOf lists the signatures of transactions that one wallet has signed, each with one
// input.
func signaturesOf(id chain.Hash, w chaintest.Wallet, txs []chaintest.Signed) []signature {
	var all []signature
	for _, tx := range txs {
		// The spent output enters the message by its hash alone: any will do for the time.
		m := chain.SigHash(id, tx.ID(), 0, &tx.Tx.Outputs[0])
		all = append(all, signature{w.Public(), m, w.Sign(m)})
	}
	return all
}

// signatureBatch is the number of signatures verified at once: as many as package chain does.
const signatureBatch = 256

// verifyBatches reports whether all signatures hold.
func verifyBatches(all []signature, workers int) bool {
	var next atomic.Int64
	var wrong atomic.Bool
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for {
				start := int(next.Add(signatureBatch)) - signatureBatch
				if start >= len(all) {
					return
				}
				part := all[start:min(start+signatureBatch, len(all))]
				v := ed25519consensus.NewPreallocatedBatchVerifier(len(part))
				for _, s := range part {
					v.Add(s.key[:], s.message[:], s.bytes)
				}
				if !v.Verify() {
					wrong.Store(true)
				}
			}
		})
	}
	group.Wait()
	return !wrong.Load()
}
