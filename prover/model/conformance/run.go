package conformance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"

	"github.com/weisyn/wes/prover/model/onnx"
)

const (
	defaultCaseTimeout = 30 * time.Second
	maxCases           = 1 << 14
)

// Options of Run. A zero field takes its default.
type Options struct {
	CaseTimeout time.Duration // of one case; default 30 s
}

// Run runs every case below the root of fsys. It returns an error if a folder cannot be read or ctx
// ends; what is wrong with a case is its status.
func Run(ctx context.Context, fsys fs.FS, o Options) (*Report, error) {
	if o.CaseTimeout == 0 {
		o.CaseTimeout = defaultCaseTimeout
	}
	r := &Report{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != modelFile {
			return err
		}
		if len(r.Cases) == maxCases {
			return fmt.Errorf("more than %d cases", maxCases)
		}
		limited, cancel := context.WithTimeout(ctx, o.CaseTimeout)
		defer cancel()
		r.Cases = append(r.Cases, runCase(limited, fsys, path.Dir(name)))
		return ctx.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("run cases: %w", err)
	}
	return r, nil
}

func runCase(ctx context.Context, fsys fs.FS, dir string) Case {
	c := Case{Name: path.Base(dir), Operator: Unparsed}
	e, err := load(fsys, dir)
	if err != nil {
		c.Status, c.Reason = Failed, err.Error()
		if bad, ok := errors.AsType[*onnx.Error](err); ok && bad.Kind == onnx.ErrForbidden {
			c.Status, c.Reason = Refused, bad.Reason
		}
		return c
	}
	c.Operator = operator(&e.model.Graph)
	c.Status, c.Reason = e.settle(ctx)
	return c
}

// settle tries the forms of a case until one is not refused. The reason of a refusal is that of the
// form which networks have.
func (e *example) settle(ctx context.Context) (Status, string) {
	reason := ""
	for _, try := range []struct {
		status Status
		e      *example
		forms  []form
	}{
		{Passed, e, []form{formGiven, formIntegers, formParameters}},
		{Partial, e.firstOutput(), []form{formGiven, formIntegers, formParameters}},
		{Folded, e, []form{formConstant}},
	} {
		for _, f := range try.forms {
			err := try.e.check(ctx, f)
			refused, ok := errors.AsType[*refusal](err)
			switch {
			case err == nil:
				return try.status, ""
			case !ok:
				return Failed, err.Error()
			case try.status == Passed:
				reason = refused.reason
			}
		}
	}
	return Refused, reason
}
