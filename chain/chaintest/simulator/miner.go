package simulator

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/chain/consensus"
)

func minerKey(node int) chaintest.Wallet { return chaintest.NewWallet(fmt.Sprint("miner ", node)) }

// solve finds a nonce for the header's bits.
func solve(h *chain.Header) {
	target, ok := consensus.Target(h.Bits)
	if !ok {
		panic("BUG: bits that are no target")
	}
	var raw [chain.HashSize]byte
	target.FillBytes(raw[:])
	for i := uint64(0); ; i++ {
		binary.BigEndian.PutUint64(h.Nonce[:], i)
		if hash := h.Hash(); string(hash[:]) <= string(raw[:]) {
			return
		}
	}
}

// mining draws who finds the next block, and when.
func (w *World) mining() {
	wait := -math.Log(1-w.src.Float64()) * float64(w.o.Spacing)
	w.after(uint64(wait)+1, func() {
		n := w.nodes[w.src.IntN(len(w.nodes))]
		if w.now >= w.mined && (n.adversary == 0 || n.adversary == Selfish) {
			n.mine()
		}
		w.mining()
	})
}

// mine makes a block on this node's tip, if it may.
func (n *node) mine() bool {
	if n.down || !n.replica.Due(n.clock()) {
		return false
	}
	key := minerKey(n.id)
	b, err := n.replica.Template(n.clock(), key.Public(), key.Lock())
	if err != nil {
		return false // the ledger is on its way
	}
	solve(&b.Header)
	err = n.replica.Mined(n.clock(), b)
	n.did(err)
	return err == nil
}
