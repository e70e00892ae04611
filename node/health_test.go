package node

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
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

func TestMetricsSayWhyTheNodeIsNotReady(t *testing.T) {
	s := &Status{Chain: consensus.Status{Height: 3, Headers: 3}, Peers: 1}
	full := error(nil)
	h := &health{
		status: func() *Status { return s }, redial: func() {}, probe: func() error { return full },
		log: slog.New(slog.DiscardHandler), dog: watchdog{limit: time.Minute},
	}
	r := prometheus.NewRegistry()
	registerHealth(r, h)
	start := time.Unix(1_000_000, 0)
	for i, c := range []struct {
		change func()
		want   string
	}{
		{func() {}, "ready"},
		{func() { s.Peers = 0 }, "peers"},
		{func() { s.Peers, s.Chain.Headers = 1, 9 }, "sync"},
		{func() { s.Chain.Height, full = 9, errors.New("no space") }, "disk"},
		{func() { full = nil }, "ready"},
		{func() { start = start.Add(time.Hour) }, "silence"},
	} {
		s.Chain.Tip = chain.Hash{byte(min(i, 4))}
		c.change()
		start = start.Add(20 * time.Second)
		h.look(start)
		if got := raised(t, r); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func TestVerificationIsTimedByVerdict(t *testing.T) {
	r := prometheus.NewRegistry()
	v := newTimedVerifier(&chaintest.Verifier{}, r)
	for range 2 {
		if ok, err := v.Verify(&chain.Claim{Kind: chain.JobInfer}, &chain.Evidence{}); ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	families, err := r.Gather()
	if err != nil || len(families) != 1 {
		t.Fatal(families, err)
	}
	m := families[0].Metric[0]
	if m.GetHistogram().GetSampleCount() != 2 || m.Label[0].GetValue() != "infer" || m.Label[1].GetValue() != "invalid" {
		t.Errorf("%v", m)
	}
}

// raised lists the causes that are 1, and "ready" if that is.
func raised(t *testing.T, r prometheus.Gatherer) string {
	t.Helper()
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, f := range families {
		for _, m := range f.Metric {
			switch {
			case m.GetGauge().GetValue() == 0:
			case len(m.Label) == 0:
				all = append(all, "ready")
			default:
				all = append(all, m.Label[0].GetValue())
			}
		}
	}
	return strings.Join(all, " ")
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
