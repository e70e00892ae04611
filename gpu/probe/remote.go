package probe

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/worker"
)

// Runner runs jobs in a child that has the Methods.
type Runner interface {
	Do(ctx context.Context, j worker.Job) error
}

var _ Runner = (*worker.Supervisor)(nil)

// Remote asks a method of a child for an inventory.
type Remote struct {
	Child   Runner
	Method  string
	Subject string // of the Finding when the child is lost
}

var _ gpu.Prober = Remote{}

// patience is how long native code may do nothing. A driver at fault may never answer.
const patience = 20 * time.Second

// maxReply bounds what a child may answer, in bytes.
const maxReply = 1 << 20

// Probe asks. A child that is lost on the way is a Finding; the errors are those of ctx and
// of replies that make no sense.
func (r Remote) Probe(ctx context.Context) (gpu.Inventory, error) {
	var i gpu.Inventory
	err := ask(ctx, r.Child, r.Method, func(b []byte) (err error) { i, err = decodeInventory(b); return err })
	var f *worker.Failure
	if errors.As(err, &f) && ctx.Err() == nil && f.Reason != worker.ReasonProtocol {
		return finding(r.Subject, gpu.Broken, whyLost(f), "see the kernel's log; restart the machine, or install this again")
	}
	if err != nil {
		return gpu.Inventory{}, fmt.Errorf("probe %s: %w", r.Subject, err)
	}
	return i, nil
}

func whyLost(f *worker.Failure) string {
	switch {
	case f.Reason == worker.ReasonHung:
		return clip("it does not answer: " + f.Error())
	case f.Lost:
		return clip("asking it ended the process that asked: " + f.Error())
	}
	return clip(f.Error())
}

// clip keeps a sentence that may hold a process's last words within bounds.
func clip(text string) string {
	const most = 1000
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

func ask(ctx context.Context, child Runner, method string, decode func([]byte) error) error {
	return child.Do(ctx, worker.Job{Method: method, Stall: patience, Receive: func(body io.Reader, size uint64) error {
		if size > maxReply {
			return fmt.Errorf("%w: reply of %d bytes, at most %d", gpu.ErrMalformed, size, maxReply)
		}
		b, err := io.ReadAll(io.LimitReader(body, maxReply))
		if err != nil {
			return err
		}
		return decode(b)
	}})
}

func decodeInventory(b []byte) (i gpu.Inventory, err error) {
	if err := decode(b, &i); err != nil {
		return i, err
	}
	return i, i.Validate()
}

func decodeObservations(b []byte) (all []gpu.Observation, err error) {
	if err := decode(b, &all); err != nil {
		return nil, err
	}
	return all, gpu.ValidateObservations(all)
}

// decode reads one JSON value and nothing else.
func decode(b []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(to); err != nil {
		return fmt.Errorf("%w: %v", gpu.ErrMalformed, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%w: more than one value", gpu.ErrMalformed)
	}
	return nil
}
