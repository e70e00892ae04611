package onnx

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
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
	Command  []string // program of the child, which calls Serve; default: this one with "worker", "onnx"
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
	if len(o.Command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return o, fmt.Errorf("%w: %v", ErrUnavailable, err)
		}
		o.Command = []string{self, "worker", "onnx"}
	}
	return o, nil
}

// Client is the parent's side of one child process. It is safe for concurrent use; the
// child serves one request at a time.
type Client struct {
	provider string
	version  string
	turn     chan struct{} // holds one token: the right to use what follows
	cmd      *exec.Cmd
	in       io.WriteCloser
	out      *bufio.Reader
	words    *tail
	dir      string
	dead     error
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
	c, err := start(o)
	if err != nil {
		return nil, fmt.Errorf("start ONNX Runtime process: %w", err)
	}
	if err := c.greet(ctx, o); err != nil {
		c.Close()
		return nil, err
	}
	if err := c.selfTest(ctx); err != nil {
		c.Close()
		return nil, fmt.Errorf("self-test of provider %s, ONNX Runtime %s: %w", c.provider, c.version, err)
	}
	return c, nil
}

func start(o Options) (*Client, error) {
	dir, err := os.MkdirTemp("", "wes-onnx-")
	if err != nil {
		return nil, err
	}
	c := &Client{provider: o.Provider, turn: make(chan struct{}, 1), dir: dir, words: &tail{}}
	c.cmd = exec.Command(o.Command[0], o.Command[1:]...)
	c.cmd.Dir, c.cmd.Env, c.cmd.Stderr, c.cmd.WaitDelay = dir, environment(dir), c.words, time.Second
	if c.in, err = c.cmd.StdinPipe(); err == nil {
		var out io.Reader
		if out, err = c.cmd.StdoutPipe(); err == nil {
			widen(c.in)
			widen(out)
			c.out = bufio.NewReaderSize(out, 1<<16)
			err = c.cmd.Start()
		}
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	c.turn <- struct{}{}
	return c, nil
}

// environment passes on what finding the libraries and devices of a provider needs.
func environment(dir string) []string {
	env := []string{"HOME=" + dir, "TMPDIR=" + dir}
	for _, v := range os.Environ() {
		name, _, _ := strings.Cut(v, "=")
		switch name {
		case "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "SYSTEMROOT":
			env = append(env, v)
		}
	}
	return env
}

func (c *Client) greet(ctx context.Context, o Options) error {
	s := setup{Library: o.Library, Provider: o.Provider, Threads: o.Threads, Memory: o.Memory, CPU: o.CPU}
	var g greeting
	err := c.exchange(ctx, frameHello, func(length uint64) error { return readJSON(c.out, length, &g) }, encodeJSON(s))
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

// exchange sends a request and reads its reply with read. When ctx ends first the child is
// killed: native code cannot be interrupted.
func (c *Client) exchange(ctx context.Context, kind byte, read func(length uint64) error, parts ...[]byte) error {
	select {
	case <-c.turn:
		defer func() { c.turn <- struct{}{} }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if c.dead != nil {
		return c.dead
	}
	stop := context.AfterFunc(ctx, func() { c.cmd.Process.Kill() })
	err := c.converse(kind, read, parts)
	if !stop() {
		c.bury(ctx.Err())
		return ctx.Err()
	}
	if err != nil && !errors.Is(err, ErrRuntime) {
		c.bury(err)
		return c.dead
	}
	return err
}

func (c *Client) converse(kind byte, read func(length uint64) error, parts [][]byte) error {
	if err := writeFrame(c.in, kind, parts...); err != nil {
		return err
	}
	reply, length, err := readHead(c.out)
	if err != nil {
		return err
	}
	switch reply {
	case frameDone:
		return read(length)
	case frameFailed:
		text, err := readPayload(c.out, length, maxText)
		if err != nil {
			return err
		}
		return fmt.Errorf("%w: %s", ErrRuntime, text)
	}
	return fmt.Errorf("%w: reply %d", ErrProtocol, reply)
}

// bury ends the child and records why it is of no more use.
func (c *Client) bury(cause error) {
	c.cmd.Process.Kill()
	c.dead = fmt.Errorf("%w: %v: %v", ErrDied, cause, c.cmd.Wait())
	if words := c.words.text(); words != "" {
		c.dead = fmt.Errorf("%w: its last words: %s", c.dead, words)
	}
}

// Close ends the child and waits for it. Sessions are void afterwards.
func (c *Client) Close() error {
	<-c.turn
	defer func() { c.turn <- struct{}{} }()
	if c.dead == nil {
		c.in.Close()
		kill := time.AfterFunc(grace, func() { c.cmd.Process.Kill() })
		c.cmd.Wait()
		kill.Stop()
		c.dead = fmt.Errorf("%w: closed", ErrDied)
	}
	return os.RemoveAll(c.dir)
}

// grace is how long a child may take to end by itself.
const grace = 2 * time.Second

// Session is a model that the child has loaded.
type Session struct {
	client  *Client
	id      uint32
	inputs  []Value
	outputs []Value
}

// Load makes a session of a model whose inputs and outputs have the given forms.
func (c *Client) Load(ctx context.Context, model []byte, inputs, outputs []Value) (*Session, error) {
	spec := modelSpec{inputs, outputs}
	if _, _, err := spec.check(); err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	form := encodeJSON(spec)
	if len(model) > maxModel || len(form) > maxJSON {
		return nil, fmt.Errorf("load model: %w: %d bytes and a form of %d", ErrProtocol, len(model), len(form))
	}
	s := &Session{client: c, inputs: inputs, outputs: outputs}
	read := func(length uint64) (err error) {
		if length != 4 {
			return fmt.Errorf("%w: session number of %d bytes", ErrProtocol, length)
		}
		s.id, err = readUint32(c.out)
		return err
	}
	if err := c.exchange(ctx, frameLoad, read, uint32Bytes(uint32(len(form))), form, model); err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	return s, nil
}

// Run executes the model on the little-endian cells of its inputs and returns those of its
// outputs, in memory of the caller's own.
func (s *Session) Run(ctx context.Context, inputs [][]byte) ([][]byte, error) {
	if len(inputs) != len(s.inputs) {
		return nil, fmt.Errorf("run model: %w: %d inputs, want %d", ErrProtocol, len(inputs), len(s.inputs))
	}
	parts := [][]byte{uint32Bytes(s.id)}
	for i, in := range inputs {
		if want := s.inputs[i].size(); len(in) != want {
			return nil, fmt.Errorf("run model: %w: input %q of %d bytes, want %d", ErrProtocol, s.inputs[i].Name, len(in), want)
		}
		parts = append(parts, in)
	}
	outputs := make([][]byte, len(s.outputs))
	if err := s.client.exchange(ctx, frameRun, func(length uint64) error { return s.receive(length, outputs) }, parts...); err != nil {
		return nil, fmt.Errorf("run model: %w", err)
	}
	return outputs, nil
}

// receive reads outputs, whose sizes are known, so that the child decides nothing.
func (s *Session) receive(length uint64, outputs [][]byte) error {
	want := uint64(0)
	for i := range outputs {
		want += uint64(s.outputs[i].size())
	}
	if length != want {
		return fmt.Errorf("%w: outputs of %d bytes, want %d", ErrProtocol, length, want)
	}
	for i := range outputs {
		outputs[i] = make([]byte, s.outputs[i].size())
		if _, err := io.ReadFull(s.client.out, outputs[i]); err != nil {
			return err
		}
	}
	return nil
}

// Close frees the model in the child.
func (s *Session) Close(ctx context.Context) error {
	read := func(length uint64) error {
		if length != 0 {
			return fmt.Errorf("%w: reply of %d bytes to free", ErrProtocol, length)
		}
		return nil
	}
	if err := s.client.exchange(ctx, frameFree, read, uint32Bytes(s.id)); err != nil {
		return fmt.Errorf("free model: %w", err)
	}
	return nil
}
