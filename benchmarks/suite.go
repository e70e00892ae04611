package benchmarks

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/weisyn/wes/benchmarks/report"
	"github.com/weisyn/wes/gpu/msm"
)

// Suite is the benchmark of one part of the program.
type Suite struct {
	Name  string
	About string
	// cases lists what there is to measure, on this machine or another.
	cases func(o *Options) []Case
}

// Suites lists the suites in the order in which they run.
func Suites() []Suite {
	return []Suite{
		{"msm", "multi-scalar multiplications over BN254", msmCases},
		{"ntt", "number-theoretic transforms over BN254's scalar field", nttCases},
		{"groth16", "Groth16 proofs of circuits over BN254", groth16Cases},
		{"plonk", "PLONK proofs of circuits over BN254", plonkCases},
		{"inference", "proofs of inference, by model", inferenceCases},
		{"ledger", "blocks validated and connected to a ledger", ledgerCases},
		{"network", "whole nodes on loopback: from submission to a block, and syncing a new node", networkCases},
		{"market", "a market of processes on loopback: what it adds to the prover, jobs a second, an idle node", marketCases},
		{"onnx", "inference on ONNX Runtime, by model and provider", onnxCases},
	}
}

// SuiteNames are the names of Suites.
func SuiteNames() []string {
	var names []string
	for _, s := range Suites() {
		names = append(names, s.Name)
	}
	return names
}

// Case is one thing to measure.
type Case struct {
	result report.Result // what is known before it is opened
	// goals of the design, by metric.
	goals map[string]float64
	// open makes the input, checks a first run and completes the result.
	open func(ctx context.Context, r *report.Result) (*trial, error)
}

// trial is a case that has been opened.
type trial struct {
	// run is the i-th counted run.
	run func(ctx context.Context, i int) ([]report.Reading, error)
	// once is what opening measured.
	once []report.Reading
	// close gives back what open took; it may be nil.
	close func() error
}

// Options say what to measure and with what.
type Options struct {
	Suites  []string // default: all
	Only    []string // names of cases; default: all
	Runs    int      // counted runs of a case, 1 to 1000; default 5, with Quick 2
	Seed    uint64   // of all inputs
	Quick   bool     // smallest sizes only
	Sizes   []int    // logarithms of the constraints of circuits, MinSize to MaxSize; default 16 and 18, with Quick 10
	Cache   string   // folder for the packages of circuits, made if missing; default: in the user's cache
	Models  string   // folder of the shipped models; default testdata/models
	Command []string // the program with the verbs "ai prove" and "ai verify"; default: this one
	Env     []string // NAME=value for children that compute circuits, see worker.Options
	Worker  []string // the program of child processes, see worker.Options; its table has the methods of packages onnx and service
	Engines []Engine // of the suites msm and ntt; default: this process

	// Devices lists the accelerators, Start being their temperature now; nil: there are none.
	Devices func(context.Context) ([]report.Device, error)
	// Progress hears of every counted run before it begins and, with Run equal to Runs, of
	// the end of a case; it may be nil.
	Progress func(Progress)

	shortest time.Duration // of a run of short calls
	runtime  string        // version of ONNX Runtime, once a case has opened it
}

// Progress is how far a measurement is.
type Progress struct {
	Suite, Case, Engine string
	Run, Runs           int
	Result              *report.Result // of a case that ended, nil before that and if it failed
	Err                 error          // of a case that failed
}

func (o Options) withDefaults() (Options, error) {
	if len(o.Suites) == 0 {
		o.Suites = SuiteNames()
	}
	runs, sizes := 5, []int{16, 18}
	o.shortest = 50 * time.Millisecond
	if o.Quick {
		runs, sizes, o.shortest = 2, []int{MinSize}, 2*time.Millisecond
	}
	o.Runs = cmp.Or(o.Runs, runs)
	if len(o.Sizes) == 0 {
		o.Sizes = sizes
	}
	o.Sizes = slices.Compact(slices.Sorted(slices.Values(o.Sizes)))
	if len(o.Engines) == 0 {
		o.Engines = []Engine{{"cpu", func(context.Context) (msm.Engine, error) { return msm.NewCPU(), nil }}}
	}
	if o.Models == "" {
		o.Models = "testdata/models"
	}
	if o.Devices == nil {
		o.Devices = func(context.Context) ([]report.Device, error) { return nil, nil }
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	if err := o.findFolders(); err != nil {
		return o, err
	}
	return o, o.validate()
}

// findFolders fills in what the system knows.
func (o *Options) findFolders() error {
	if len(o.Command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		o.Command = []string{self}
	}
	if o.Cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		o.Cache = filepath.Join(dir, "wes", "circuits")
	}
	return nil
}

func (o *Options) validate() error {
	for _, name := range o.Suites {
		if !slices.Contains(SuiteNames(), name) {
			return fmt.Errorf("no suite %q, there are %s", name, strings.Join(SuiteNames(), ", "))
		}
	}
	for _, log := range o.Sizes {
		if log < MinSize || log > MaxSize {
			return fmt.Errorf("circuit of 2^%d constraints, want 2^%d to 2^%d", log, MinSize, MaxSize)
		}
	}
	if o.Runs < 1 || o.Runs > report.MaxRuns {
		return fmt.Errorf("%d runs, want 1 to %d", o.Runs, report.MaxRuns)
	}
	return nil
}
