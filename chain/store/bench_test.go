package store

import (
	"runtime"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// benchTxs is the number of transactions of one input and two outputs in a block.
const benchTxs = 4096

// chainOf makes blocks whose transactions spend those of the block before.
type chainOf struct {
	*twin
	last []chain.UTXO
}

func newChainOf(b *testing.B) *chainOf {
	b.Helper()
	const part = 1024
	c := &chainOf{twin: newTwin(b, Options{}, pay(alice, benchTxs*1000))}
	c.Workers = runtime.NumCPU()
	d := c.Draft().Spend(c.created[0], signedBy(alice))
	for range benchTxs / part {
		d.Pay(pay(alice, part*1000))
	}
	first := d.Sign()
	c.mine(first)
	for i := range benchTxs / part {
		d := c.Draft().Spend(first.Out(i), signedBy(alice))
		for range part {
			d.Pay(pay(alice, 1000))
		}
		split := d.Sign()
		c.mine(split)
		for k := range part {
			c.last = append(c.last, split.Out(k))
		}
	}
	return c
}

// next returns a block of transactions that spend those of the last.
func (c *chainOf) next() *chain.Block {
	txs := make([]chaintest.Signed, len(c.last))
	for i, u := range c.last {
		n := u.Entry.Output.Value[0].Amount
		txs[i] = c.Draft().Spend(u, signedBy(alice)).Pay(pay(bob, 1), pay(alice, n-1)).Sign()
		c.last[i] = txs[i].Out(1)
	}
	return c.Block(1, txs...)
}

// BenchmarkConnect connects blocks that were validated, each durable before the next.
func BenchmarkConnect(b *testing.B) {
	c := newChainOf(b)
	for range b.N {
		b.StopTimer()
		block := c.next()
		a, err := c.Connect(block)
		c.must(err)
		c.stage(block)
		b.StartTimer()
		c.must(c.s.Begin(nil, []chain.Hash{a.After.Tip}))
		c.must(c.s.Connect(block, a, true))
		c.must(c.s.End())
	}
	b.ReportMetric(benchTxs*float64(b.N)/b.Elapsed().Seconds(), "tx/s")
}

// BenchmarkValidateAndConnect is all that a node does with a block that has come: staging it,
// validating it on the store, and connecting it.
func BenchmarkValidateAndConnect(b *testing.B) {
	c := newChainOf(b)
	for range b.N {
		b.StopTimer()
		block := c.next()
		_, err := c.Connect(block)
		c.must(err)
		b.StartTimer()
		c.stage(block)
		l := c.s.Ledger()
		a, err := c.Apply(&l, c.s, block, c.s)
		c.must(err)
		c.must(c.s.Begin(nil, []chain.Hash{a.After.Tip}))
		c.must(c.s.Connect(block, a, true))
		c.must(c.s.End())
	}
	b.ReportMetric(benchTxs*float64(b.N)/b.Elapsed().Seconds(), "tx/s")
}

// BenchmarkOpen opens a store of 100,000 headers and reads them.
func BenchmarkOpen(b *testing.B) {
	const headers = 100_000
	w := newTwin(b, Options{}, pay(alice, 1))
	var all []chain.StoredHeader
	h := chain.Header{Chain: w.Ledger.Chain, Parent: w.Ledger.Tip}
	for i := range headers {
		h.Height, h.Time = uint64(i+1), uint64(i)
		all = append(all, chain.StoredHeader{Header: h})
		h.Parent = h.Hash()
	}
	w.must(w.s.PutHeaders(all))
	w.close()
	for b.Loop() {
		s, err := Open(w.dir, w.o)
		w.must(err)
		n := 0
		for _, err := range s.Headers() {
			w.must(err)
			n++
		}
		if n != headers {
			b.Fatalf("%d headers", n)
		}
		w.must(s.Close())
	}
}
