package chain_test

import (
	"bytes"
	"cmp"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

func sortUTXOs(all []chain.UTXO) {
	slices.SortFunc(all, func(a, b chain.UTXO) int {
		return cmp.Or(bytes.Compare(a.Outpoint.Tx[:], b.Outpoint.Tx[:]), cmp.Compare(a.Outpoint.Index, b.Outpoint.Index))
	})
}

// apply validates a block with some number of workers.
func (h *harness) apply(b *chain.Block, workers int) (*chain.Applied, error) {
	v := *h.Validator
	v.Workers = workers
	return v.Apply(&h.Ledger, h.Store, b, h.Store)
}

// TestParallelValidationEqualsTheDumbModel runs random blocks, half of them invalid, with one
// worker, with many, and through a model that reads like the rules.
func TestParallelValidationEqualsTheDumbModel(t *testing.T) {
	valid, invalid := 0, map[chain.Code]int{}
	for seed := range uint64(40) {
		w := newWorld(t, seed)
		for n := range 25 {
			b := w.block([]float64{0, 0.3}[n%2])
			want := w.judge(b)
			a, err := w.apply(b, 1)
			many, again := w.apply(b, 7)
			if !reflect.DeepEqual(a, many) || !reflect.DeepEqual(err, again) {
				t.Fatalf("seed %d, block %d: one worker says %v, seven say %v", seed, n, err, again)
			}
			if want != nil {
				var got *chain.RuleError
				if !errors.As(err, &got) || *want != (verdict{got.Tx, got.Input, got.Code}) {
					t.Fatalf("seed %d, block %d: got %v, want %+v", seed, n, err, *want)
				}
				invalid[want.code]++
				continue
			}
			if _, err := w.Connect(b); err != nil {
				t.Fatalf("seed %d, block %d: %v", seed, n, err)
			}
			valid++
			w.compare(t)
		}
	}
	if valid < 400 || len(invalid) < 8 {
		t.Errorf("%d valid blocks, and invalid ones by rule %v: the draw has worn out", valid, invalid)
	}
}

// compare requires that store, model and hash agree, and that no unit of a token came or went.
func (w *world) compare(t *testing.T) {
	t.Helper()
	if !reflect.DeepEqual(w.Store.Unspent, w.unspent) {
		t.Fatalf("the store has %d outputs, the model %d", len(w.Store.Unspent), len(w.unspent))
	}
	if w.Ledger.Set != chain.HashSet(w.utxos()) {
		t.Fatal("the hash of the set is not that of its elements")
	}
	for token, want := range w.supply {
		if got := w.Store.Supply(token) + w.burned[token]; got != want {
			t.Fatalf("%d units of %v are unspent or burned, want %d", got, token, want)
		}
	}
}

func (w *world) utxos() []chain.UTXO {
	var all []chain.UTXO
	for o, e := range w.Store.Unspent {
		all = append(all, chain.UTXO{Outpoint: o, Entry: e})
	}
	return all
}

// TestUndoReturnsTheSameState connects random blocks, leaves them one by one, and connects
// them again.
func TestUndoReturnsTheSameState(t *testing.T) {
	for seed := range uint64(10) {
		w := newWorld(t, 100+seed)
		var blocks []*chain.Block
		ledgers, stores := []chain.Ledger{w.Ledger}, []*chaintest.Memory{w.Store.Snapshot()}
		for range 20 {
			b := w.block(0)
			w.judge(b)
			if _, err := w.Connect(b); err != nil {
				t.Fatal(err)
			}
			blocks, ledgers, stores = append(blocks, b), append(ledgers, w.Ledger), append(stores, w.Store.Snapshot())
		}
		for i := len(blocks) - 1; i >= 0; i-- {
			if err := w.Disconnect(); err != nil {
				t.Fatal(err)
			}
			if w.Ledger != ledgers[i] || !reflect.DeepEqual(w.Store.Snapshot(), stores[i]) {
				t.Fatalf("seed %d: undoing block %d leads elsewhere", seed, i)
			}
		}
		for i, b := range blocks {
			if _, err := w.Connect(b); err != nil || w.Ledger != ledgers[i+1] {
				t.Fatalf("seed %d: block %d again: %v", seed, i, err)
			}
		}
	}
}

// TestUndoDataSurvivesItsEncoding undoes from bytes.
func TestUndoDataSurvivesItsEncoding(t *testing.T) {
	w := newWorld(t, 5)
	a, err := w.Connect(w.block(0))
	if err != nil {
		t.Fatal(err)
	}
	u, err := chain.DecodeUndo(a.Undo.Encode())
	if err != nil {
		t.Fatal(err)
	}
	l, c := chain.Undone(u)
	want, changes := chain.Undone(&a.Undo)
	if l != want || !reflect.DeepEqual(c, changes) {
		t.Error("undo data changes on its way through bytes")
	}
}

// TestEveryRuleIsReportedAlikeByAnyNumberOfWorkers repeats the blocks of the rules.
func TestEveryRuleIsReportedAlikeByAnyNumberOfWorkers(t *testing.T) {
	for _, c := range allRules() {
		h := newHarness(t)
		b := c.block(h, true)
		_, one := h.apply(b, 1)
		_, many := h.apply(b, 7)
		if !reflect.DeepEqual(one, many) {
			t.Errorf("%s: one worker says %v, seven say %v", c.name, one, many)
		}
	}
}
