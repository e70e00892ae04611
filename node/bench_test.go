package node

import (
	"context"
	"testing"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// BenchmarkSubmitToBlockOnAll is the time from a transaction's submission at one of three nodes
// to a block with it on all three, over sockets, where another node makes a block a second.
func BenchmarkSubmitToBlockOnAll(b *testing.B) {
	alice := chaintest.NewWallet("alice")
	n, err := NewConsortium("bench", chain.TestPrefix, builtinTime, []chain.PublicKey{alice.Public()},
		[]GenesisOutput{{Address: AddressOf(chain.TestPrefix, alice.Public()), Amount: 1000 * chain.Unit, Count: 1000}})
	if err != nil {
		b.Fatal(err)
	}
	p := newPlace(b, n)
	o := options()
	o.Key = func(context.Context, string) (Signer, error) { return alice, nil }
	c := p.config("a")
	c.Mine, c.MinerKey = true, "alice"
	first, _ := p.run(c, o)
	middle, _ := p.run(p.config("b", first), options())
	last, _ := p.run(p.config("c", middle), options())
	all := []*Node{first, middle, last}
	await(b, "all are ready", func() bool {
		return len(first.Ready())+len(middle.Ready())+len(last.Ready()) == 0 && middle.Status().Peers == 2
	})
	var total time.Duration
	i := 0
	for b.Loop() {
		tx := spend(b, n, alice, i)
		i++
		begun := time.Now()
		if err := last.Submit(b.Context(), tx.Tx, tx.Witness); err != nil {
			b.Fatal(err)
		}
		for _, node := range all {
			await(b, "it is in a block", holds(node, tx.Out(0).Outpoint))
		}
		total += time.Since(begun)
	}
	b.ReportMetric(total.Seconds()/float64(i), "s/tx")
}
