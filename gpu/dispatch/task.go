package dispatch

import (
	"io"
	"time"

	"github.com/weisyn/wes/gpu/worker"
)

// Task is a job that may run on any device. It brings all it needs: each attempt may be in a
// new process. Receive is called anew for each attempt, and has to forget what an earlier
// one gave it.
type Task struct {
	Method   string
	Body     func(place string) [][]byte             // of an attempt at a device's UUID or CPU; written one after the other; nil: empty
	Receive  func(body io.Reader, size uint64) error // reads the reply; nil: the reply must be empty
	Progress func(stage string, done, total int)     // may be nil
	Stall    time.Duration                           // without progress and processor time; default that of worker.Job
	Memory   uint64                                  // bytes of a device that the job needs, the process's own included
	CPUOnly  bool                                    // never on a device
}

// Job is an attempt at a place, a device's UUID or CPU.
func (t *Task) Job(place string) worker.Job {
	j := worker.Job{Method: t.Method, Receive: t.Receive, Progress: t.Progress, Stall: t.Stall}
	if t.Body != nil {
		j.Body = t.Body(place)
	}
	return j
}

// Same is a Body that does not depend on the place.
func Same(parts ...[]byte) func(place string) [][]byte {
	return func(string) [][]byte { return parts }
}

// CPU is the place of attempts without a device.
const CPU = "cpu"

// Attempt is one run of a task.
type Attempt struct {
	Place  string        // UUID of the device, or CPU
	Reason worker.Reason // why it failed; "": it did not
	Err    error
}

// Outcome says where a task ran.
type Outcome struct {
	Attempts []Attempt // in order; the last one decided
	// NoDevice is why no device was used for the first attempt: an error of gpu.Slots, or
	// nil when one was, or the task is CPUOnly.
	NoDevice error
}

// Place is where the last attempt ran, "" if there was none.
func (o *Outcome) Place() string {
	if len(o.Attempts) == 0 {
		return ""
	}
	return o.Attempts[len(o.Attempts)-1].Place
}
