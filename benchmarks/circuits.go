package benchmarks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
	"github.com/weisyn/wes/benchmarks/report"
	"github.com/weisyn/wes/gpu/dispatch"
	"github.com/weisyn/wes/gpu/worker"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/circuit/example"
	"github.com/weisyn/wes/prover/circuit/service"
)

// The sizes of circuits, as logarithms of the number of constraints.
const (
	MinSize = 10
	MaxSize = 24
)

func groth16Cases(o *Options) []Case {
	return append(circuitCases(o, backend.GROTH16, service.DeviceCPU), circuitCases(o, backend.GROTH16, service.DeviceICICLE)...)
}

func plonkCases(o *Options) []Case { return circuitCases(o, backend.PLONK, service.DeviceCPU) }

func circuitCases(o *Options, scheme backend.ID, device string) []Case {
	s := circuit.System{Scheme: scheme, Curve: ecc.BN254}
	var cases []Case
	for _, log := range o.Sizes {
		r := report.Result{
			Case: fmt.Sprintf("2^%d", log), Title: fmt.Sprintf("%s, 2^%d constraints", s, log),
			Series: s.SchemeName(), Engine: device, Parameters: map[string]int64{report.Constraints: 1 << log},
		}
		cases = append(cases, Case{result: r, open: func(ctx context.Context, r *report.Result) (*trial, error) {
			return openCircuit(ctx, o, s, log, r)
		}})
	}
	return cases
}

// job proves one circuit as users have it proved, in a child that keeps what it loaded, and
// beside that by calling gnark.
type job struct {
	child   *worker.Child
	at      dispatch.Fixed
	request service.ProveRequest
	stock   *stock
}

func openCircuit(ctx context.Context, o *Options, s circuit.System, log int, r *report.Result) (_ *trial, err error) {
	e, err := example.New(s, 1<<log, o.Seed)
	if err != nil {
		return nil, err
	}
	r.Input = newDigest().bytes(e.Circuit, e.Witness).String()
	r.Parameters["hashes"] = int64(e.Links)
	j := &job{}
	// gnark does not look at contexts: an interrupted job gets no time to end by itself.
	if j.child, err = worker.Start(ctx, worker.Options{Command: o.Worker, Env: o.Env, Grace: -1}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, j.child.Close())
		}
	}()
	dir, once, err := o.setup(ctx, j.child, e, log)
	if err != nil {
		return nil, fmt.Errorf("setup: %w", err)
	}
	j.at, j.request = dispatch.Fixed{Worker: j.child, Place: r.Engine}, service.ProveRequest{Dir: dir, Witness: e.Witness}
	first, _, err := service.Prove(ctx, j.at, j.request)
	if err != nil {
		return nil, err
	}
	r.Engine = first.Report.Device
	if j.stock, err = openStock(s, dir, e.Witness); err != nil {
		return nil, fmt.Errorf("gnark: %w", err)
	}
	once = append(once, report.Reading{Metric: "load", Unit: report.Seconds, Value: first.Report.LoadS})
	return &trial{run: j.run, close: j.child.Close, once: once}, nil
}

// setup gives the package of a circuit. It is made once, with keys from random numbers of
// this machine, and kept in the cache; the reading says how long that took.
func (o *Options) setup(ctx context.Context, child *worker.Child, e *example.Example, log int) (dir string, once []report.Reading, err error) {
	sum := sha256.Sum256(e.Circuit)
	dir = filepath.Join(o.Cache, fmt.Sprintf("%s-%s-2^%d-%s", e.System.SchemeName(), e.System.CurveName(), log, hex.EncodeToString(sum[:8])))
	if p, err := circuit.Open(dir); err == nil && p.Manifest.Circuit != nil && p.Manifest.Circuit.SHA256 == hex.EncodeToString(sum[:]) {
		return dir, nil, nil
	}
	temp, err := os.MkdirTemp("", "wes-bench-")
	if err != nil {
		return "", nil, err
	}
	defer os.RemoveAll(temp)
	file := filepath.Join(temp, circuit.CircuitFile)
	if err := os.WriteFile(file, e.Circuit, 0o600); err != nil {
		return "", nil, err
	}
	start := time.Now()
	_, err = service.Setup(ctx, child, circuit.SetupRequest{System: e.System, Circuit: file, Out: dir, Unsafe: true}, nil)
	return dir, []report.Reading{{Metric: "setup", Unit: report.Seconds, Value: time.Since(start).Seconds()}}, err
}

// run proves both ways, by gnark first in odd runs.
func (j *job) run(ctx context.Context, i int) ([]report.Reading, error) {
	var whole, direct float64
	var result *circuit.Result
	turns := []func() error{
		func() (err error) {
			start := time.Now()
			result, _, err = service.Prove(ctx, j.at, j.request)
			whole = time.Since(start).Seconds()
			return err
		},
		func() (err error) {
			direct, err = repeated(ctx, 1, j.stock.prove)
			return err
		},
	}
	if i%2 == 1 {
		slices.Reverse(turns)
	}
	for _, turn := range turns {
		if err := turn(); err != nil {
			return nil, err
		}
	}
	r := result.Report
	return []report.Reading{
		{Metric: "prove", Unit: report.Seconds, Value: r.LoadS + r.ProveS, Against: "gnark", Baseline: direct},
		{Metric: "second_start", Unit: report.Seconds, Value: r.LoadS},
		{Metric: "verify", Unit: report.Seconds, Value: r.VerifyS},
		{Metric: "job", Unit: report.Seconds, Value: whole},
		{Metric: "proof", Unit: report.Bytes, Value: float64(r.ProofBytes)},
	}, nil
}
