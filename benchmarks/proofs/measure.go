package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
)

// bench runs cases with one program.
type bench struct {
	wes    string
	engine string
	runs   int
	dir    string
}

// Result is what the runs of a case measured: medians of times, maxima of memory.
type Result struct {
	Name   string `json:"name"`
	Title  string `json:"title"`
	Series string `json:"series,omitempty"`
	Goal   *Goal  `json:"goal,omitempty"`
	Runs   int    `json:"runs"`

	Engine     string  `json:"engine"`
	MACs       int64   `json:"macs"`
	Params     int64   `json:"params"`
	Lower      float64 `json:"lower_s"`
	Start      float64 `json:"engine_s"` // of the engine with the model loaded, once for a process; not part of Prove
	Execute    float64 `json:"execute_s"`
	Commit     float64 `json:"commit_s"`
	Lookup     float64 `json:"lookup_s"`
	Contract   float64 `json:"contract_s"`
	Open       float64 `json:"open_s"`
	Prove      float64 `json:"prove_s"`
	Inference  float64 `json:"float_inference_s"` // of ONNX Runtime on the same cores, 0 if it is not installed
	ProveMin   float64 `json:"prove_min_s"`
	ProveMax   float64 `json:"prove_max_s"`
	Load       float64 `json:"load_s"`
	Verify     float64 `json:"verify_s"`
	ProofBytes int64   `json:"proof_bytes"`
	ModelBytes int64   `json:"model_bytes"`
	PeakRSS    int64   `json:"peak_rss_bytes"`
	Soundness  int     `json:"soundness_bits"`

	Sizes map[string]int64            `json:"sizes"`
	Work  map[string]map[string]int64 `json:"work"`
}

func (b *bench) measure(ctx context.Context, c Case) (Result, error) {
	data, err := c.ONNX()
	if err != nil {
		return Result{}, err
	}
	model, input := filepath.Join(b.dir, c.Name+".onnx"), filepath.Join(b.dir, c.Name+".npy")
	if err := os.WriteFile(model, data, 0o600); err != nil {
		return Result{}, err
	}
	if err := os.WriteFile(input, randomInput(c.Input), 0o600); err != nil {
		return Result{}, err
	}
	first, err := b.prove(ctx, model, input) // prepares the model, which later runs find cached
	if err != nil {
		return Result{}, err
	}
	var runs []Result
	for range b.runs {
		r, err := b.prove(ctx, model, input)
		if err != nil {
			return Result{}, err
		}
		if err := b.verify(ctx, input, &r); err != nil {
			return Result{}, err
		}
		runs = append(runs, r)
	}
	r := summarise(runs)
	if r.Inference, err = b.inference(ctx, data, c.Input); err != nil {
		return Result{}, err
	}
	r.Name, r.Title, r.Series, r.Goal, r.Lower = c.Name, c.Title, c.Series, c.Goal, first.Lower
	return r, nil
}

// verify measures, in a process that did not prove, the proof that was made last. The times
// replace those that the prover took for its own check.
func (b *bench) verify(ctx context.Context, input string, r *Result) error {
	out := filepath.Join(b.dir, "out")
	return b.run(ctx, r, "verify", "--model", filepath.Join(out, "model.wes"), "--proof", filepath.Join(out, "proof.wes"), "--input", input)
}

func (b *bench) prove(ctx context.Context, model, input string) (Result, error) {
	var r Result
	err := b.run(ctx, &r, "prove", model, "--input", input, "--engine", b.engine, "--out", filepath.Join(b.dir, "out"))
	return r, err
}

// run calls a verb of the program and reads its JSON over what result holds.
func (b *bench) run(ctx context.Context, result *Result, verb string, args ...string) error {
	cmd := exec.CommandContext(ctx, b.wes, append([]string{"ai", verb, "--json"}, args...)...)
	cmd.Env = append(os.Environ(), "WES_CACHE="+filepath.Join(b.dir, "cache"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", verb, err, strings.TrimSpace(stderr.String()))
	}
	return json.Unmarshal(out, result)
}

func summarise(runs []Result) Result {
	r := runs[0]
	r.Runs = len(runs)
	for _, field := range []func(*Result) *float64{
		func(r *Result) *float64 { return &r.Start }, func(r *Result) *float64 { return &r.Execute }, func(r *Result) *float64 { return &r.Commit },
		func(r *Result) *float64 { return &r.Lookup }, func(r *Result) *float64 { return &r.Contract },
		func(r *Result) *float64 { return &r.Open }, func(r *Result) *float64 { return &r.Prove },
		func(r *Result) *float64 { return &r.Load }, func(r *Result) *float64 { return &r.Verify },
	} {
		var values []float64
		for i := range runs {
			values = append(values, *field(&runs[i]))
		}
		slices.Sort(values)
		*field(&r) = values[len(values)/2]
	}
	r.ProveMin, r.ProveMax = runs[0].Prove, runs[0].Prove
	for _, run := range runs {
		r.PeakRSS = max(r.PeakRSS, run.PeakRSS)
		r.ProveMin, r.ProveMax = min(r.ProveMin, run.Prove), max(r.ProveMax, run.Prove)
	}
	return r
}

// Machine is where a report was measured.
type Machine struct {
	CPU    string `json:"cpu"`
	Flags  string `json:"vector_extensions"`
	Cores  int    `json:"cores"`
	Memory string `json:"memory"`
	System string `json:"system"`
	Go     string `json:"go"`
}

func machine() Machine {
	m := Machine{Cores: runtime.GOMAXPROCS(0), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
	m.CPU = procField("/proc/cpuinfo", "model name")
	m.Memory = procField("/proc/meminfo", "MemTotal")
	for _, f := range strings.Fields(procField("/proc/cpuinfo", "flags")) {
		if strings.HasPrefix(f, "avx") || f == "adx" || f == "bmi2" {
			m.Flags += f + " "
		}
	}
	m.Flags = strings.TrimSpace(m.Flags)
	return m
}

// procField is the first value of a field in a file of /proc, empty where there is none.
func procField(file, field string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if name, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(name) == field {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// commit names the measured source: the checkout's, else what the build recorded.
func commit(ctx context.Context) string {
	if out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--abbrev=12").Output(); err == nil {
		return strings.TrimSpace(string(out))
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "unknown"
}
