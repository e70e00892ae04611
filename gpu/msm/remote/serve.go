package remote

import (
	"context"
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/gpu/msm"
	"github.com/weisyn/wes/gpu/worker"
	"github.com/weisyn/wes/prover/commit"
)

// reasonUnknown is why a child that replaced another refuses a job.
const reasonUnknown worker.Reason = "unknown_bases"

// Methods are the child's side. open makes the engine of a name, when a job asks for it
// first; its error should wrap msm.ErrUnavailable if there is no such engine. Engines and
// bases live as long as the process.
func Methods(open func(ctx context.Context, name string) (msm.Engine, error)) map[string]worker.Method {
	s := &server{open: open, engines: map[string]msm.Engine{}, bases: map[uint64]msm.Bases{}}
	return map[string]worker.Method{
		methodLoad: s.load, methodDrop: s.drop, methodMultiply: s.multiply, methodRows: s.rows, methodTransform: s.transform,
	}
}

// server is used by one goroutine: jobs of a child run one after the other.
type server struct {
	open    func(context.Context, string) (msm.Engine, error)
	engines map[string]msm.Engine
	bases   map[uint64]msm.Bases
}

func (s *server) engine(ctx context.Context, name string) (msm.Engine, error) {
	if e := s.engines[name]; e != nil {
		return e, nil
	}
	e, err := s.open(ctx, name)
	if err != nil {
		return nil, failed(ctx, err)
	}
	s.engines[name] = e
	return e, nil
}

// request reads the head of a request about bases that are here. left is the size of the rest.
func (s *server) request(r *worker.Request) (h head, left uint64, b msm.Bases, err error) {
	if h, left, err = readHead(r.Body, r.Size); err != nil {
		return h, 0, nil, err
	}
	if b = s.bases[h.bases]; b == nil {
		return h, 0, nil, worker.Fail(reasonUnknown, fmt.Errorf("bases %d are not here", h.bases))
	}
	return h, left, b, nil
}

// failed gives an engine's error its reason. An engine fails when its device does, unless
// the caller is at fault or gave up.
func failed(ctx context.Context, err error) error {
	var length *commit.LengthError
	var width *msm.WidthError
	switch {
	case ctx.Err() != nil:
		return err
	case errors.As(err, &length), errors.As(err, &width):
		return worker.Fail(worker.ReasonInput, err)
	}
	return worker.Fail(worker.ReasonDevice, err)
}

func (s *server) load(ctx context.Context, r *worker.Request) ([][]byte, error) {
	h, size, err := readHead(r.Body, r.Size)
	if err != nil {
		return nil, err
	}
	e, err := s.engine(ctx, h.engine)
	if err != nil {
		return nil, err
	}
	points, err := readElements[bn254.G1Affine](r.Body, size, msm.MaxBases)
	if err != nil {
		return nil, worker.Fail(worker.ReasonInput, err)
	}
	b, err := e.Load(ctx, points)
	if err != nil {
		return nil, failed(ctx, err)
	}
	s.bases[h.bases] = b
	return nil, nil
}

func (s *server) drop(ctx context.Context, r *worker.Request) ([][]byte, error) {
	h, _, b, err := s.request(r)
	if err != nil {
		return nil, err
	}
	delete(s.bases, h.bases)
	if err := b.Close(); err != nil {
		return nil, failed(ctx, err)
	}
	return nil, nil
}

func (s *server) multiply(ctx context.Context, r *worker.Request) ([][]byte, error) {
	h, size, b, err := s.request(r)
	if err != nil {
		return nil, err
	}
	scalars, err := readElements[fr.Element](r.Body, size, maxElements)
	if err != nil {
		return nil, worker.Fail(worker.ReasonInput, err)
	}
	sums, err := b.MSM(ctx, scalars, int(h.argument))
	if err != nil {
		return nil, failed(ctx, err)
	}
	return [][]byte{memory(sums)}, nil
}

func (s *server) rows(ctx context.Context, r *worker.Request) ([][]byte, error) {
	h, size, b, err := s.request(r)
	if err != nil {
		return nil, err
	}
	rows, err := readElements[int32](r.Body, size, maxElements)
	if err != nil {
		return nil, worker.Fail(worker.ReasonInput, err)
	}
	progress := func(done, total int) { r.Progress("rows", done, total) }
	sums, err := b.Rows(ctx, rows, int(h.argument), progress)
	if err != nil {
		return nil, failed(ctx, err)
	}
	return [][]byte{memory(sums)}, nil
}

func (s *server) transform(ctx context.Context, r *worker.Request) ([][]byte, error) {
	h, size, err := readHead(r.Body, r.Size)
	if err != nil {
		return nil, err
	}
	e, err := s.engine(ctx, h.engine)
	if err != nil {
		return nil, err
	}
	values, err := readElements[fr.Element](r.Body, size, msm.MaxNTT)
	if err != nil {
		return nil, worker.Fail(worker.ReasonInput, err)
	}
	t := msm.Transform{Inverse: h.argument&flagInverse != 0, Coset: h.argument&flagCoset != 0}
	if err := e.NTT(ctx, values, t); err != nil {
		return nil, failed(ctx, err)
	}
	return [][]byte{memory(values)}, nil
}

const (
	flagInverse = 1
	flagCoset   = 2
	// maxElements bounds what a child takes for one job: 128 GiB of scalars.
	maxElements = 1 << 32
)
