package probe

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/nvml"
	"github.com/weisyn/wes/gpu/worker"
)

// Runner runs jobs in a child that has the Methods.
type Runner interface {
	Do(ctx context.Context, j worker.Job) error
}

var _ Runner = (*worker.Supervisor)(nil)

// Driver asks NVIDIA's driver in a child process.
type Driver struct {
	Child    Runner
	Patience time.Duration // how long the driver may do nothing, as one at fault may never answer; default 20 s
}

var (
	_ gpu.Prober = Driver{}
	_ gpu.Source = Driver{}
)

// patience is the default of Driver.Patience.
const patience = 20 * time.Second

// maxReply bounds what a child may answer, in bytes.
const maxReply = 1 << 20

// Probe lists the devices. A child that is lost on the way is a Finding; the errors are
// those of ctx and of replies that make no sense.
func (d Driver) Probe(ctx context.Context) (gpu.Inventory, error) {
	var i gpu.Inventory
	err := d.ask(ctx, methodProbe, func(b []byte) (err error) { i, err = decodeInventory(b); return err })
	var f *worker.Failure
	if errors.As(err, &f) && ctx.Err() == nil && f.Reason != worker.ReasonProtocol {
		return finding(nvml.Subject, gpu.Broken, whyLost(f), "see what nvidia-smi and the kernel's log say; restart the machine, or install the driver again")
	}
	if err != nil {
		return gpu.Inventory{}, fmt.Errorf("probe devices: %w", err)
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

// Observe reads all sensors, and the errors reported since it was last called.
func (d Driver) Observe(ctx context.Context) ([]gpu.Observation, error) {
	var all []gpu.Observation
	err := d.ask(ctx, methodObserve, func(b []byte) (err error) { all, err = decodeObservations(b); return err })
	if err != nil {
		return nil, fmt.Errorf("observe devices: %w", err)
	}
	return all, nil
}

func (d Driver) ask(ctx context.Context, method string, decode func([]byte) error) error {
	return d.Child.Do(ctx, worker.Job{Method: method, Stall: cmp.Or(d.Patience, patience), Receive: func(body io.Reader, size uint64) error {
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
