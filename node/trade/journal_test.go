package trade

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
)

func record(name byte, value string) market.Record {
	return market.Record{ID: chain.Hash{name}, Bytes: []byte(value)}
}

// reopened returns what a journal's file holds.
func reopened(t *testing.T, path string) (map[chain.Hash]string, error) {
	t.Helper()
	j, all, err := openJournal(path)
	if err != nil {
		return nil, err
	}
	held := map[chain.Hash]string{}
	for _, r := range all {
		held[r.ID] = string(r.Bytes)
	}
	return held, j.close()
}

// written is a journal's file after some appends, with where each of them ends and what it holds then.
func written(t *testing.T, puts [][]market.Record) (path string, ends []int64, held []map[chain.Hash]string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "journal")
	j, _, err := openJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	now := map[chain.Hash]string{}
	ends, held = []int64{j.size}, []map[chain.Hash]string{{}}
	for _, p := range puts {
		if err := j.put(p...); err != nil {
			t.Fatal(err)
		}
		for _, r := range p {
			if now[r.ID] = string(r.Bytes); len(r.Bytes) == 0 {
				delete(now, r.ID)
			}
		}
		ends, held = append(ends, j.size), append(held, maps.Clone(now))
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	return path, ends, held
}

func steps() [][]market.Record {
	return [][]market.Record{
		{record(1, "a")}, {record(2, "b"), record(3, "c")}, {record(2, ""), record(3, "d")},
	}
}

// TestJournalAfterACrash: whatever part of the last append has reached the disk, what was stored before
// is there, all of the append is or nothing, and appends go on.
func TestJournalAfterACrash(t *testing.T) {
	path, ends, held := written(t, steps())
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(ends); i++ {
		begin, end := ends[i-1], ends[i]
		for cut := begin; cut < end; cut++ {
			for name, left := range map[string][]byte{
				"torn":  raw[:cut],
				"zeros": append(slices.Clone(raw[:cut]), make([]byte, end-cut)...),
				"rest":  append(append(slices.Clone(raw[:begin]), make([]byte, cut-begin)...), raw[cut:end]...),
			} {
				if cut == begin && name == "rest" {
					continue // that is all of it
				}
				if err := os.WriteFile(path, left, 0o600); err != nil {
					t.Fatal(err)
				}
				j, _, err := openJournal(path)
				if err != nil {
					t.Fatalf("append %d, %s at %d: %v", i, name, cut, err)
				}
				if err := errors.Join(j.put(record(9, "after")), j.close()); err != nil {
					t.Fatal(err)
				}
				want := maps.Clone(held[i-1])
				want[chain.Hash{9}] = "after"
				whole := maps.Clone(held[i])
				whole[chain.Hash{9}] = "after"
				got, err := reopened(t, path)
				if err != nil || !maps.Equal(got, want) && !maps.Equal(got, whole) {
					t.Fatalf("append %d, %s at %d: %q, %v, want %q", i, name, cut, got, err, want)
				}
			}
		}
	}
}

// TestJournalOfWhichTheNameAloneIsThere: a crash may come before the first sync.
func TestJournalOfWhichTheNameAloneIsThere(t *testing.T) {
	for n := range len(journalMagic) {
		path := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(path, []byte(journalMagic)[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := reopened(t, path); err != nil || len(got) != 0 {
			t.Errorf("%d bytes: %v, %v", n, got, err)
		}
	}
}

// TestJournalThatIsDamaged: a byte that changes before the last entry is an error, wherever it is.
func TestJournalThatIsDamaged(t *testing.T) {
	path, ends, _ := written(t, steps())
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range ends[len(ends)-2] {
		for _, flip := range []byte{1, 0x80, 0xff} {
			bad := slices.Clone(raw)
			bad[i] ^= flip
			if err := os.WriteFile(path, bad, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := reopened(t, path); !errors.Is(err, ErrJournal) {
				t.Fatalf("byte %d ^ %x: %v", i, flip, err)
			}
			if left, err := os.ReadFile(path); err != nil || !bytes.Equal(left, bad) {
				t.Fatalf("byte %d: the file was changed: %v", i, err)
			}
		}
	}
}

func TestJournalBoundsRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j, _, err := openJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	half := make([]byte, maxEntry/2)
	most := make([]byte, maxEntry-recordHead)
	if err := j.put(market.Record{ID: chain.Hash{1}, Bytes: half}, market.Record{ID: chain.Hash{2}, Bytes: half}, market.Record{ID: chain.Hash{3}, Bytes: most}); err != nil {
		t.Error(err)
	}
	if err := j.put(market.Record{ID: chain.Hash{4}, Bytes: make([]byte, len(most)+1)}); err == nil {
		t.Error("a record was stored that cannot be read")
	}
	if err := j.close(); err != nil {
		t.Error(err)
	}
	got, err := reopened(t, path)
	if err != nil || len(got) != 3 || len(got[chain.Hash{3}]) != len(most) {
		t.Errorf("%d records, %v", len(got), err)
	}
}

// TestJournalIsCompacted: it holds the same afterwards, also if a crash has left a half of it, and grows
// from there.
func TestJournalIsCompacted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j, _, err := openJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	value := make([]byte, 100_000)
	for i := range 50 {
		if err := j.put(market.Record{ID: chain.Hash{byte(i % 2)}, Bytes: value}); err != nil {
			t.Fatal(err)
		}
	}
	if !j.full() {
		t.Fatalf("%d bytes for %d are not too many", j.size, j.held)
	}
	if err := j.compact([]market.Record{record(0, "a"), record(1, "b")}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != j.size || j.full() {
		t.Errorf("%+v, %d, %v", info, j.size, err)
	}
	if err := errors.Join(j.put(record(2, "c")), j.close()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+"-123", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := reopened(t, path)
	if want := (map[chain.Hash]string{{0}: "a", {1}: "b", {2}: "c"}); err != nil || !maps.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
	if left, _ := filepath.Glob(path + "*"); len(left) != 1 {
		t.Errorf("files are left: %v", left)
	}
}

// TestJournalAgainstAMap: random appends, compactions and openings hold what a map does.
func TestJournalAgainstAMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	path := filepath.Join(t.TempDir(), "journal")
	j, _, err := openJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[chain.Hash]string{}
	for i := range 300 {
		var all []market.Record
		for range rng.IntN(4) {
			r := record(byte(rng.IntN(6)), "")
			if rng.IntN(4) > 0 {
				r.Bytes = fmt.Append(nil, "value ", i)
			}
			if want[r.ID] = string(r.Bytes); len(r.Bytes) == 0 {
				delete(want, r.ID)
			}
			all = append(all, r)
		}
		if err := j.put(all...); err != nil {
			t.Fatal(err)
		}
		if rng.IntN(10) == 0 {
			var all []market.Record
			for id, v := range want {
				all = append(all, market.Record{ID: id, Bytes: []byte(v)})
			}
			if err := j.compact(all); err != nil {
				t.Fatal(err)
			}
		}
		if rng.IntN(10) == 0 {
			if err := j.close(); err != nil {
				t.Fatal(err)
			}
			size, held := j.size, j.held
			var all []market.Record
			if j, all, err = openJournal(path); err != nil || j.size != size || j.held != held {
				t.Fatal(j, err)
			}
			got := map[chain.Hash]string{}
			for _, r := range all {
				got[r.ID] = string(r.Bytes)
			}
			if !maps.Equal(got, want) {
				t.Fatalf("%q, want %q", got, want)
			}
		}
	}
	if err := j.close(); err != nil {
		t.Error(err)
	}
}

// FuzzJournal: no bytes make it panic, and what it reads it writes.
func FuzzJournal(f *testing.F) {
	for n := range steps() {
		b := []byte(journalMagic)
		for _, p := range steps()[:n+1] {
			b, _ = appendEntries(b, p)
		}
		f.Add(b)
		f.Add(b[:len(b)-3])
		f.Add(append(b, 0, 0, 0, 40, 0, 0, 0))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "journal")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		first, err := reopened(t, path)
		if err != nil {
			if !errors.Is(err, ErrJournal) {
				t.Fatal(err)
			}
			return
		}
		second, err := reopened(t, path)
		if err != nil || !maps.Equal(first, second) {
			t.Fatalf("%v, then %v, %v", first, second, err)
		}
	})
}
