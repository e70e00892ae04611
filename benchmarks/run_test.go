package benchmarks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/benchmarks/report"
	"github.com/weisyn/wes/gpu/msm"
	"github.com/weisyn/wes/gpu/onnx"
	"github.com/weisyn/wes/gpu/worker"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/circuit/service"
	"go.uber.org/goleak"
)

// TestMain is also the child that the suites start.
func TestMain(m *testing.M) {
	circuit.Silence()
	if len(os.Args) == 3 && os.Args[1] == "worker" {
		methods := onnx.Methods()
		maps.Copy(methods, service.New(0, func() (circuit.Accelerator, error) { return nil, errors.New("no device in this test") }).Methods())
		if err := worker.Serve(context.Background(), os.Args[2], methods); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func encode(t *testing.T, r *report.Report) []byte {
	t.Helper()
	data, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func quick(t *testing.T, suites ...string) Options {
	return Options{Suites: suites, Runs: 2, Seed: 1, Quick: true, Cache: t.TempDir(), Models: "../testdata/models"}
}

func run(t *testing.T, o Options) *report.Report {
	t.Helper()
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Failed() {
		t.Fatalf("%+v", r.Missing)
	}
	if _, err := report.Decode(bytes.NewReader(encode(t, r))); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestKernelSuitesRun(t *testing.T) {
	r := run(t, quick(t, "msm", "ntt"))
	if len(r.Of("msm")) == 0 || len(r.Of("ntt")) == 0 || len(r.Missing) > 0 {
		t.Errorf("%d and %d results, missing %v", len(r.Of("msm")), len(r.Of("ntt")), r.Missing)
	}
	for _, x := range r.Results {
		if b := x.Metric("time").Baseline; b == nil || b.Name != gnarkCrypto || len(b.Values) != 2 {
			t.Errorf("%s: baseline %+v", x.Case, b)
		}
	}
}

func TestCircuitSuitesRunAndKeepTheirKeys(t *testing.T) {
	o := quick(t, "groth16", "plonk")
	for i, setup := range []bool{true, false} {
		r := run(t, o)
		if len(r.Results) != 2 {
			t.Fatalf("%d results", len(r.Results))
		}
		for _, x := range r.Results {
			if made := x.Metric("setup") != nil; made != setup {
				t.Errorf("call %d: %s: setup made: %v, want %v", i, x.Suite, made, setup)
			}
			if b := x.Metric("prove").Baseline; b == nil || b.Name != "gnark" {
				t.Errorf("%s: baseline %+v", x.Suite, b)
			}
		}
		want := []report.Missing{{Suite: "groth16", Engine: service.DeviceICICLE}}
		if len(r.Missing) != 1 || r.Missing[0].Suite != want[0].Suite || r.Missing[0].Engine != want[0].Engine || r.Missing[0].Case != "" {
			t.Errorf("missing %+v, want %+v", r.Missing, want)
		}
	}
}

func TestONNXSuiteRuns(t *testing.T) {
	if _, err := onnx.Locate(); err != nil {
		t.Skip(err)
	}
	r := run(t, quick(t, "onnx"))
	if len(r.Of("onnx")) < 2 {
		t.Errorf("%d results, missing %+v", len(r.Of("onnx")), r.Missing)
	}
}

func TestSameSeedSameInputs(t *testing.T) {
	o := quick(t, "msm", "ntt", "groth16")
	o.Runs = 1
	inputs := func(seed uint64) []string {
		o.Seed = seed
		var all []string
		for _, x := range run(t, o).Results {
			all = append(all, x.Input)
		}
		return all
	}
	a, b, other := inputs(1), inputs(1), inputs(2)
	if !slices.Equal(a, b) {
		t.Errorf("inputs %v and %v", a, b)
	}
	for i := range a {
		if a[i] == other[i] {
			t.Errorf("case %d has the same input from another seed", i)
		}
	}
}

// wrong is an engine whose products are those of other scalars.
type wrong struct{ *msm.CPU }

func (w wrong) Load(ctx context.Context, points []bn254.G1Affine) (msm.Bases, error) {
	return w.CPU.Load(ctx, slices.Concat(points[1:], points[:1]))
}

func TestWrongResultsAreNotTimed(t *testing.T) {
	o := quick(t, "msm")
	o.Engines = []Engine{{"wrong", func(context.Context) (msm.Engine, error) { return wrong{msm.NewCPU()}, nil }}}
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Results) > 0 || !r.Failed() || !strings.Contains(r.Missing[0].Reason, "disagree") {
		t.Errorf("%d results, missing %+v", len(r.Results), r.Missing)
	}
	if _, err := report.Decode(bytes.NewReader(encode(t, r))); err != nil {
		t.Error(err)
	}
}

// fading is an engine that falls back after its first product.
type fading struct {
	*msm.CPU
	jobs int
}

func (f *fading) Name() string {
	if f.jobs > 1 {
		return "cpu"
	}
	return "fading"
}

func (f *fading) Load(ctx context.Context, points []bn254.G1Affine) (msm.Bases, error) {
	b, err := f.CPU.Load(ctx, points)
	return counting{b, f}, err
}

type counting struct {
	msm.Bases
	engine *fading
}

func (c counting) MSM(ctx context.Context, scalars []fr.Element, width int) ([]bn254.G1Affine, error) {
	c.engine.jobs++
	return c.Bases.MSM(ctx, scalars, width)
}

func TestAFallbackIsNotTakenForTheEngine(t *testing.T) {
	o := quick(t, "msm")
	o.Engines = []Engine{{"fading", func(context.Context) (msm.Engine, error) { return &fading{CPU: msm.NewCPU()}, nil }}}
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Results) > 0 || !r.Failed() || !strings.Contains(r.Missing[0].Reason, "was lost") {
		t.Errorf("%d results, missing %+v", len(r.Results), r.Missing)
	}
}

func TestAMissingEngineIsNamedOnce(t *testing.T) {
	o := quick(t, "msm")
	o.Engines = append(o.Engines, Engine{"far", func(context.Context) (msm.Engine, error) {
		return nil, fmt.Errorf("%w: build with it\nand try again", msm.ErrUnavailable)
	}})
	r := run(t, o)
	if len(r.Missing) != 1 || r.Missing[0].Engine != "far" || r.Missing[0].Case != "" || strings.Contains(r.Missing[0].Reason, "\n") {
		t.Errorf("missing %+v", r.Missing)
	}
}

func TestDevicesKeepBothTemperatures(t *testing.T) {
	before := []report.Device{{UUID: "a", Start: 30}, {UUID: "b", Start: 31}}
	after := []report.Device{{UUID: "b", Start: 70}}
	if got := joinDevices(before, after); got[0].End != 0 || got[1].End != 70 || got[1].Start != 31 {
		t.Errorf("%+v", got)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, spoil := range map[string]func(*Options){
		"suite": func(o *Options) { o.Suites = []string{"none"} },
		"runs":  func(o *Options) { o.Runs = report.MaxRuns + 1 },
		"sizes": func(o *Options) { o.Sizes = []int{MaxSize + 1} },
		"case":  func(o *Options) { o.Only = []string{"none"} },
	} {
		o := quick(t, "msm")
		spoil(&o)
		if _, err := Run(t.Context(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestInterruptedRunsHaveNoReport(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	o := quick(t, "ntt")
	o.Progress = func(Progress) { cancel() }
	if _, err := Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestProgressEndsEveryCase(t *testing.T) {
	o := quick(t, "ntt")
	ended := 0
	last := Progress{}
	o.Progress = func(p Progress) {
		if p.Suite == last.Suite && p.Case == last.Case && p.Run < last.Run {
			t.Errorf("run %d after %d", p.Run, last.Run)
		}
		if p.Run == p.Runs {
			ended++
			if p.Result == nil {
				t.Errorf("%s ended without a result", p.Case)
			}
		}
		last = p
	}
	if r := run(t, o); ended != len(r.Results) {
		t.Errorf("%d cases ended, %d results", ended, len(r.Results))
	}
}

func TestReasonsDoNotNameTheHomeFolder(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	if got := cut("no file " + home + "/library"); got != "no file ~/library" {
		t.Errorf("published %q", got)
	}
}

func TestLedgerSuiteRuns(t *testing.T) {
	r := run(t, quick(t, "ledger"))
	for _, x := range r.Of("ledger") {
		if m := x.Metric(perTransaction); m == nil || m.Baseline == nil {
			t.Errorf("%s: %+v", x.Case, m)
		}
	}
	if len(r.Of("ledger")) == 0 {
		t.Error("no results")
	}
}

func TestNetworkSuiteRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("starts five nodes")
	}
	r := run(t, quick(t, "network"))
	if len(r.Of("network")) != 2 {
		t.Errorf("%d results", len(r.Of("network")))
	}
}
