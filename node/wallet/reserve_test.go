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
		raw[:len(raw)-2], []byte("[]"), bytes.Replace(raw, []byte("0700"), []byte("07"), 1),
		bytes.Replace(raw, []byte(`"version": 1`), []byte(`"version": 2`), 1),
	} {
		if err := os.WriteFile(f.Path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := f.Pending(0); err == nil || !strings.Contains(err.Error(), "remove the file") {
			t.Errorf("%.40q: %v", bad, err)
		}
		if err := f.Add(pendingOf(1, 1), 0, nil); err == nil {
			t.Errorf("%.40q: overwritten", bad)
		}
	}
}

func FuzzDecodeReserved(f *testing.F) {
	f.Add([]byte(`{"version":1,"pending":[{"tx":"00","owner":"","inputs":[{"tx":"","index":1}],"until":1}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		all, err := decodeReserved(raw)
		if err != nil {
			return
		}
		again, err := encodeReserved(all)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := decodeReserved(again); err != nil || len(back) != len(all) {
			t.Fatal(err)
		}
	})
}
