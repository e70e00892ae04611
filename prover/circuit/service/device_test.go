package service_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/dispatch"
	"github.com/weisyn/wes/gpu/machine"
	"github.com/weisyn/wes/gpu/worker"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/circuit/service"
)

// What the device of a child does when it is to prove. The CPU plays it.
const (
	noDevice = "none"   // there is none
	works    = "works"  // it proves
	aborts   = "aborts" // it ends the process
	hangs    = "hangs"  // it never ends
	refuses  = "refuses"
	lies     = "lies" // its proof does not hold
)

type played string

var _ circuit.Accelerator = played("")

func accelerator(behaviour string) func() (circuit.Accelerator, error) {
	return func() (circuit.Accelerator, error) {
		if behaviour == noDevice {
			return nil, errors.New("no device here")
		}
		return played(behaviour), nil
	}
}

func (played) Name() string                              { return service.DeviceICICLE }
func (played) NewProvingKey(c ecc.ID) groth16.ProvingKey { return groth16.NewProvingKey(c) }
func (played) Free(groth16.ProvingKey)                   {}

func (p played) Prove(cs constraint.ConstraintSystem, pk groth16.ProvingKey, w witness.Witness, o ...backend.ProverOption) (groth16.Proof, error) {
	switch p {
	case aborts:
		os.Exit(134)
	case hangs:
		select {}
	case refuses:
		return nil, errors.New("out of order")
	case lies:
		return groth16.NewProof(cs.(interface{ CurveID() ecc.ID }).CurveID()), nil
	}
	return groth16.Prove(cs, pk, w, o...)
}

// board has one device.
type board struct{ gone *atomic.Bool }

func (board) Probe(context.Context) (gpu.Inventory, error) {
	return gpu.Inventory{Devices: []gpu.Device{{UUID: "GPU-0", Memory: 80 << 30}}}, nil
}

func (b board) Observe(context.Context) ([]gpu.Observation, error) {
	return []gpu.Observation{{UUID: "GPU-0", Gone: b.gone.Load()}}, nil
}

// yard is a machine with that device, whose children behave as asked.
type yard struct {
	*machine.Machine
	gone atomic.Bool
	tick chan time.Time // the monitor looks
}

// newYard checks at the end that the device is free and no process is left.
func newYard(t *testing.T, behaviour string) *yard {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	y := &yard{tick: make(chan time.Time)}
	o := worker.Options{Command: []string{self}, Env: []string{childVariable + "=" + behaviour}, Grace: -1}
	y.Machine, err = machine.Open(t.Context(), machine.Options{
		Prober: board{&y.gone}, Source: board{&y.gone}, Folder: filepath.Join(t.TempDir(), "claims"),
		Start:   dispatch.Supervise(o, worker.Backoff{First: time.Millisecond}),
		Monitor: gpu.MonitorOptions{After: func(time.Duration) <-chan time.Time { return y.tick }},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if d := y.Devices().Devices[0]; d.Reserved != 0 || d.Leases != 0 {
			t.Errorf("%d bytes of the device in %d leases are still reserved", d.Reserved, d.Leases)
		}
		if err := y.Close(); err != nil {
			t.Error(err)
		}
		if left := children(t); len(left) > 0 {
			t.Errorf("processes %v are left", left)
		}
	})
	return y
}

// children lists the processes whose parent is this one, where the system tells.
func children(t *testing.T) (pids []string) {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lists {
		// A thread can end while it is looked at.
		if b, err := os.ReadFile(l); err == nil {
			pids = append(pids, strings.Fields(string(b))...)
		}
	}
	return pids
}

// packageOf sets an example up, on the CPU of a child that is gone afterwards.
func packageOf(t *testing.T, s circuit.System) service.ProveRequest {
	t.Helper()
	c := start(t)
	defer c.Close()
	path, e := circuitOf(t, s, 512)
	out := filepath.Join(t.TempDir(), "package")
	if _, err := service.Setup(t.Context(), c, circuit.SetupRequest{System: s, Circuit: path, Out: out, Unsafe: true}, nil); err != nil {
		t.Fatal(err)
	}
	return service.ProveRequest{Dir: out, Witness: e.Witness}
}

func checkProof(t *testing.T, dir string, r *circuit.Result) {
	t.Helper()
	p, err := circuit.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	k, err := p.VerifyingKey()
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Verify(r.Public, r.Proof, circuit.TargetGnark); err != nil {
		t.Error(err)
	}
}

func reasons(o dispatch.Outcome) (all []string) {
	for _, a := range o.Attempts {
		all = append(all, a.Place+" "+string(a.Reason))
	}
	return all
}

// TestADeviceThatFailsCostsNoProof breaks the device in the middle of circuit.prove.
func TestADeviceThatFailsCostsNoProof(t *testing.T) {
	q := packageOf(t, circuit.Systems()[0])
	for behaviour, want := range map[string][]string{
		works:    {"GPU-0 "},
		noDevice: {"GPU-0 device_lost", "cpu "},
		aborts:   {"GPU-0 worker_crashed", "GPU-0 worker_crashed", "cpu "},
		refuses:  {"GPU-0 device_lost", "cpu "},
		lies:     {"GPU-0 device_lost", "cpu "},
	} {
		t.Run(behaviour, func(t *testing.T) {
			y := newYard(t, behaviour)
			r, o, err := service.Prove(t.Context(), y, q)
			if err != nil {
				t.Fatal(err)
			}
			if got := reasons(o); !slices.Equal(got, want) {
				t.Errorf("attempts %q, want %q", got, want)
			}
			device := service.DeviceCPU
			if o.Place() != dispatch.CPU {
				device = service.DeviceICICLE
			}
			if r.Report.Device != device {
				t.Errorf("made on %s, at %s", r.Report.Device, o.Place())
			}
			checkProof(t, q.Dir, r)
		})
	}
}

// TestADeviceLostWhileItProves is one that the monitor finds gone. gnark would never end.
func TestADeviceLostWhileItProves(t *testing.T) {
	q := packageOf(t, circuit.Systems()[0])
	y := newYard(t, hangs)
	proving := 0
	q.Progress = func(stage string) {
		if stage != circuit.StageProve {
			return
		}
		if proving++; proving == 1 {
			y.gone.Store(true)
			y.tick <- time.Time{}
		}
	}
	r, o, err := service.Prove(t.Context(), y, q)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := reasons(o), []string{"GPU-0 device_lost", "cpu "}; !slices.Equal(got, want) || proving != 2 {
		t.Errorf("attempts %q, %d of them proving; want %q", got, proving, want)
	}
	checkProof(t, q.Dir, r)
}

// TestCancelledProofEndsItsProcess, at once, as gnark does not look at contexts.
func TestCancelledProofEndsItsProcess(t *testing.T) {
	q := packageOf(t, circuit.Systems()[0])
	y := newYard(t, hangs)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	q.Progress = func(stage string) {
		if stage == circuit.StageProve {
			cancel()
		}
	}
	r, o, err := service.Prove(ctx, y, q)
	wantReason(t, err, worker.ReasonCanceled)
	if r != nil || len(o.Attempts) != 1 || len(children(t)) != 0 {
		t.Errorf("%+v, attempts %q, processes %v", r, reasons(o), children(t))
	}
}

func TestDeadlineBeforeAnythingBeginsIsADeadline(t *testing.T) {
	q := packageOf(t, circuit.Systems()[0])
	y := newYard(t, works)
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	if _, o, err := service.Prove(ctx, y, q); !errors.Is(err, context.DeadlineExceeded) || len(o.Attempts) != 0 {
		t.Errorf("attempts %q: %v", reasons(o), err)
	}
}

// TestRefusalsAreFinal holds on a device as on the CPU.
func TestRefusalsAreFinal(t *testing.T) {
	q := packageOf(t, circuit.Systems()[0])
	y := newYard(t, works)
	for text, want := range map[string]worker.Reason{
		`{"public": ["1"], "secret": ["2"]}`: service.ReasonUnsatisfied,
		`{"public": ["1"]}`:                  worker.ReasonInput,
	} {
		q.Witness = []byte(text)
		_, o, err := service.Prove(t.Context(), y, q)
		wantReason(t, err, want)
		if len(o.Attempts) != 1 || o.Place() != "GPU-0" {
			t.Errorf("attempts %q", reasons(o))
		}
	}
}

func TestTheCPUProvesPLONKAndWhatAsksForIt(t *testing.T) {
	y := newYard(t, aborts)
	plonk, asked := packageOf(t, circuit.Systems()[4]), packageOf(t, circuit.Systems()[0])
	asked.CPUOnly = true
	for _, q := range []service.ProveRequest{plonk, asked} {
		r, o, err := service.Prove(t.Context(), y, q)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := reasons(o), []string{"cpu "}; !slices.Equal(got, want) || o.NoDevice != nil {
			t.Errorf("attempts %q, want %q; no device: %v", got, want, o.NoDevice)
		}
		checkProof(t, q.Dir, r)
	}
}
