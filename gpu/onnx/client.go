package onnx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"time"

	"github.com/weisyn/wes/gpu/worker"
)

// The providers that a Client can use.
const (
	CPU  = "cpu"
	CUDA = "cuda"
)

// Options say which ONNX Runtime to use and what it may consume.
type Options struct {
	Library  string   // path of the library; default: what Locate finds
	Provider string   // CPU or CUDA; default CPU
	Threads  int      // threads inside an operator; default: the number of cores
	Memory   int64    // bytes of address space; default 64 GiB, never limited with CUDA
	CPU      int      // seconds of processor time for one request; default 3600
	Command  []string // program of the child, see worker.Options; its table has Methods
	Env      []string // NAME=value for the child, see worker.Options
}

func (o Options) withDefaults() (Options, error) {
	var err error
	if o.Library == "" {
		if o.Library, err = Locate(); err != nil {
			return o, err
		}
	}
	if o.Library, err = filepath.Abs(o.Library); err != nil {
		return o, fmt.Errorf("%w: %v", ErrUnavailable, err)
	}
	if o.Provider == "" {
		o.Provider = CPU
	}
	if o.Provider != CPU && o.Provider != CUDA {
		return o, fmt.Errorf("%w: no provider %q, there are %s and %s", ErrUnavailable, o.Provider, CPU, CUDA)
	}
	if o.Threads == 0 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.Memory == 0 {
		o.Memory = 64 << 30
	}
	if o.Provider == CUDA {
		// The driver reserves address space for all memory of all devices.
		o.Memory = 0
	}
	if o.CPU == 0 {
		o.CPU = 3600
	}
	return o, nil
}

// child says what the process may do. Native code cannot be interrupted, so it gets no time
// to end by itself.
func (o *Options) child() worker.Options {
	return worker.Options{
		Command: o.Command, Env: o.Env, AddressSpace: o.Memory, CPU: time.Duration(o.CPU) * time.Second, Grace: -1,
	}
}

// Client is the parent's side of one child process. It is safe for concurrent use; the
// child serves one request at a time.
type Client struct {
	provider string
	version  string
	child    *worker.Child
}

// Open starts a child, loads the library in it, and tests that the provider is exact. ctx
// bounds the start only.
func Open(ctx context.Context, o Options) (*Client, error) {
	if !linked {
		return nil, fmt.Errorf("%w: this build has no cgo", ErrUnavailable)
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	child, err := worker.Start(ctx, o.child())
	if err != nil {
		return nil, fmt.Errorf("start ONNX Runtime process: %w", translate(err))
	}
	c := &Client{provider: o.Provider, child: child}
	if err := c.greet(ctx, o); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	if err := c.selfTest(ctx); err != nil {
		err = fmt.Errorf("self-test of provider %s, ONNX Runtime %s: %w", c.provider, c.version, err)
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Client) greet(ctx context.Context, o Options) error {
	var g greeting
	read := func(r io.Reader, size uint64) error { return readJSON(r, size, &g) }
	err := c.call(ctx, methodOpen, read, encodeJSON(setup{Library: o.Library, Provider: o.Provider, Threads: o.Threads}))
	if errors.Is(err, ErrRuntime) {
		return fmt.Errorf("%w: provider %s: %v", ErrUnavailable, o.Provider, err)
	}
	c.version = g.Version
	return err
}

// Version is that of the library.
func (c *Client) Version() string { return c.version }

// Provider is CPU or CUDA.
func (c *Client) Provider() string { return c.provider }

// NativeConv says whether the provider's Conv operator is exact.
func (c *Client) NativeConv() bool { return c.provider == CPU }

// call sends a request and reads its reply with read. When ctx ends first the child is
// killed.
func (c *Client) call(ctx context.Context, method string, read func(io.Reader, uint64) error, parts ...[]byte) error {
	return translate(c.child.Do(ctx, worker.Job{Method: method, Body: parts, Receive: read}))
}

// translate says in this package's errors why a request failed.
func translate(err error) error {
	var f *worker.Failure
	if !errors.As(err, &f) {
		return err
	}
	switch {
	case errors.Is(f.Err, context.Canceled), errors.Is(f.Err, context.DeadlineExceeded):
		return f.Err
	case f.Lost:
		return fmt.Errorf("%w: %w", ErrDied, f)
	case f.Reason == worker.ReasonInput:
		return fmt.Errorf("%w: %v", ErrProtocol, f.Err)
	}
	return fmt.Errorf("%w: %v", ErrRuntime, f.Err)
}

// Close ends the child, and the request that runs, and waits for it. Sessions are void
// afterwards.
func (c *Client) Close() error { return c.child.Close() }
