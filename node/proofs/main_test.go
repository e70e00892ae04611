package proofs

import (
	"context"
	"crypto/sha256"
	"os"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/circuit/example"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/pipeline"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

func TestMain(m *testing.M) {
	circuit.Silence()
	os.Exit(m.Run())
}

const models = "../../testdata/models/"

// shipped is a prepared model of the repository with its sample input.
type shipped struct {
	line    pipeline.Line
	program *pipeline.Program
	inputs  []tensor.Tensor
	cells   [][]int32
}

func prepare(t testing.TB, name string) *shipped {
	t.Helper()
	data, err := os.ReadFile(models + name + ".onnx")
	if err != nil {
		t.Fatal(err)
	}
	sample, err := os.ReadFile(models + name + ".input.json")
	if err != nil {
		t.Fatal(err)
	}
	s := &shipped{}
	if s.inputs, err = tensor.ParseJSON(sample); err != nil {
		t.Fatal(err)
	}
	s.program, err = s.line.Prepare(t.Context(), pipeline.Source{ONNX: data, Inputs: s.inputs, Transcript: transcript.SHA256})
	if err != nil {
		t.Fatal(err)
	}
	if s.cells, _, err = tensor.QuantizeAll(s.graph(), s.inputs, false); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *shipped) model() *verify.Model { return s.program.Model }
func (s *shipped) graph() *graph.Graph  { return s.program.Model.Graph }

// prove proves the sample for a job, and returns the attachments of output and proof.
func (s *shipped) prove(t testing.TB, j Job) (output, proof []byte) {
	t.Helper()
	x, err := s.line.Attach(context.Background(), s.program, pipeline.EngineInterpreter)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = x.Close() }()
	o, err := s.line.Prove(context.Background(), s.program, x, pipeline.Request{Inputs: s.inputs, Job: prover.Job{ID: j.ID, Payee: j.Payee, Chain: j.Chain}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := verify.DecodeFile(o.Proof, s.model())
	if err != nil {
		t.Fatal(err)
	}
	return EncodeOutput(f.OutputValues()), o.Proof
}

// claim is one that the evidence bears out.
func (s *shipped) claim(t testing.TB) (*chain.Claim, *chain.Evidence) {
	t.Helper()
	c := &chain.Claim{Kind: chain.JobInfer, Chain: chain.Hash{1}, Job: chain.Hash{2}, Payee: chain.Hash{3}, Model: s.model().Digest()}
	e := &chain.Evidence{Key: EncodeModel(s.model()), Input: EncodeInput(s.cells)}
	e.Output, e.Proof = s.prove(t, JobOf(c.Chain, c.Job, c.Payee))
	fill(c, e)
	return c, e
}

// fill says in a claim what the evidence is.
func fill(c *chain.Claim, e *chain.Evidence) {
	c.Key = chain.VerifyingKey{Hash: sha256.Sum256(e.Key), Len: uint32(len(e.Key)), Cost: c.Key.Cost}
	c.Input, c.Output, c.Proof = sha256.Sum256(e.Input), sha256.Sum256(e.Output), sha256.Sum256(e.Proof)
	c.InputLen, c.OutputLen, c.ProofLen = uint32(len(e.Input)), uint32(len(e.Output)), uint32(len(e.Proof))
}

// circuitClaim is one of a small circuit.
func circuitClaim(t testing.TB, scheme, curve string) (*chain.Claim, *chain.Evidence) {
	t.Helper()
	s, err := circuit.ParseSystem(scheme, curve)
	if err != nil {
		t.Fatal(err)
	}
	x, err := example.New(s, 800, 1)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := dir + "/circuit.ccs"
	if err := os.WriteFile(file, x.Circuit, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := circuit.Setup(t.Context(), circuit.SetupRequest{System: s, Circuit: file, Out: dir + "/package", Unsafe: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := circuit.NewProver(circuit.Options{}).Prove(t.Context(), dir+"/package", x.Witness, circuit.TargetGnark, nil)
	if err != nil {
		t.Fatal(err)
	}
	k, err := p.VerifyingKey()
	if err != nil {
		t.Fatal(err)
	}
	c := &chain.Claim{Kind: chain.JobProve}
	e := &chain.Evidence{Key: EncodeCircuit(k), Input: r.Public.Encode(), Proof: r.Proof}
	fill(c, e)
	c.Model = c.Key.Hash
	return c, e
}

func holds(t testing.TB, v *Verifier, c *chain.Claim, e *chain.Evidence) bool {
	t.Helper()
	ok, err := v.Verify(c, e)
	if err != nil {
		t.Fatal(err)
	}
	return ok
}
