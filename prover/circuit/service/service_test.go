package service_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/weisyn/wes/gpu/dispatch"
	"github.com/weisyn/wes/gpu/worker"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/circuit/example"
	"github.com/weisyn/wes/prover/circuit/service"
	"go.uber.org/goleak"
)

// childVariable makes this program a child of its own tests.
const childVariable = "WES_SERVICE_TEST_CHILD"

func TestMain(m *testing.M) {
	circuit.Silence()
	if behaviour := os.Getenv(childVariable); behaviour != "" {
		s := service.New(0, accelerator(behaviour))
		if err := worker.Serve(context.Background(), os.Args[len(os.Args)-1], s.Methods()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func start(t *testing.T) *worker.Child {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c, err := worker.Start(t.Context(), worker.Options{Command: []string{self}, Env: []string{childVariable + "=" + noDevice}, Grace: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// onCPU has all tasks done by one child.
func onCPU(c *worker.Child) service.Dispatcher { return dispatch.Fixed{Worker: c, Place: dispatch.CPU} }

// circuitOf writes an example's constraint system.
func circuitOf(t *testing.T, s circuit.System, rows int) (path string, e *example.Example) {
	t.Helper()
	e, err := example.New(s, rows, 1)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "circuit.ccs")
	if err := os.WriteFile(path, e.Circuit, 0o600); err != nil {
		t.Fatal(err)
	}
	return path, e
}

func wantReason(t *testing.T, err error, want worker.Reason) {
	t.Helper()
	var f *worker.Failure
	if !errors.As(err, &f) || f.Reason != want {
		t.Errorf("got %v, want a failure by %s", err, want)
	}
}

func TestJobsRunInAChild(t *testing.T) {
	c := start(t)
	for _, s := range []circuit.System{circuit.Systems()[0], circuit.Systems()[4]} {
		path, e := circuitOf(t, s, 512)
		out := filepath.Join(t.TempDir(), "package")
		var stages []string
		p, err := service.Setup(t.Context(), c, circuit.SetupRequest{System: s, Circuit: path, Out: out, Unsafe: true},
			func(stage string) { stages = append(stages, stage) })
		if err != nil {
			t.Fatal(err)
		}
		if len(stages) < 3 || stages[0] != circuit.StageLoad {
			t.Errorf("stages %v", stages)
		}
		k, err := p.VerifyingKey()
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2 {
			r, _, err := service.Prove(t.Context(), onCPU(c), service.ProveRequest{Dir: out, Witness: e.Witness})
			if err != nil {
				t.Fatal(err)
			}
			if err := k.Verify(r.Public, r.Proof, circuit.TargetGnark); err != nil {
				t.Error(err)
			}
			if r.Report.Cached != (i == 1) || r.Report.Warning == "" || r.Report.Device != service.DeviceCPU {
				t.Errorf("report %+v", r.Report)
			}
		}
	}
}

func TestReasonsTellFailuresApart(t *testing.T) {
	c := start(t)
	s := circuit.Systems()[0]
	path, e := circuitOf(t, s, 512)
	out := filepath.Join(t.TempDir(), "package")
	if _, err := service.Setup(t.Context(), c, circuit.SetupRequest{System: s, Circuit: path, Out: out, Unsafe: true}, nil); err != nil {
		t.Fatal(err)
	}
	prove := func(witness []byte, place string) error {
		_, _, err := service.Prove(t.Context(), dispatch.Fixed{Worker: c, Place: place}, service.ProveRequest{Dir: out, Witness: witness})
		return err
	}
	wantReason(t, prove([]byte(`{"public": ["1"], "secret": ["2"]}`), dispatch.CPU), service.ReasonUnsatisfied)
	wantReason(t, prove([]byte(`{"public": ["1"]}`), dispatch.CPU), worker.ReasonInput)
	wantReason(t, prove(e.Witness, "GPU-0"), worker.ReasonDevice)
	if err := prove(e.Witness, dispatch.CPU); err != nil {
		t.Errorf("after refusals: %v", err)
	}
	if err := os.WriteFile(filepath.Join(out, circuit.ProvingFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var input *circuit.InputError
	if err := prove(e.Witness, dispatch.CPU); !errors.As(err, &input) {
		t.Errorf("got %v, want an error of input", err)
	}
	_, err := service.Setup(t.Context(), c, circuit.SetupRequest{System: circuit.Systems()[4], Circuit: path, Out: out + "2", Unsafe: true}, nil)
	wantReason(t, err, worker.ReasonInput)
}

func TestCancelledSetupLeavesNothing(t *testing.T) {
	c := start(t)
	s := circuit.Systems()[3] // BW6-761, the slowest
	path, _ := circuitOf(t, s, 1<<13)
	parent := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	began := time.Now()
	_, err := service.Setup(ctx, c, circuit.SetupRequest{System: s, Circuit: path, Out: filepath.Join(parent, "package"), Unsafe: true},
		func(stage string) {
			if stage == circuit.StageSetup {
				cancel()
			}
		})
	wantReason(t, err, worker.ReasonCanceled)
	t.Logf("ended after %v", time.Since(began))
	if left, _ := os.ReadDir(parent); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
