package replica_test

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/chain/consensus"
	"github.com/weisyn/wes/chain/mempool"
	"github.com/weisyn/wes/chain/replica"
)

// easy is a target that every second hash meets.
const easy = 0x207fffff

// start is the local time at which tests begin, in ms since 1970.
const start = chaintest.GenesisTime + 60_000

var alice, bob = chaintest.NewWallet("alice"), chaintest.NewWallet("bob")

// coin is what alice has in each output of the genesis block.
const coin = 1_000_000

// ledger is a replica on a store in memory, with a clock.
type ledger struct {
	*replica.Replica
	t       testing.TB
	cfg     replica.Config
	genesis *chain.Block
	store   *chaintest.Store
	server  *replica.Server
	now     uint64
	coins   []chain.UTXO
}

func newLedger(t testing.TB, change func(*replica.Config)) *ledger {
	t.Helper()
	tx := &chain.Tx{}
	for range 20 {
		tx.Outputs = append(tx.Outputs, chain.Output{Lock: alice.Lock(), Value: chain.Native(coin)})
	}
	tx.Outputs = append(tx.Outputs, chain.Output{Lock: chain.Any{Locks: []chain.Lock{alice.Lock(), alice.Lock()}}, Value: chain.Native(coin)})
	g := &chain.Block{Header: chain.Header{Time: chaintest.GenesisTime, Bits: easy}, Txs: []*chain.Tx{tx}, Witnesses: []chain.Witness{nil}}
	g.Header.TxRoot, g.Header.WitnessRoot = g.Roots()
	v, err := chain.NewValidator(chain.DefaultParams(), &chaintest.Verifier{}, 1)
	must(t, err)
	a, err := v.Genesis(g)
	must(t, err)
	l := &ledger{t: t, genesis: g, now: start, coins: a.Changes.Added}
	l.store, err = chaintest.NewStore(g, a)
	must(t, err)
	l.cfg = replica.Config{Validator: v, Consensus: consensus.Config{Genesis: g.Header}, Mempool: mempool.Config{MinRate: 1}}
	if change != nil {
		change(&l.cfg)
	}
	l.open()
	return l
}

// open starts a replica on what the store holds.
func (l *ledger) open() {
	l.t.Helper()
	r, err := replica.New(l.cfg, l.store)
	must(l.t, err)
	l.Replica, l.server = r, r.Server(l.store)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// payment spends the next coin of alice, with bytes beside it.
func (l *ledger) payment(fee uint64, attachments ...[]byte) replica.Relayed {
	c := l.coins[0]
	l.coins = l.coins[1:]
	d := &chaintest.Draft{}
	d.Chain, d.Fee = l.genesis.Header.Hash(), chain.Native(fee)
	d.Spend(c, chaintest.With{Data: []any{alice}}).Pay(chain.Output{Lock: bob.Lock(), Value: chain.Native(coin - fee)})
	for _, b := range attachments {
		d.Attachments = append(d.Attachments, chain.Attachment{Kind: chain.AttachData, SHA256: sha256.Sum256(b), Len: uint32(len(b))})
	}
	s := d.Sign()
	return replica.Relayed{Tx: s.Tx, Witness: s.Witness}
}

// ambiguous spends an output that has two ways to be spent: one transaction, two witnesses.
func (l *ledger) ambiguous(branch uint64) replica.Relayed {
	c := l.coins[len(l.coins)-1]
	d := &chaintest.Draft{}
	d.Chain, d.Fee = l.genesis.Header.Hash(), chain.Native(3000)
	d.Spend(c, chaintest.With{Choices: []uint64{branch}, Data: []any{alice}}).Pay(chain.Output{Lock: bob.Lock(), Value: chain.Native(coin - 3000)})
	s := d.Sign()
	return replica.Relayed{Tx: s.Tx, Witness: s.Witness}
}

// template is the next block with its work done.
func (l *ledger) template() *chain.Block {
	l.t.Helper()
	l.now += 10_000
	b, err := l.Template(l.now, bob.Public(), bob.Lock())
	must(l.t, err)
	solve(b)
	return b
}

func solve(b *chain.Block) {
	target, _ := consensus.Target(b.Header.Bits)
	var raw [32]byte
	target.FillBytes(raw[:])
	for i := uint64(0); ; i++ {
		binary.BigEndian.PutUint64(b.Header.Nonce[:], i)
		if h := b.Header.Hash(); string(h[:]) <= string(raw[:]) {
			return
		}
	}
}

// mine makes a block of what the mempool holds.
func (l *ledger) mine() *chain.Block {
	l.t.Helper()
	b := l.template()
	must(l.t, l.Mined(l.now, b))
	return b
}

// of returns the effects of a type, and drops the others.
func of[E replica.Effect](all []replica.Effect) (list []E) {
	for _, e := range all {
		if e, ok := e.(E); ok {
			list = append(list, e)
		}
	}
	return list
}

// ask serves a request of one ledger by another, as the wire carries both.
func (l *ledger) ask(q *replica.Request, from *ledger) *replica.Answer {
	l.t.Helper()
	raw, err := from.server.Serve(q.Encode())
	must(l.t, err)
	a, err := replica.DecodeAnswer(q, raw)
	must(l.t, err)
	return a
}

// sync answers everything that l asks, from another ledger, until it asks nothing more. It returns
// the requests.
func (l *ledger) sync(from *ledger) (asked []*replica.Request) {
	l.t.Helper()
	for range 1000 {
		asks := of[replica.Ask](l.Effects())
		if len(asks) == 0 {
			return asked
		}
		for _, e := range asks {
			asked = append(asked, e.Request)
			must(l.t, l.Answer(l.now, e.Peer, e.Request, l.ask(e.Request, from)))
		}
	}
	l.t.Fatal("it never ends")
	return nil
}

// follow lets l hear of the tip of another ledger, its peer 1, and fetch what it lacks.
func (l *ledger) follow(from *ledger) []*replica.Request {
	l.t.Helper()
	l.now = max(l.now, from.now) + 1000
	at := from.store.Ledger()
	h, _, err := from.store.Header(at.Tip)
	must(l.t, err)
	must(l.t, l.Announced(l.now, 1, consensus.SealedHeader{Header: h.Header, Seal: h.Seal}))
	return l.sync(from)
}

// at demands where two ledgers stand.
func (l *ledger) at(other *ledger) {
	l.t.Helper()
	a, b := l.store.Ledger(), other.store.Ledger()
	if a != b {
		l.t.Fatalf("one stands at %v, the other at %v", &a, &b)
	}
}
