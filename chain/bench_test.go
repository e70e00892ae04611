package chain_test

import (
	"runtime"
	"testing"

	"github.com/hdevalence/ed25519consensus"
	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// benchTxs is the number of transactions of one input and two outputs in a block of benchmarks.
const benchTxs = 4000

// simple returns a network and a block of simple transactions on it.
func simple(b *testing.B) (*harness, *chain.Block) {
	const part = 1000
	h := newHarness(b, pay(alice, benchTxs*1000))
	d := h.Draft().Spend(h.special(), signedBy(alice))
	for range benchTxs / part {
		d.Pay(pay(alice, part*1000))
	}
	first := d.Sign()
	h.mine(1, first)
	var txs []chaintest.Signed
	for i := range benchTxs / part {
		d := h.Draft().Spend(first.Out(i), signedBy(alice))
		for range part {
			d.Pay(pay(alice, 1000))
		}
		split := d.Sign()
		h.mine(1, split)
		for k := range part {
			txs = append(txs, h.Draft().Spend(split.Out(k), signedBy(alice)).Pay(pay(bob, 400), pay(alice, 600)).Sign())
		}
	}
	return h, h.Block(1, txs...)
}

// BenchmarkApply validates a block of simple transactions and writes it to the store in memory.
func BenchmarkApply(b *testing.B) {
	h, block := simple(b)
	h.Workers = runtime.NumCPU()
	for b.Loop() {
		if _, err := h.Connect(block); err != nil {
			b.Fatal(err)
		}
		if err := h.Disconnect(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(benchTxs*float64(b.N)/b.Elapsed().Seconds(), "tx/s")
}

// BenchmarkDecodeBlock decodes the same block.
func BenchmarkDecodeBlock(b *testing.B) {
	_, block := simple(b)
	raw := block.Encode()
	for b.Loop() {
		if _, err := chain.DecodeBlock(raw); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(benchTxs*float64(b.N)/b.Elapsed().Seconds(), "tx/s")
}

// BenchmarkSignatures verifies as many signatures in batches, on one core: what bounds Apply.
func BenchmarkSignatures(b *testing.B) {
	const n = 256
	h := chain.Hash{1}
	sig, key := alice.Sign(h), alice.Public()
	for b.Loop() {
		batch := ed25519consensus.NewPreallocatedBatchVerifier(n)
		for range n {
			batch.Add(key[:], h[:], sig)
		}
		if !batch.Verify() {
			b.Fatal("refused")
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "signatures/s")
}
