package onnx

import (
	"context"
	"fmt"
	"io"
)

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
	read := func(r io.Reader, size uint64) (err error) {
		if size != 4 {
			return fmt.Errorf("%w: session number of %d bytes", ErrProtocol, size)
		}
		s.id, err = readUint32(r)
		return err
	}
	if err := c.call(ctx, methodLoad, read, uint32Bytes(uint32(len(form))), form, model); err != nil {
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
	read := func(r io.Reader, size uint64) error { return s.receive(r, size, outputs) }
	if err := s.client.call(ctx, methodRun, read, parts...); err != nil {
		return nil, fmt.Errorf("run model: %w", err)
	}
	return outputs, nil
}

// receive reads outputs, whose sizes are known, so that the child decides nothing.
func (s *Session) receive(r io.Reader, size uint64, outputs [][]byte) error {
	want := uint64(0)
	for i := range outputs {
		want += uint64(s.outputs[i].size())
	}
	if size != want {
		return fmt.Errorf("%w: outputs of %d bytes, want %d", ErrProtocol, size, want)
	}
	for i := range outputs {
		outputs[i] = make([]byte, s.outputs[i].size())
		if _, err := io.ReadFull(r, outputs[i]); err != nil {
			return err
		}
	}
	return nil
}

// Close frees the model in the child.
func (s *Session) Close(ctx context.Context) error {
	if err := s.client.call(ctx, methodFree, nil, uint32Bytes(s.id)); err != nil {
		return fmt.Errorf("free model: %w", err)
	}
	return nil
}
