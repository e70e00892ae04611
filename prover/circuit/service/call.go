package service

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/weisyn/wes/gpu/dispatch"
	"github.com/weisyn/wes/gpu/worker"
	"github.com/weisyn/wes/prover/circuit"
)

// Dispatcher runs a task where there is a device for it, and moves it on when that breaks.
type Dispatcher interface {
	Do(ctx context.Context, t dispatch.Task) (dispatch.Outcome, error)
}

var (
	_ Dispatcher = (*dispatch.Dispatcher)(nil)
	_ Dispatcher = dispatch.Fixed{}
)

// Runner runs a job in a child process.
type Runner interface {
	Do(ctx context.Context, j worker.Job) error
}

var (
	_ Runner = (*worker.Child)(nil)
	_ Runner = (*worker.Supervisor)(nil)
)

// ProveRequest asks for a proof.
type ProveRequest struct {
	Dir      string // of the package
	Witness  []byte // full witness: gnark's encoding or JSON
	Target   circuit.Target
	CPUOnly  bool // no device, even if there is one for the scheme
	Progress circuit.Progress
}

// Prove has a task done: Groth16 by a device or the CPU, PLONK by the CPU. The outcome says
// where, also with an error, which wraps a *worker.Failure if a child was asked.
func Prove(ctx context.Context, d Dispatcher, q ProveRequest) (*circuit.Result, dispatch.Outcome, error) {
	pack, err := circuit.Open(q.Dir)
	if err != nil {
		return nil, dispatch.Outcome{}, err
	}
	if err := pack.CanProve(); err != nil {
		return nil, dispatch.Outcome{}, err
	}
	task, err := q.task(pack.Manifest)
	if err != nil {
		return nil, dispatch.Outcome{}, err
	}
	var result *circuit.Result
	task.Receive = func(body io.Reader, size uint64) (err error) {
		result, err = readResult(pack.Manifest, body, size)
		return err
	}
	outcome, err := d.Do(ctx, task)
	if err != nil {
		return nil, outcome, err
	}
	return result, outcome, nil
}

// task is the request for a package with a manifest. A child on a device is asked to use it.
func (q *ProveRequest) task(m *circuit.Manifest) (dispatch.Task, error) {
	dir, err := filepath.Abs(q.Dir)
	if err != nil {
		return dispatch.Task{}, err
	}
	cpu, err := encodeHead(proveHead{dir, q.Target, DeviceCPU})
	if err != nil {
		return dispatch.Task{}, err
	}
	device, err := encodeHead(proveHead{dir, q.Target, DeviceICICLE})
	if err != nil {
		return dispatch.Task{}, err
	}
	memory := m.DeviceMemory()
	return dispatch.Task{
		Method: methodProve, Progress: job(q.Progress), Memory: memory, CPUOnly: q.CPUOnly || memory == 0,
		Body: func(place string) [][]byte {
			if place == dispatch.CPU {
				return [][]byte{cpu, q.Witness}
			}
			return [][]byte{device, q.Witness}
		},
	}, nil
}

// readResult takes the public values that the circuit has and a proof of bounded size.
func readResult(m *circuit.Manifest, r io.Reader, size uint64) (*circuit.Result, error) {
	var head resultHead
	n, err := readHead(r, &head)
	if err != nil {
		return nil, err
	}
	if want := n + int64(head.Public) + int64(head.Proof); uint64(want) != size || int(head.Public) != m.PublicBytes() || head.Proof > maxProof {
		return nil, fmt.Errorf("result of %d bytes for %d public values and a proof of %d bytes", size, m.Public, head.Proof)
	}
	public, err := readBody(r, int64(head.Public))
	if err != nil {
		return nil, err
	}
	out := &circuit.Result{Report: head.Report}
	if out.Public, err = circuit.DecodeWitness(m.System().Curve, public); err != nil {
		return nil, err
	}
	out.Proof, err = readBody(r, int64(head.Proof))
	return out, err
}

// Setup asks a child for a package. The child writes into a temporary folder beside the one
// asked for, so that nothing stays of a child that was killed. The error is a *worker.Failure
// if the child was asked.
func Setup(ctx context.Context, r Runner, q circuit.SetupRequest, progress circuit.Progress) (*circuit.Package, error) {
	if err := q.Validate(); err != nil {
		return nil, err
	}
	out := q.Out
	if err := circuit.CheckNew(out); err != nil {
		return nil, err
	}
	for _, path := range []*string{&q.Circuit, &q.Out, &q.SRS, &q.ProvingKey, &q.VerifyingKey} {
		if err := absolute(path); err != nil {
			return nil, err
		}
	}
	temp, err := tempBeside(q.Out)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(temp)
	q.Out = filepath.Join(temp, "package")
	head, err := encodeHead(setupHead{q, q.System.SchemeName(), q.System.CurveName()})
	if err != nil {
		return nil, err
	}
	if err := r.Do(ctx, worker.Job{Method: methodSetup, Body: [][]byte{head}, Progress: job(progress)}); err != nil {
		return nil, err
	}
	return circuit.Move(q.Out, out)
}

func absolute(path *string) (err error) {
	if *path != "" {
		*path, err = filepath.Abs(*path)
	}
	return err
}

func tempBeside(dir string) (string, error) {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	return os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".*")
}

// job takes the stages of a job for those of package circuit.
func job(p circuit.Progress) func(stage string, done, total int) {
	if p == nil {
		return nil
	}
	return func(stage string, _, _ int) { p(stage) }
}
