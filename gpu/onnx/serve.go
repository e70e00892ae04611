package onnx

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
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

// Serve is the child's side: it answers requests until requests end. Errors of single
// requests go back to the parent; the error returned is one that ends the child.
func Serve(requests io.Reader, replies io.Writer) error {
	// An interrupt from the terminal is the parent's to handle.
	signal.Ignore(os.Interrupt)
	stop := make(chan struct{})
	defer close(stop)
	go exitWithParent(os.Getppid(), stop)
	w := newWorker(requests, replies)
	if err := w.hello(); err != nil {
		return fmt.Errorf("serve: %w", err)
	}
	for {
		err := w.answer()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("serve: %w", err)
		}
	}
}

// exitWithParent ends a child whose parent died while native code was running.
func exitWithParent(parent int, stop <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			if os.Getppid() != parent {
				os.Exit(1)
			}
		}
	}
}

// worker answers requests; session numbers are never used twice.
type worker struct {
	r        *bufio.Reader
	w        io.Writer
	engine   engine
	cpu      int // seconds of processor time for one request, 0: no limit
	sessions map[uint32]loaded
	last     uint32
}

func newWorker(requests io.Reader, replies io.Writer) *worker {
	return &worker{r: bufio.NewReaderSize(requests, 1<<16), w: replies, sessions: map[uint32]loaded{}}
}

func (w *worker) fail(err error) error {
	text := []byte(err.Error())
	return writeFrame(w.w, frameFailed, text[:min(len(text), maxText)])
}

func (w *worker) hello() error {
	kind, length, err := readHead(w.r)
	if err != nil {
		return err
	}
	if kind != frameHello {
		return fmt.Errorf("%w: frame %d before hello", ErrProtocol, kind)
	}
	var s setup
	if err := readJSON(w.r, length, &s); err != nil {
		return err
	}
	if err := limitMemory(s.Memory); err != nil {
		return errors.Join(err, w.fail(err))
	}
	w.cpu = s.CPU
	if w.engine, err = newEngine(s); err != nil {
		return errors.Join(err, w.fail(err))
	}
	return writeFrame(w.w, frameDone, encodeJSON(greeting{w.engine.version()}))
}

// answer reads one request and replies. The error is io.EOF after the last request.
func (w *worker) answer() error {
	kind, length, err := readHead(w.r)
	if err != nil {
		return err
	}
	if err := limitCPU(w.cpu); err != nil {
		return err
	}
	switch kind {
	case frameLoad:
		return w.load(length)
	case frameRun:
		return w.run(length)
	case frameFree:
		return w.release(length)
	}
	return fmt.Errorf("%w: frame %d", ErrProtocol, kind)
}

func (w *worker) load(length uint64) error {
	if length < 4 || length > maxModel+maxJSON {
		return fmt.Errorf("%w: load of %d bytes", ErrProtocol, length)
	}
	n, err := readUint32(w.r)
	if err != nil {
		return err
	}
	if uint64(n) > length-4 {
		return fmt.Errorf("%w: form of %d bytes in a load of %d", ErrProtocol, n, length)
	}
	var spec modelSpec
	if err := readJSON(w.r, uint64(n), &spec); err != nil {
		return err
	}
	if _, _, err := spec.check(); err != nil {
		return err
	}
	model, err := readPayload(w.r, length-4-uint64(n), maxModel)
	if err != nil {
		return err
	}
	s, err := w.engine.load(model, spec)
	if err != nil {
		return w.fail(err)
	}
	w.last++
	w.sessions[w.last] = s
	return writeFrame(w.w, frameDone, uint32Bytes(w.last))
}

func (w *worker) session() (uint32, loaded, error) {
	id, err := readUint32(w.r)
	if err != nil {
		return 0, nil, err
	}
	s, ok := w.sessions[id]
	if !ok {
		return 0, nil, fmt.Errorf("%w: no session %d", ErrProtocol, id)
	}
	return id, s, nil
}

func (w *worker) run(length uint64) error {
	_, s, err := w.session()
	if err != nil {
		return err
	}
	want := uint64(4)
	for _, in := range s.inputs() {
		want += uint64(len(in))
	}
	if length != want {
		return fmt.Errorf("%w: run of %d bytes, want %d", ErrProtocol, length, want)
	}
	for _, in := range s.inputs() {
		if _, err := io.ReadFull(w.r, in); err != nil {
			return err
		}
	}
	if err := s.run(); err != nil {
		return w.fail(err)
	}
	return writeFrame(w.w, frameDone, s.outputs()...)
}

func (w *worker) release(length uint64) error {
	if length != 4 {
		return fmt.Errorf("%w: free of %d bytes", ErrProtocol, length)
	}
	id, s, err := w.session()
	if err != nil {
		return err
	}
	s.free()
	delete(w.sessions, id)
	return writeFrame(w.w, frameDone)
}
