package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// server is the child's side. One goroutine reads frames, one sends beats, one looks at the
// memory; the jobs run on the goroutine that called Serve.
type server struct {
	methods map[string]Method
	limits  limits
	conn    *net.UnixConn
	in      *bufio.Reader // the reader's, and the body's of a job that runs
	out     *outbox
	jobs    chan func() error
	over    chan struct{} // closed when Serve returns
}

// Serve connects to the socket of a parent and runs its jobs until the parent closes the
// connection or ctx ends. When the connection breaks while a method runs, the method's
// context ends; if it does not return soon, the process exits. Interrupts and requests to
// terminate are the parent's to handle, and ignored.
func Serve(ctx context.Context, socket string, methods map[string]Method) error {
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return fmt.Errorf("serve jobs: %w", err)
	}
	s := &server{methods: methods, conn: conn.(*net.UnixConn), jobs: make(chan func() error), over: make(chan struct{})}
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := s.run(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("serve jobs: %w", err)
	}
	return ctx.Err()
}

func (s *server) run(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	defer close(s.over)
	defer s.conn.Close()
	if err := s.hello(); err != nil {
		return err
	}
	all.Go(s.beats)
	all.Go(s.watchMemory)
	broken := make(chan error, 1)
	all.Go(func() {
		broken <- s.read(ctx)
		s.abandon()
	})
	for {
		select {
		case err := <-broken:
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		case job := <-s.jobs:
			if err := job(); err != nil {
				return err
			}
		}
	}
}

func (s *server) hello() error {
	if err := errors.Join(s.conn.SetReadBuffer(bufferSize), s.conn.SetWriteBuffer(bufferSize)); err != nil {
		return err
	}
	s.in = bufio.NewReaderSize(s.conn, 1<<16)
	s.out = &outbox{conn: s.conn}
	kind, length, err := readHead(s.in)
	if err != nil {
		return err
	}
	if kind != frameHello {
		return fmt.Errorf("%w: frame %d for hello", errProtocol, kind)
	}
	if s.limits, err = readLimits(s.in, length); err != nil {
		return err
	}
	if err := limitMemory(s.limits); err != nil {
		return err
	}
	return writeFrame(s.conn, frameReady, nil)
}

// read hands out requests and cancels them. It reads on behind a request once its body has
// been read.
func (s *server) read(ctx context.Context) error {
	cancel := func() {}
	defer func() { cancel() }()
	for {
		kind, length, err := readHead(s.in)
		switch {
		case err != nil:
			return err
		case kind == frameCancel && length == 0:
			cancel()
		case kind == frameRequest:
			cancel()
			if cancel, err = s.request(ctx, length); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%w: frame %d of %d bytes", errProtocol, kind, length)
		}
	}
}

// request passes a job on and waits until its body has been read, or Serve returns. What it
// returns cancels the job.
func (s *server) request(ctx context.Context, length uint64) (func(), error) {
	name, size, err := readMethod(s.in, length)
	if err != nil {
		return func() {}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	drained := make(chan struct{})
	b := newBody(s.in, size, func() { close(drained) })
	select {
	case s.jobs <- func() error { return s.answer(ctx, name, b) }:
	case <-s.over:
	}
	select {
	case <-drained:
	case <-s.over:
	}
	return cancel, nil
}

// answer runs a method and sends what it returns, after the rest of the body.
func (s *server) answer(ctx context.Context, name string, b *body) error {
	s.out.begin()
	reply, err := s.call(ctx, name, b)
	if _, broken := io.Copy(io.Discard, b); broken != nil {
		return broken
	}
	if err != nil {
		return s.out.end(frameFailed, encodeFailure(err))
	}
	return s.out.end(frameDone, nil, reply...)
}

func (s *server) call(ctx context.Context, name string, b *body) ([][]byte, error) {
	method, ok := s.methods[name]
	if !ok {
		return nil, Fail(ReasonInput, fmt.Errorf("this worker has no method %q", name))
	}
	return method(ctx, &Request{Body: b, Size: b.left, Progress: s.out.progress})
}

// abandon ends a process whose parent is gone, also when native code goes on.
func (s *server) abandon() {
	select {
	case <-s.over:
	case <-time.After(s.limits.Grace):
		os.Exit(1)
	}
}

// beats sends signs of life while a job runs. A parent that is gone shows here even when
// nobody reads.
func (s *server) beats() {
	tick := time.NewTicker(s.limits.Beat)
	defer tick.Stop()
	for {
		select {
		case <-s.over:
			return
		case <-tick.C:
		}
		if s.out.beat() != nil {
			s.conn.Close()
			s.abandon()
			return
		}
	}
}
