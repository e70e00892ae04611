package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// played returns a store that has played the whole scenario but for the pruning.
func (c *scenario) played(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := Open(dir, c.o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for _, step := range c.steps[:len(c.steps)-1] {
		if err := step.do(s); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func allow(*chain.StoredHeader) error { return nil }

// exported returns snapshots of a store after b3 and b4; b3 is at height 3.
func exported(t testing.TB, s *Store, height uint64) []byte {
	t.Helper()
	r := s.Reader()
	defer r.Close()
	var file bytes.Buffer
	if err := r.Export(&file, height); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestSnapshotGivesTheLedgerBack(t *testing.T) {
	c := newScenario(t)
	s := c.played(t, t.TempDir())
	for height, name := range map[uint64]string{1: "a1", 2: "b2", 3: "b3", 4: "b4"} {
		file := exported(t, s, height)
		dir := filepath.Join(t.TempDir(), "imported")
		headers := 0
		check := func(h *chain.StoredHeader) error {
			headers++
			if h.Header.Height != uint64(headers) {
				t.Fatalf("header %d at height %d", headers, h.Header.Height)
			}
			return nil
		}
		if err := Import(dir, c.o, bytes.NewReader(file), check); err != nil {
			t.Fatal(err)
		}
		c.imported(t, dir, name, headers)
	}
}

// imported looks at a store made of a snapshot after a node, and carries it on.
func (c *scenario) imported(t *testing.T, dir, name string, headers int) {
	t.Helper()
	s, err := Open(dir, c.o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n := c.nodes[name]
	if headers != int(n.ledger.Height)+1 {
		t.Fatalf("%d headers", headers)
	}
	compareLedgers(t, s.Ledger(), n.ledger)
	r := s.Reader()
	defer r.Close()
	compareUnspent(t, r, n.state.Unspent)
	for subject, all := range dumb(n.blocks, n.state.Unspent).unspent {
		compareOutputs(t, r, subject, all)
	}
	for h, count := range n.state.Named {
		want, _, _ := c.from.Attachment(h)
		got, ok, err := r.VerifyingKey(h)
		named, _, _ := r.number(hashKey(keyNames, h))
		if !ok || err != nil || named != count || !bytes.Equal(got, want) {
			t.Fatalf("verifying key %v: found %v, %d names of %d, %v", h, ok, named, count, err)
		}
	}
	if err := s.Begin([]chain.Hash{n.hash()}, nil); !errors.Is(err, ErrPruned) {
		t.Fatalf("a block of the snapshot is undone: %v", err)
	}
	if _, err := s.Verify(context.Background(), validator(t), func(uint64, uint64) {}); !errors.Is(err, ErrPruned) {
		t.Fatalf("verified without bodies: %v", err)
	}
	rest := []string{"b2", "b3", "b4", "b5"}[n.ledger.Height-1:]
	if err := s.Begin(nil, c.hashes(rest...)); err != nil {
		t.Fatal(err)
	}
	for _, next := range rest {
		if err := stage(s, c.from, c.nodes[next].block); err != nil {
			t.Fatal(err)
		}
		l := s.Ledger()
		a, err := validator(t).Apply(&l, s, c.nodes[next].block, s)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Connect(c.nodes[next].block, a, true); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.End(); err != nil {
		t.Fatal(err)
	}
	last := s.Reader()
	defer last.Close()
	compareLedgers(t, last.Ledger(), c.nodes["b5"].ledger)
	compareUnspent(t, last, c.nodes["b5"].state.Unspent)
}

func TestSnapshotNeedsAHeaderAboveAndUndoData(t *testing.T) {
	c := newScenario(t)
	s := c.played(t, t.TempDir())
	if _, err := s.Prune(100); err != nil {
		t.Fatal(err)
	}
	r := s.Reader()
	defer r.Close()
	if err := r.Export(io.Discard, 5); err == nil {
		t.Fatal("the tip is exported, to which no header commits")
	}
	if err := r.Export(io.Discard, 1); !errors.Is(err, ErrPruned) {
		t.Fatalf("exported below undo data: %v", err)
	}
	if err := r.Export(io.Discard, 2); err != nil {
		t.Fatal(err)
	}
}

// resealed puts the hash of what comes before at the end.
func resealed(file []byte) []byte {
	body := file[:len(file)-sha256.Size]
	sum := sha256.Sum256(body)
	return append(bytes.Clone(body), sum[:]...)
}

func TestImportRefusesWhatIsNoSnapshot(t *testing.T) {
	c := newScenario(t)
	s := c.played(t, t.TempDir())
	file := exported(t, s, 3)
	const firstHeader = 20
	outputs := firstHeader + 4*(chain.HeaderSize+1)
	edit := func(change func(f []byte) []byte) []byte { return resealed(change(bytes.Clone(file))) }
	flip := func(at int) []byte {
		return edit(func(f []byte) []byte { f[at] ^= 1; return f })
	}
	first := int(binary.BigEndian.Uint32(file[outputs:])) + 4
	for name, bad := range map[string][]byte{
		"empty":                  nil,
		"another magic":          flip(0),
		"another version":        flip(11),
		"another height":         flip(19),
		"no height":              edit(func(f []byte) []byte { clear(f[12:20]); return f }),
		"a parent":               flip(firstHeader + 60),
		"a hash of outputs":      flip(firstHeader + 3*(chain.HeaderSize+1) + 170),
		"a seal":                 flip(firstHeader + chain.HeaderSize),
		"an output":              flip(outputs + first - 1),
		"an output missing":      edit(func(f []byte) []byte { return append(f[:outputs], f[outputs+first:]...) }),
		"an output twice":        edit(func(f []byte) []byte { return append(bytes.Clone(f[:outputs+first]), f[outputs:]...) }),
		"an output of 4 GiB":     edit(func(f []byte) []byte { copy(f[outputs:], "\xff\xff\xff\xff"); return f }),
		"a key":                  flip(len(file) - sha256.Size - 4 - 1),
		"the hash at the end":    append(bytes.Clone(file[:len(file)-1]), file[len(file)-1]^1),
		"bytes after the end":    append(bytes.Clone(file), 0),
		"without its end":        file[:len(file)-1],
		"half of it":             file[:len(file)/2],
		"without verifying keys": edit(func(f []byte) []byte { return append(f[:len(f)-36-4-17-4-17], f[len(f)-36:]...) }),
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "imported")
			err := Import(dir, c.o, bytes.NewReader(bad), allow)
			if !errors.Is(err, ErrSnapshot) {
				t.Fatalf("got %v", err)
			}
			if left, _ := filepath.Glob(dir + "*"); len(left) > 0 {
				t.Fatalf("left behind: %v", left)
			}
		})
	}
	if err := Import(t.TempDir(), c.o, bytes.NewReader(file), func(*chain.StoredHeader) error { return io.ErrClosedPipe }); !errors.Is(err, io.ErrClosedPipe) {
		t.Fatalf("headers are not checked: %v", err)
	}
}

func TestImportTakesAnEmptyFolderOnly(t *testing.T) {
	c := newScenario(t)
	s := c.played(t, t.TempDir())
	file := exported(t, s, 3)
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "something"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Import(full, c.o, bytes.NewReader(file), allow); !errors.Is(err, ErrNotEmpty) {
		t.Fatalf("got %v", err)
	}
	empty := t.TempDir()
	if err := os.MkdirAll(filepath.Join(empty+".partial", "left by a crash"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Import(empty, c.o, bytes.NewReader(file), allow); err != nil {
		t.Fatal(err)
	}
}

// FuzzSnapshot reads files that end with the right hash.
func FuzzSnapshot(f *testing.F) {
	w := newTwin(f, small(), pay(alice, 10), pay(bob, 20))
	raw, key := chaintest.Key(10, 1)
	d := w.Draft().Spend(w.created[0], signedBy(alice)).Pay(chain.Output{Lock: alice.Lock(), Body: &chain.Resource{
		CID: []byte("model"), Kind: chain.ResourceModel, Name: "m", Owner: alice.Lock(), Key: &key,
	}}, pay(alice, 10))
	d.Attachments = []chain.Attachment{w.Store.Attach(chain.AttachKey, raw)}
	w.mine(d.Sign())
	w.mine()
	file := exported(f, w.s, 1)
	w.close()
	f.Add(file[:len(file)-sha256.Size])
	f.Fuzz(func(t *testing.T, body []byte) {
		sum := sha256.Sum256(body)
		if err := readSnapshot(newSnapshotReader(bytes.NewReader(append(bytes.Clone(body), sum[:]...)))); err != nil && !errors.Is(err, ErrSnapshot) {
			t.Fatal(err)
		}
	})
}

// readSnapshot reads to the end.
func readSnapshot(r *snapshotReader) error {
	if err := r.head(); err != nil {
		return err
	}
	for range r.height + 1 {
		if _, err := r.header(); err != nil {
			return err
		}
	}
	for {
		if u, err := r.output(); err != nil {
			return err
		} else if u == nil {
			break
		}
	}
	for {
		if raw, _, err := r.key(); err != nil {
			return err
		} else if raw == nil {
			return r.end()
		}
	}
}
