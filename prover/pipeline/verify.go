package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/verify"
)

// CheckEncoding is the check of this package: that a proof file can be read at all.
const CheckEncoding verify.Check = "encoding of the proof"

// Claim is a proof that somebody presents.
type Claim struct {
	Model  []byte // the model file, trusted
	Proof  []byte
	Inputs []tensor.Tensor
	Output []tensor.Tensor // what the output is said to be; nil: not said
}

// Verdict is what a valid proof proves.
type Verdict struct {
	Digest  [32]byte
	Job     prover.Job
	Outputs []tensor.Tensor
	Tails   []graph.Tail // of each output: what was computed outside the proof
	Summary Summary      // zero when the model file says nothing
	Load    time.Duration
	Verify  time.Duration
}

// Verify decides whether a claim holds. A *verify.Rejection says which check failed; any
// other error is about the model or inputs, of which nothing can then be said.
func Verify(c Claim) (*Verdict, error) {
	start := time.Now()
	m, err := verify.DecodeModel(c.Model)
	if err != nil {
		return nil, err
	}
	v := &Verdict{Digest: m.Digest(), Tails: tails(m.Graph), Load: time.Since(start)}
	start = time.Now()
	inputs, _, err := tensor.QuantizeAll(m.Graph, c.Inputs, false)
	if errors.Is(err, tensor.ErrRange) {
		return nil, &verify.Rejection{Check: verify.CheckInputs, Cause: err}
	}
	if err != nil {
		return nil, err
	}
	f, err := verifyFile(m, c.Proof, inputs)
	if err != nil {
		return nil, err
	}
	v.Verify = time.Since(start)
	v.Job = prover.Job{ID: f.Job, Payee: f.Payee, Chain: f.Chain}
	if v.Outputs, err = Dequantize(m.Graph, f.OutputValues()); err != nil {
		return nil, err
	}
	if json.Unmarshal(m.Report, &v.Summary) != nil {
		v.Summary = Summary{}
	}
	return v, checkOutput(c.Output, v.Outputs)
}

// verifyFile reads and verifies an encoded proof.
func verifyFile(m *verify.Model, proof []byte, inputs [][]int32) (*verify.File, error) {
	f, err := verify.VerifyFile(proof, m, inputs)
	if errors.Is(err, verify.ErrProof) {
		return nil, &verify.Rejection{Check: CheckEncoding, Cause: err}
	}
	return f, err
}

// checkOutput compares numbers exactly: both come from the same cells.
func checkOutput(said, proven []tensor.Tensor) error {
	if said == nil {
		return nil
	}
	reject := func(format string, args ...any) error {
		return &verify.Rejection{Check: verify.CheckOutputs, Cause: fmt.Errorf(format, args...)}
	}
	if len(said) != len(proven) {
		return reject("%d outputs are given, %d proven", len(said), len(proven))
	}
	for i, p := range proven {
		s := said[i]
		if s.Name != p.Name || !slices.Equal(s.Shape, p.Shape) {
			return reject("output %d is given as %q of shape %v, proven as %q of shape %v", i, s.Name, s.Shape, p.Name, p.Shape)
		}
		for k, v := range p.Data {
			if s.Data[k] != v {
				return reject("output %q: cell %d is given as %v, proven as %v", p.Name, k, s.Data[k], v)
			}
		}
	}
	return nil
}
