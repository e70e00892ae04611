package worker

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

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
	switch {
	case c.dead != nil:
		return c.dead
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return c.run(ctx, j)
}

// run is a job's life: one goroutine sends, one watches, this one receives.
func (c *Child) run(ctx context.Context, j Job) error {
	c.pulse.begin(j.Stall)
	answered, over := make(chan struct{}), make(chan struct{})
	var sender, watcher sync.WaitGroup
	sender.Go(func() { c.send(ctx, j, answered) })
	watcher.Go(func() { c.watch(ctx, over) })
	err := c.converse(j)
	_, answers := err.(*Failure)
	lost := err != nil && !answers
	if lost {
		c.conn.Close()
	}
	close(answered)
	c.pulse.wait(true)
	sender.Wait()
	close(over)
	watcher.Wait()
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

// send writes the request, and that the job is cancelled if it is. An error of writing is a
// broken connection, which the reader meets too.
func (c *Child) send(ctx context.Context, j Job, answered <-chan struct{}) {
	name := append([]byte{byte(len(j.Method))}, j.Method...)
	if writeFrame(c.conn, frameRequest, name, j.Body...) != nil {
		return
	}
	select {
	case <-answered:
	case <-ctx.Done():
		_ = writeFrame(c.conn, frameCancel, nil)
	}
}

// watch kills the process when the job must not go on.
func (c *Child) watch(ctx context.Context, over <-chan struct{}) {
	tick := time.NewTicker(c.options.beat)
	defer tick.Stop()
	done, patience := ctx.Done(), (<-chan time.Time)(nil)
	for {
		var f *Failure
		select {
		case <-over:
			return
		case <-done:
			done = nil
			patience = time.After(c.options.Grace)
		case <-patience:
			f = &Failure{Reason: reasonOf(ctx.Err()), Err: ctx.Err()}
		case <-c.closing:
			f = &Failure{Reason: ReasonCanceled, Err: ErrClosed}
		case <-tick.C:
			f = c.pulse.tick()
		}
		if f != nil {
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
