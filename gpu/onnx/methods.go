package onnx

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/weisyn/wes/gpu/worker"
)

// engine is ONNX Runtime inside the child.
type engine interface {
	version() string
	load(model []byte, spec modelSpec) (loaded, error)
}

// loaded is a session with the memory of its inputs and outputs.
type loaded interface {
	inputs() [][]byte
	outputs() [][]byte
	run() error
	free()
}

// Methods are the child's side, for the table that the child gives to worker.Serve. They
// share one library and its sessions.
func Methods() map[string]worker.Method {
	return newHost(newEngine).methods()
}

// host owns the library and its sessions in a child; session numbers are never used twice.
type host struct {
	start    func(setup) (engine, error)
	engine   engine // nil until the library is loaded
	sessions map[uint32]loaded
	last     uint32
}

func newHost(start func(setup) (engine, error)) *host {
	return &host{start: start, sessions: map[uint32]loaded{}}
}

func (h *host) methods() map[string]worker.Method {
	all := map[string]worker.Method{}
	for name, serve := range map[string]func(*worker.Request) ([][]byte, error){
		methodOpen: h.open, methodLoad: h.load, methodRun: h.run, methodFree: h.release,
	} {
		all[name] = func(_ context.Context, r *worker.Request) ([][]byte, error) {
			reply, err := serve(r)
			if errors.Is(err, ErrProtocol) {
				err = worker.Fail(worker.ReasonInput, err)
			}
			return reply, err
		}
	}
	return all
}

func (h *host) open(r *worker.Request) ([][]byte, error) {
	var s setup
	if err := readJSON(r.Body, r.Size, &s); err != nil {
		return nil, err
	}
	if h.engine != nil {
		return nil, fmt.Errorf("%w: a second library", ErrProtocol)
	}
	e, err := h.start(s)
	if err != nil {
		return nil, err
	}
	h.engine = e
	return [][]byte{encodeJSON(greeting{e.version()})}, nil
}

func (h *host) load(r *worker.Request) ([][]byte, error) {
	if h.engine == nil {
		return nil, fmt.Errorf("%w: load without a library", ErrProtocol)
	}
	if r.Size < 4 || r.Size > 4+maxModel+maxJSON {
		return nil, fmt.Errorf("%w: load of %d bytes", ErrProtocol, r.Size)
	}
	n, err := readUint32(r.Body)
	if err != nil {
		return nil, err
	}
	if uint64(n) > r.Size-4 {
		return nil, fmt.Errorf("%w: form of %d bytes in a load of %d", ErrProtocol, n, r.Size)
	}
	var spec modelSpec
	if err := readJSON(r.Body, uint64(n), &spec); err != nil {
		return nil, err
	}
	if _, _, err := spec.check(); err != nil {
		return nil, err
	}
	model, err := readPayload(r.Body, r.Size-4-uint64(n), maxModel)
	if err != nil {
		return nil, err
	}
	s, err := h.engine.load(model, spec)
	if err != nil {
		return nil, err
	}
	h.last++
	h.sessions[h.last] = s
	return [][]byte{uint32Bytes(h.last)}, nil
}

// session reads the number that a request begins with.
func (h *host) session(r *worker.Request) (uint32, loaded, error) {
	if r.Size < 4 {
		return 0, nil, fmt.Errorf("%w: request of %d bytes", ErrProtocol, r.Size)
	}
	id, err := readUint32(r.Body)
	if err != nil {
		return 0, nil, err
	}
	s, ok := h.sessions[id]
	if !ok {
		return 0, nil, fmt.Errorf("%w: no session %d", ErrProtocol, id)
	}
	return id, s, nil
}

func (h *host) run(r *worker.Request) ([][]byte, error) {
	_, s, err := h.session(r)
	if err != nil {
		return nil, err
	}
	want := uint64(4)
	for _, in := range s.inputs() {
		want += uint64(len(in))
	}
	if r.Size != want {
		return nil, fmt.Errorf("%w: run of %d bytes, want %d", ErrProtocol, r.Size, want)
	}
	for _, in := range s.inputs() {
		if _, err := io.ReadFull(r.Body, in); err != nil {
			return nil, err
		}
	}
	if err := s.run(); err != nil {
		return nil, err
	}
	return s.outputs(), nil
}

func (h *host) release(r *worker.Request) ([][]byte, error) {
	id, s, err := h.session(r)
	if err != nil {
		return nil, err
	}
	if r.Size != 4 {
		return nil, fmt.Errorf("%w: free of %d bytes", ErrProtocol, r.Size)
	}
	s.free()
	delete(h.sessions, id)
	return nil, nil
}
