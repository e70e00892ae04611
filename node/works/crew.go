package works

import (
	"context"
	"errors"
	"io"
	"os"
	"runtime/metrics"
	"slices"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/executor"
	"github.com/weisyn/wes/node/fleet"
	"github.com/weisyn/wes/node/proofs"
)

// Executor is what works: package executor's, but for tests.
type Executor interface {
	Infer(ctx context.Context, q executor.Inference, progress executor.Progress) (*executor.Result, error)
	Prove(ctx context.Context, q executor.Proving, progress executor.Progress) (*executor.Result, error)
	Calibrate(ctx context.Context, q executor.Proving, progress executor.Progress) (*executor.Result, error)
	Close() error
}

var _ Executor = (*executor.Executor)(nil)

// Station is a device with what executes on it.
type Station struct {
	Slot     fleet.Slot
	Executor Executor
	Close    func() error // of what the executor works with; nil: nothing
}

// Crew executes tasks of a queue on the devices of this machine. It is what a worker runs.
type Crew struct{ stations []Station }

var _ fleet.Executor = (*Crew)(nil)

// NewCrew returns the crew of some stations, each of another device.
func NewCrew(all []Station) *Crew { return &Crew{all} }

// Close ends what the executors have started. No task runs any more.
func (c *Crew) Close() error {
	var all error
	for _, s := range c.stations {
		all = errors.Join(all, s.Executor.Close())
		if s.Close != nil {
			all = errors.Join(all, s.Close())
		}
	}
	return all
}

// Slots implements fleet.Executor.
func (c *Crew) Slots() []fleet.Slot {
	var all []fleet.Slot
	for _, s := range c.stations {
		all = append(all, s.Slot)
	}
	return all
}

// Execute implements fleet.Executor.
func (c *Crew) Execute(ctx context.Context, slot fleet.Slot, t fleet.Task, program string, progress func(stage string, done, total int)) ([]byte, error) {
	i := slices.IndexFunc(c.stations, func(s Station) bool { return s.Slot.Device == slot.Device })
	if i < 0 {
		return nil, &fleet.Failure{Reason: fleet.ReasonFailed, Detail: "no such device here", Retry: true}
	}
	o, err := decodeOrder(t.Body)
	if err != nil {
		return nil, &fleet.Failure{Reason: fleet.ReasonFailed, Detail: err.Error()}
	}
	r, err := carryOut(ctx, c.stations[i].Executor, o, t.Program, program, progress)
	if err != nil {
		return nil, fleetFailure(err)
	}
	return encode(resultOf(r)), nil
}

// carryOut executes an order, with the file of its program.
func carryOut(ctx context.Context, x Executor, o *order, name, file string, progress executor.Progress) (*executor.Result, error) {
	if o.Kind == chain.JobInfer {
		return x.Infer(ctx, executor.Inference{
			Program: name, Package: func() ([]byte, error) { return os.ReadFile(file) },
			Key: o.Key, Input: o.Payload, Job: proofs.JobOf(o.Chain, o.Job, o.Payee), Prove: o.Prove,
		}, progress)
	}
	q := executor.Proving{Program: name, Open: func() (io.ReadCloser, error) { return os.Open(file) }, Key: o.Key, Witness: o.Payload}
	if len(o.Payload) == 0 {
		return x.Calibrate(ctx, q, progress)
	}
	return x.Prove(ctx, q, progress)
}

func resultOf(r *executor.Result) *result {
	out := &result{Version: version, Output: r.Output, Proof: r.Proof, Took: uint64(r.Took.Milliseconds()), Memory: heap()}
	for name, took := range r.Stages {
		out.Stages = append(out.Stages, stage{Name: name, Took: uint64(took / time.Microsecond)})
	}
	slices.SortFunc(out.Stages, func(a, b stage) int { return slices.Compare([]byte(a.Name), []byte(b.Name)) })
	return out
}

// heap is what the process's heap takes now, in bytes.
func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// fleetFailure keeps the reasons of package executor.
func fleetFailure(err error) error {
	var f *executor.Failure
	if errors.As(err, &f) {
		return &fleet.Failure{Reason: string(f.Reason), Detail: f.Err.Error(), Retry: f.Reason == executor.Failed}
	}
	return &fleet.Failure{Reason: fleet.ReasonFailed, Detail: err.Error(), Retry: true}
}
