package node

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/consensus"
)

func TestHealthRedialsAndSaysWhatIsWrong(t *testing.T) {
	s := &Status{Chain: consensus.Status{Height: 3, Headers: 3}, Peers: 2}
	redials, full := 0, error(nil)
	h := &health{
		status: func() *Status { return s }, redial: func() { redials++ }, probe: func() error { return full },
		log: slog.New(slog.DiscardHandler), dog: watchdog{limit: testNetwork().silenceLimit()},
	}
	if r := h.reasons(); len(r) != 1 || r[0] != "starting" {
		t.Errorf("before the first look: %v", r)
	}
	start := time.Unix(1_000_000, 0)
	for _, step := range []struct {
		after   time.Duration
		change  func()
		want    string
		redials int
	}{
		{0, func() {}, "", 0},
		{99 * time.Second, func() {}, "", 0},
		{100 * time.Second, func() {}, "no header for 1m40s", 1},
		{101 * time.Second, func() { s.Chain.Tip = chain.Hash{1} }, "", 1},
		{103 * time.Second, func() { full = errors.New("no space") }, "", 1}, // looked at every 10 s
		{113 * time.Second, func() {}, "no space", 1},
		{123 * time.Second, func() { full = nil; s.Peers = 0 }, "no peers", 1},
	} {
		step.change()
		h.look(start.Add(step.after))
		got := strings.Join(h.reasons(), "; ")
		if (step.want == "") != (got == "") || !strings.Contains(got, step.want) || redials != step.redials {
			t.Errorf("after %v: %q and %d redials, want %q and %d", step.after, got, redials, step.want, step.redials)
		}
	}
}

func TestSilenceIsJudgedByTheProfile(t *testing.T) {
	acme := consortium(t)
	for _, c := range []struct {
		n    *Network
		want time.Duration
	}{{devNetwork(), 0}, {testNetwork(), 100 * time.Second}, {acme, 600 * time.Second}} {
		if got := c.n.silenceLimit(); got != c.want {
			t.Errorf("%s: %v, want %v", c.n.Name, got, c.want)
		}
	}
}

func TestProbeLeavesNothing(t *testing.T) {
	h, err := openHome(t.TempDir(), devNetwork())
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	if err := h.probeDisk(); err != nil {
		t.Fatal(err)
	}
	h.dir += "/absent"
	if err := h.probeDisk(); err == nil {
		t.Error("a folder that is gone takes writes")
	}
}
