package executor

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/pipeline"
)

// Config says what executes. The zero value interprets, commits on the CPU and caches nothing on disk.
type Config struct {
	Cache     *pipeline.Cache
	Runtime   pipeline.Runtime
	Committer prover.Committer
	Limits    pipeline.Limits
	// Programs bounds how many models are kept ready. Default 8.
	Programs int
	// Circuits proves circuits with packages on Shelf, which may be shared. Nil: none are proved.
	Circuits Circuits
	Shelf    *Shelf
}

// Reason says why a job came to nothing. Reasons are stable.
type Reason string

// The reasons.
const (
	BadInput    Reason = "bad_input"
	Unsatisfied Reason = "unsatisfied_witness"
	Unavailable Reason = "unavailable"
	BadProgram  Reason = "bad_program"
	KeyMismatch Reason = "key_mismatch"
	TooLarge    Reason = "too_large"
	Canceled    Reason = "canceled"
	Failed      Reason = "failed"
)

// Failure is an error with its reason.
type Failure struct {
	Reason Reason
	Err    error
}

func (f *Failure) Error() string { return string(f.Reason) + ": " + f.Err.Error() }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// Executor runs jobs. It may be used from any goroutine.
type Executor struct {
	cfg Config
	mu  struct {
		sync.Mutex
		programs map[string]*attached
		clock    uint64
		rates    map[circuit.System]time.Duration // of a unit of work
	}
}

// attached is a program that is ready, or is being made so.
type attached struct {
	ready    chan struct{} // closed when the rest is set
	program  *pipeline.Program
	executor *pipeline.Executor
	key      chain.Hash // of the verifying key, as the ledger has it
	err      error
	users    int
	used     uint64
}

// New returns an executor.
func New(c Config) *Executor {
	c.Programs = cmp.Or(c.Programs, 8)
	x := &Executor{cfg: c}
	x.mu.programs, x.mu.rates = map[string]*attached{}, map[circuit.System]time.Duration{}
	return x
}

// Close ends what programs have started. No job runs any more.
func (x *Executor) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	var all error
	for name, a := range x.mu.programs {
		if a.executor != nil {
			all = errors.Join(all, a.executor.Close())
		}
		delete(x.mu.programs, name)
	}
	return all
}

// Inference is one execution of a model.
type Inference struct {
	// Program names the package: equal names have equal bytes.
	Program string
	// Package reads it. It is called where the program is not ready yet.
	Package func() ([]byte, error)
	// Key is the hash of the verifying key that the proof has to hold under.
	Key chain.Hash
	// Input is the attachment of the inputs.
	Input []byte
	Job   proofs.Job
	// Prove asks for a proof beside the output.
	Prove bool
}

// Result is what came of a job.
type Result struct {
	Output []byte // attachment
	Proof  []byte // nil where none was asked for
	Took   time.Duration
	Stages map[string]time.Duration
}

// Progress is told how far a job is. It is called from several goroutines.
type Progress func(stage string, done, total int)

// Infer executes, and proves if that is asked for. An error is a *Failure.
func (x *Executor) Infer(ctx context.Context, q Inference, progress Progress) (*Result, error) {
	cells, err := proofs.DecodeInput(q.Input)
	if err != nil {
		return nil, &Failure{BadInput, err}
	}
	a, err := x.attach(ctx, q)
	if err != nil {
		return nil, err
	}
	defer x.detach(a)
	if a.key != q.Key {
		return nil, &Failure{KeyMismatch, fmt.Errorf("the package has key %v, the job %v", a.key, q.Key)}
	}
	begun := time.Now()
	line := x.line(progress)
	var out *pipeline.Proven
	if q.Prove {
		out, err = line.ProveCells(ctx, a.program, a.executor, cells, prover.Job{ID: q.Job.ID, Payee: q.Job.Payee, Chain: q.Job.Chain})
	} else {
		out, err = line.Execute(ctx, a.program, a.executor, cells)
	}
	if err != nil {
		return nil, failure(ctx, err)
	}
	t := out.Took
	return &Result{
		Output: proofs.EncodeOutput(out.Outputs), Proof: out.Proof, Took: time.Since(begun),
		Stages: map[string]time.Duration{
			"execute": t.Execute, "commit": t.Stages.Commit, "lookup": t.Stages.Lookup, "contract": t.Stages.Contract, "open": t.Stages.Open,
		},
	}, nil
}

func failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return &Failure{Canceled, ctx.Err()}
	}
	return failureOf(err)
}

func failureOf(err error) error {
	switch {
	case errors.Is(err, tensor.ErrInput), errors.Is(err, tensor.ErrRange):
		return &Failure{BadInput, err}
	case errors.Is(err, pipeline.ErrLimit):
		return &Failure{TooLarge, err}
	case errors.Is(err, pipeline.ErrPackage), errors.Is(err, pipeline.ErrWeights):
		return &Failure{BadProgram, err}
	}
	return &Failure{Failed, err}
}

func (x *Executor) line(progress Progress) *pipeline.Line {
	l := &pipeline.Line{Cache: x.cfg.Cache, Runtime: x.cfg.Runtime, Committer: x.cfg.Committer}
	if progress != nil {
		l.Progress = func(s prover.Stage, done, total int) { progress(string(s), done, total) }
	}
	return l
}

// attach returns a ready program; concurrent jobs share one.
func (x *Executor) attach(ctx context.Context, q Inference) (*attached, error) {
	x.mu.Lock()
	a := x.mu.programs[q.Program]
	if a == nil {
		a = &attached{ready: make(chan struct{})}
		x.mu.programs[q.Program] = a
		go x.prepare(context.WithoutCancel(ctx), a, q)
	}
	a.users++
	x.mu.clock++
	a.used = x.mu.clock
	x.mu.Unlock()
	select {
	case <-a.ready:
	case <-ctx.Done():
		x.detach(a)
		return nil, &Failure{Canceled, ctx.Err()}
	}
	if a.err != nil {
		x.detach(a)
		x.forget(q.Program, a)
		return nil, failure(ctx, a.err)
	}
	return a, nil
}

// prepare makes a program ready.
func (x *Executor) prepare(ctx context.Context, a *attached, q Inference) {
	defer close(a.ready)
	raw, err := q.Package()
	if err != nil {
		a.err = err
		return
	}
	c, err := pipeline.ReadPackage(raw, x.cfg.Limits)
	if err != nil {
		a.err = err
		return
	}
	line := x.line(nil)
	if a.program, a.err = line.Adopt(ctx, c); a.err != nil {
		return
	}
	a.key = sha256.Sum256(proofs.EncodeModel(a.program.Model))
	a.executor, a.err = line.Attach(ctx, a.program, pipeline.EngineAuto)
}

// forget drops a program that could not be made ready, so that the next job tries again.
func (x *Executor) forget(name string, a *attached) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.mu.programs[name] == a {
		delete(x.mu.programs, name)
	}
}

// detach ends the use of a program; of those that nobody uses the least recent ones go.
func (x *Executor) detach(a *attached) {
	x.mu.Lock()
	defer x.mu.Unlock()
	a.users--
	for len(x.mu.programs) > x.cfg.Programs {
		oldest := ""
		for name, b := range x.mu.programs {
			if b.users == 0 && (oldest == "" || b.used < x.mu.programs[oldest].used) {
				oldest = name
			}
		}
		if oldest == "" {
			return
		}
		if e := x.mu.programs[oldest].executor; e != nil {
			_ = e.Close() // a child that has ended already
		}
		delete(x.mu.programs, oldest)
	}
}
