package benchmarks

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weisyn/wes/benchmarks/report"
)

// Run measures. A case that fails is listed in the report as missing; an error means that
// there is no report, which is so when ctx ends.
func Run(ctx context.Context, o Options) (*report.Report, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &report.Report{
		Version: report.Version, Time: time.Now().UTC().Format(time.RFC3339), Seed: o.Seed, Quick: o.Quick,
		Machine: machine(), Versions: versions(), Devices: []report.Device{}, Results: []report.Result{},
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
		if lacks(r, &cases[i]) {
			continue
		}
		if err := measure(ctx, r, &cases[i], &o); err != nil {
			return nil, err
		}
	}
	after, err := o.Devices(ctx)
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	r.Devices = append(r.Devices, joinDevices(before, after)...)
	r.Versions.ONNXRuntime = o.runtime
	return r, nil
}

// joinDevices takes the temperatures of after into before. A device that went away in
// between has none at the end.
func joinDevices(before, after []report.Device) []report.Device {
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
func lacks(r *report.Report, c *Case) bool {
	return slices.ContainsFunc(r.Missing, func(m report.Missing) bool {
		return m.Suite == c.result.Suite && m.Engine == c.result.Engine && m.Case == ""
	})
}
