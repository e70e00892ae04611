// Package storetest is the contract of the stores that package replica works on.
package storetest

import (
	"crypto/sha256"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/chain/replica"
)

// Stores makes stores on a genesis block.
type Stores interface {
	// New returns an empty store, and what readers see of it.
	New(t *testing.T, genesis *chain.Block, a *chain.Applied) (replica.Store, replica.Source)
	// Reopen ends a store as a crash does, and opens what it has left.
	Reopen(t *testing.T, s replica.Store) (replica.Store, replica.Source)
}

// Run demands the contract of a kind of store.
func Run(t *testing.T, stores Stores) {
	for name, test := range map[string]func(t *testing.T, w *world){
		"headers come back, parents first":                   headers,
		"bodies and attachments come back by hash":           bodies,
		"moves change the ledger block by block":             moves,
		"readers see either side of a move":                  readers,
		"a move that is rolled back leaves nothing":          rollback,
		"a reorganisation cut off by a crash leaves nothing": crash,
		"an ended reorganisation stays over a crash":         ended,
		"a verifying key is there while an output names it":  keys,
		"a block undone and connected again is the same":     again,
	} {
		t.Run(name, func(t *testing.T) { test(t, newWorld(t, stores)) })
	}
}

// world is a ledger in memory, which says what must be, with two branches of blocks, and a store.
type world struct {
	t       *testing.T
	stores  Stores
	rules   *chain.Validator
	genesis *chain.Block
	store   replica.Store
	source  replica.Source
	main    []*chain.Block // four blocks
	side    []*chain.Block // five blocks that begin where main does
	key     []byte
}

var owner = chaintest.NewWallet("owner")

func newWorld(t *testing.T, stores Stores) *world {
	t.Helper()
	v, err := chain.NewValidator(chain.DefaultParams(), &chaintest.Verifier{}, 1)
	must(t, err)
	w := &world{t: t, stores: stores, rules: v}
	w.main, w.side = w.branch(4, 1000), w.branch(5, 1500)
	a, err := v.Genesis(w.genesis)
	must(t, err)
	w.store, w.source = stores.New(t, w.genesis, a)
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// branch makes blocks, each with a payment and an attachment; the first publishes a key, which the
// last spends.
func (w *world) branch(n int, spacing uint64) (all []*chain.Block) {
	pay := func(amount uint64) chain.Output {
		return chain.Output{Lock: owner.Lock(), Value: chain.Native(amount)}
	}
	net, coins, err := chaintest.NewNetwork(w.rules, slices.Repeat([]chain.Output{pay(1000)}, 10)...)
	must(w.t, err)
	w.genesis = net.First
	var named chain.VerifyingKey
	w.key, named = chaintest.Key(100, 1)
	with := chaintest.With{Data: []any{owner}}
	var resource chain.UTXO
	for i := range n {
		d := net.Draft().Spend(coins[i], with)
		d.Attachments = []chain.Attachment{net.Store.Attach(chain.AttachData, []byte{byte(i), byte(spacing)})}
		switch i {
		case 0:
			d.Attachments = append(d.Attachments, net.Store.Attach(chain.AttachKey, w.key))
			d.Pay(chain.Output{Lock: owner.Lock(), Value: chain.Native(1000), Body: &chain.Resource{CID: []byte{1}, Kind: chain.ResourceModel, Owner: owner.Lock(), Key: &named}})
		case n - 1:
			d.Spend(resource, with).Pay(pay(1500), pay(500))
		default:
			d.Pay(pay(400), pay(600))
		}
		tx := d.Sign()
		if i == 0 {
			resource = tx.Out(0)
		}
		b := net.Block(spacing, tx)
		_, err := net.Connect(b)
		must(w.t, err)
		all = append(all, b)
	}
	return all
}

func hashOf(b *chain.Block) chain.Hash { return b.Header.Hash() }

func hashes(all []*chain.Block) (list []chain.Hash) {
	for _, b := range all {
		list = append(list, hashOf(b))
	}
	return list
}

// stage writes everything of blocks but the ledger's move to them.
func (w *world) stage(all ...*chain.Block) {
	w.t.Helper()
	for i, b := range all {
		must(w.t, w.store.PutHeaders([]chain.StoredHeader{{Header: b.Header}}))
		must(w.t, w.store.PutBody(b))
		must(w.t, w.store.PutAttachments([]byte{byte(i), byte(all[0].Header.Time - w.genesis.Header.Time)}))
	}
	must(w.t, w.store.PutAttachments(w.key))
	must(w.t, w.store.MarkStored(hashes(all)))
}

// connect applies blocks within a move.
func (w *world) connect(all ...*chain.Block) {
	w.t.Helper()
	for _, b := range all {
		l := w.store.Ledger()
		a, err := w.rules.Apply(&l, w.store, b, w.store)
		must(w.t, err)
		must(w.t, w.store.Connect(b, a, true))
	}
}

// move is a whole move along main.
func (w *world) move(all ...*chain.Block) {
	w.t.Helper()
	must(w.t, w.store.Begin(nil, hashes(all)))
	w.connect(all...)
	must(w.t, w.store.End())
}

// undo disconnects as many blocks.
func (w *world) undo(n int) {
	w.t.Helper()
	for range n {
		_, err := w.store.Disconnect()
		must(w.t, err)
	}
}

// stands demands that the store is what connecting the blocks to a fresh ledger gives: outputs,
// keys, hash and branch.
func (w *world) stands(all ...*chain.Block) {
	w.t.Helper()
	a, err := w.rules.Genesis(w.genesis)
	must(w.t, err)
	want, err := chaintest.NewStore(w.genesis, a)
	must(w.t, err)
	must(w.t, want.PutAttachments(w.key))
	must(w.t, want.Begin(nil, nil))
	for _, b := range all {
		must(w.t, want.PutHeaders([]chain.StoredHeader{{Header: b.Header}}))
		for _, x := range b.Txs[1].Attachments {
			bytes, _, err := w.store.Attachment(x.SHA256)
			must(w.t, err)
			must(w.t, want.PutAttachments(bytes))
		}
		l := want.Ledger()
		a, err := w.rules.Apply(&l, want, b, want)
		must(w.t, err)
		must(w.t, want.Connect(b, a, true))
	}
	if got := w.store.Ledger(); got != want.Ledger() {
		w.t.Fatalf("stands at %v", &got)
	}
	for _, b := range slices.Concat([]*chain.Block{w.genesis}, w.main, w.side) {
		w.compare(b, want)
	}
	for h := range uint64(8) {
		got, found, err := w.source.MainHash(h)
		must(w.t, err)
		x, there, _ := want.MainHash(h)
		if found != there || found && got != x {
			w.t.Errorf("height %d: %v (%v), want %v (%v)", h, got, found, x, there)
		}
	}
}

// compare looks up every output of a block, and its place on the branch.
func (w *world) compare(b *chain.Block, want *chaintest.Store) {
	w.t.Helper()
	for _, tx := range b.Txs {
		for i := range tx.Outputs {
			o := chain.Outpoint{Tx: tx.ID(), Index: uint32(i)}
			got, found, err := w.store.Entry(o)
			must(w.t, err)
			e, there, _ := want.Entry(o)
			if found != there || found && (got.Output.Hash() != e.Output.Hash() || got.Height != e.Height || got.Coinbase != e.Coinbase) {
				w.t.Errorf("output %v:%d: %+v (%v), want %+v (%v)", o.Tx, i, got, found, e, there)
			}
		}
	}
	height, found, err := w.source.MainHeight(hashOf(b))
	must(w.t, err)
	if x, there, _ := want.MainHeight(hashOf(b)); found != there || found && height != x {
		w.t.Errorf("height of %v: %d (%v), want %d (%v)", hashOf(b), height, found, x, there)
	}
}

func headers(t *testing.T, w *world) {
	w.stage(w.main...)
	w.stage(w.side...)
	must(t, w.store.MarkBad(hashes(w.side[4:])))
	w.store, w.source = w.stores.Reopen(t, w.store)
	seen := map[chain.Hash]chain.StoredHeader{hashOf(w.genesis): {}}
	for h, err := range w.store.Headers() {
		must(t, err)
		if _, known := seen[h.Header.Parent]; !known {
			t.Errorf("height %d before its parent", h.Header.Height)
		}
		seen[h.Header.Hash()] = h
	}
	for _, b := range slices.Concat(w.main, w.side) {
		h, known := seen[hashOf(b)]
		one, found, err := w.store.Header(hashOf(b))
		must(t, err)
		// The body of a bad block is gone.
		if bad := b == w.side[4]; !known || !found || h.Header != b.Header || one.Header != b.Header || h.Stored == bad || h.Bad != bad || one.Bad != bad {
			t.Errorf("height %d: %+v, %+v", b.Header.Height, h, one)
		}
	}
	if g, found, err := w.store.Header(hashOf(w.genesis)); err != nil || !found || g.Header != w.genesis.Header {
		t.Errorf("genesis: %v, %v", found, err)
	}
	if _, found, err := w.store.Header(chain.Hash{1}); err != nil || found {
		t.Errorf("an unknown header: %v, %v", found, err)
	}
}

func bodies(t *testing.T, w *world) {
	w.stage(w.main...)
	w.store, w.source = w.stores.Reopen(t, w.store)
	for _, b := range append(w.main, w.genesis) {
		got, found, err := w.store.Block(hashOf(b))
		must(t, err)
		raw, there, err := w.source.Body(hashOf(b))
		must(t, err)
		if !found || !there || string(got.Encode()) != string(b.Encode()) || string(raw) != string(b.Encode()) {
			t.Errorf("height %d: %v, %v", b.Header.Height, found, there)
		}
	}
	if b, found, err := w.store.Attachment(sha256.Sum256(w.key)); err != nil || !found || string(b) != string(w.key) {
		t.Errorf("attachment: %v, %v", found, err)
	}
	if _, found, err := w.store.Block(chain.Hash{1}); err != nil || found {
		t.Errorf("an unknown block: %v, %v", found, err)
	}
}

func moves(t *testing.T, w *world) {
	w.stage(w.main...)
	w.stands()
	for i := range w.main {
		w.move(w.main[i])
		w.stands(w.main[:i+1]...)
	}
	w.store, w.source = w.stores.Reopen(t, w.store)
	w.stands(w.main...)
}

func readers(t *testing.T, w *world) {
	w.stage(w.main...)
	w.stage(w.side...)
	w.move(w.main...)
	sees := func() chain.Hash {
		h, _, err := w.source.MainHash(2)
		must(t, err)
		return h
	}
	must(t, w.store.Begin([]chain.Hash{hashOf(w.main[3]), hashOf(w.main[2]), hashOf(w.main[1]), hashOf(w.main[0])}, hashes(w.side)))
	w.undo(4)
	w.connect(w.side[:3]...)
	if got := sees(); got != hashOf(w.main[1]) && got != hashOf(w.side[1]) {
		t.Errorf("readers see %v", got)
	}
	w.connect(w.side[3:]...)
	must(t, w.store.End())
	if got := sees(); got != hashOf(w.side[1]) {
		t.Errorf("readers see %v after the move", got)
	}
	w.stands(w.side...)
}

// reorganise begins to move from main to side, and stops after some steps.
func (w *world) reorganise(steps int) {
	w.t.Helper()
	undo := hashes(w.main)
	slices.Reverse(undo)
	must(w.t, w.store.Begin(undo, hashes(w.side)))
	w.undo(min(steps, len(w.main)))
	w.connect(w.side[:max(0, steps-len(w.main))]...)
}

func rollback(t *testing.T, w *world) {
	w.stage(w.main...)
	w.stage(w.side...)
	w.move(w.main...)
	for steps := range len(w.main) + len(w.side) + 1 {
		w.reorganise(steps)
		must(t, w.store.Rollback())
		w.stands(w.main...)
	}
}

func crash(t *testing.T, w *world) {
	w.stage(w.main...)
	w.stage(w.side...)
	w.move(w.main...)
	whole := len(w.main) + len(w.side)
	for steps := range whole {
		w.reorganise(steps)
		w.store, w.source = w.stores.Reopen(t, w.store)
		w.stands(w.main...)
	}
	// All steps are done, and the end is not written: a store may finish.
	w.reorganise(whole)
	w.store, w.source = w.stores.Reopen(t, w.store)
	if l := w.store.Ledger(); l.Tip == hashOf(w.side[len(w.side)-1]) {
		w.stands(w.side...)
	} else {
		w.stands(w.main...)
	}
}

func ended(t *testing.T, w *world) {
	w.stage(w.main...)
	w.stage(w.side...)
	w.move(w.main...)
	w.reorganise(len(w.main) + len(w.side))
	must(t, w.store.End())
	w.store, w.source = w.stores.Reopen(t, w.store)
	w.stands(w.side...)
}

func keys(t *testing.T, w *world) {
	w.stage(w.main...)
	has := func() bool {
		b, found, err := w.store.VerifyingKey(sha256.Sum256(w.key))
		must(t, err)
		return found && string(b) == string(w.key)
	}
	got := []bool{has()}
	for _, b := range w.main {
		w.move(b)
		got = append(got, has())
	}
	if want := []bool{false, true, true, true, false}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func again(t *testing.T, w *world) {
	w.stage(w.main...)
	w.move(w.main...)
	for range 2 {
		must(t, w.store.Begin([]chain.Hash{hashOf(w.main[3]), hashOf(w.main[2])}, hashes(w.main[2:])))
		w.undo(2)
		w.connect(w.main[2:]...)
		must(t, w.store.End())
		w.stands(w.main...)
	}
}
