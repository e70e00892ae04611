package node

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/chain/replica"
)

// await waits until a condition holds, as long as a test may take.
func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	for !holds() {
		if ctx.Err() != nil {
			t.Fatalf("it never came to this: %s", what)
		}
		pause(ctx, nil, 2*time.Millisecond)
	}
}

func agree(nodes ...*memoryNode) func() bool {
	return func() bool {
		for _, n := range nodes {
			if n.status().Chain.Tip != nodes[0].status().Chain.Tip {
				return false
			}
		}
		return true
	}
}

// funded is a dev network whose coins belong to a test wallet.
func funded(t *testing.T) (*Network, chaintest.Wallet) {
	t.Helper()
	alice := chaintest.NewWallet("alice")
	n := devNetwork()
	n.Outputs = []GenesisOutput{{Address: AddressOf(n.Prefix, alice.Public()), Amount: 1000 * chain.Unit, Count: 10}}
	if err := n.validate(); err != nil {
		t.Fatal(err)
	}
	return n, alice
}

// spend makes a transaction of the i-th output of the genesis block.
func spend(t testing.TB, n *Network, from chaintest.Wallet, i int) chaintest.Signed {
	t.Helper()
	genesis, err := n.Genesis()
	if err != nil {
		t.Fatal(err)
	}
	tx := genesis.Txs[0]
	u := chain.UTXO{Outpoint: chain.Outpoint{Tx: tx.ID(), Index: uint32(i)}, Entry: chain.Entry{Output: tx.Outputs[i]}}
	d := &chaintest.Draft{}
	d.Chain, d.Fee = n.Chain(), chain.Native(chain.Unit)
	d.Spend(u, chaintest.With{Data: []any{chain.EncodeLock(from.Lock()), from}})
	d.Pay(chain.Output{Lock: chaintest.NewWallet("bob").Lock(), Value: chain.Native(999 * chain.Unit)})
	return d.Sign()
}

func TestTransactionOfOneNodeIsMinedByAnother(t *testing.T) {
	n, alice := funded(t)
	h := &hub{nodes: map[string]*memoryNode{}}
	a, b, c := h.start(t, n, "a"), h.start(t, n, "b"), h.start(t, n, "c")
	if err := errors.Join(h.link(t.Context(), "a", "b"), h.link(t.Context(), "b", "c")); err != nil {
		t.Fatal(err)
	}
	tx := spend(t, n, alice, 0)
	notices, cancel := a.feed.subscribe()
	defer cancel()
	if err := a.submit(t.Context(), tx.Tx, tx.Witness, nil); err != nil {
		t.Fatal(err)
	}
	if first := <-notices; first.Entered == nil || first.Entered.ID != tx.ID() {
		t.Errorf("the first notice is %+v", first)
	}
	await(t, "the transaction reaches c", func() bool { return c.status().Mempool.Transactions == 1 })
	if _, err := c.miner.make(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	await(t, "all have the block", func() bool { return agree(a, b, c)() && a.status().Chain.Height == 1 })
	for _, node := range []*memoryNode{a, b, c} {
		if _, found, err := node.store.Entry(tx.Out(0).Outpoint); !found || err != nil {
			t.Errorf("%s does not have the output: %v", node.name, err)
		}
		await(t, "the mempool is empty", func() bool { return node.status().Mempool.Transactions == 0 })
	}
	for second := range notices {
		if len(second.Applied) > 0 {
			break
		}
	}
}

func TestSubmitSaysWhyNot(t *testing.T) {
	n, alice := funded(t)
	h := &hub{nodes: map[string]*memoryNode{}}
	a := h.start(t, n, "a")
	tx := spend(t, n, alice, 0)
	tx.Witness[0].Data[1][0] ^= 1
	err := a.submit(t.Context(), tx.Tx, tx.Witness, nil)
	var broken *chain.RuleError
	if !refused(err) || !errors.As(err, &broken) || broken.Code != chain.CodeSignature {
		t.Errorf("a wrong signature: %v", err)
	}
	if err := a.stop(); err != nil {
		t.Fatal(err)
	}
	if err := a.submit(t.Context(), tx.Tx, tx.Witness, nil); !errors.Is(err, errStopped) {
		t.Errorf("after the end: %v", err)
	}
}

func TestPartitionHeals(t *testing.T) {
	n, _ := funded(t)
	h := &hub{nodes: map[string]*memoryNode{}}
	a, b := h.start(t, n, "a"), h.start(t, n, "b")
	late := h.start(t, n, "late")
	for _, part := range []struct {
		node   *memoryNode
		blocks int
	}{{a, 5}, {b, 9}} {
		if made, err := part.node.miner.make(t.Context(), part.blocks); err != nil || len(made) != part.blocks {
			t.Fatalf("%s made %d: %v", part.node.name, len(made), err)
		}
	}
	if agree(a, b)() {
		t.Fatal("parted nodes agree")
	}
	if err := errors.Join(h.link(t.Context(), "a", "b"), h.link(t.Context(), "late", "a")); err != nil {
		t.Fatal(err)
	}
	await(t, "all stand on the longer branch", func() bool { return agree(a, b, late)() && a.status().Chain.Height == 9 })
}

func TestNodeResumesWhereItStood(t *testing.T) {
	n, alice := funded(t)
	h := &hub{nodes: map[string]*memoryNode{}}
	a, b := h.start(t, n, "a"), h.start(t, n, "b")
	if err := h.link(t.Context(), "a", "b"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.miner.make(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	await(t, "both stand on block 3", agree(a, b))
	h.cut("a", "b")
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	tx := spend(t, n, alice, 0)
	if err := a.submit(t.Context(), tx.Tx, tx.Witness, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := a.miner.make(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	b = h.startOn(t, n, "b", &lockedStore{Store: b.store.Reopen()})
	if got := b.status().Chain.Height; got != 3 {
		t.Errorf("it resumes at block %d", got)
	}
	if err := h.link(t.Context(), "a", "b"); err != nil {
		t.Fatal(err)
	}
	await(t, "both stand on block 6", func() bool { return agree(a, b)() && b.status().Chain.Height == 6 })
}

// TestConsortiumMakesBlocksInTurns runs three miners of five listed: absent ones delay a block,
// and stop nothing.
func TestConsortiumMakesBlocksInTurns(t *testing.T) {
	names := []string{"a", "b", "c", "absent", "absent too"}
	var keys []chain.PublicKey
	for _, name := range names {
		keys = append(keys, chaintest.NewWallet(name).Public())
	}
	n, err := NewConsortium("acme", chain.TestPrefix, builtinTime, keys,
		[]GenesisOutput{{Address: AddressOf(chain.TestPrefix, keys[0]), Amount: chain.Unit, Count: 1}})
	if err != nil {
		t.Fatal(err)
	}
	n.Spacing, n.Heartbeat = 40, 50
	h := &hub{nodes: map[string]*memoryNode{}}
	var nodes []*memoryNode
	for _, name := range names[:3] {
		nodes = append(nodes, h.start(t, n, name))
	}
	if err := errors.Join(h.link(t.Context(), "a", "b"), h.link(t.Context(), "b", "c"), h.link(t.Context(), "a", "c")); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, len(nodes))
	for _, node := range nodes {
		go func() { ended <- node.miner.run(ctx) }()
	}
	await(t, "20 blocks", func() bool { return nodes[0].status().Chain.Height >= 20 })
	stop()
	for range nodes {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	await(t, "all agree", agree(nodes...))
	makers := map[chain.PublicKey]int{}
	for i := uint64(1); i <= 20; i++ {
		hash, _, _ := nodes[0].store.MainHash(i)
		header, _, _ := nodes[0].store.Header(hash)
		makers[header.Header.Miner]++
	}
	if len(makers) != 3 {
		t.Errorf("blocks by miner: %v", makers)
	}
}

// TestDiskFaultStopsTheLedger fails every write in turn, in blocks made here and in blocks that
// come, and sees the ledger stop with that fault.
func TestDiskFaultStopsTheLedger(t *testing.T) {
	n, _ := funded(t)
	for at := 1; at <= 6; at++ {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			h := &hub{nodes: map[string]*memoryNode{}}
			a := h.start(t, n, "a")
			a.store.FailAt = at
			_, err := a.miner.make(t.Context(), 3)
			if !errors.Is(err, chaintest.ErrDisk) && !errors.Is(err, errStopped) {
				t.Errorf("the miner: %v", err)
			}
			<-a.queue.ended
			if err := a.stop(); !errors.Is(err, chaintest.ErrDisk) {
				t.Errorf("the ledger: %v", err)
			}
			a.stop = func() error { return nil }
		})
	}
}

func TestGarbageIsThePeersFault(t *testing.T) {
	n, _ := funded(t)
	h := &hub{nodes: map[string]*memoryNode{}}
	a := h.start(t, n, "a")
	h.start(t, n, "b")
	if err := h.link(t.Context(), "a", "b"); err != nil {
		t.Fatal(err)
	}
	if d := a.relayed(t.Context(), "b", []byte("nonsense")); d != replica.Rejected {
		t.Errorf("a transaction: %v", d)
	}
	if err := a.announced(t.Context(), "b", []byte("nonsense")); err == nil {
		t.Error("a header is taken")
	}
	if _, err := a.serve(t.Context(), []byte("nonsense")); !errors.Is(err, replica.ErrMessage) {
		t.Errorf("a request: %v", err)
	}
	if err := a.stop(); err != nil {
		t.Errorf("it stops the node: %v", err)
	}
}
