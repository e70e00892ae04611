package store

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/weisyn/wes/chain"
)

func quiet(uint64, uint64) {}

func TestVerificationFindsTheWholeLedgerRight(t *testing.T) {
	c := newScenario(t)
	s := c.played(t, t.TempDir())
	var last uint64
	report, err := s.Verify(context.Background(), validator(t), func(height, of uint64) {
		if height != last+1 || of != 5 {
			t.Fatalf("progress %d of %d after %d", height, of, last)
		}
		last = height
	})
	if err != nil || report != (Report{5, 1}) || last != 5 {
		t.Fatalf("%+v, %v", report, err)
	}
	// Without an attachment of b3 proofs are checked from b4 on.
	for _, tx := range c.nodes["b3"].block.Txs {
		for _, a := range tx.Attachments {
			s.remove(t, hashKey(keyAttachment, a.SHA256))
		}
	}
	report, err = s.Verify(context.Background(), validator(t), quiet)
	if err != nil || report != (Report{5, 4}) {
		t.Fatalf("%+v, %v", report, err)
	}
}

// remove breaks a store.
func (s *Store) remove(t testing.TB, key []byte) {
	t.Helper()
	var w writes
	w.remove(key)
	s.force(t, w)
}

func (s *Store) force(t testing.TB, w writes) {
	t.Helper()
	if err := s.commit(w); err != nil {
		t.Fatal(err)
	}
	s.publish()
}

func TestVerificationNamesWhatDoesNotFollow(t *testing.T) {
	c := newScenario(t)
	b4 := c.nodes["b4"]
	tx := b4.block.Txs[0].ID()
	set := func(key, value []byte) func(t *testing.T, s *Store) {
		return func(t *testing.T, s *Store) {
			var w writes
			w.set(key, value)
			s.force(t, w)
		}
	}
	remove := func(key []byte) func(t *testing.T, s *Store) {
		return func(t *testing.T, s *Store) { s.remove(t, key) }
	}
	first := func(prefix byte, change func(key, value []byte) (newKey, newValue []byte)) func(t *testing.T, s *Store) {
		return func(t *testing.T, s *Store) {
			for item, err := range s.mu.working.scan([]byte{prefix}, nil) {
				if err != nil {
					t.Fatal(err)
				}
				defer set(change(item.key, item.value))(t, s)
				break
			}
		}
	}
	for name, k := range map[string]struct {
		damage func(t *testing.T, s *Store)
		says   string
	}{
		"a place is missing": {remove(hashKey(keyTx, tx)), "place of transaction " + tx.String() + ": not there"},
		"a place is wrong":   {set(hashKey(keyTx, tx), Place{1, 1}.encode()), "place of transaction " + tx.String()},
		"an output too many": {set(unspentKey(Subject{Role: RoleJob}, chain.Outpoint{}), []byte{1}), "index of unspent outputs"},
		"a name too many":    {set(hashKey(keyNames, chain.Hash{}), encodeNumber(1)), "names of verifying key"},
		"a mark too many": {first(keyGroup, func(key, _ []byte) ([]byte, []byte) {
			return append([]byte{keySpent}, key[1:]...), spent{1, 1}.encode()
		}), "outputs of transaction"},
		"marks that are short":   {first(keySpent, func(key, v []byte) ([]byte, []byte) { return key, v[:9] }), "spent outputs of transaction"},
		"outputs that are short": {first(keyGroup, func(key, v []byte) ([]byte, []byte) { return key, v[:len(v)-1] }), "outputs of transaction"},
		"another attachment":     {first(keyAttachment, func(key, v []byte) ([]byte, []byte) { return key, append(v, 1) }), "attachment"},
		"another header":         {first(keyHeader, func(key, v []byte) ([]byte, []byte) { v[0]++; return key, v }), "header"},
		"another block":          {set(hashKey(keyBody, b4.hash()), c.nodes["b3"].block.Encode()), "block " + b4.hash().String()},
		"no block":               {remove(hashKey(keyBody, b4.hash())), "block " + b4.hash().String() + " at height 4"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := c.played(t, t.TempDir())
			k.damage(t, s)
			_, err := s.Verify(context.Background(), validator(t), quiet)
			if err == nil || !strings.Contains(err.Error(), k.says) || !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrPruned) {
				t.Fatalf("got %v, want %s", err, k.says)
			}
		})
	}
}

// TestVerificationNamesTheBlockAndTheRule connects a block whose header commits to other outputs.
func TestVerificationNamesTheBlockAndTheRule(t *testing.T) {
	w := newTwin(t, small(), pay(alice, 1000))
	w.mine()
	b := w.Block(1000)
	a, err := w.Connect(b)
	w.must(err)
	b.Header.UTXOHash[0]++
	a.After.Tip = b.Header.Hash()
	w.stage(b)
	w.must(w.s.Begin(nil, []chain.Hash{a.After.Tip}))
	w.must(w.s.Connect(b, a, true))
	w.must(w.s.End())
	_, err = w.s.Verify(context.Background(), w.Validator, quiet)
	var at *BlockError
	var rule *chain.RuleError
	if !errors.As(err, &at) || !errors.As(err, &rule) || at.Height != 2 || at.Block != a.After.Tip || rule.Code != chain.CodeUTXOHash {
		t.Fatalf("got %v", err)
	}
}
