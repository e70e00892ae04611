package worker

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"time"
)

// smallBody is what a socket takes even if nobody reads, in bytes.
const smallBody = 1 << 15

// Job is one call of a method.
type Job struct {
	Method   string                                  // 1 to 255 bytes
	Body     [][]byte                                // written one after the other, never joined
	Receive  func(body io.Reader, size uint64) error // reads the whole reply and bounds it first; nil: the reply must be empty
	Progress func(stage string, done, total int)     // called in order while Do runs; may be nil
	Stall    time.Duration                           // without progress and processor time; default 60 s
}

func (j Job) withDefaults() (Job, error) {
	if j.Method == "" || len(j.Method) > 255 {
		return j, fmt.Errorf("method %q: want a name of 1 to 255 bytes", j.Method)
	}
	if j.Receive == nil {
		j.Receive = receiveNothing
	}
	if j.Progress == nil {
		j.Progress = func(string, int, int) {}
	}
	if j.Stall <= 0 {
		j.Stall = time.Minute
	}
	return j, nil
}

func receiveNothing(_ io.Reader, size uint64) error {
	if size != 0 {
		return fmt.Errorf("reply of %d bytes, want none", size)
	}
	return nil
}

// Do runs a job. The error is a *Failure, or that of ctx when the job never began. A failure
// that is not Lost leaves the child as it was; after one that is, only Close is of use.
func (c *Child) Do(ctx context.Context, j Job) error {
	j, err := j.withDefaults()
	if err != nil {
		return &Failure{Reason: ReasonInput, Err: err}
	}
	select {
	case <-c.turn:
		defer func() { c.turn <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-c.closing:
		return &Failure{Reason: ReasonCanceled, Lost: true, Err: ErrClosed}
	default:
	}
	switch {
	case c.dead != nil:
		return c.dead
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return c.run(ctx, j)
}

// run is a job's life: one goroutine sends, this one receives, and when ctx ends one cancels.
func (c *Child) run(ctx context.Context, j Job) error {
	c.pulse.begin(j.Stall)
	sent, answered, cancelled := make(chan struct{}), make(chan struct{}), make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(cancelled)
		c.cancel(ctx, sent, answered)
	})
	c.send(j, sent)
	err := c.converse(j)
	_, answers := err.(*Failure)
	lost := err != nil && !answers
	if lost {
		c.conn.Close()
	}
	close(answered)
	c.pulse.wait(true)
	<-sent
	c.pulse.wait(false)
	if !stop() {
		<-cancelled
	}
	switch {
	case lost:
		return c.bury(err)
	case c.condemned() != nil:
		c.bury(nil)
	}
	if answers && ctx.Err() != nil {
		return &Failure{Reason: reasonOf(ctx.Err()), Err: ctx.Err()}
	}
	return err
}

// send writes the request and closes sent; a large one while the caller goes on, for the
// child may answer before it has read all. An error of writing is a broken connection, which
// who reads meets too.
func (c *Child) send(j Job, sent chan<- struct{}) {
	size := 0
	for _, part := range j.Body {
		size += len(part)
	}
	write := func() {
		defer close(sent)
		name := append([]byte{byte(len(j.Method))}, j.Method...)
		_ = writeFrame(c.conn, frameRequest, name, j.Body...)
	}
	if size <= smallBody {
		write()
	} else {
		go write()
	}
}

// cancel asks the child to end the job, and kills it when it does not.
func (c *Child) cancel(ctx context.Context, sent, answered <-chan struct{}) {
	patience := time.After(c.options.Grace)
	select {
	case <-sent:
		// Without a deadline a child that reads nothing could hold this up.
		_ = c.conn.SetWriteDeadline(time.Now().Add(c.options.Grace))
		_ = writeFrame(c.conn, frameCancel, nil)
		_ = c.conn.SetWriteDeadline(time.Time{})
	case <-answered:
		return
	case <-patience:
		c.condemn(&Failure{Reason: reasonOf(ctx.Err()), Err: ctx.Err()})
		return
	}
	select {
	case <-answered:
	case <-patience:
		c.condemn(&Failure{Reason: reasonOf(ctx.Err()), Err: ctx.Err()})
	}
}

// watch kills the process when its pulse says so.
func (c *Child) watch() {
	tick := time.NewTicker(c.options.beat)
	defer tick.Stop()
	for {
		select {
		case <-c.exited:
			return
		case <-tick.C:
		}
		if f := c.pulse.tick(); f != nil {
			c.condemn(f)
			return
		}
	}
}

// converse reads frames until the job's last. An error that is no *Failure means that the
// child is of no more use.
func (c *Child) converse(j Job) error {
	for {
		kind, length, err := readHead(c.in)
		if err != nil {
			return err
		}
		switch kind {
		case frameBeat:
			b, err := readBeat(c.in, length)
			if err != nil {
				return err
			}
			c.pulse.beat(b)
		case frameProgress:
			stage, done, total, err := readProgress(c.in, length)
			if err != nil {
				return err
			}
			c.pulse.progress()
			j.Progress(stage, done, total)
		case frameFailed:
			f, err := readFailure(c.in, length)
			if err != nil {
				return err
			}
			return f
		case frameDone:
			c.pulse.replies()
			return receive(c.in, length, j.Receive)
		default:
			return fmt.Errorf("%w: frame %d of %d bytes", errProtocol, kind, length)
		}
	}
}

// receive lets read have the reply, and nothing else.
func receive(in *bufio.Reader, size uint64, read func(io.Reader, uint64) error) error {
	reply := newBody(in, size, func() {})
	if err := read(reply, size); err != nil {
		if reply.err != nil {
			return reply.err
		}
		return fmt.Errorf("%w: reply: %w", errProtocol, err)
	}
	if reply.left != 0 {
		return fmt.Errorf("%w: %d bytes of the reply were left", errProtocol, reply.left)
	}
	if in.Buffered() != 0 {
		return fmt.Errorf("%w: %d bytes behind the reply", errProtocol, in.Buffered())
	}
	return nil
}
