package fleet

import (
	"fmt"
	"regexp"
	"time"
)

// The kinds of a task.
const (
	KindInfer = "infer"
	KindProve = "prove"
)

// Reasons of outcomes that this package gives. Those of executors are 1 to 32 of a-z, 0-9 and
// underscores too.
const (
	ReasonExpired  = "expired"     // nobody had begun it when it was due
	ReasonCanceled = "canceled"    // by Cancel
	ReasonLost     = "lost"        // its workers died, each time
	ReasonStalled  = "stalled"     // no progress, each time
	ReasonFailed   = "failed"      // an error of the executor without a reason
	ReasonTooLarge = "too_large"   // the result is longer than a message may be
	ReasonProgram  = "bad_program" // the program is gone or not the one that was put
)

const (
	// MaxBody bounds the bodies of tasks and outcomes, in bytes.
	MaxBody = 8 << 20
	// MaxDetail bounds an outcome's detail, in bytes.
	MaxDetail = 1 << 10

	maxID      = 64
	maxProgram = 128
	maxDevice  = 64
	maxClass   = 64
	maxStage   = 64
)

// Task is a unit of work. Its ID makes it idempotent: a task given twice is done once.
type Task struct {
	ID      string // 1 to 64 of a-z, 0-9 and hyphens
	Kind    string // KindInfer or KindProve
	Program string // name of an object that was Put, 1 to 128 of A-Z, a-z, 0-9; empty: none
	Body    []byte // opaque, at most MaxBody
	Due     uint64 // milliseconds since 1970; after it nobody begins it
	Memory  uint64 // bytes that it needs of a slot
	Device  string // UUID of the device it is meant for, 1 to 64 of A-Z, a-z, 0-9, _ and -; empty: any worker
	Attempt int    // of an executor: 1 for the first; Submit ignores it
}

// Outcome is what became of a task.
type Outcome struct {
	ID       string
	Body     []byte        // the result; empty with a reason
	Reason   string        // empty: done
	Detail   string        // for people, at most MaxDetail
	Device   string        // of the slot that decided; empty if none did
	Took     time.Duration // of the attempt that decided, to the millisecond
	Attempts int           // begun
}

// Event is progress of a task.
type Event struct {
	ID          string
	Stage       string // at most 64 bytes
	Done, Total int
}

// Slot is room for one task at a time.
type Slot struct {
	Worker string // set by Work
	Device string // UUID; as in Task
	Class  string // of the device, for people and prices; at most 64 bytes
	Memory uint64 // bytes for a task
	CPU    bool   // not a device but the host's processors
}

// Failure is an executor's error with a reason.
type Failure struct {
	Reason string // 1 to 32 of a-z, 0-9 and underscores
	Detail string // cut at MaxDetail
	Retry  bool   // another attempt may end better
}

func (f *Failure) Error() string { return f.Reason + ": " + f.Detail }

func isID(s string) bool      { return regexp.MustCompile(`^[a-z0-9-]{1,64}$`).MatchString(s) }
func isProgram(s string) bool { return regexp.MustCompile(`^[A-Za-z0-9]{1,128}$`).MatchString(s) }
func isDevice(s string) bool  { return regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`).MatchString(s) }
func isReason(s string) bool  { return regexp.MustCompile(`^[a-z0-9_]{1,32}$`).MatchString(s) }

func (t *Task) validate() error {
	switch {
	case !isID(t.ID):
		return fmt.Errorf("%w: ID %.80q", ErrTask, t.ID)
	case t.Kind != KindInfer && t.Kind != KindProve:
		return fmt.Errorf("%w: kind %.80q", ErrTask, t.Kind)
	case t.Program != "" && !isProgram(t.Program):
		return fmt.Errorf("%w: program %.80q", ErrTask, t.Program)
	case len(t.Body) > MaxBody:
		return fmt.Errorf("%w: %d bytes", ErrTooLarge, len(t.Body))
	case t.Device != "" && !isDevice(t.Device):
		return fmt.Errorf("%w: device %.80q", ErrTask, t.Device)
	}
	return nil
}

func (s *Slot) validate() error {
	if !isDevice(s.Device) || len(s.Class) > maxClass {
		return fmt.Errorf("%w: slot of device %.80q, class %.80q", ErrConfig, s.Device, s.Class)
	}
	return nil
}
