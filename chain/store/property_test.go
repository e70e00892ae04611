package store

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// world draws valid blocks of many kinds of outputs.
type world struct {
	*twin
	*rand.Rand
	wallets []chaintest.Wallet
	keys    int
}

func newWorld(t testing.TB, seed uint64, o Options) *world {
	w := &world{Rand: rand.New(rand.NewPCG(seed, 11))}
	var outputs []chain.Output
	for i := range 4 {
		w.wallets = append(w.wallets, chaintest.NewWallet(fmt.Sprint("wallet ", i)))
		for range 5 {
			outputs = append(outputs, pay(w.wallets[i], 100_000))
		}
	}
	w.twin = newMaps(t, o, outputs...)
	return w
}

// with returns what spends an output; false if the world does not spend such ones.
func (w *world) with(o *chain.Output) (chaintest.With, bool) {
	lock := o.Lock
	var with chaintest.With
	if s, ok := o.Body.(*chain.State); ok {
		read, _ := chain.DecodeState(s)
		switch read := read.(type) {
		case *chain.SponsorPool:
			lock, with.Exit = read.Owner, chain.SponsorOwner
		case []byte:
		default:
			return with, false
		}
	}
	if d, ok := lock.(chain.Delegate); ok {
		lock, with.Choices = d.Owner, []uint64{0}
	}
	for _, wallet := range append(w.wallets, w.Miner) {
		switch lock {
		case wallet.Lock():
			with.Data = []any{wallet}
			return with, true
		case chain.Address{Hash: chain.LockHash(wallet.Lock())}:
			with.Data = []any{chain.EncodeLock(wallet.Lock()), wallet}
			return with, true
		}
	}
	return with, false
}

func (w *world) wallet() chaintest.Wallet { return w.wallets[w.IntN(len(w.wallets))] }

func (w *world) lock() chain.Lock {
	l := w.wallet().Lock()
	switch w.IntN(6) {
	case 0:
		return chain.Address{Hash: chain.LockHash(l)}
	case 1:
		return chain.Delegate{
			Owner: l, Delegate: w.wallet().Lock(), Operations: chain.OpAsset, Remaining: w.Uint64N(99), Expiry: math.MaxUint64,
		}
	}
	return l
}

// candidates lists what the next transaction may spend: what the network has, less what the
// block spends, and what the block creates.
func (w *world) candidates(block []chaintest.Signed, used map[chain.Outpoint]bool) (all []chain.UTXO) {
	for o, e := range w.Store.Unspent {
		if _, ok := w.with(&e.Output); ok && !used[o] && !e.Coinbase {
			all = append(all, chain.UTXO{Outpoint: o, Entry: e})
		}
	}
	slices.SortFunc(all, func(a, b chain.UTXO) int { return bytes.Compare(a.Encode(), b.Encode()) })
	for _, s := range block {
		for i := range s.Tx.Outputs {
			if u := s.Out(i); !used[u.Outpoint] {
				if _, ok := w.with(&s.Tx.Outputs[i]); ok {
					all = append(all, u)
				}
			}
		}
	}
	return all
}

func (w *world) block() *chain.Block {
	var txs []chaintest.Signed
	used := map[chain.Outpoint]bool{}
	for range w.IntN(6) {
		all := w.candidates(txs, used)
		d := w.Draft()
		sum := map[chain.TokenID]uint64{}
		for range 1 + w.IntN(3) {
			u := all[w.IntN(len(all))]
			if used[u.Outpoint] {
				continue
			}
			used[u.Outpoint] = true
			with, _ := w.with(&u.Entry.Output)
			d.Spend(u, with)
			for _, c := range u.Entry.Output.Value {
				sum[c.Token] += c.Amount
			}
		}
		if len(d.Inputs) > 0 {
			w.outputs(d, sum)
			txs = append(txs, d.Sign())
		}
	}
	return w.Block(1+w.Uint64N(1000), txs...)
}

// outputs pays what a transaction has spent.
func (w *world) outputs(d *chaintest.Draft, sum map[chain.TokenID]uint64) {
	if w.IntN(4) == 0 {
		w.policy(d)
	}
	if w.IntN(4) == 0 {
		w.resource(d)
	}
	if w.IntN(5) == 0 {
		d.Pay(chain.Output{Lock: w.wallet().Lock(), Body: &chain.State{Type: chain.StateData, Data: []byte{byte(w.Uint32())}}})
	}
	for t, n := range sum {
		if fee := w.Uint64N(3); t == (chain.TokenID{}) && n > fee {
			d.Fee, n = chain.Tokens(t, fee), n-fee
		}
		for n > 0 {
			part := 1 + w.Uint64N(n)
			if w.IntN(3) > 0 {
				part = n
			}
			d.Pay(w.asset(t, part))
			n -= part
		}
	}
	for range w.IntN(2) * w.IntN(90) {
		d.Pay(chain.Output{Lock: w.wallet().Lock()})
	}
}

func (w *world) asset(t chain.TokenID, n uint64) chain.Output {
	o := chain.Output{Lock: w.lock(), Value: chain.Tokens(t, n)}
	switch k := w.IntN(12); {
	case k == 0:
		o.Lock = chain.Burn()
	case k == 1:
		p := chain.SponsorPool{
			Owner: w.wallet().Lock(), Users: []chain.Lock{w.wallet().Lock()}, Operations: chain.OpAsset, Rate: 1, MaxPerTx: 1,
		}
		o.Lock, o.Body = chain.Open(), p.State()
	case k == 2:
		b := chain.OperatorBond{Operator: w.wallet().Lock(), Key: w.wallet().Public()}
		o.Lock, o.Body = chain.Open(), b.State()
	}
	return o
}

// policy issues a token in the first outputs.
func (w *world) policy(d *chaintest.Draft) {
	p := chain.TokenPolicy{ID: chain.NewTokenID(d.Inputs[0], 0), Lock: w.wallet().Lock(), Max: 100, Minted: 40}
	d.Pay(chain.Output{Lock: chain.Open(), Body: p.State()}, chain.Output{Lock: w.lock(), Value: chain.Tokens(p.ID, 40)})
}

// resource publishes a file or a model.
func (w *world) resource(d *chaintest.Draft) {
	r := &chain.Resource{CID: []byte{byte(w.IntN(5))}, Kind: chain.ResourceFile, Name: "r", Owner: w.wallet().Lock()}
	if w.IntN(2) == 0 {
		w.keys++
		raw, key := chaintest.Key(uint64(1+w.IntN(3)), byte(w.IntN(3)))
		r.Kind, r.Key = chain.ResourceModel, &key
		d.Attachments = append(d.Attachments, w.Store.Attach(chain.AttachKey, raw))
	}
	d.Pay(chain.Output{Lock: w.wallet().Lock(), Body: r})
}

// reorganise undoes blocks and connects others; with a chance it rolls back at some step.
func (w *world) reorganise() {
	w.t.Helper()
	deep := 1 + w.IntN(min(4, len(w.blocks)-1))
	was := w.blocks
	var undo, apply []chain.Hash
	for _, b := range slices.Backward(was[len(was)-deep:]) {
		undo = append(undo, b.Header.Hash())
		w.must(w.Disconnect())
	}
	branch := slices.Clone(was[:len(was)-deep])
	var applied []*chain.Applied
	for range deep + 1 {
		b := w.block()
		a, err := w.Connect(b)
		w.must(err)
		w.stage(b)
		branch, applied, apply = append(branch, b), append(applied, a), append(apply, a.After.Tip)
	}
	stop := -1
	if w.IntN(2) == 0 {
		stop = w.IntN(2*deep + 1)
	}
	before := w.s.Reader()
	defer before.Close()
	w.must(w.s.Begin(undo, apply))
	steps := w.steps(branch[len(was)-deep:], applied, stop)
	if l := before.Ledger(); l.Tip != was[len(was)-1].Header.Hash() {
		w.t.Fatal("a reader has moved")
	}
	if steps {
		w.blocks = branch
		w.must(w.s.End())
		return
	}
	w.rollBack(was, deep)
}

// steps carries a move out, up to some step.
func (w *world) steps(apply []*chain.Block, applied []*chain.Applied, stop int) bool {
	w.t.Helper()
	for range len(apply) - 1 {
		if stop--; stop == -1 {
			return false
		}
		_, err := w.s.Disconnect()
		w.must(err)
	}
	for i, b := range apply {
		if stop--; stop == -1 {
			return false
		}
		w.must(w.s.Connect(b, applied[i], true))
	}
	return true
}

// rollBack returns both to the blocks of before.
func (w *world) rollBack(was []*chain.Block, deep int) {
	w.t.Helper()
	if w.IntN(2) == 0 {
		w.must(w.s.Rollback())
	} else {
		w.reopen()
	}
	for range deep + 1 {
		w.must(w.Disconnect())
	}
	for _, b := range was[len(was)-deep:] {
		_, err := w.Connect(b)
		w.must(err)
	}
}

func (w *world) Disconnect() error { return w.Network.Disconnect() }

func (w *world) Connect(b *chain.Block) (*chain.Applied, error) { return w.Network.Connect(b) }

func TestRandomBlocksAndReorganisationsAgreeWithTheLedgerInMaps(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			o := small()
			if seed%2 == 1 {
				o.memTable = 64 << 10 // every block needs a redo record
			}
			o.UndoDepth, o.AttachmentDepth = 4, 5
			w := newWorld(t, seed, o)
			w.dir = t.TempDir()
			w.open()
			for step := range 40 {
				if len(w.blocks) > 2 && w.IntN(4) == 0 {
					w.reorganise()
				} else {
					w.extend(w.block())
				}
				if w.IntN(10) == 0 {
					w.reopen()
				}
				if w.IntN(3) == 0 {
					w.prune()
				}
				if step%4 == 3 {
					w.check()
				}
			}
			w.check()
		})
	}
}
