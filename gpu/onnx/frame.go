package onnx

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// A frame is one kind byte, the length of its payload in 8 bytes, little-endian, and the
// payload. The parent sends requests, the child answers each with one reply.
//
//	request  payload
//	hello    JSON of setup
//	load     length of the JSON of modelSpec (4 bytes), that JSON, the model
//	run      session (4 bytes), the cells of every input
//	free     session (4 bytes)
//
//	reply    payload
//	done     of hello: JSON of greeting; of load: session (4 bytes); of run: the cells of every output
//	failed   text
const (
	frameHello byte = iota + 1
	frameLoad
	frameRun
	frameFree
	frameDone
	frameFailed
)

// Limits on what the other side may announce; nothing is allocated before they are checked.
const (
	maxTensor = 1 << 31 // bytes of one tensor
	maxModel  = 1 << 31 // bytes of one model
	maxJSON   = 1 << 24
	maxText   = 1 << 16
	maxTail   = 1 << 12 // bytes of a process's last words that errors show
	headSize  = 9
)

// setup is what a child must know first.
type setup struct {
	Library  string
	Provider string
	Threads  int
	Memory   int64 // bytes of address space, 0: no limit
	CPU      int   // seconds of processor time for one request, 0: no limit
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

func writeHead(w io.Writer, kind byte, length int) error {
	var head [headSize]byte
	head[0] = kind
	binary.LittleEndian.PutUint64(head[1:], uint64(length))
	_, err := w.Write(head[:])
	return err
}

// writeFrame sends a frame whose payload is the parts in a row.
func writeFrame(w io.Writer, kind byte, parts ...[]byte) error {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	if err := writeHead(w, kind, n); err != nil {
		return err
	}
	for _, p := range parts {
		if _, err := w.Write(p); err != nil {
			return err
		}
	}
	return nil
}

func readHead(r io.Reader) (kind byte, length uint64, err error) {
	var head [headSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, 0, err
	}
	return head[0], binary.LittleEndian.Uint64(head[1:]), nil
}

// readPayload allocates and reads a payload of at most limit bytes.
func readPayload(r io.Reader, length, limit uint64) ([]byte, error) {
	if length > limit {
		return nil, fmt.Errorf("%w: payload of %d bytes, at most %d allowed", ErrProtocol, length, limit)
	}
	p := make([]byte, length)
	_, err := io.ReadFull(r, p)
	return p, err
}

// readJSON reads a payload of JSON.
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
		panic("BUG: frame does not encode: " + err.Error())
	}
	return data
}

func uint32Bytes(v uint32) []byte { return binary.LittleEndian.AppendUint32(nil, v) }

func readUint32(r io.Reader) (uint32, error) {
	var b [4]byte
	_, err := io.ReadFull(r, b[:])
	return binary.LittleEndian.Uint32(b[:]), err
}
