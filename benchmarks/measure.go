package benchmarks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"unicode"

	"github.com/weisyn/wes/benchmarks/report"
	"github.com/weisyn/wes/gpu/msm"
	"github.com/weisyn/wes/gpu/onnx"
	"github.com/weisyn/wes/gpu/worker"
)

// measure adds the result of a case, or why there is none.
func measure(ctx context.Context, r *report.Report, c *Case, o *Options) error {
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
		r.Missing = append(r.Missing, report.Missing{Suite: result.Suite, Engine: c.result.Engine, Reason: cut(reason(err))})
	default:
		r.Missing = append(r.Missing, report.Missing{Suite: result.Suite, Case: result.Case, Engine: c.result.Engine, Reason: cut(err.Error()), Failed: true})
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

// cut makes a text one that Decode takes, and that does not publish whose machine this is.
func cut(text string) string {
	if home, err := os.UserHomeDir(); err == nil && len(home) > 1 {
		text = strings.ReplaceAll(text, home, "~")
	}
	text = strings.Join(strings.FieldsFunc(text, unicode.IsControl), " ")
	return strings.ToValidUTF8(text[:min(len(text), report.MaxText)], "")
}

func (c *Case) measure(ctx context.Context, o *Options) (_ report.Result, err error) {
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
		r.Add(readings)
	}
	r.Add(t.once)
	for i := range r.Metrics {
		r.Metrics[i].Summarise()
		r.Metrics[i].Goal = c.goals[r.Metrics[i].Name]
	}
	return r, r.Validate()
}
