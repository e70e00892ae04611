package executor

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/circuit/example"
)

// Circuits makes packages of circuits and proves with them, where a stranger's circuit costs at most
// the time and memory that it is given: in processes of their own. Errors are those of package
// circuit, or a *Failure.
type Circuits interface {
	Setup(ctx context.Context, r circuit.SetupRequest, progress circuit.Progress) (*circuit.Package, error)
	Prove(ctx context.Context, dir string, witness []byte, progress circuit.Progress) (*circuit.Result, error)
}

// ErrUnavailable is the cause of failures where nothing proves circuits.
var ErrUnavailable = errors.New("this worker proves no circuits: it was started without a folder for them")

// Proving is one proof of a circuit.
type Proving struct {
	// Program names the package: equal names have equal bytes.
	Program string
	// Open opens its packed form. It is called where the program is not ready yet.
	Open func() (io.ReadCloser, error)
	// Key is the hash of the verifying key that the proof has to hold under.
	Key chain.Hash
	// Witness is the full witness in gnark's binary encoding.
	Witness []byte
}

// Prove proves that the witness satisfies the circuit. There is no output. An error is a *Failure.
func (x *Executor) Prove(ctx context.Context, q Proving, progress Progress) (*Result, error) {
	begun := time.Now()
	report, stop := steady(progress)
	defer stop()
	b, err := x.circuit(ctx, &q, report)
	if err != nil {
		return nil, circuitFailure(ctx, err)
	}
	defer x.cfg.Shelf.release(b)
	if _, err := publicPart(b.pack.Manifest, q.Witness); err != nil {
		return nil, err
	}
	r, err := x.cfg.Circuits.Prove(ctx, b.pack.Dir, q.Witness, report)
	if err != nil {
		return nil, circuitFailure(ctx, err)
	}
	return &Result{
		Proof: r.Proof, Took: time.Since(begun),
		Stages: map[string]time.Duration{
			circuit.StageLoad: seconds(r.Report.LoadS), circuit.StageProve: seconds(r.Report.ProveS), circuit.StageVerify: seconds(r.Report.VerifyS),
		},
	}, nil
}

// publicPart is the public part of a full witness, as the ledger has it. A value has one encoding.
func publicPart(m *circuit.Manifest, witness []byte) ([]byte, error) {
	w, err := circuit.DecodeWitness(m.System().Curve, witness)
	switch {
	case err != nil:
	case string(w.Encode()) != string(witness):
		err = errors.New("the witness is not in gnark's binary encoding")
	case w.Public != m.Public || w.Secret != m.Secret:
		err = fmt.Errorf("%d public and %d secret values, the circuit has %d and %d", w.Public, w.Secret, m.Public, m.Secret)
	}
	if err != nil {
		return nil, &Failure{BadInput, err}
	}
	return w.PublicPart().Encode(), nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// circuit returns the package of a program, which it makes from the keys of the one that is
// announced: keys of a stranger are checked then, and never again.
func (x *Executor) circuit(ctx context.Context, q *Proving, progress circuit.Progress) (*book, error) {
	if x.cfg.Circuits == nil || x.cfg.Shelf == nil {
		return nil, &Failure{Unavailable, ErrUnavailable}
	}
	b, err := x.cfg.Shelf.get(ctx, q.Program, func(dir string) (*circuit.Package, error) { return x.adopt(ctx, q, dir, progress) })
	if err != nil {
		return nil, err
	}
	k, err := b.pack.VerifyingKey()
	if err == nil && sha256.Sum256(proofs.EncodeCircuit(k)) != q.Key {
		err = &Failure{KeyMismatch, fmt.Errorf("the package has another key than the job, %v", q.Key)}
	}
	if err != nil {
		x.cfg.Shelf.release(b)
		return nil, err
	}
	return b, nil
}

func (x *Executor) adopt(ctx context.Context, q *Proving, dir string, progress circuit.Progress) (*circuit.Package, error) {
	packed, err := x.unpack(q, dir+".packed")
	defer os.RemoveAll(dir + ".packed")
	if err != nil {
		return nil, err
	}
	if err := x.limit(packed.Manifest); err != nil {
		return nil, err
	}
	in := func(name string) string { return filepath.Join(packed.Dir, name) }
	made, err := x.cfg.Circuits.Setup(ctx, circuit.SetupRequest{
		System: packed.Manifest.System(), Circuit: in(circuit.CircuitFile), Out: dir,
		ProvingKey: in(circuit.ProvingFile), VerifyingKey: in(circuit.VerifyingFile),
	}, progress)
	if err != nil {
		return nil, err
	}
	if !made.Manifest.SameAs(packed.Manifest) {
		return nil, errors.Join(&Failure{BadProgram, errors.New("the sizes that the package says are not those of its circuit")}, os.RemoveAll(dir))
	}
	return made, nil
}

func (x *Executor) unpack(q *Proving, dir string) (*circuit.Package, error) {
	if err := os.RemoveAll(dir); err != nil { // of a process that was killed
		return nil, err
	}
	r, err := q.Open()
	if err != nil {
		return nil, err
	}
	p, err := circuit.Unpack(r, dir, x.cfg.Shelf.limit)
	return p, errors.Join(err, r.Close())
}

// limit refuses what takes more than this machine allows.
func (x *Executor) limit(m *circuit.Manifest) error {
	l := x.cfg.Limits
	switch {
	case l.Memory > 0 && m.ProofMemory() > l.Memory:
		return &Failure{TooLarge, fmt.Errorf("a proof takes about %d MiB, at most %d are allowed", m.ProofMemory()>>20, l.Memory>>20)}
	case l.Units > 0 && m.Units() > l.Units:
		return &Failure{TooLarge, fmt.Errorf("%d units of work, at most %d are allowed", m.Units(), l.Units)}
	}
	return nil
}

// Calibrate makes a circuit ready, and estimates how long a proof of it takes: without a witness, by
// proofs of a small circuit of this program's own, under the same scheme and curve. The result has
// that time alone. An error is a *Failure.
func (x *Executor) Calibrate(ctx context.Context, q Proving, progress Progress) (*Result, error) {
	report, stop := steady(progress)
	defer stop()
	b, err := x.circuit(ctx, &q, report)
	if err != nil {
		return nil, circuitFailure(ctx, err)
	}
	defer x.cfg.Shelf.release(b)
	m := b.pack.Manifest
	unit, err := x.rate(ctx, m.System(), report)
	if err != nil {
		return nil, circuitFailure(ctx, err)
	}
	load := time.Duration(m.PackedSize()) * time.Second / loadRate
	return &Result{Took: load + time.Duration(m.Units())*unit}, nil
}

const (
	// loadRate is how fast a package is read into memory at least, in bytes a second.
	loadRate = 256 << 20
	// exampleRows is the size of the circuit that is measured.
	exampleRows = 4096
)

// rate is how long a unit of work takes in a proof system here.
func (x *Executor) rate(ctx context.Context, s circuit.System, progress circuit.Progress) (time.Duration, error) {
	x.mu.Lock()
	known := x.mu.rates[s]
	x.mu.Unlock()
	if known > 0 {
		return known, nil
	}
	e, err := example.New(s, exampleRows, 1)
	if err != nil {
		return 0, err
	}
	b, err := x.cfg.Shelf.get(ctx, "example/"+s.String(), func(dir string) (*circuit.Package, error) { return x.setupExample(ctx, e, dir, progress) })
	if err != nil {
		return 0, err
	}
	defer x.cfg.Shelf.release(b)
	var took float64
	for range 2 { // the second time everything is in memory
		r, err := x.cfg.Circuits.Prove(ctx, b.pack.Dir, e.Witness, progress)
		if err != nil {
			return 0, err
		}
		took = r.Report.ProveS
	}
	unit := max(seconds(took)/time.Duration(b.pack.Manifest.Units()), 1)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.mu.rates[s] = unit
	return unit, nil
}

func (x *Executor) setupExample(ctx context.Context, e *example.Example, dir string, progress circuit.Progress) (*circuit.Package, error) {
	file := dir + ".ccs"
	defer os.Remove(file)
	if err := os.WriteFile(file, e.Circuit, 0o600); err != nil {
		return nil, err
	}
	return x.cfg.Circuits.Setup(ctx, circuit.SetupRequest{System: e.System, Circuit: file, Out: dir, Unsafe: true}, progress)
}

// steadily is how often a stage is told again.
const steadily = 2 * time.Second

// steady tells a stage again and again: gnark says nothing while it works. Whether it still works is
// for Circuits to watch.
func steady(progress Progress) (report circuit.Progress, stop func()) {
	if progress == nil {
		return nil, func() {}
	}
	stages, ended, done := make(chan string), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		every := time.NewTicker(steadily)
		defer every.Stop()
		stage, n := circuit.StageLoad, 0
		for {
			select {
			case stage = <-stages:
				n = 0
			case <-every.C:
				n += int(steadily / time.Second)
			case <-ended:
				return
			}
			progress(stage, n, 0)
		}
	}()
	report = func(stage string) {
		select {
		case stages <- stage:
		case <-ended:
		}
	}
	return report, func() { close(ended); <-done }
}

// circuitFailure gives an error of a circuit its reason. The witness was looked at before.
func circuitFailure(ctx context.Context, err error) error {
	var f *Failure
	var unsatisfied *circuit.UnsatisfiedError
	var input *circuit.InputError
	switch {
	case ctx.Err() != nil:
		return &Failure{Canceled, ctx.Err()}
	case errors.As(err, &f):
		return f
	case errors.As(err, &unsatisfied):
		return &Failure{Unsatisfied, err}
	case errors.As(err, &input):
		return &Failure{BadProgram, err}
	}
	return &Failure{Failed, err}
}
