package fleet

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// Messages are CBOR arrays in core deterministic encoding (RFC 8949, section 4.2.1), the first
// element of which is the version.
const version = 1

const (
	maxOverhead = 4 << 10 // bytes of a task's or outcome's message besides its body
	maxSmall    = 16 << 10
	maxSlots    = 64 // of a worker
	maxRunning  = 64
	digestSize  = 32
)

var (
	encoder = must(encoding().EncMode())
	decoder = must(cbor.DecOptions{
		IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, MaxNestedLevels: 4, MaxArrayElements: 128, MaxMapPairs: 16,
	}.DecMode())
)

// encoding has one form of an empty string or list, whether it is nil or not.
func encoding() cbor.EncOptions {
	o := cbor.CoreDetEncOptions()
	o.NilContainers = cbor.NilContainerAsEmpty
	return o
}

func must[T any](mode T, err error) T {
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return mode
}

// taskMessage is a task with what the node decides for it.
type taskMessage struct {
	_        struct{} `cbor:",toarray"`
	Version  uint
	ID       string
	Kind     string
	Program  string
	Digest   []byte // SHA-256 of the program; empty without one
	Body     []byte
	Due      uint64 // milliseconds since 1970
	Memory   uint64
	Device   string
	Stall    uint64 // milliseconds
	Attempts uint   // at most
}

func (m *taskMessage) valid() bool {
	t := m.task()
	named := len(m.Digest) == digestSize
	return m.Version == version && t.validate() == nil && named == (m.Program != "") && (named || len(m.Digest) == 0) &&
		m.Stall > 0 && m.Stall <= maxStall && m.Attempts > 0 && m.Attempts <= maxAttempts
}

func (m *taskMessage) task() Task {
	return Task{ID: m.ID, Kind: m.Kind, Program: m.Program, Body: m.Body, Due: m.Due, Memory: m.Memory, Device: m.Device}
}

// outcomeMessage is an Outcome.
type outcomeMessage struct {
	_        struct{} `cbor:",toarray"`
	Version  uint
	ID       string
	Body     []byte
	Reason   string
	Detail   string
	Device   string
	Took     uint64 // milliseconds
	Attempts uint
}

func (m *outcomeMessage) valid() bool {
	return m.Version == version && isID(m.ID) && len(m.Body) <= MaxBody && (m.Reason == "" || isReason(m.Reason) && len(m.Body) == 0) &&
		len(m.Detail) <= MaxDetail && (m.Device == "" || isDevice(m.Device)) && m.Took <= maxTook && m.Attempts <= maxAttempts
}

// markMessage is what is known of a task besides its message: how many attempts were begun, and
// whether its outcome was done with.
type markMessage struct {
	_        struct{} `cbor:",toarray"`
	Version  uint
	Attempts uint
	Done     bool
}

func (m *markMessage) valid() bool { return m.Version == version && m.Attempts <= maxAttempts }

// eventMessage is progress. Its subject has the task's ID.
type eventMessage struct {
	_           struct{} `cbor:",toarray"`
	Version     uint
	Stage       string
	Done, Total uint32
}

func (m *eventMessage) valid() bool { return m.Version == version && len(m.Stage) <= maxStage }

// beatMessage is a worker's sign of life. Without slots it is the last.
type beatMessage struct {
	_       struct{} `cbor:",toarray"`
	Version uint
	Worker  string
	Slots   []slotMessage
	Running []string // IDs of tasks
}

type slotMessage struct {
	_      struct{} `cbor:",toarray"`
	Device string
	Class  string
	Memory uint64
	CPU    bool
}

func (m *beatMessage) valid() bool {
	if m.Version != version || !isID(m.Worker) || len(m.Slots) > maxSlots || m.Slots == nil || !validIDs(m.Running) {
		return false
	}
	for _, s := range m.Slots {
		if slot := (Slot{Device: s.Device, Class: s.Class}); slot.validate() != nil {
			return false
		}
	}
	return true
}

// dropMessage tells workers which tasks are not wanted any more.
type dropMessage struct {
	_       struct{} `cbor:",toarray"`
	Version uint
	IDs     []string
}

func (m *dropMessage) valid() bool { return m.Version == version && validIDs(m.IDs) }

func validIDs(ids []string) bool {
	if len(ids) > maxRunning || ids == nil {
		return false
	}
	for _, id := range ids {
		if !isID(id) {
			return false
		}
	}
	return true
}

// message is a pointer to one of the messages above.
type message[T any] interface {
	*T
	valid() bool
}

func encode[T any, P message[T]](m P) []byte {
	b, err := encoder.Marshal(m)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return b
}

// decode accepts what encode makes, at most limit bytes long, and nothing else. Errors are
// ErrWire.
func decode[T any, P message[T]](b []byte, limit int) (P, error) {
	if len(b) > limit {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrWire, len(b), limit)
	}
	m := P(new(T))
	if err := decoder.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrWire, err)
	}
	if !m.valid() {
		return nil, fmt.Errorf("%w: a field is out of its bounds", ErrWire)
	}
	if !bytes.Equal(encode[T](m), b) {
		return nil, fmt.Errorf("%w: not the canonical encoding", ErrWire)
	}
	return m, nil
}

// cut makes s valid UTF-8 of at most n bytes.
func cut(s string, n int) string {
	s = strings.ToValidUTF8(s[:min(len(s), 2*n)], "?")
	for len(s) > n {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	return s
}
