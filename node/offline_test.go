package node

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weisyn/wes/chain/consensus"
	"github.com/weisyn/wes/chain/store"
)

// stopped makes some blocks in a home folder, and stops its node.
func (p *place) stopped(name string, blocks int) Config {
	p.t.Helper()
	c := p.config(name)
	n, stop := p.run(c, options())
	if _, err := n.Make(p.t.Context(), blocks); err != nil {
		p.t.Fatal(err)
	}
	if err := stop(); err != nil {
		p.t.Fatal(err)
	}
	return c
}

func (p *place) offline(c Config) *Offline {
	p.t.Helper()
	l, err := OpenOffline(p.t.Context(), c, options())
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		if err := l.Close(); err != nil {
			p.t.Error(err)
		}
	})
	return l
}

func TestSnapshotOfAStoppedNodeStartsAnother(t *testing.T) {
	p := newPlace(t, builtin("dev"))
	l := p.offline(p.stopped("a", 5))
	report, err := l.Verify(t.Context(), func(uint64, uint64) {})
	if err != nil || report.Height != 5 {
		t.Fatalf("%+v, %v", report, err)
	}
	var snapshot bytes.Buffer
	if err := l.Export(&snapshot, 4); err != nil {
		t.Fatal(err)
	}
	c := p.config("b")
	if err := ImportSnapshot(t.Context(), c, options(), bytes.NewReader(snapshot.Bytes())); err != nil {
		t.Fatal(err)
	}
	if err := ImportSnapshot(t.Context(), c, options(), bytes.NewReader(snapshot.Bytes())); !errors.Is(err, store.ErrNotEmpty) {
		t.Error(err)
	}
	if got := p.offline(c).Ledger(); got.Height != 4 || got.Chain != l.Ledger().Chain {
		t.Errorf("%v", &got)
	}

	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ImportSnapshot(ended, p.config("c"), options(), bytes.NewReader(snapshot.Bytes())); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	snapshot.Bytes()[0] ^= 1
	if err := ImportSnapshot(t.Context(), p.config("d"), options(), &snapshot); !errors.Is(err, store.ErrSnapshot) {
		t.Error(err)
	}
}

func TestHeadersOfASnapshotAreJudged(t *testing.T) {
	easy := builtin("dev")
	p := newPlace(t, easy)
	l := p.offline(p.stopped("a", 3))
	var snapshot bytes.Buffer
	if err := l.Export(&snapshot, 2); err != nil {
		t.Fatal(err)
	}
	// MinWork is no part of the chain's hash: the same chain, of which more is known to exist.
	hard := builtin("dev")
	hard.MinWork = "1000"
	q := newPlace(t, hard)
	err := ImportSnapshot(t.Context(), q.config("b"), options(), bytes.NewReader(snapshot.Bytes()))
	if !errors.Is(err, store.ErrSnapshot) || !strings.Contains(err.Error(), "work") {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(q.dir, "b", storeFolder)); err == nil {
		t.Error("the ledger of too little work is kept")
	}
	// The nonce begins a header: half of the others have too little work.
	raw := snapshot.Bytes()
	var broken *consensus.HeaderError
	for range 64 {
		raw[20]++
		err := ImportSnapshot(t.Context(), p.config("c"), options(), bytes.NewReader(raw))
		if errors.As(err, &broken) {
			break
		}
		if !errors.Is(err, store.ErrSnapshot) {
			t.Fatalf("another nonce passes: %v", err)
		}
	}
	if broken == nil || broken.Rule != consensus.RuleWork {
		t.Errorf("no header was refused for its work: %v", broken)
	}
}

func TestOfflineLedgerNeedsAFolderThatNobodyRunsIn(t *testing.T) {
	p := newPlace(t, builtin("dev"))
	if _, err := OpenOffline(t.Context(), p.config("none"), options()); !errors.Is(err, ErrHome) || !strings.Contains(err.Error(), "no ledger yet") {
		t.Error(err)
	}
	c := p.config("a")
	n, _ := p.run(c, options())
	if url, err := RunningURL(c.Home); err != nil || url != n.URL() {
		t.Errorf("%q, %v", url, err)
	}
	if _, err := OpenOffline(t.Context(), c, options()); !errors.Is(err, ErrHome) {
		t.Error(err)
	}
	if _, err := RunningURL(p.config("none").Home); !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, apiFile), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := RunningURL(p.dir); !errors.Is(err, ErrHome) {
		t.Error(err)
	}
}

func TestHomeFolderKnowsItsNetwork(t *testing.T) {
	p := newPlace(t, builtin("dev"))
	c := p.stopped("a", 1)
	c.Network = "testnet"
	for home, want := range map[string]string{c.Home: "dev", filepath.Join(p.dir, "new"): "testnet"} {
		c.Home = home
		if n, err := c.HomeNetwork(); err != nil || n.Name != want {
			t.Errorf("%s: %v, %v", home, n, err)
		}
	}
	c.Home = t.TempDir()
	if err := os.WriteFile(filepath.Join(c.Home, networkFile), []byte("name = 3"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.HomeNetwork(); !errors.Is(err, ErrHome) {
		t.Error(err)
	}
}
