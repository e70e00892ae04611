package gpu

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// script is a Source that plays observations, one for each tick of the clock.
type script struct {
	turns chan turn
	tick  chan time.Time
}

type turn struct {
	observations []Observation
	err          error
}

func (s *script) Observe(ctx context.Context) ([]Observation, error) {
	select {
	case t := <-s.turns:
		return t.observations, t.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// play runs a Monitor over the turns, and calls check after each.
func play(t *testing.T, s *Slots, turns []turn, check func(m *Monitor, n int)) {
	t.Helper()
	src := &script{make(chan turn), make(chan time.Time)}
	waiting := make(chan time.Duration)
	m := NewMonitor(s, src, MonitorOptions{
		Interval: time.Minute, Rules: Rules{Probation: 2},
		After: func(d time.Duration) <-chan time.Time { waiting <- d; return src.tick },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- m.Run(ctx) }()
	for n, turn := range turns {
		src.turns <- turn
		if d := <-waiting; d != time.Minute {
			t.Errorf("the monitor waits %v, want a minute", d)
		}
		check(m, n)
		src.tick <- time.Time{}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v, want canceled", err)
	}
}

func at(uuid string, temperature int) Observation {
	return Observation{UUID: uuid, Reading: &Reading{Temperature: temperature, Slowdown: 90}}
}

func TestMonitorTakesDevicesOutAndPutsThemBack(t *testing.T) {
	s := NewSlots(devices(10, 10), SlotOptions{})
	want := [][2]string{{"", ""}, {"overheated", ""}, {"overheated", ""}, {"", "lost"}, {"", "lost"}, {"", "lost"}, {"", ""}}
	turns := []turn{
		{[]Observation{at("GPU-0", 50), at("GPU-1", 50)}, nil},
		{[]Observation{at("GPU-0", 95), at("GPU-1", 50)}, nil},
		{nil, errors.New("driver is silent")},
		{[]Observation{at("GPU-0", 50)}, nil},
		{nil, errors.New("driver is silent")},
		{[]Observation{at("GPU-0", 50), at("GPU-1", 50)}, nil},
		{[]Observation{at("GPU-0", 50), at("GPU-1", 50), at("GPU-2", 99)}, nil},
	}
	play(t, s, turns, func(m *Monitor, n int) {
		for i, d := range s.Snapshot().Devices {
			if !strings.HasPrefix(d.Out, want[n][i]) || (d.Out == "") != (want[n][i] == "") {
				t.Errorf("turn %d: device %d is out: %q, want %q", n, i, d.Out, want[n][i])
			}
		}
		r := m.Report()
		if failed := turns[n].err != nil; failed != (r.Err != nil) || failed != (r.Missed == 1) {
			t.Errorf("turn %d: missed %d, %v", n, r.Missed, r.Err)
		}
		if r.Devices[0].Reading == nil {
			t.Errorf("turn %d: the last reading was forgotten", n)
		}
	})
}

func TestWhatJobsFindTakesEffectAtOnce(t *testing.T) {
	s := NewSlots(devices(10, 10), SlotOptions{})
	m := NewMonitor(s, nil, MonitorOptions{})
	out := func() (all [2]bool) {
		for i, d := range s.Snapshot().Devices {
			all[i] = d.Out != ""
		}
		return all
	}
	lease := acquire(t, s, 1)
	m.Gone(lease.Device().UUID)
	<-lease.Lost()
	m.Hung("GPU-1")
	m.Done("GPU-1")
	m.Hung("GPU-1")
	if got := out(); got != [2]bool{true, false} {
		t.Errorf("out of service: %v, want the first", got)
	}
	m.Hung("GPU-1")
	m.Gone("GPU-7")
	if got := out(); got != [2]bool{true, true} {
		t.Errorf("out of service: %v, want both", got)
	}
}
