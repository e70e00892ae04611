package onnx

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// The methods of the child, and the bodies of their requests and replies. Numbers are
// little-endian.
//
//	method  request                                                      reply
//	open    JSON of setup                                                JSON of greeting
//	load    length of the JSON of modelSpec (4 bytes), it, the model     session (4 bytes)
//	run     session (4 bytes), the cells of every input                  the cells of every output
//	free    session (4 bytes)                                            nothing
const (
	methodOpen = "onnx.open"
	methodLoad = "onnx.load"
	methodRun  = "onnx.run"
	methodFree = "onnx.free"
)

// Limits on what the other side may announce; nothing is allocated before they are checked.
const (
	maxTensor = 1 << 31 // bytes of one tensor
	maxModel  = 1 << 31 // bytes of one model
	maxJSON   = 1 << 24
)

// setup is what a child must know first.
type setup struct {
	Library  string
	Provider string
	Threads  int
}

// greeting describes the child's ONNX Runtime.
type greeting struct{ Version string }

// modelSpec is the form of a model.
type modelSpec struct{ Inputs, Outputs []Value }

// check bounds the form of a model and returns the total bytes of inputs and outputs.
func (m *modelSpec) check() (in, out int, err error) {
	total := func(values []Value) (sum int, err error) {
		for i := range values {
			n := values[i].size()
			if n < 0 || sum > math.MaxInt-n {
				return 0, fmt.Errorf("%w: value %q of shape %v", ErrProtocol, values[i].Name, values[i].Shape)
			}
			sum += n
		}
		if len(values) == 0 {
			return 0, fmt.Errorf("%w: model without inputs or outputs", ErrProtocol)
		}
		return sum, nil
	}
	if in, err = total(m.Inputs); err != nil {
		return 0, 0, err
	}
	out, err = total(m.Outputs)
	return in, out, err
}

// readPayload allocates and reads length bytes, at most limit.
func readPayload(r io.Reader, length, limit uint64) ([]byte, error) {
	if length > limit {
		return nil, fmt.Errorf("%w: %d bytes, at most %d allowed", ErrProtocol, length, limit)
	}
	p := make([]byte, length)
	_, err := io.ReadFull(r, p)
	return p, err
}

// readJSON reads length bytes of JSON.
func readJSON(r io.Reader, length uint64, v any) error {
	p, err := readPayload(r, length, maxJSON)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(p, v); err != nil {
		return fmt.Errorf("%w: %v", ErrProtocol, err)
	}
	return nil
}

func encodeJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic("BUG: form does not encode: " + err.Error())
	}
	return data
}

func uint32Bytes(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

func readUint32(r io.Reader) (uint32, error) {
	var b [4]byte
	_, err := io.ReadFull(r, b[:])
	return binary.LittleEndian.Uint32(b[:]), err
}
