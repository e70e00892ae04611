package pipeline

import (
	"context"
	"encoding/hex"
	"time"

	"github.com/weisyn/wes/prover/layer"
)

// Report is the outcome of Run in figures. Times are in seconds, sizes in bytes.
type Report struct {
	Model        string  `json:"model"`
	ModelDigest  string  `json:"model_digest"`
	Engine       Engine  `json:"engine"`
	EngineReason string  `json:"engine_reason"`
	Committer    string  `json:"committer"` // where commitments were made
	MACs         int64   `json:"macs"`
	Params       int64   `json:"params"`
	Cached       bool    `json:"cached"`
	LowerS       float64 `json:"lower_s"`   // all that comes before an input: import, calibration and weight commitments, or reading them, and EngineS
	EngineS      float64 `json:"engine_s"`  // start of the engine, and loading the model there
	ExecuteS     float64 `json:"execute_s"` // one run
	CommitS      float64 `json:"commit_s"`
	LookupS      float64 `json:"lookup_s"`
	ContractS    float64 `json:"contract_s"`
	OpenS        float64 `json:"open_s"`
	ProveS       float64 `json:"prove_s"`  // from input to encoded proof
	LoadS        float64 `json:"load_s"`   // of the model file, once per verifier and model
	VerifyS      float64 `json:"verify_s"` // of the encoded proof
	ProofBytes   int     `json:"proof_bytes"`
	OutputBytes  int     `json:"output_bytes"` // of ProofBytes: cells of outputs
	ModelBytes   int     `json:"model_bytes"`
	PeakRSSBytes int64   `json:"peak_rss_bytes"` // of this process
	Accuracy
	Calibration string `json:"calibration"`
	Samples     int    `json:"calibration_samples"`
	Soundness   int    `json:"soundness_bits"`

	Sizes layer.Sizes           `json:"sizes"`
	Work  map[string]layer.Work `json:"work"` // by stage
}

// Run prepares, executes, proves and verifies.
func (l *Line) Run(ctx context.Context, s Source, e Engine, r Request) (*Outcome, *Report, error) {
	if err := CheckJob(r.Job); err != nil {
		return nil, nil, err
	}
	p, err := l.Prepare(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	start := time.Now()
	x, err := l.Attach(ctx, p, e)
	if err != nil {
		return nil, nil, err
	}
	attached := time.Since(start)
	out, err := l.Prove(ctx, p, x, r)
	if closeErr := x.Close(); err == nil && closeErr != nil {
		err = &Fault{StageExecute, closeErr}
	}
	if err != nil {
		return nil, nil, err
	}
	report := p.report(out)
	report.Engine, report.EngineReason = x.Engine, x.Why
	report.Committer = l.committer()
	report.EngineS = attached.Seconds()
	report.LowerS += report.EngineS
	return out, report, nil
}

func (p *Program) report(out *Outcome) *Report {
	t := &out.Took
	return &Report{
		Model: p.Summary.Model, ModelDigest: hex.EncodeToString(out.Digest[:]),
		MACs: p.Summary.MACs, Params: p.Summary.Params, Cached: p.Cached,
		LowerS: p.Took.Seconds(), ExecuteS: t.Execute.Seconds(), CommitS: t.Stages.Commit.Seconds(),
		LookupS: t.Stages.Lookup.Seconds(), ContractS: t.Stages.Contract.Seconds(), OpenS: t.Stages.Open.Seconds(),
		ProveS: t.Prove.Seconds(), LoadS: t.Load.Seconds(), VerifyS: t.Verify.Seconds(),
		ProofBytes: len(out.Proof), OutputBytes: out.OutputBytes, ModelBytes: len(out.Model), PeakRSSBytes: peakRSS(),
		Accuracy: p.Accuracy(), Calibration: p.Summary.Calibration, Samples: p.Summary.Lowering.Samples,
		Soundness: p.Model.System().SoundnessBits(), Sizes: p.Model.System().Sizes(), Work: p.Model.System().Work(),
	}
}
