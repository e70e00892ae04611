package node

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestWatchdogRedialsOnceForEveryLimit(t *testing.T) {
	w := watchdog{limit: 100 * time.Second}
	start := time.Unix(1000, 0)
	for _, step := range []struct {
		after  int // seconds
		best   string
		silent bool
		redial bool
	}{
		{0, "a", false, false},
		{99, "a", false, false},
		{100, "a", true, true},
		{150, "a", true, false},
		{200, "a", true, true},
		{201, "b", false, false},
		{300, "b", false, false},
		{301, "b", true, true},
	} {
		silence, redial := w.observe(start.Add(time.Duration(step.after)*time.Second), step.best)
		if (silence > 0) != step.silent || redial != step.redial {
			t.Errorf("after %d s: silence %v, redial %v", step.after, silence, redial)
		}
	}
	never := watchdog{}
	never.observe(start, "a")
	if silence, redial := never.observe(start.Add(time.Hour), "a"); silence > 0 || redial {
		t.Error("a network that makes blocks on demand is not silent")
	}
}

func TestReadinessSaysWhyNot(t *testing.T) {
	ready := readiness{height: 7, headers: 8, peers: 1}
	if c := ready.causes(); len(c) > 0 {
		t.Errorf("not ready: %v", c)
	}
	for want, change := range map[string]func(r *readiness){
		"no peers":      func(r *readiness) { r.peers = 0 },
		"block 7 of 8":  func(r *readiness) { r.initial = true },
		"block 7 of 9":  func(r *readiness) { r.headers = 9 },
		"no header for": func(r *readiness) { r.silence = time.Minute },
		"no writes":     func(r *readiness) { r.unwritten = errors.New("full") },
	} {
		r := ready
		change(&r)
		if all := r.causes(); len(all) != 1 || !strings.Contains(all[0].text, want) {
			t.Errorf("%s: %v", want, all)
		}
	}
	alone := readiness{alone: true, initial: true}
	if c := alone.causes(); len(c) > 0 {
		t.Errorf("a node that makes the blocks is not ready: %v", c)
	}
}
