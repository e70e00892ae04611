package benchmarks

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/weisyn/wes/benchmarks/report"
)

// command proves and verifies a model through the command line that users have. Each call
// is a process of its own, so that peak memory means something.
type command struct {
	program []string
	dir     string // for all files of the case
	engine  string // of the first proof
	samples bool   // the folder has samples
	float   *session
}

// proofReport is what is read of the reports of "wes ai prove" and "wes ai verify"; the
// second overwrites what it measures itself.
type proofReport struct {
	Engine     string  `json:"engine"`
	Committer  string  `json:"committer"`
	MACs       int64   `json:"macs"`
	Params     int64   `json:"params"`
	Lower      float64 `json:"lower_s"`
	Start      float64 `json:"engine_s"`
	Execute    float64 `json:"execute_s"`
	Commit     float64 `json:"commit_s"`
	Lookup     float64 `json:"lookup_s"`
	Contract   float64 `json:"contract_s"`
	Open       float64 `json:"open_s"`
	Prove      float64 `json:"prove_s"`
	Load       float64 `json:"load_s"`
	Verify     float64 `json:"verify_s"`
	ProofBytes int64   `json:"proof_bytes"`
	Output     int64   `json:"output_bytes"`
	ModelBytes int64   `json:"model_bytes"`
	PeakRSS    int64   `json:"peak_rss_bytes"`
	Soundness  int64   `json:"soundness_bits"`
	Top1       float64 `json:"top1_agreement"`
	Cosine     float64 `json:"cosine"`

	Sizes map[string]int64            `json:"sizes"`
	Work  map[string]map[string]int64 `json:"work"` // by stage
}

// openInference writes the case's files and prepares the model, which the runs then find
// in a cache of their own.
func openInference(ctx context.Context, o *Options, m model, r *report.Result) (_ *trial, err error) {
	data, err := m.onnx()
	if err != nil {
		return nil, err
	}
	input := m.randomInput(o.Seed)
	r.Input = newDigest().bytes(data, input).String()
	c := &command{program: o.Command}
	if c.dir, err = os.MkdirTemp("", "wes-bench-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	files := map[string][]byte{"model.onnx": data, "input.npy": input}
	if c.samples = m.samples > 0; c.samples {
		files["samples.npy"] = m.randomInputs(o.Seed+1, m.samples)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(c.dir, name), content, 0o600); err != nil {
			return nil, err
		}
	}
	first, err := c.prove(ctx)
	if err != nil {
		return nil, err
	}
	c.engine = first.where()
	r.Engine, r.Parameters = c.engine, first.parameters()
	if !m.integers { // sessions take floats and give floats
		if c.float, err = openFloat(ctx, o, data, m.input); err != nil {
			return nil, err
		}
	}
	return &trial{run: c.run, close: c.close, once: []report.Reading{
		{Metric: "prepare", Unit: report.Seconds, Value: first.Lower},
		{Metric: "other_top_answers", Unit: report.Share, Value: 1 - first.Top1},
		{Metric: "cosine_distance", Unit: report.Share, Value: distance(first.Cosine)},
	}}, nil
}

// distance is 1 − cosine, without what rounding leaves of equal values.
func distance(cosine float64) float64 {
	if d := 1 - cosine; d > 1e-9 {
		return d
	}
	return 0
}

// parameters are what does not change from run to run.
func (p *proofReport) parameters() map[string]int64 {
	all := map[string]int64{"macs": p.MACs, "params": p.Params, "soundness_bits": p.Soundness}
	for name, n := range p.Sizes {
		all[name] = n
	}
	for stage, work := range p.Work {
		for name, n := range work {
			all[stage+"."+name] = n
		}
	}
	return all
}

// where names what executed and, unless it was the process that proved, what committed.
func (p *proofReport) where() string {
	if p.Committer == "cpu" {
		return p.Engine
	}
	return p.Engine + ", commitments on " + p.Committer
}

// run proves, and verifies in a process that did not prove.
func (c *command) run(ctx context.Context, _ int) ([]report.Reading, error) {
	p, err := c.prove(ctx)
	if err == nil {
		err = c.call(ctx, p, "verify", "--model", c.path("out/model.wes"), "--proof", c.path("out/proof.wes"), "--input", c.path("input.npy"))
	}
	if err != nil {
		return nil, err
	}
	if now := p.where(); now != c.engine {
		return nil, fmt.Errorf("it ran on %s, and before on %s", now, c.engine)
	}
	readings := []report.Reading{
		{Metric: "prove", Unit: report.Seconds, Value: p.Prove},
		{Metric: "verify", Unit: report.Seconds, Value: p.Verify},
		{Metric: "proof", Unit: report.Bytes, Value: float64(p.ProofBytes - p.Output)},
		{Metric: "peak_memory", Unit: report.Bytes, Value: float64(p.PeakRSS)},
		{Metric: "start", Unit: report.Seconds, Value: p.Start},
		{Metric: "execute", Unit: report.Seconds, Value: p.Execute},
		{Metric: "commit", Unit: report.Seconds, Value: p.Commit},
		{Metric: "lookup", Unit: report.Seconds, Value: p.Lookup},
		{Metric: "contract", Unit: report.Seconds, Value: p.Contract},
		{Metric: "open", Unit: report.Seconds, Value: p.Open},
		{Metric: "load", Unit: report.Seconds, Value: p.Load},
		{Metric: "model", Unit: report.Bytes, Value: float64(p.ModelBytes)},
	}
	if c.float == nil {
		return readings, nil
	}
	float, err := c.float.run(ctx, 0)
	return append(readings, float...), err
}

func (c *command) prove(ctx context.Context) (*proofReport, error) {
	p := &proofReport{}
	args := []string{c.path("model.onnx"), "--input", c.path("input.npy"), "--out", c.path("out")}
	if c.samples {
		args = append(args, "--calibrate", c.path("samples.npy"))
	}
	return p, c.call(ctx, p, "prove", args...)
}

// call runs a verb of the program and reads its JSON over what p holds.
func (c *command) call(ctx context.Context, p *proofReport, verb string, args ...string) error {
	args = append(append(c.program[1:], "ai", verb, "--json"), args...)
	cmd := exec.CommandContext(ctx, c.program[0], args...)
	cmd.Env = append(os.Environ(), "WES_CACHE="+c.path("cache"))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", verb, err, strings.TrimSpace(stderr.String()))
	}
	if err := json.Unmarshal(out, p); err != nil {
		return fmt.Errorf("%s: %w", verb, err)
	}
	return nil
}

func (c *command) path(name string) string { return filepath.Join(c.dir, filepath.FromSlash(name)) }

func (c *command) close() error {
	err := os.RemoveAll(c.dir)
	if c.float != nil {
		err = errors.Join(err, c.float.close())
	}
	return err
}
