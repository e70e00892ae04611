package gpu

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// MonitorOptions say how devices are watched.
type MonitorOptions struct {
	Interval time.Duration // between observations; default 10 s
	Rules    Rules
	After    func(time.Duration) <-chan time.Time // the clock; default time.After
}

// Monitor keeps the health of devices, takes those at fault out of service, and puts them
// back when they have recovered. It is safe for concurrent use.
type Monitor struct {
	slots   *Slots
	source  Source
	options MonitorOptions
	mu      struct {
		sync.Mutex
		devices []*watched
		missed  int // observations that failed since the last good one
		err     error
	}
}

type watched struct {
	uuid    string
	health  *Health
	reading *Reading // nil: none yet
	verdict Verdict
}

// NewMonitor watches the devices of slots, to which source must give their observations.
func NewMonitor(slots *Slots, source Source, o MonitorOptions) *Monitor {
	if o.Interval <= 0 {
		o.Interval = 10 * time.Second
	}
	if o.After == nil {
		o.After = time.After
	}
	m := &Monitor{slots: slots, source: source, options: o}
	for _, d := range slots.Snapshot().Devices {
		m.mu.devices = append(m.mu.devices, &watched{uuid: d.Device.UUID, health: NewHealth(o.Rules)})
	}
	return m
}

// Run observes until ctx ends, and returns its error. An observation that fails changes no
// device: unknown is not failed. It is counted in Health.
func (m *Monitor) Run(ctx context.Context) error {
	for {
		all, err := m.source.Observe(ctx)
		if ctx.Err() != nil {
			return fmt.Errorf("watch devices: %w", ctx.Err())
		}
		m.take(all, err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("watch devices: %w", ctx.Err())
		case <-m.options.After(m.options.Interval):
		}
	}
}

// take accounts for one observation of all devices. Those that a good observation does not
// contain are gone.
func (m *Monitor) take(all []Observation, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mu.err = err
	if err != nil {
		m.mu.missed++
		return
	}
	m.mu.missed = 0
	seen := map[string]Observation{}
	for _, o := range all {
		seen[o.UUID] = o
	}
	for _, w := range m.mu.devices {
		o, ok := seen[w.uuid]
		if !ok {
			o = Observation{UUID: w.uuid, Gone: true}
		}
		m.step(w, o)
	}
}

func (m *Monitor) step(w *watched, o Observation) {
	if o.Reading != nil {
		w.reading = o.Reading
	}
	before := w.verdict
	w.verdict = w.health.Step(o)
	var err error
	switch {
	case w.verdict.Fault == before.Fault:
	case w.verdict.Fault == FaultNone:
		err = m.slots.PutBack(w.uuid)
	default:
		err = m.slots.TakeOut(w.uuid, string(w.verdict.Fault)+": "+w.verdict.Detail)
	}
	if err != nil {
		panic("BUG: " + err.Error()) // the devices are those of the slots
	}
}

// report accounts for what a job found. A device that is not watched is ignored.
func (m *Monitor) report(o Observation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, w := range m.mu.devices {
		if w.uuid == o.UUID {
			m.step(w, o)
		}
	}
}

// Done reports that a job on a device ended as it should.
func (m *Monitor) Done(uuid string) { m.report(Observation{UUID: uuid, Done: 1}) }

// Hung reports that a job was killed because it hung on a device.
func (m *Monitor) Hung(uuid string) { m.report(Observation{UUID: uuid, Hung: 1}) }

// Gone reports that a job found its device lost.
func (m *Monitor) Gone(uuid string) { m.report(Observation{UUID: uuid, Gone: true}) }

// Condition is what is known of one device.
type Condition struct {
	UUID    string
	Reading *Reading // the last one; nil: none yet
	Verdict Verdict
}

// Report is what is known of all devices.
type Report struct {
	Devices []Condition
	Missed  int   // observations that failed since the last good one
	Err     error // of the last observation
}

// Report tells the present state.
func (m *Monitor) Report() Report {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := Report{Missed: m.mu.missed, Err: m.mu.err}
	for _, w := range m.mu.devices {
		r.Devices = append(r.Devices, Condition{w.uuid, w.reading, w.verdict})
	}
	return r
}
