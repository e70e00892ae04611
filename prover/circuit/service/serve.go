package service

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/weisyn/wes/gpu/worker"
	"github.com/weisyn/wes/prover/circuit"
)

// ReasonUnsatisfied is that of a witness which is not one of the circuit's.
const ReasonUnsatisfied worker.Reason = "unsatisfied_witness"

// The devices that a child can be asked to prove on.
const (
	DeviceCPU    = "cpu"
	DeviceICICLE = "icicle" // Groth16 only
)

// Service is the child's side.
type Service struct {
	cpu    *circuit.Prover
	device func() (*circuit.Prover, error)
}

// New makes a service whose provers keep up to cacheBytes of packages each, the default of
// package circuit if 0. open finds the accelerator when it is first asked for.
func New(cacheBytes int64, open func() (circuit.Accelerator, error)) *Service {
	o := circuit.Options{CacheBytes: cacheBytes}
	return &Service{
		cpu: circuit.NewProver(o),
		device: sync.OnceValues(func() (*circuit.Prover, error) {
			a, err := open()
			if err != nil {
				return nil, err
			}
			return circuit.NewProver(circuit.Options{CacheBytes: cacheBytes, Accelerator: a}), nil
		}),
	}
}

// Methods is the service's part of a worker's table.
func (s *Service) Methods() map[string]worker.Method {
	return map[string]worker.Method{methodProve: s.prove, methodSetup: setup}
}

func (s *Service) prove(ctx context.Context, r *worker.Request) ([][]byte, error) {
	var head proveHead
	n, err := readHead(r.Body, &head)
	if err != nil {
		return nil, worker.Fail(worker.ReasonInput, err)
	}
	if r.Size > maxWitness {
		return nil, worker.Fail(worker.ReasonInput, fmt.Errorf("witness of %d bytes, want at most %d", r.Size, int64(maxWitness)))
	}
	witness, err := readBody(r.Body, int64(r.Size)-n)
	if err != nil {
		return nil, err
	}
	prover, err := s.prover(head.Device)
	if err != nil {
		return nil, err
	}
	result, err := prover.Prove(ctx, head.Dir, witness, head.Target, stages(r))
	if err != nil {
		return nil, reasoned(err)
	}
	return encodeResult(result)
}

func (s *Service) prover(device string) (*circuit.Prover, error) {
	switch device {
	case DeviceCPU, "":
		return s.cpu, nil
	case DeviceICICLE:
		p, err := s.device()
		if err != nil {
			return nil, worker.Fail(worker.ReasonDevice, err)
		}
		return p, nil
	}
	return nil, worker.Fail(worker.ReasonInput, fmt.Errorf("device %q is unknown: there are %s and %s", device, DeviceCPU, DeviceICICLE))
}

func encodeResult(r *circuit.Result) ([][]byte, error) {
	public := r.Public.Encode()
	head, err := encodeHead(resultHead{r.Report, uint32(len(public)), uint32(len(r.Proof))})
	return [][]byte{head, public, r.Proof}, err
}

func setup(ctx context.Context, r *worker.Request) ([][]byte, error) {
	var head setupHead
	if _, err := readHead(r.Body, &head); err != nil {
		return nil, worker.Fail(worker.ReasonInput, err)
	}
	var err error
	if head.System, err = circuit.ParseSystem(head.Scheme, head.Curve); err != nil {
		return nil, worker.Fail(worker.ReasonInput, err)
	}
	if _, err := circuit.Setup(ctx, head.SetupRequest, stages(r)); err != nil {
		return nil, reasoned(err)
	}
	return nil, nil
}

func stages(r *worker.Request) circuit.Progress {
	return func(stage string) { r.Progress(stage, 0, 1) }
}

// reasoned gives an error of package circuit the reason that the parent sees.
func reasoned(err error) error {
	var input *circuit.InputError
	var unsatisfied *circuit.UnsatisfiedError
	var device *circuit.DeviceError
	switch {
	case errors.As(err, &device):
		return worker.Fail(worker.ReasonDevice, err)
	case errors.As(err, &unsatisfied):
		return worker.Fail(ReasonUnsatisfied, err)
	case errors.As(err, &input):
		return worker.Fail(worker.ReasonInput, err)
	}
	return err
}
