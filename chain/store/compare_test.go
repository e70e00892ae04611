package store

import (
	"bytes"
	"maps"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

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
