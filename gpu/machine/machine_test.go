package machine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/dispatch"
	"github.com/weisyn/wes/gpu/worker"
)

// board is a prober and source of devices that a test makes up.
type board struct {
	found   gpu.Inventory
	err     error
	observe func() ([]gpu.Observation, error)
}

var (
	_ gpu.Prober = board{}
	_ gpu.Source = board{}
)

func (b board) Probe(context.Context) (gpu.Inventory, error) { return b.found, b.err }

func (b board) Observe(context.Context) ([]gpu.Observation, error) {
	if b.observe == nil {
		return nil, errors.New("no sensors")
	}
	return b.observe()
}

// hand is a worker that does what a function says.
type hand struct {
	place string
	do    func(ctx context.Context, place string) error
	open  *atomic.Int64
}

var _ dispatch.Worker = (*hand)(nil)

func (h *hand) Do(ctx context.Context, _ worker.Job) error { return h.do(ctx, h.place) }
func (h *hand) Close() error                               { h.open.Add(-1); return nil }

// hands starts workers, and demands at the end that none is left.
func hands(t *testing.T, do func(ctx context.Context, place string) error) func(string) dispatch.Worker {
	var open atomic.Int64
	t.Cleanup(func() {
		if n := open.Load(); n != 0 {
			t.Errorf("%d workers are left", n)
		}
	})
	return func(place string) dispatch.Worker {
		open.Add(1)
		return &hand{place, do, &open}
	}
}

func done(context.Context, string) error { return nil }

// closed counts how often it was closed.
type closed int

func (c *closed) Close() error { *c++; return nil }

func inventory(uuids ...string) (i gpu.Inventory) {
	for n, u := range uuids {
		i.Devices = append(i.Devices, gpu.Device{UUID: u, Memory: 100, Index: n})
	}
	i.Findings = []gpu.Finding{{Subject: "driver", Status: gpu.Found, Why: "it is there"}}
	return i
}

func open(t *testing.T, o Options) *Machine {
	t.Helper()
	if o.Folder == "" {
		o.Folder = filepath.Join(t.TempDir(), "claims")
	}
	if o.Start == nil {
		o.Start = hands(t, done)
	}
	m, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func TestTasksRunOnTheDeviceThatWasFound(t *testing.T) {
	b := board{found: inventory("GPU-a")}
	m := open(t, Options{Prober: b, Source: b, Needs: []string{"driver"}})
	if err := m.WithoutDevice(); err != nil {
		t.Error(err)
	}
	o, err := m.Do(t.Context(), dispatch.Task{Memory: 60})
	if err != nil || o.Place() != "GPU-a" {
		t.Errorf("on %q: %v", o.Place(), err)
	}
	if s := m.Devices(); len(s.Devices) != 1 || s.Devices[0].Reserved != 0 {
		t.Errorf("%+v", s)
	}
}

// TestWithoutADeviceTheReasonIsNamed and the CPU does the work.
func TestWithoutADeviceTheReasonIsNamed(t *testing.T) {
	missing := gpu.Inventory{Findings: []gpu.Finding{
		{Subject: "driver", Status: gpu.Missing, Why: "no library", Do: "install it"},
		{Subject: "other", Status: gpu.Found, Why: "here"},
	}}
	useless := inventory("GPU-a")
	useless.Findings = append(useless.Findings, gpu.Finding{Subject: "ICICLE", Status: gpu.Missing, Why: "not built", Do: "build it"})
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		options Options
		want    []string
		not     string
	}{
		"nothing was looked for": {Options{}, nil, ""},
		"nothing was found":      {Options{Prober: board{found: missing}}, []string{"driver: no library: install it"}, "other"},
		"a need is missing":      {Options{Prober: board{found: useless}, Needs: []string{"ICICLE"}}, []string{"ICICLE: not built: build it"}, "driver"},
		"a need was not tried":   {Options{Prober: board{found: inventory("GPU-a")}, Needs: []string{"ICICLE"}}, []string{"ICICLE: it was not found"}, "driver"},
		"looking went wrong":     {Options{Prober: board{err: gpu.ErrMalformed}}, []string{gpu.ErrMalformed.Error(), "wes devices"}, ""},
		"no place for claims":    {Options{Prober: board{found: inventory("GPU-a")}, Folder: filepath.Join(file, "x")}, []string{"claim devices: ", "writable"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c.options.Source = board{}
			m := open(t, c.options)
			err := m.WithoutDevice()
			if !errors.Is(err, gpu.ErrNoDevice) {
				t.Fatalf("%v", err)
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
			if c.not != "" && strings.Contains(err.Error(), c.not+": ") {
				t.Errorf("%q names what was found, %q", err, c.not)
			}
			o, err := m.Do(t.Context(), dispatch.Task{Memory: 1})
			if err != nil || o.Place() != dispatch.CPU || !errors.Is(o.NoDevice, gpu.ErrNoDevice) {
				t.Errorf("on %q, because of %v: %v", o.Place(), o.NoDevice, err)
			}
		})
	}
}

func TestADeviceBelongsToOneMachine(t *testing.T) {
	b, folder := board{found: inventory("GPU-a", "GPU-a")}, filepath.Join(t.TempDir(), "claims")
	first, err := Open(t.Context(), Options{Prober: b, Source: b, Folder: folder, Start: hands(t, done)})
	if err != nil {
		t.Fatal(err)
	}
	second := open(t, Options{Prober: b, Source: b, Folder: folder})
	if err := second.WithoutDevice(); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("the second machine has the device, too: %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, Options{Prober: b, Source: b, Folder: folder}).WithoutDevice(); err != nil {
		t.Errorf("after the first was closed: %v", err)
	}
}

func TestADeviceThatTheMonitorTakesOutMovesItsJob(t *testing.T) {
	tick, running := make(chan time.Time), make(chan int)
	var gone atomic.Bool
	b := board{found: inventory("GPU-a"), observe: func() ([]gpu.Observation, error) {
		return []gpu.Observation{{UUID: "GPU-a", Gone: gone.Load()}}, nil
	}}
	m := open(t, Options{
		Prober: b, Source: b, Monitor: gpu.MonitorOptions{After: func(time.Duration) <-chan time.Time { return tick }},
		Start: hands(t, func(ctx context.Context, place string) error {
			if place == dispatch.CPU {
				return nil
			}
			running <- 1
			<-ctx.Done()
			return &worker.Failure{Reason: worker.ReasonCanceled, Lost: true, Err: ctx.Err()}
		}),
	})
	job := make(chan dispatch.Outcome)
	go func() {
		o, err := m.Do(t.Context(), dispatch.Task{Memory: 50})
		if err != nil {
			t.Error(err)
		}
		job <- o
	}()
	<-running
	gone.Store(true)
	tick <- time.Time{}
	o := <-job
	if len(o.Attempts) != 2 || o.Attempts[0].Reason != worker.ReasonDevice || o.Place() != dispatch.CPU {
		t.Errorf("%+v", o.Attempts)
	}
	if d := m.Devices().Devices[0]; d.Reserved != 0 || d.Out == "" {
		t.Errorf("%+v", d)
	}
	if h := m.Health().Devices[0]; h.Verdict.Fault != gpu.FaultLost {
		t.Errorf("%+v", h)
	}
}

func TestCloseEndsJobsFirstAndTheProbesChildLast(t *testing.T) {
	b, running, child := board{found: inventory("GPU-a")}, make(chan int), new(closed)
	m, err := Open(t.Context(), Options{
		Prober: b, Source: b, Child: child, Folder: filepath.Join(t.TempDir(), "claims"),
		Start: hands(t, func(ctx context.Context, _ string) error {
			running <- 1
			<-ctx.Done()
			if *child != 0 {
				t.Error("the monitor's child is closed while a job runs")
			}
			return &worker.Failure{Reason: worker.ReasonCanceled, Lost: true, Err: ctx.Err()}
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error)
	go func() {
		_, err := m.Do(t.Context(), dispatch.Task{})
		ended <- err
	}()
	<-running
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !errors.Is(err, dispatch.ErrClosed) {
		t.Errorf("%v, want closed", err)
	}
	if *child != 1 {
		t.Errorf("the child was closed %d times", *child)
	}
}

func TestAnEndedContextLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	b, child, folder := board{found: inventory("GPU-a")}, new(closed), filepath.Join(t.TempDir(), "claims")
	if m, err := Open(ctx, Options{Prober: b, Source: b, Child: child, Folder: folder, Start: hands(t, done)}); !errors.Is(err, context.Canceled) || m != nil {
		t.Errorf("%v, %v", m, err)
	}
	if *child != 1 {
		t.Errorf("the child was closed %d times", *child)
	}
	if err := open(t, Options{Prober: b, Source: b, Folder: folder}).WithoutDevice(); err != nil {
		t.Errorf("the device is still held: %v", err)
	}
}

func TestALeaseForWorkThatIsNoTask(t *testing.T) {
	b := board{found: inventory("GPU-a")}
	m := open(t, Options{Prober: b, Source: b})
	l, err := m.Acquire(t.Context(), 70)
	if err != nil || l.Device().UUID != "GPU-a" {
		t.Fatal(err)
	}
	defer l.Release()
	if d := m.Devices().Devices[0]; d.Reserved != 70 {
		t.Errorf("%+v", d)
	}
}
