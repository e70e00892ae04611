package machine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/dispatch"
)

// Options say what a Machine is made of. Start is needed.
type Options struct {
	Prober  gpu.Prober // nil: no device is looked for
	Source  gpu.Source // watches the devices; needed with a Prober
	Child   io.Closer  // the process behind Prober and Source, closed last; may be nil
	Needs   []string   // subjects that Prober has to find; without one of them no device is used
	Folder  string     // of the claims; default gpu.ClaimFolder()
	Start   func(place string) dispatch.Worker
	CPUs    int // jobs on the CPU at a time; default 1
	Slots   gpu.SlotOptions
	Monitor gpu.MonitorOptions
}

// Machine runs tasks on the devices that it owns, and on the CPU. It is safe for concurrent
// use.
type Machine struct {
	findings   []gpu.Finding
	claims     *gpu.Claims
	slots      *gpu.Slots
	monitor    *gpu.Monitor
	dispatcher *dispatch.Dispatcher
	child      io.Closer
	stop       context.CancelFunc // of the monitor
	watched    chan struct{}      // closed when the monitor has ended
}

// Open looks for devices and takes those that no other process has. Whatever keeps it from
// a device is a Finding. The error is ctx's, which bounds Open alone.
func Open(ctx context.Context, o Options) (*Machine, error) {
	m := &Machine{claims: &gpu.Claims{}, child: o.Child, watched: make(chan struct{})}
	m.look(ctx, o)
	if err := ctx.Err(); err != nil {
		return nil, errors.Join(fmt.Errorf("open devices: %w", err), m.release())
	}
	m.slots = gpu.NewSlots(m.claims.Devices, o.Slots)
	m.monitor = gpu.NewMonitor(m.slots, o.Source, o.Monitor)
	m.dispatcher = dispatch.New(dispatch.Options{Slots: m.slots, Reports: m.monitor, Start: o.Start, CPUs: o.CPUs})
	m.watch(context.WithoutCancel(ctx))
	return m, nil
}

// look probes and claims.
func (m *Machine) look(ctx context.Context, o Options) {
	if o.Prober == nil {
		return
	}
	found, err := o.Prober.Probe(ctx)
	m.findings = found.Findings
	if err != nil {
		m.find("devices", err, "run `wes devices`")
		return
	}
	for _, subject := range o.Needs {
		if !m.found(subject) {
			return
		}
	}
	claims, err := gpu.Claim(cmp.Or(o.Folder, gpu.ClaimFolder()), found.Devices)
	if err != nil {
		m.find("claims of devices", err, "make the folder of the claims writable for all who use the devices")
		return
	}
	m.claims, m.findings = claims, append(m.findings, claims.Held...)
}

// found looks for a subject, whose absence is a finding too.
func (m *Machine) found(subject string) bool {
	i := slices.IndexFunc(m.findings, func(f gpu.Finding) bool { return f.Subject == subject })
	if i < 0 {
		m.findings = append(m.findings, gpu.Finding{Subject: subject, Status: gpu.Missing, Why: "it was not found"})
		return false
	}
	return m.findings[i].Status == gpu.Found
}

func (m *Machine) find(subject string, err error, do string) {
	m.findings = append(m.findings, gpu.Finding{Subject: subject, Status: gpu.Broken, Why: err.Error(), Do: do})
}

// watch runs the monitor until stop. A machine without devices has nothing to watch.
func (m *Machine) watch(ctx context.Context) {
	ctx, m.stop = context.WithCancel(ctx)
	if len(m.claims.Devices) == 0 {
		close(m.watched)
		return
	}
	go func() {
		defer close(m.watched)
		_ = m.monitor.Run(ctx) // the error is that of ctx, which stop ends
	}()
}

// Do runs a task; see dispatch.Dispatcher.
func (m *Machine) Do(ctx context.Context, t dispatch.Task) (dispatch.Outcome, error) {
	return m.dispatcher.Do(ctx, t)
}

// Acquire reserves memory of a device for work that is no task; see gpu.Slots. The lease is
// released before Close.
func (m *Machine) Acquire(ctx context.Context, bytes uint64) (*gpu.Lease, error) {
	return m.slots.Acquire(ctx, bytes)
}

// Findings is what was looked for, and what became of it.
func (m *Machine) Findings() []gpu.Finding { return slices.Clone(m.findings) }

// Devices is the present use of the devices that this machine owns.
func (m *Machine) Devices() gpu.Snapshot { return m.slots.Snapshot() }

// Health is the last that is known of them.
func (m *Machine) Health() gpu.Report { return m.monitor.Report() }

// WithoutDevice says why the machine has no device: an error that wraps gpu.ErrNoDevice and
// tells what to do, or nil when it has one.
func (m *Machine) WithoutDevice() error {
	if len(m.claims.Devices) > 0 {
		return nil
	}
	var why []string
	for _, f := range m.findings {
		if f.Status != gpu.Found {
			why = append(why, explain(f))
		}
	}
	if len(why) == 0 {
		return gpu.ErrNoDevice
	}
	return fmt.Errorf("%w: %s", gpu.ErrNoDevice, strings.Join(why, "; "))
}

func explain(f gpu.Finding) string {
	if f.Do == "" {
		return f.Subject + ": " + f.Why
	}
	return f.Subject + ": " + f.Why + ": " + f.Do
}

// Close ends what runs, and gives the devices back when nothing works on them any more.
func (m *Machine) Close() error {
	err := m.dispatcher.Close()
	m.stop()
	<-m.watched
	return errors.Join(err, m.release())
}

func (m *Machine) release() error {
	err := m.claims.Close()
	if m.child != nil {
		err = errors.Join(err, m.child.Close())
	}
	return err
}
