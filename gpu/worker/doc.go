// Package worker runs jobs in child processes of the same program.
//
// Native code can end a process in ways that Go cannot catch, inputs of strangers can make a
// decoder ask for more memory than there is, and much of either cannot be interrupted. In a
// child none of that costs more than one job: the parent learns why the child was lost, as
// a Failure with a Reason, and starts another.
//
// The parent makes a private folder with a Unix socket, starts the child with the socket's
// path as its last argument, and accepts one connection; the child calls Serve with its
// table of methods. Jobs run one at a time. While one runs the child reports its processor
// time and resident size in a beat, once a second; the parent kills a child that is silent,
// that shows neither progress nor processor time, or that goes on after its job's context
// ended. A child ends when its connection does, so it never outlives its parent.
//
//	parent                                       child
//	Start ── hello: limits ─────────────────────▶ Serve
//	      ◀───────────────────────────── ready ──
//	Do ───── request: method, body ─────────────▶ Method
//	      ◀──────────────────── beat, progress ──
//	         cancel, when the context ends ─────▶ its context ends
//	      ◀──────────── done: reply, or failed ──
//
// The package knows nothing of what the methods do. Retrying a lost job is for its callers.
package worker

import (
	"errors"
	"fmt"
)

// Reason says why a job failed. Methods have reasons of their own; see Fail.
type Reason string

const (
	ReasonCrashed  Reason = "worker_crashed"  // the process ended by itself or by a signal, or could not be started
	ReasonHung     Reason = "worker_hung"     // no sign of life, or neither progress nor processor time for Job.Stall
	ReasonDeadline Reason = "deadline"        // the deadline of the job's context passed, or Options.CPU was used up
	ReasonMemory   Reason = "out_of_memory"   // the process needed more memory than its budget or the machine has
	ReasonCanceled Reason = "canceled"        // the job's context was cancelled, or the worker closed
	ReasonProtocol Reason = "worker_protocol" // the process broke the protocol, or Job.Receive refused its reply
	ReasonFailed   Reason = "failed"          // a method's error without a reason of its own
	ReasonInput    Reason = "bad_input"       // a method refused what it was given
	ReasonDevice   Reason = "device_lost"     // a method found its device gone
)

var (
	// ErrClosed is wrapped by the Failure of a job that Close ended or that came after it.
	ErrClosed = errors.New("worker is closed")
	// errProtocol marks frames that break the protocol, whoever sent them.
	errProtocol = errors.New("protocol error")
)

// Failure is why a job has no result.
type Failure struct {
	Reason Reason
	Lost   bool   // the process is gone, and what it held with it
	Err    error  // the context's error where that ended the job
	Words  string // the last that a lost process wrote to standard output and error, at most 4 KiB
}

func (f *Failure) Error() string {
	text := fmt.Sprintf("%s: %v", f.Reason, f.Err)
	if f.Words != "" {
		text += "; last words: " + f.Words
	}
	return text
}

func (f *Failure) Unwrap() error { return f.Err }

// Fail gives a method's error a reason that the parent sees as Failure.Reason: lower-case
// letters, digits and underscores, at most 64.
func Fail(reason Reason, err error) error {
	if !reason.valid() || err == nil {
		panic(fmt.Sprintf("BUG: failure %q: %v", reason, err))
	}
	return &Failure{Reason: reason, Err: err}
}

func (r Reason) valid() bool {
	for _, c := range []byte(r) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return r != "" && len(r) <= maxReason
}
