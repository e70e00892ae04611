package worker

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// A frame is one kind byte, the length of its payload in 8 bytes, and the payload. Numbers
// are little-endian.
//
//	parent   payload
//	hello    JSON of limits
//	request  length of the method's name (1 byte), the name, the body
//	cancel   nothing
//
//	child    payload
//	ready    nothing
//	beat     processor time of the job in ns (8 bytes), resident bytes (8 bytes)
//	progress done, total (8 bytes each), the stage
//	done     the reply
//	failed   length of the reason (1 byte), the reason, text
const (
	frameHello byte = iota + 1
	frameRequest
	frameCancel
	frameReady
	frameBeat
	frameProgress
	frameDone
	frameFailed
)

// Limits on what the other side may announce; nothing is allocated before they are checked.
// Bodies and replies are streams, bounded by who reads them.
const (
	headSize  = 9
	maxHello  = 1 << 10
	maxStage  = 64
	maxReason = 64
	maxText   = 1 << 16
)

// limits is what a child must know first.
type limits struct {
	Beat         time.Duration
	Grace        time.Duration
	Memory       int64 // resident bytes, 0: no limit
	AddressSpace int64 // bytes, 0: no limit
}

func appendHead(b []byte, kind byte, length uint64) []byte {
	return binary.LittleEndian.AppendUint64(append(b, kind), length)
}

// writeFrame sends a frame whose payload is first and then parts, in one call where the
// system can.
func writeFrame(w io.Writer, kind byte, first []byte, parts ...[]byte) error {
	length := uint64(len(first))
	for _, p := range parts {
		length += uint64(len(p))
	}
	head := append(appendHead(make([]byte, 0, headSize+len(first)), kind, length), first...)
	buffers := append(net.Buffers{head}, parts...)
	_, err := buffers.WriteTo(w)
	return err
}

// readHead returns io.EOF only where a frame may end.
func readHead(r *bufio.Reader) (kind byte, length uint64, err error) {
	head, err := r.Peek(headSize)
	if err != nil {
		if len(head) > 0 && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, 0, err
	}
	kind, length = head[0], binary.LittleEndian.Uint64(head[1:])
	_, err = r.Discard(headSize)
	return kind, length, err
}

// readPayload allocates and reads a payload of at least low and at most high bytes.
func readPayload(r io.Reader, length, low, high uint64) ([]byte, error) {
	if length < low || length > high {
		return nil, fmt.Errorf("%w: payload of %d bytes, want %d to %d", errProtocol, length, low, high)
	}
	p := make([]byte, length)
	_, err := io.ReadFull(r, p)
	return p, noEOF(err)
}

// noEOF is err where more was announced.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func readLimits(r io.Reader, length uint64) (l limits, err error) {
	p, err := readPayload(r, length, 0, maxHello)
	if err != nil {
		return l, err
	}
	if err := json.Unmarshal(p, &l); err != nil {
		return l, fmt.Errorf("%w: hello: %v", errProtocol, err)
	}
	if l.Beat <= 0 || l.Grace < 0 || l.Memory < 0 || l.AddressSpace < 0 {
		return l, fmt.Errorf("%w: hello: %+v", errProtocol, l)
	}
	return l, nil
}

func encodeLimits(l limits) []byte {
	data, err := json.Marshal(l)
	if err != nil {
		panic("BUG: limits do not encode: " + err.Error())
	}
	return data
}

// readMethod reads the name of a request's method and returns the size of the body behind it.
func readMethod(r io.Reader, length uint64) (name string, size uint64, err error) {
	n, err := readPayload(r, min(length, 1), 1, 1)
	if err != nil {
		return "", 0, err
	}
	if length-1 < uint64(n[0]) {
		return "", 0, fmt.Errorf("%w: name of %d bytes in a request of %d", errProtocol, n[0], length)
	}
	p, err := readPayload(r, uint64(n[0]), 0, 255)
	return string(p), length - 1 - uint64(n[0]), err
}

// beat is a child's sign of life.
type beat struct {
	processor time.Duration // used by the job so far, all threads
	resident  int64         // bytes, 0: unknown
}

func readBeat(r io.Reader, length uint64) (beat, error) {
	p, err := readPayload(r, length, 16, 16)
	if err != nil {
		return beat{}, err
	}
	return beat{time.Duration(binary.LittleEndian.Uint64(p)), int64(binary.LittleEndian.Uint64(p[8:]))}, nil
}

func encodeBeat(b beat) []byte {
	return encodePair(uint64(b.processor), uint64(b.resident))
}

func encodePair(a, b uint64) []byte {
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, a), b)
}

func readProgress(r io.Reader, length uint64) (stage string, done, total int, err error) {
	p, err := readPayload(r, length, 16, 16+maxStage)
	if err != nil {
		return "", 0, 0, err
	}
	return string(p[16:]), int(binary.LittleEndian.Uint64(p)), int(binary.LittleEndian.Uint64(p[8:])), nil
}

func encodeProgress(stage string, done, total int) []byte {
	return append(encodePair(uint64(done), uint64(total)), stage[:min(len(stage), maxStage)]...)
}

// readFailure reads what a method returned as its error.
func readFailure(r io.Reader, length uint64) (*Failure, error) {
	p, err := readPayload(r, length, 1, 1+maxReason+maxText)
	if err != nil {
		return nil, err
	}
	if len(p)-1 < int(p[0]) || !Reason(p[1:1+p[0]]).valid() {
		return nil, fmt.Errorf("%w: failure without a reason", errProtocol)
	}
	text := p[1+int(p[0]):]
	return &Failure{Reason: Reason(p[1 : 1+p[0]]), Err: errors.New(printable(text[:min(len(text), maxText)]))}, nil
}

func encodeFailure(err error) []byte {
	f := &Failure{Reason: ReasonFailed, Err: err}
	if own := (*Failure)(nil); errors.As(err, &own) {
		f.Reason = own.Reason
		if own == err {
			f.Err = own.Err
		}
	}
	text := f.Err.Error()
	b := append([]byte{byte(len(f.Reason))}, f.Reason...)
	return append(b, text[:min(len(text), maxText)]...)
}
