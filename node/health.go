package node

import (
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// probeEvery is how often the disk is tried.
const probeEvery = 10 * time.Second

// health watches whether the node is of use, and redials peers when it is cut off.
type health struct {
	status func() *Status
	redial func()
	probe  func() error // writes to the disk
	alone  bool         // it makes blocks, and needs no peers for it
	log    *slog.Logger

	dog    watchdog
	last   atomic.Pointer[readiness]
	probed time.Time
	failed error // of the last probe
}

// silenceLimit is after how long without a header a node of this network counts as cut off; 0
// is never.
func (n *Network) silenceLimit() time.Duration {
	switch n.Profile {
	case "dev":
		return 0
	case "consortium":
		heartbeat := n.Heartbeat
		if heartbeat == 0 {
			heartbeat = 60_000
		}
		return staleBlocks * time.Duration(heartbeat) * time.Millisecond
	}
	return staleBlocks * time.Duration(n.Spacing) * time.Millisecond
}

// run looks every second, until ctx ends.
func (h *health) run(ctx context.Context) error {
	every := time.NewTicker(time.Second)
	defer every.Stop()
	for {
		h.look(time.Now())
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
	}
}

// look takes stock at a time.
func (h *health) look(now time.Time) {
	s := h.status()
	if h.probed.IsZero() || now.Sub(h.probed) >= probeEvery {
		h.probed, h.failed = now, h.probe()
	}
	silence, redial := h.dog.observe(now, s.Chain.Tip.String())
	if redial {
		h.log.Warn("no header for too long: dialling peers anew", "silence", silence, "peers", s.Peers)
		h.redial()
	}
	was := h.reasons()
	h.last.Store(&readiness{
		initial: s.Chain.Initial, height: s.Chain.Height, headers: s.Chain.Headers, peers: s.Peers,
		alone: h.alone, silence: silence, unwritten: h.failed,
	})
	h.changed(was, h.reasons())
}

func (h *health) changed(was, is []string) {
	switch {
	case len(was) > 0 && len(is) == 0:
		h.log.Info("ready")
	case len(was) == 0 && len(is) > 0:
		h.log.Warn("not ready", keyReason, strings.Join(is, "; "))
	}
}

// reasons says why the node is not ready; none if it is. It may be called from any goroutine.
func (h *health) reasons() []string {
	r := h.last.Load()
	if r == nil {
		return []string{"starting"}
	}
	var all []string
	for _, c := range r.causes() {
		all = append(all, c.text)
	}
	return all
}

// holds reports whether a cause is one of those for which the node is not ready.
func (h *health) holds(word string) bool {
	r := h.last.Load()
	return r != nil && slices.ContainsFunc(r.causes(), func(c cause) bool { return c.word == word })
}

// probeDisk writes and removes a small file.
func (h *home) probeDisk() error {
	name := h.path("probe")
	if err := writeFile(name, []byte("probe\n")); err != nil {
		return err
	}
	return os.Remove(name)
}
