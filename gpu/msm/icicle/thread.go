//go:build cgo && (icicle || icicle_v3) && !(icicle && icicle_v3)

package icicle

import (
	"context"
	"errors"
	"runtime"
	"sync"
)

var errClosed = errors.New("engine is closed")

// thread is one OS thread, to which ICICLE ties a device.
type thread struct {
	jobs  chan func()
	quit  chan struct{}
	ended chan struct{}
	once  sync.Once
}

func newThread() *thread {
	t := &thread{jobs: make(chan func()), quit: make(chan struct{}), ended: make(chan struct{})}
	go t.run()
	return t
}

func (t *thread) run() {
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	defer close(t.ended)
	for {
		select {
		case f := <-t.jobs:
			f()
		case <-t.quit:
			return
		}
	}
}

// do runs f on the thread when it is free. Once begun, f is waited for: native code has
// hold of the caller's memory.
func (t *thread) do(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	result := make(chan error, 1)
	select {
	case t.jobs <- func() { result <- f() }:
		return <-result
	case <-ctx.Done():
		return ctx.Err()
	case <-t.quit:
		return errClosed
	}
}

// close ends the thread, after the job that runs.
func (t *thread) close() {
	t.once.Do(func() { close(t.quit) })
	<-t.ended
}
