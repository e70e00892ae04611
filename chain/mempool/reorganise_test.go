package mempool

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

func TestBlockRemovesWhatItHoldsAndWhatItMakesImpossible(t *testing.T) {
	w := newWorld(t, Config{}, 4)
	held := w.spend(5000, 1, w.coins[0]).Sign()
	child := w.spend(5000, 1, held.Out(0)).Sign()
	loser := w.spend(5000, 1, w.coins[1]).Sign()
	loserChild := w.spend(5000, 1, loser.Out(0)).Sign()
	bystander := w.spend(5000, 1, w.coins[2]).Sign()
	for _, s := range []chaintest.Signed{held, child, loser, loserChild, bystander} {
		w.accept(s)
	}
	winner := w.spend(6000, 2, w.coins[1]).Sign()
	w.mine(held, winner)
	if w.has(held) || w.has(loser) || w.has(loserChild) || !w.has(child) || !w.has(bystander) {
		t.Error("the wrong ones are left")
	}
}

// TestBlockMaySpendWhatAnotherOfItsTransactionsRefersTo: the reader is in the block, and what
// depends on it stays; a reader that is not has nothing to refer to.
func TestBlockMaySpendWhatAnotherOfItsTransactionsRefersTo(t *testing.T) {
	w := newWorld(t, Config{}, 4)
	spender := w.spend(5000, 1, w.coins[0]).Sign()
	inside := w.spend(5000, 1, w.coins[1]).Refer(w.coins[0]).Sign()
	child := w.spend(5000, 1, inside.Out(0)).Sign()
	outside := w.spend(5000, 1, w.coins[2]).Refer(w.coins[0]).Sign()
	for _, s := range []chaintest.Signed{spender, inside, child, outside} {
		w.accept(s)
	}
	w.mine(spender, inside)
	if !w.has(child) || w.has(outside) {
		t.Error("the wrong ones are left")
	}
}

func TestTimeRemovesWhatItCloses(t *testing.T) {
	w := newWorld(t, Config{}, 4)
	until := w.spend(5000, 1, w.coins[0])
	until.Until = chaintest.GenesisTime + 10_000
	before := w.spend(5000, 0, w.coins[1])
	before.Pay(chain.Output{Lock: chain.All{Locks: []chain.Lock{
		w.owner.Lock(), chain.Before{At: chaintest.GenesisTime + 15_000},
	}}, Value: chain.Native(995_000)})
	first, funding := until.Sign(), before.Sign()
	w.accept(first)
	w.accept(funding)
	inTime := w.spend(5000, 1, funding.Out(0)).Sign()
	child := w.spend(5000, 1, inTime.Out(0)).Sign()
	w.accept(inTime)
	w.accept(child)
	w.mine() // now is 10 s after the genesis block
	if !w.has(first) || !w.has(inTime) {
		t.Fatal("removed early")
	}
	w.mine()
	if w.has(first) || w.has(inTime) || w.has(child) || !w.has(funding) {
		t.Error("what is closed is left, or more is gone")
	}
}

func TestTransactionsOfABlockLeftComeBack(t *testing.T) {
	w := newWorld(t, Config{MaxChain: 2}, 3)
	f := w.family3(w.coins[0]) // a longer chain than policy takes
	cheap := w.spend(1, 1, w.coins[1]).Sign()
	a := w.mine(f[0], cheap)
	b := w.mine(f[1], f[2])
	must(t, w.net.Disconnect())
	must(t, w.net.Disconnect())
	_, err := w.pool.Reorganise(w.now, w.net.Env(), []*chain.Block{a, b}, nil)
	must(t, err)
	w.check()
	for i, s := range []chaintest.Signed{f[0], f[1], f[2], cheap} {
		if !w.has(s) {
			t.Errorf("transaction %d is lost", i)
		}
	}
}

func TestCoinbaseOfABlockLeftTakesItsDescendantsAlong(t *testing.T) {
	p := chain.DefaultParams()
	p.Maturity = 1
	w := newWorld(t, Config{}, 2)
	v, err := chain.NewValidator(p, &chaintest.Verifier{}, 1)
	must(t, err)
	w.net.Validator, w.pool.rules = v, v
	b := w.mine(w.spend(50_000, 1, w.coins[0]).Sign())
	reward, err := w.net.Unspent(chain.Outpoint{Tx: b.Txs[0].ID()})
	must(t, err)
	d := w.net.Draft().Spend(reward, chaintest.With{Data: []any{w.net.Miner}})
	d.Fee = chain.Native(5_000)
	s := d.Pay(w.output(45_000)).Sign()
	w.accept(s)
	must(t, w.net.Disconnect())
	_, err = w.pool.Reorganise(w.now, w.net.Env(), []*chain.Block{b}, nil)
	must(t, err)
	w.check()
	if w.has(s) {
		t.Error("it spends a reward that does not exist")
	}
}

// TestChildOutlivesAParentInTheNewBranch: the links between them are made anew.
func TestChildOutlivesAParentInTheNewBranch(t *testing.T) {
	w := newWorld(t, Config{}, 2)
	left := w.mine(w.spend(5000, 1, w.coins[1]).Sign())
	f := w.family3(w.coins[0])
	for _, s := range f {
		w.accept(s)
	}
	must(t, w.net.Disconnect())
	b := w.net.Block(12_000, f[0])
	_, err := w.net.Connect(b)
	must(t, err)
	_, err = w.pool.Reorganise(w.now, w.net.Env(), []*chain.Block{left}, []*chain.Block{b})
	must(t, err)
	w.check()
	if w.has(f[0]) || !w.has(f[1]) || !w.has(f[2]) || !w.has(chaintest.Signed{Tx: left.Txs[1]}) {
		t.Error("the wrong ones are left")
	}
}

func TestTimedOutputs(t *testing.T) {
	key, state := chain.Key{}, &chain.State{Type: chain.StateData}
	for name, c := range map[string]struct {
		out  chain.Output
		want bool
	}{
		"key":                                 {chain.Output{Lock: key}, false},
		"several":                             {chain.Output{Lock: chain.All{Locks: []chain.Lock{key, chain.HashLock{}}}}, false},
		"after":                               {chain.Output{Lock: chain.Any{Locks: []chain.Lock{key, chain.After{}}}}, true},
		"before":                              {chain.Output{Lock: chain.All{Locks: []chain.Lock{key, chain.Before{}}}}, true},
		"delegate":                            {chain.Output{Lock: chain.Delegate{}}, true},
		"an address, whose lock is not known": {chain.Output{Lock: chain.Address{}}, true},
		"state":                               {chain.Output{Lock: key, Body: state}, true},
		"resource":                            {chain.Output{Lock: key, Body: &chain.Resource{}}, false},
	} {
		if got := timed(&c.out); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestFaultStopsAReorganisation(t *testing.T) {
	w := newWorld(t, Config{}, 2)
	w.accept(w.spend(5000, 1, w.coins[0]).Sign())
	b := w.mine(w.spend(5000, 1, w.coins[1]).Sign())
	must(t, w.net.Disconnect())
	fault := errors.New("disk")
	w.pool.view = faultyView{w.net.Store, fault}
	if _, err := w.pool.Reorganise(w.now, w.net.Env(), []*chain.Block{b}, nil); !errors.Is(err, fault) {
		t.Errorf("%v", err)
	}
}

// history is a world whose ledger is left and entered at random.
type history struct {
	*world
	draw   *rapid.T
	coins  []chain.UTXO // anything that ever was an output
	known  map[chain.Hash]chaintest.Signed
	order  []chain.Hash // of known, in which they were made
	blocks []*chain.Block
}

func (h *history) learn(s chaintest.Signed) {
	if _, known := h.known[s.ID()]; !known {
		h.known[s.ID()] = s
		h.order = append(h.order, s.ID())
	}
	for i := range s.Tx.Outputs {
		h.coins = append(h.coins, s.Out(i))
	}
}

// transaction drafts one, of whatever outputs.
func (h *history) transaction() chaintest.Signed {
	coin := h.coins[rapid.IntRange(0, len(h.coins)-1).Draw(h.draw, "coin")]
	have := coin.Entry.Output.Value.Of(chain.TokenID{})
	fee := min(have/2, rapid.Uint64Range(1_000, 20_000).Draw(h.draw, "fee"))
	d := h.spend(fee, 1+rapid.IntRange(0, 1).Draw(h.draw, "outputs"), coin)
	if rapid.IntRange(0, 3).Draw(h.draw, "refers") == 0 {
		d.Refer(h.coins[rapid.IntRange(0, len(h.coins)-1).Draw(h.draw, "reference")])
	}
	return d.Sign()
}

// block connects a block of the pool's best transactions, or of a few drawn ones that are
// valid on the ledger, and returns it.
func (h *history) block() *chain.Block {
	var txs []chaintest.Signed
	if rapid.Bool().Draw(h.draw, "of the pool") {
		all := signedOf(h.pool.Template())
		txs = h.standing(all[:rapid.IntRange(0, len(all)).Draw(h.draw, "part")])
	} else {
		for range 3 {
			s := h.transaction()
			if _, err := h.net.CheckTx(h.net.Env(), h.net.Store, h.net.Store, s.Tx, s.Witness); err == nil && !h.spends(txs, s) {
				txs = append(txs, s)
				h.learn(s)
			}
		}
	}
	b := h.net.Block(10_000, txs...)
	if _, err := h.net.Connect(b); err != nil {
		h.draw.Fatal(err)
	}
	h.blocks = append(h.blocks, b)
	return b
}

// standing keeps of the pool's transactions what the ledger has the outputs for, which may have
// moved since the pool was told.
func (h *history) standing(all []chaintest.Signed) []chaintest.Signed {
	created := map[chain.Hash]bool{}
	return slices.DeleteFunc(all, func(s chaintest.Signed) bool {
		for _, o := range slices.Concat(s.Tx.Inputs, s.Tx.References) {
			if _, ok := h.net.Store.Unspent[o]; !ok && !created[o.Tx] {
				return true
			}
		}
		created[s.ID()] = true
		return false
	})
}

func (h *history) spends(txs []chaintest.Signed, s chaintest.Signed) bool {
	return slices.ContainsFunc(txs, func(x chaintest.Signed) bool { return x.Tx.Inputs[0] == s.Tx.Inputs[0] })
}

// reorganise leaves some blocks, enters others, and tells the pool.
func (h *history) reorganise() {
	left := rapid.IntRange(0, min(4, len(h.blocks))).Draw(h.draw, "left")
	undone := slices.Clone(h.blocks[len(h.blocks)-left:])
	before := h.inPool()
	for range left {
		must(h.draw, h.net.Disconnect())
	}
	h.blocks = h.blocks[:len(h.blocks)-left]
	var applied []*chain.Block
	for range rapid.IntRange(1, 3).Draw(h.draw, "entered") {
		applied = append(applied, h.block())
	}
	_, err := h.pool.Reorganise(h.now, h.net.Env(), undone, applied)
	must(h.draw, err)
	h.check()
	h.nothingLost(undone, before)
}

func (h *history) inPool() map[chain.Hash]bool {
	in := map[chain.Hash]bool{}
	for id := range h.pool.entries {
		in[id] = true
	}
	return in
}

// nothingLost requires that what was in the pool or in a block that was left is in the pool
// now, if it is valid on the ledger and the pool, and nothing in the pool spends its inputs.
func (h *history) nothingLost(undone []*chain.Block, before map[chain.Hash]bool) {
	for _, b := range undone {
		for _, t := range b.Txs[1:] {
			before[t.ID()] = true
		}
	}
	for id := range before {
		if h.pool.Get(id) != nil {
			continue
		}
		s := h.known[id]
		if slices.ContainsFunc(s.Tx.Inputs, func(o chain.Outpoint) bool { return h.pool.spent[o] != nil }) {
			continue
		}
		if _, err := h.net.CheckTx(h.net.Env(), &overlay{h.pool}, h.net.Store, s.Tx, s.Witness); err == nil {
			h.draw.Fatalf("%v is valid and lost", id)
		}
	}
}

func TestReorganisationLosesNothingValid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &history{world: newWorld(t, Config{}, 6), draw: t, known: map[chain.Hash]chaintest.Signed{}}
		h.coins = slices.Clone(h.world.coins)
		for range rapid.IntRange(3, 25).Draw(t, "events") {
			if rapid.IntRange(0, 4).Draw(t, "event") == 0 {
				h.reorganise()
				continue
			}
			s := h.transaction()
			_, err := h.add(s)
			if err != nil && !refuses(err) {
				t.Fatal(err)
			}
			h.check()
			h.learn(s)
		}
		// What the pool would mine is a valid block.
		if _, err := h.net.Connect(h.net.Block(10_000, signedOf(h.pool.Template())...)); err != nil {
			t.Fatal(err)
		}
	})
}

// TestUndoneTransactionWithoutItsAttachmentsStaysOut: a block far below others is connected without
// attachments; were its transactions in the pool, no template with them could be mined.
func TestUndoneTransactionWithoutItsAttachmentsStaysOut(t *testing.T) {
	w := newWorld(t, Config{}, 2)
	bare := w.attach(w.spend(50_000, 1, w.coins[0]), 1000).Sign()
	whole := w.attach(w.spend(50_000, 1, w.coins[1]), 1000).Sign()
	child := w.spend(5000, 1, bare.Out(0)).Sign()
	b := w.mine(bare, whole, child)
	w.net.Store.Withhold(bare.Tx.Attachments[0].SHA256)
	must(t, w.net.Disconnect())
	_, err := w.pool.Reorganise(w.now, w.net.Env(), []*chain.Block{b}, nil)
	must(t, err)
	if w.has(bare) || w.has(child) || !w.has(whole) {
		t.Error("the wrong ones came back")
	}
}
