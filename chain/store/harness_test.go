package store

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if dir := childFolder(); dir != "" {
		runChild(dir)
		return
	}
	if dir := os.Getenv(envRead); dir != "" {
		runReader(dir)
		return
	}
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}

// largeVariable is the name of the environment variable that adds what takes minutes.
const largeVariable = "WES_TEST_LARGE"

var (
	alice    = chaintest.NewWallet("alice")
	bob      = chaintest.NewWallet("bob")
	client   = chaintest.NewWallet("client")
	operator = chaintest.NewWallet("operator")
)

func pay(w chaintest.Wallet, n uint64) chain.Output {
	return chain.Output{Lock: w.Lock(), Value: chain.Native(n)}
}

func signedBy(w ...any) chaintest.With { return chaintest.With{Data: w} }

// twin is a store beside a ledger in maps.
type twin struct {
	*chaintest.Network
	t       testing.TB
	dir     string
	o       Options
	s       *Store
	blocks  []*chain.Block // of the ledger, genesis first
	created []chain.UTXO   // by genesis
}

// genesis returns the genesis block that chaintest makes of outputs.
func genesis(t testing.TB, v *chain.Validator, outputs []chain.Output) (*chain.Block, *chain.Applied) {
	t.Helper()
	b := &chain.Block{Header: chain.Header{Time: chaintest.GenesisTime}, Txs: []*chain.Tx{{Outputs: outputs}}, Witnesses: []chain.Witness{nil}}
	b.Header.TxRoot, b.Header.WitnessRoot = b.Roots()
	a, err := v.Genesis(b)
	if err != nil {
		t.Fatal(err)
	}
	return b, a
}

// small are options with which memtables are flushed and blocks need redo records soon.
func small() Options { return Options{memTable: 1 << 20, Reserve: 1 << 20} }

func validator(t testing.TB) *chain.Validator {
	t.Helper()
	v, err := chain.NewValidator(chain.DefaultParams(), &chaintest.Verifier{}, 2)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newTwin(t testing.TB, o Options, outputs ...chain.Output) *twin {
	t.Helper()
	w := newMaps(t, o, outputs...)
	w.dir = t.TempDir()
	w.open()
	return w
}

// newMaps is a twin without its store.
func newMaps(t testing.TB, o Options, outputs ...chain.Output) *twin {
	t.Helper()
	v := validator(t)
	n, created, err := chaintest.NewNetwork(v, outputs...)
	if err != nil {
		t.Fatal(err)
	}
	w := &twin{Network: n, t: t, o: o, created: created}
	w.o.Genesis, w.o.Applied = genesis(t, v, outputs)
	w.blocks = []*chain.Block{w.o.Genesis}
	return w
}

func (w *twin) open() {
	w.t.Helper()
	s, err := Open(w.dir, w.o)
	w.must(err)
	w.s = s
	w.t.Cleanup(w.close)
}

func (w *twin) close() {
	if w.s != nil {
		w.must(w.s.Close())
		w.s = nil
	}
}

func (w *twin) reopen() {
	w.t.Helper()
	w.close()
	w.open()
}

func (w *twin) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// stage writes what must be there before a block is connected.
func (w *twin) stage(b *chain.Block) {
	w.t.Helper()
	w.must(stage(w.s, w.Store, b))
}

func stage(s *Store, from chain.Attachments, b *chain.Block) error {
	var all [][]byte
	for _, t := range b.Txs {
		for _, a := range t.Attachments {
			p, ok, err := from.Attachment(a.SHA256)
			if err != nil {
				return err
			}
			if ok {
				all = append(all, p)
			}
		}
	}
	if err := s.PutAttachments(all...); err != nil {
		return err
	}
	if err := s.PutHeaders([]chain.StoredHeader{{Header: b.Header, Seal: b.Seal}}); err != nil {
		return err
	}
	if err := s.PutBody(b); err != nil {
		return err
	}
	return s.MarkStored([]chain.Hash{b.Header.Hash()})
}

// extend connects a block to both, as a move of its own.
func (w *twin) extend(b *chain.Block) *chain.Applied {
	w.t.Helper()
	a, err := w.Connect(b)
	w.must(err)
	w.stage(b)
	w.must(w.s.Begin(nil, []chain.Hash{a.After.Tip}))
	w.must(w.s.Connect(b, a, true))
	w.must(w.s.End())
	w.blocks = append(w.blocks, b)
	return a
}

// mine connects a block of transactions to both.
func (w *twin) mine(txs ...chaintest.Signed) *chain.Applied {
	w.t.Helper()
	return w.extend(w.Block(1000, txs...))
}

// check compares all that the store says with the ledger in maps, and with indexes made of it
// by looking at everything.
func (w *twin) check() {
	w.t.Helper()
	r := w.s.Reader()
	defer r.Close()
	compareLedgers(w.t, r.Ledger(), w.Ledger)
	compareLedgers(w.t, w.s.Ledger(), w.Ledger)
	compareUnspent(w.t, r, w.Store.Unspent)
	compareKeys(w.t, r, w.Store)
	compareIndexes(w.t, r, w.blocks, w.Store.Unspent)
}

func compareLedgers(t testing.TB, got, want chain.Ledger) {
	t.Helper()
	if !bytes.Equal(got.Encode(), want.Encode()) {
		t.Fatalf("the store stands at %v, want %v", &got, &want)
	}
}

func compareUnspent(t testing.TB, r *Reader, want map[chain.Outpoint]chain.Entry) {
	t.Helper()
	found := map[chain.Outpoint]bool{}
	for u, err := range r.Unspent() {
		if err != nil {
			t.Fatal(err)
		}
		e, ok := want[u.Outpoint]
		expected := chain.UTXO{Outpoint: u.Outpoint, Entry: e}
		if !ok || !bytes.Equal(u.Encode(), expected.Encode()) {
			t.Fatalf("output %v:%d is unspent (want %v), or another", u.Outpoint.Tx, u.Outpoint.Index, ok)
		}
		found[u.Outpoint] = true
	}
	for o := range want {
		if _, ok, err := r.Entry(o); !ok || err != nil || !found[o] {
			t.Fatalf("output %v:%d is not unspent: %v", o.Tx, o.Index, err)
		}
	}
}

func compareKeys(t testing.TB, r *Reader, m *chaintest.Memory) {
	t.Helper()
	got := map[chain.Hash]uint64{}
	for item, err := range r.scan([]byte{keyNames}, nil) {
		if err != nil {
			t.Fatal(err)
		}
		got[chain.Hash(item.key[1:])] = decodeNumber(item.value)
	}
	if !maps.Equal(got, m.Named) {
		t.Fatalf("names of keys are %v, want %v", got, m.Named)
	}
	for h := range m.Named {
		want, _, _ := m.VerifyingKey(h)
		if key, ok, err := r.VerifyingKey(h); !ok || err != nil || !bytes.Equal(key, want) {
			t.Fatalf("verifying key %v: found %v, %v", h, ok, err)
		}
	}
}

// dumbIndex is what the indexes must hold, by subject.
type dumbIndex struct {
	unspent map[Subject][]chain.Outpoint
	history map[Subject][]Appearance
	places  map[chain.Hash]Place
}

func dumb(blocks []*chain.Block, unspent map[chain.Outpoint]chain.Entry) dumbIndex {
	x := dumbIndex{map[Subject][]chain.Outpoint{}, map[Subject][]Appearance{}, map[chain.Hash]Place{}}
	for o, e := range unspent {
		for _, s := range subjects(&e.Output) {
			x.unspent[s] = append(x.unspent[s], o)
		}
	}
	outputs := map[chain.Outpoint]*chain.Output{}
	for height, b := range blocks {
		for i, t := range b.Txs {
			p := Place{uint64(height), uint32(i)}
			id := t.ID()
			x.places[id] = p
			for k := range t.Outputs {
				outputs[chain.Outpoint{Tx: id, Index: uint32(k)}] = &t.Outputs[k]
				if t.Outputs[k].Kept() {
					x.touch(&t.Outputs[k], p, Appearance{Receives: true})
				}
			}
			for _, o := range t.Inputs {
				x.touch(outputs[o], p, Appearance{Spends: true})
			}
		}
	}
	return x
}

func (x *dumbIndex) touch(o *chain.Output, p Place, a Appearance) {
	for _, s := range subjects(o) {
		if s.Role == RoleState {
			continue
		}
		if s.Role <= RoleOperator {
			s.Role = RoleLock
		}
		all := x.history[s]
		if len(all) == 0 || all[len(all)-1].Place != p {
			all = append(all, Appearance{Place: p})
		}
		last := &all[len(all)-1]
		last.Receives, last.Spends = last.Receives || a.Receives, last.Spends || a.Spends
		x.history[s] = all
	}
}

func compareIndexes(t testing.TB, r *Reader, blocks []*chain.Block, unspent map[chain.Outpoint]chain.Entry) {
	t.Helper()
	x := dumb(blocks, unspent)
	total := map[byte]int{}
	for _, prefix := range []byte{keyUnspent, keyHistory, keyTx, keyMain, keyRedo, keyJournal} {
		for _, err := range r.scan([]byte{prefix}, nil) {
			if err != nil {
				t.Fatal(err)
			}
			total[prefix]++
		}
	}
	want := map[byte]int{keyTx: len(x.places), keyMain: len(blocks)}
	for s, all := range x.unspent {
		want[keyUnspent] += len(all)
		compareOutputs(t, r, s, all)
	}
	for s, all := range x.history {
		want[keyHistory] += len(all)
		compareHistory(t, r, s, all)
	}
	if !maps.Equal(total, want) {
		t.Fatalf("%v entries of indexes, want %v", total, want)
	}
	for id, p := range x.places {
		if got, ok, err := r.Tx(id); got != p || !ok || err != nil {
			t.Fatalf("transaction %v is at %v (found: %v, %v), want %v", id, got, ok, err, p)
		}
	}
	for height, b := range blocks {
		got, _, err := r.MainHash(uint64(height))
		back, on, err2 := r.MainHeight(b.Header.Hash())
		if got != b.Header.Hash() || back != uint64(height) || !on || err != nil || err2 != nil {
			t.Fatalf("block %v is at %d: %v, %v", got, back, err, err2)
		}
	}
}

func compareOutputs(t testing.TB, r *Reader, s Subject, want []chain.Outpoint) {
	t.Helper()
	slices.SortFunc(want, func(a, b chain.Outpoint) int {
		if c := bytes.Compare(a.Tx[:], b.Tx[:]); c != 0 {
			return c
		}
		return int(a.Index) - int(b.Index)
	})
	var got []chain.Outpoint
	var at Cursor
	for first := true; first || len(at) > 0; first = false {
		page, next, err := r.Outputs(s, at, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range page {
			got = append(got, u.Outpoint)
		}
		at = next
	}
	if !slices.Equal(got, want) {
		t.Fatalf("outputs of %v are %v, want %v", s, got, want)
	}
}

func compareHistory(t testing.TB, r *Reader, s Subject, want []Appearance) {
	t.Helper()
	var got []Appearance
	var at Cursor
	for first := true; first || len(at) > 0; first = false {
		page, next, err := r.History(s, at, 2)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, page...)
		at = next
	}
	slices.Reverse(got)
	if !slices.Equal(got, want) {
		t.Fatalf("history of %v is %v, want %v", s, got, want)
	}
}
