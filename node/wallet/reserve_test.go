package wallet

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/weisyn/wes/chain"
)

func pendingOf(id byte, until uint64, inputs ...byte) *Pending {
	p := &Pending{ID: chain.Hash{id}, Owner: chain.Hash{9}, Until: until}
	for _, i := range inputs {
		p.Inputs = append(p.Inputs, chain.Outpoint{Tx: chain.Hash{0xab, i}, Index: uint32(i)})
	}
	return p
}

// TestReservations is the contract of both implementations.
func TestReservations(t *testing.T) {
	for name, r := range map[string]Reservations{
		"memory": &Memory{}, "file": &File{Path: filepath.Join(t.TempDir(), "wallet", "reserved.json")},
	} {
		t.Run(name, func(t *testing.T) {
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			ids := func(now uint64) (s string) {
				all, err := r.Pending(now)
				must(err)
				for _, p := range all {
					s += string('a' + rune(p.ID[0]))
				}
				return s
			}
			must(r.Add(pendingOf(0, 20, 1), 10, nil))
			must(r.Add(pendingOf(1, 30, 2), 10, nil))
			if err := r.Add(pendingOf(2, 30, 1, 3), 20, nil); !errors.Is(err, ErrTaken) {
				t.Error(err)
			}
			for now, want := range map[uint64]string{10: "ab", 20: "ab", 21: "b", 31: ""} {
				if got := ids(now); got != want {
					t.Errorf("at %d: %q, want %q", now, got, want)
				}
			}
			must(r.Add(pendingOf(2, 40, 1, 3), 21, nil))
			must(r.Remove(chain.Hash{2}))
			must(r.Remove(chain.Hash{2}))
			must(r.Add(pendingOf(3, 40, 3), 21, nil))
			must(r.Add(pendingOf(4, 40, 3), 21, map[chain.Hash]bool{{3}: true, {1}: true}))
			if got := ids(21); got != "be" {
				t.Errorf("%q: the dead stay if they are in nobody's way", got)
			}
		})
	}
}

func TestOneOfManyTakesAnOutput(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reserved.json")
	var wait sync.WaitGroup
	var won atomic.Int32
	for i := range byte(8) {
		wait.Go(func() {
			r := &File{Path: path}
			for k := range byte(5) {
				if r.Add(pendingOf(10*i+k, 30, 100+k), 20, nil) == nil {
					won.Add(1)
				}
			}
		})
	}
	wait.Wait()
	if all, err := (&File{Path: path}).Pending(20); err != nil || len(all) != 5 || won.Load() != 5 {
		t.Errorf("%d have won, %d are reserved, %v", won.Load(), len(all), err)
	}
}

func TestReservationsAreReadAsWritten(t *testing.T) {
	p := pendingOf(7, 1<<63, 1, 2)
	p.Others = []chain.Outpoint{{Tx: chain.Hash{5}, Index: 1<<32 - 1}}
	p.Change = []Change{{3, chain.Output{Lock: alice.Lock(), Value: chain.Native(5)}}}
	f := &File{Path: filepath.Join(t.TempDir(), "reserved.json")}
	if err := f.Add(p, 0, nil); err != nil {
		t.Fatal(err)
	}
	if all, err := f.Pending(0); err != nil || !reflect.DeepEqual(all, []Pending{*p}) {
		t.Errorf("%+v, %v", all, err)
	}
	raw, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{
		raw[:5], []byte("[]\n"), bytes.Replace(raw, []byte("0700"), []byte("07"), 1), append(raw[:len(raw):len(raw)], "{}\n"...),
		bytes.Replace(raw, []byte(`"version":2`), []byte(`"version":1`), 1),
	} {
		if err := os.WriteFile(f.Path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		g := &File{Path: f.Path}
		if _, err := g.Pending(0); err == nil || !strings.Contains(err.Error(), "remove the file") {
			t.Errorf("%.40q: %v", bad, err)
		}
		if err := g.Add(pendingOf(1, 1), 0, nil); err == nil {
			t.Errorf("%.40q: overwritten", bad)
		}
	}
}

// TestALineThatIsNotWholeIsNotThere: its writer was killed, and has told nobody.
func TestALineThatIsNotWholeIsNotThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reserved.json")
	a, b := &File{Path: path}, &File{Path: path}
	for i := range byte(3) {
		if err := a.Add(pendingOf(i, 30, i), 0, nil); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := bytes.LastIndexByte(raw[:len(raw)-1], '\n') + 1; cut < len(raw); cut++ {
		if err := os.WriteFile(path, raw[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if all, err := b.Pending(0); err != nil || len(all) != 2 {
			t.Fatalf("%d bytes: %d, %v", cut, len(all), err)
		}
	}
	if err := b.Add(pendingOf(5, 30, 5), 0, nil); err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]*File{"the writer": b, "one that has read nothing": {Path: path}} {
		if all, err := f.Pending(0); err != nil || len(all) != 3 || all[2].ID != (chain.Hash{5}) {
			t.Errorf("%s: %+v, %v", name, all, err)
		}
	}
}

// TestTheFileStaysSmall: it grows with what is reserved, not with what was.
func TestTheFileStaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "reserved.json")
	a, b := &File{Path: path}, &File{Path: path}
	for i := range uint64(1000) {
		f := []*File{a, b}[i%2]
		if err := f.Add(pendingOf(byte(i), 30+i, byte(i)), 20+i, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []*File{a, b} {
		if all, err := f.Pending(1019); err != nil || len(all) != 11 {
			t.Errorf("%d are reserved, %v", len(all), err)
		}
	}
	if s, err := os.Stat(path); err != nil || s.Size() > 128<<10 {
		t.Errorf("%d bytes, %v", s.Size(), err)
	}
}

func FuzzReservedLines(f *testing.F) {
	f.Add([]byte(`{"version":2}` + "\n" + `{"add":{"tx":"00","owner":"","inputs":[{"tx":"","index":1}],"until":1}}` + "\n" + `{"remove":"00"}` + "\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var l reserveLog
		if n, err := l.read(raw); err != nil || n == 0 {
			return
		}
		again, err := encodeReserved(l.all)
		if err != nil {
			t.Fatal(err)
		}
		var back reserveLog
		if n, err := back.read(again); err != nil || n != len(again) || len(back.all) != len(l.all) {
			t.Fatal(err)
		}
	})
}
