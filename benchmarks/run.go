package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/weisyn/wes/gpu/msm"
	"github.com/weisyn/wes/gpu/onnx"
	"github.com/weisyn/wes/gpu/worker"
)

// Run measures. A case that fails is listed in the report as missing; an error means that
// there is no report, which is so when ctx ends.
func Run(ctx context.Context, o Options) (*Report, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &Report{
		Version: Version, Time: time.Now().UTC().Format(time.RFC3339), Seed: o.Seed, Quick: o.Quick,
		Machine: machine(), Versions: versions(), Devices: []Device{}, Results: []Result{},
	}
	before, err := o.Devices(ctx)
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	cases, err := o.cases()
	if err != nil {
		return nil, err
	}
	for i := range cases {
		if r.lacks(&cases[i]) {
			continue
		}
		if err := r.measure(ctx, &cases[i], &o); err != nil {
			return nil, err
		}
	}
	after, err := o.Devices(ctx)
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	r.Devices = append(r.Devices, joinDevices(before, after)...)
	return r, nil
}

// joinDevices takes the temperatures of after into before. A device that went away in
// between has none at the end.
func joinDevices(before, after []Device) []Device {
	joined := slices.Clone(before)
	for i := range joined {
		joined[i].End = 0
		for _, d := range after {
			if d.UUID == joined[i].UUID {
				joined[i].End = d.Start
			}
		}
	}
	return joined
}

// cases lists those that were asked for.
func (o *Options) cases() ([]Case, error) {
	var cases []Case
	for _, s := range Suites() {
		if !slices.Contains(o.Suites, s.Name) {
			continue
		}
		list := s.cases(o)
		for i := range list {
			list[i].result.Suite = s.Name
		}
		cases = append(cases, list...)
	}
	for _, name := range o.Only {
		if !slices.ContainsFunc(cases, func(c Case) bool { return c.result.Case == name }) {
			return nil, fmt.Errorf("no case %q in %s", name, strings.Join(o.Suites, ", "))
		}
	}
	return slices.DeleteFunc(cases, func(c Case) bool {
		return len(o.Only) > 0 && !slices.Contains(o.Only, c.result.Case)
	}), nil
}

// lacks tells whether it is known that the case's engine is not there.
func (r *Report) lacks(c *Case) bool {
	return slices.ContainsFunc(r.Missing, func(m Missing) bool {
		return m.Suite == c.result.Suite && m.Engine == c.result.Engine && m.Case == ""
	})
}

// measure adds the result of a case, or why there is none.
func (r *Report) measure(ctx context.Context, c *Case, o *Options) error {
	result, err := c.measure(ctx, o)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	end := Progress{Suite: result.Suite, Case: result.Case, Engine: result.Engine, Run: o.Runs, Runs: o.Runs, Err: err}
	switch {
	case err == nil:
		r.Results = append(r.Results, result)
		end.Result = &result
	case unavailable(err):
		r.Missing = append(r.Missing, Missing{Suite: result.Suite, Engine: c.result.Engine, Reason: cut(reason(err))})
	default:
		r.Missing = append(r.Missing, Missing{Suite: result.Suite, Case: result.Case, Engine: c.result.Engine, Reason: cut(err.Error()), Failed: true})
	}
	o.Progress(end)
	return nil
}

// unavailable tells whether an error only says what this build or machine has not.
func unavailable(err error) bool {
	var f *worker.Failure
	return errors.Is(err, msm.ErrUnavailable) || errors.Is(err, onnx.ErrUnavailable) || errors.Is(err, onnx.ErrInexact) ||
		errors.As(err, &f) && f.Reason == worker.ReasonDevice
}

// reason is why an engine is not there, without the way in which a child said so.
func reason(err error) string {
	var f *worker.Failure
	if errors.As(err, &f) {
		err = f.Err
	}
	return err.Error()
}

// cut makes a text one that Decode takes.
func cut(text string) string {
	text = strings.Join(strings.FieldsFunc(text, unicode.IsControl), " ")
	return strings.ToValidUTF8(text[:min(len(text), maxText)], "")
}

func (c *Case) measure(ctx context.Context, o *Options) (_ Result, err error) {
	r := c.result
	r.Runs = o.Runs
	at := Progress{Suite: r.Suite, Case: r.Case, Engine: r.Engine, Runs: o.Runs}
	o.Progress(at)
	t, err := c.open(ctx, &r)
	if err != nil {
		return r, err
	}
	if t.close != nil {
		defer func() { err = errors.Join(err, t.close()) }()
	}
	for i := range o.Runs {
		at.Run = i
		o.Progress(at)
		runtime.GC() // what came before shall not be collected at the cost of this run
		readings, err := t.run(ctx, i)
		if err != nil {
			return r, fmt.Errorf("run %d: %w", i+1, err)
		}
		r.add(readings)
	}
	r.add(t.once)
	for i := range r.Metrics {
		r.Metrics[i].summarise()
		r.Metrics[i].Goal = c.goals[r.Metrics[i].Name]
	}
	return r, r.validate()
}
