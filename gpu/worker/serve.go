package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// attention is how long a job runs before the child listens for its cancellation, so that
// short jobs need no second goroutine.
const attention = 2 * time.Millisecond

// server is the child's side. The goroutine that called Serve reads requests and runs their
// methods; one sends beats, one looks at the memory, and one listens while a job takes long.
type server struct {
	methods map[string]Method
	limits  limits
	conn    *net.UnixConn
	in      *bufio.Reader
	out     *outbox
	heard   func()        // returns when in is the caller's again
	orphan  *time.Timer   // ends the process
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
	defer leave(socket)
	orphan := time.AfterFunc(math.MaxInt64, func() {
		leave(socket)
		os.Exit(1)
	})
	defer orphan.Stop()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	s := &server{methods: methods, conn: conn.(*net.UnixConn), heard: func() {}, orphan: orphan, over: make(chan struct{})}
	if err := s.run(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("serve jobs: %w", err)
	}
	return ctx.Err()
}

// leave removes what a parent that was killed could not: its folder, if nothing is in it.
func leave(socket string) {
	dir := filepath.Dir(socket)
	_ = os.Remove(filepath.Join(dir, homeName))
	_ = os.Remove(dir)
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
	for {
		err := s.next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (s *server) hello() error {
	if err := errors.Join(s.conn.SetReadBuffer(bufferSize), s.conn.SetWriteBuffer(bufferSize)); err != nil {
		return err
	}
	s.in, s.out = bufio.NewReaderSize(s.conn, 1<<16), &outbox{conn: s.conn}
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

// next answers one frame. The error is io.EOF when the parent has closed the connection.
func (s *server) next(ctx context.Context) error {
	s.heard()
	kind, length, err := readHead(s.in)
	switch {
	case err != nil:
		return err
	case kind == frameCancel && length == 0:
		return nil // of a job that was answered already
	case kind == frameRequest:
		name, size, err := readMethod(s.in, length)
		if err != nil {
			return err
		}
		return s.answer(ctx, name, size)
	}
	return fmt.Errorf("%w: frame %d of %d bytes", errProtocol, kind, length)
}

// answer runs a method and sends what it returns, after the rest of the body.
func (s *server) answer(ctx context.Context, name string, size uint64) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.out.begin()
	b := newBody(s.in, size, func() { s.heard = s.listen(cancel) })
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

// listen cancels a job that takes long when the parent says so or is gone. The function it
// returns waits until nobody listens any more.
func (s *server) listen(cancel func()) (heard func()) {
	done := make(chan struct{})
	timer := time.AfterFunc(attention, func() {
		defer close(done)
		s.hear(cancel)
	})
	return func() {
		if !timer.Stop() {
			<-done
		}
	}
}

// hear takes frames that cancel the job, and leaves the first other one.
func (s *server) hear(cancel func()) {
	for {
		head, err := s.in.Peek(headSize)
		switch {
		case err != nil:
			cancel()
			s.abandon()
			return
		case head[0] != frameCancel:
			return
		}
		cancel()
		// What was peeked can be discarded.
		_, _ = s.in.Discard(headSize)
	}
}

// abandon ends a process whose parent is gone, also when native code goes on.
func (s *server) abandon() { s.orphan.Reset(s.limits.Grace) }

// beats sends signs of life while a job runs. A parent that is gone shows here even when
// nobody listens.
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
			s.abandon()
			return
		}
	}
}
