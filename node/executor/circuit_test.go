package executor

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/circuit/example"
	"github.com/weisyn/wes/prover/pipeline"
)

// local proves in this process: the circuits of these tests are our own.
type local struct {
	prover *circuit.Prover
	setups atomic.Int32
}

var _ Circuits = (*local)(nil)

func newLocal() *local {
	circuit.Silence()
	return &local{prover: circuit.NewProver(circuit.Options{})}
}

func (l *local) Setup(ctx context.Context, r circuit.SetupRequest, progress circuit.Progress) (*circuit.Package, error) {
	l.setups.Add(1)
	return circuit.Setup(ctx, r, progress)
}

func (l *local) Prove(ctx context.Context, dir string, witness []byte, progress circuit.Progress) (*circuit.Result, error) {
	return l.prover.Prove(ctx, dir, witness, circuit.TargetGnark, progress)
}

// deployedCircuit is a circuit as it was announced, with a witness.
type deployedCircuit struct {
	system  circuit.System
	pkg     []byte
	key     []byte
	witness []byte // full
	public  []byte
	bad     []byte // of the right form, and no witness of the circuit
}

func circuitOf(t testing.TB, scheme string) *deployedCircuit {
	t.Helper()
	s, err := circuit.ParseSystem(scheme, "bn254")
	if err != nil {
		t.Fatal(err)
	}
	e, err := example.New(s, 512, 1)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "ccs")
	if err := os.WriteFile(file, e.Circuit, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := newLocal().Setup(t.Context(), circuit.SetupRequest{System: s, Circuit: file, Out: filepath.Join(dir, "package"), Unsafe: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.Pack(&b); err != nil {
		t.Fatal(err)
	}
	k, err := p.VerifyingKey()
	if err != nil {
		t.Fatal(err)
	}
	w, err := circuit.DecodeWitness(s.Curve, e.Witness)
	if err != nil {
		t.Fatal(err)
	}
	bad := slices.Clone(e.Witness)
	bad[len(bad)-1] ^= 1
	return &deployedCircuit{s, b.Bytes(), proofs.EncodeCircuit(k), e.Witness, w.PublicPart().Encode(), bad}
}

func (d *deployedCircuit) proving() Proving {
	return Proving{
		Program: "circuit", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(d.pkg)), nil },
		Key: sha256.Sum256(d.key), Witness: d.witness,
	}
}

// manifest is what the package says, changed.
func (d *deployedCircuit) lying(t *testing.T, change func(*circuit.Manifest)) []byte {
	t.Helper()
	const start = 5
	n := int(binary.LittleEndian.Uint32(d.pkg[start:]))
	m, err := circuit.DecodeManifest(d.pkg[start+4:][:n])
	if err != nil {
		t.Fatal(err)
	}
	change(m)
	b := m.Encode()
	return slices.Concat(d.pkg[:start], binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b, d.pkg[start+4+n:])
}

func shelf(t *testing.T, dir string, limit int64) *Shelf {
	t.Helper()
	s, err := OpenShelf(dir, limit)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ready(t *testing.T) *Executor {
	t.Helper()
	x := New(Config{Circuits: newLocal(), Shelf: shelf(t, t.TempDir(), 0)})
	t.Cleanup(func() { _ = x.Close() })
	return x
}

func TestCircuitProofHoldsOnTheLedger(t *testing.T) {
	for _, scheme := range []string{"groth16", "plonk"} {
		d := circuitOf(t, scheme)
		var stages []string
		r, err := ready(t).Prove(t.Context(), d.proving(), func(stage string, _, _ int) { stages = append(stages, stage) })
		if err != nil {
			t.Fatal(err)
		}
		key := sha256.Sum256(d.key)
		claim := chain.Claim{
			Kind: chain.JobProve, Key: chain.VerifyingKey{Hash: key, Len: uint32(len(d.key))}, Model: key,
			Chain: chain.Hash{1}, Job: chain.Hash{2}, Payee: chain.Hash{3},
			Input: sha256.Sum256(d.public), Output: sha256.Sum256(nil), Proof: sha256.Sum256(r.Proof),
		}
		evidence := &chain.Evidence{Key: d.key, Input: d.public, Proof: r.Proof}
		v := proofs.New(proofs.Config{})
		if ok, err := v.Verify(&claim, evidence); !ok || err != nil {
			t.Fatalf("%s: %v, %v", scheme, ok, err)
		}
		if len(r.Output) > 0 || r.Stages[circuit.StageProve] <= 0 || r.Took < r.Stages[circuit.StageProve] {
			t.Errorf("%s: %+v", scheme, r)
		}
		if !slices.Contains(stages, circuit.StageProve) || !slices.Contains(stages, circuit.StageCheck) {
			t.Errorf("%s: stages %q", scheme, stages)
		}
	}
}

func TestCircuitsAreMadeReadyOnce(t *testing.T) {
	d := circuitOf(t, "groth16")
	dir := t.TempDir()
	var opened atomic.Int32
	q := d.proving()
	open := q.Open
	q.Open = func() (io.ReadCloser, error) { opened.Add(1); return open() }
	for range 2 { // the second time in another process
		books := shelf(t, dir, 0)
		circuits := newLocal()
		var all sync.WaitGroup
		for range 4 { // executors share the shelf
			x := New(Config{Circuits: circuits, Shelf: books})
			all.Go(func() {
				if _, err := x.Prove(t.Context(), q, nil); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("the package was read %d times", n)
	}
}

func TestCircuitFailuresHaveReasons(t *testing.T) {
	d := circuitOf(t, "groth16")
	w, err := circuit.DecodeWitness(d.system.Curve, d.witness)
	if err != nil {
		t.Fatal(err)
	}
	replaced := func(b []byte) func() (io.ReadCloser, error) {
		return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }
	}
	spoilt := slices.Clone(d.pkg)
	spoilt[len(spoilt)-40] ^= 1
	for name, c := range map[string]struct {
		change func(*Proving)
		limits pipeline.Limits
		want   Reason
	}{
		"unsatisfied":     {func(q *Proving) { q.Witness = d.bad }, pipeline.Limits{}, Unsatisfied},
		"public witness":  {func(q *Proving) { q.Witness = d.public }, pipeline.Limits{}, BadInput},
		"JSON":            {func(q *Proving) { q.Witness = w.EncodeJSON() }, pipeline.Limits{}, BadInput},
		"nothing":         {func(q *Proving) { q.Witness = nil }, pipeline.Limits{}, BadInput},
		"key":             {func(q *Proving) { q.Key[0]++ }, pipeline.Limits{}, KeyMismatch},
		"package":         {func(q *Proving) { q.Open = replaced([]byte("?")) }, pipeline.Limits{}, BadProgram},
		"spoilt part":     {func(q *Proving) { q.Open = replaced(spoilt) }, pipeline.Limits{}, BadProgram},
		"fewer rows":      {func(q *Proving) { q.Open = replaced(d.lying(t, func(m *circuit.Manifest) { m.Constraints = 1 })) }, pipeline.Limits{}, BadProgram},
		"more secrets":    {func(q *Proving) { q.Open = replaced(d.lying(t, func(m *circuit.Manifest) { m.Secret++ })) }, pipeline.Limits{}, BadProgram},
		"memory":          {func(*Proving) {}, pipeline.Limits{Memory: 1 << 20}, TooLarge},
		"units":           {func(*Proving) {}, pipeline.Limits{Units: 1}, TooLarge},
		"no such package": {func(q *Proving) { q.Open = func() (io.ReadCloser, error) { return nil, os.ErrNotExist } }, pipeline.Limits{}, Failed},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			x := New(Config{Circuits: newLocal(), Shelf: shelf(t, dir, 0), Limits: c.limits})
			q := d.proving()
			c.change(&q)
			_, err := x.Prove(t.Context(), q, nil)
			var f *Failure
			if !errors.As(err, &f) || f.Reason != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
			left, err := os.ReadDir(dir)
			whole := c.want == Unsatisfied || c.want == BadInput || c.want == KeyMismatch
			if err != nil || whole != (len(left) == 1) || len(left) > 1 {
				t.Errorf("the shelf has %v: %v", left, err)
			}
		})
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	var f *Failure
	if _, err := ready(t).Prove(canceled, d.proving(), nil); !errors.As(err, &f) || f.Reason != Canceled {
		t.Errorf("canceled: %v", err)
	}
	if _, err := New(Config{}).Prove(t.Context(), d.proving(), nil); !errors.Is(err, ErrUnavailable) {
		t.Errorf("without a shelf: %v", err)
	}
}

func TestCalibrationNeedsNoWitness(t *testing.T) {
	d := circuitOf(t, "groth16")
	circuits := newLocal()
	x := New(Config{Circuits: circuits, Shelf: shelf(t, t.TempDir(), 0)})
	q := d.proving()
	q.Witness = nil
	r, err := x.Calibrate(t.Context(), q, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Took <= 0 || len(r.Proof) > 0 {
		t.Errorf("%+v", r)
	}
	made := circuits.setups.Load()
	again, err := x.Calibrate(t.Context(), q, nil)
	if err != nil || again.Took != r.Took {
		t.Errorf("another estimate: %v, %v", again, err)
	}
	if _, err := x.Prove(t.Context(), d.proving(), nil); err != nil {
		t.Error(err)
	}
	if circuits.setups.Load() != made {
		t.Error("the circuit was not ready")
	}
}

func TestInspectionOfACircuitSaysWhatFits(t *testing.T) {
	d := circuitOf(t, "plonk")
	x := ready(t)
	i, err := x.InspectCircuit(bytes.NewReader(d.pkg))
	if err != nil {
		t.Fatal(err)
	}
	if i.Key != sha256.Sum256(d.key) || i.Digest != i.Key || i.Units == 0 || i.Memory == 0 || i.Public() != len(d.public) {
		t.Errorf("%+v", i)
	}
	if input, err := i.Input(d.witness); err != nil || !bytes.Equal(input, d.public) {
		t.Errorf("the input is the public part: %v", err)
	}
	if _, err := i.Input(d.bad); err != nil {
		t.Errorf("whether it satisfies the circuit is seen by proving: %v", err)
	}
	for name, payload := range map[string][]byte{"public part": d.public, "longer": append(slices.Clone(d.witness), 0), "nothing": nil} {
		var f *Failure
		if _, err := i.Input(payload); !errors.As(err, &f) || f.Reason != BadInput {
			t.Errorf("%s: %v", name, err)
		}
	}
	r, err := x.Prove(t.Context(), d.proving(), nil)
	if err != nil || len(r.Proof) != i.Proof {
		t.Errorf("a proof of %d bytes, said to be %d: %v", len(r.Proof), i.Proof, err)
	}
	small := New(Config{Limits: pipeline.Limits{Memory: i.Memory - 1}})
	var f *Failure
	if _, err := small.InspectCircuit(bytes.NewReader(d.pkg)); !errors.As(err, &f) || f.Reason != TooLarge {
		t.Errorf("got %v", err)
	}
}
