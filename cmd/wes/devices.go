package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/probe"
	"github.com/weisyn/wes/gpu/worker"
	"github.com/weisyn/wes/prover/pipeline"
)

func newDevices() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "devices",
		Short: "Show the GPUs of this machine and what can use them",
		Long: `Show the GPUs of this machine and what can use them: what was found, what was not and
why, and what to install or do.

A GPU makes work faster, never different: without one everything runs on the CPU, with the
same results. The driver and the libraries are asked in a process of their own, so that one
at fault is reported and ends nothing. A provider of ONNX Runtime counts as found when its
self-test is exact.

HEALTH is
  good        fit for work
  overheated  at the temperature where the driver says it slows down
  xid         the driver reported a fatal error while it was asked
  lost        the device does not answer the driver
  unknown     its sensors could not be read

A running node watches the same things, and takes a device that is not good out of service.`,
		Example: `  wes devices
  wes devices --json | jq -r '.findings[] | select(.status != "found") | .do'`,
		Args: arguments(),
		RunE: func(c *cobra.Command, _ []string) error { return showDevices(c, asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON object")
	return c
}

// devicesReport is what `wes devices --json` prints.
type devicesReport struct {
	CPUOnly  bool          `json:"cpu_only"` // no device is fit for work
	Devices  []deviceState `json:"devices"`
	Findings []gpu.Finding `json:"findings"`
}

type deviceState struct {
	gpu.Device
	Health  string       `json:"health"`
	Detail  string       `json:"health_detail,omitempty"`
	Reading *gpu.Reading `json:"reading,omitempty"`
}

// The healths of a device besides the faults of package gpu.
const (
	healthGood    = "good"
	healthUnknown = "unknown"
)

func showDevices(c *cobra.Command, asJSON bool) error {
	child := worker.NewSupervisor(worker.Options{Env: icicleEnvironment()}, worker.Backoff{})
	r, err := takeStock(c.Context(), child)
	if err := errors.Join(err, child.Close()); err != nil {
		return &pipeline.Fault{Stage: "devices", Err: err}
	}
	if asJSON {
		return printJSON(c.OutOrStdout(), r)
	}
	return printDevices(c.OutOrStdout(), r)
}

// takeStock asks everything that can make work faster.
func takeStock(ctx context.Context, child probe.Runner) (*devicesReport, error) {
	driver := probe.Driver{Child: child}
	i, err := probe.All{driver, probe.NewONNX(), icicleProbe{child}}.Probe(ctx)
	if err != nil {
		return nil, err
	}
	r := &devicesReport{CPUOnly: true, Devices: []deviceState{}, Findings: i.Findings}
	seen := observe(ctx, driver, len(i.Devices))
	for _, d := range i.Devices {
		s := deviceState{Device: d, Health: healthUnknown}
		if o, ok := seen[d.UUID]; ok && (o.Reading != nil || o.Gone) {
			s.Reading, s.Health = o.Reading, healthGood
			if v := gpu.NewHealth(gpu.Rules{}).Step(o); v.Fault != gpu.FaultNone {
				s.Health, s.Detail = string(v.Fault), v.Detail
			}
		}
		r.CPUOnly = r.CPUOnly && s.Health != healthGood
		r.Devices = append(r.Devices, s)
	}
	return r, nil
}

// observe reads the sensors of n devices. Sensors that cannot be read make no error: the
// health of their devices is unknown.
func observe(ctx context.Context, s gpu.Source, n int) map[string]gpu.Observation {
	seen := map[string]gpu.Observation{}
	if n == 0 {
		return seen
	}
	all, err := s.Observe(ctx)
	if err != nil {
		return seen
	}
	for _, o := range all {
		seen[o.UUID] = o
	}
	return seen
}

func printDevices(w io.Writer, r *devicesReport) error {
	if len(r.Devices) > 0 {
		if err := table(w, deviceRows(r.Devices)); err != nil {
			return err
		}
		fmt.Fprintln(w)
	}
	switch {
	case len(r.Devices) == 0:
		fmt.Fprint(w, "No GPU: everything runs on the CPU. Results and proofs are the same, and as sound; they take longer.\n\n")
	case r.CPUOnly:
		fmt.Fprint(w, "No GPU is fit for work: everything runs on the CPU. Results and proofs are the same; they take longer.\n\n")
	}
	rows, todo := [][]string{{"LOOKED FOR", "STATUS", "WHY"}}, [][]string{}
	for _, f := range r.Findings {
		rows = append(rows, []string{f.Subject, string(f.Status), f.Why})
		if f.Do != "" {
			todo = append(todo, []string{"  " + f.Subject, f.Do})
		}
	}
	if err := table(w, rows); err != nil || len(todo) == 0 {
		return err
	}
	fmt.Fprintln(w, "\nTo change that:")
	return table(w, todo)
}

func deviceRows(all []deviceState) [][]string {
	rows := [][]string{{"DEVICE", "NAME", "MEMORY", "CAPABILITY", "DRIVER", "TEMPERATURE", "HEALTH"}}
	for _, d := range all {
		temperature, health := "?", d.Health
		if d.Reading != nil && d.Reading.Temperature > 0 {
			temperature = strconv.Itoa(d.Reading.Temperature) + " °C"
		}
		if d.Detail != "" {
			health += ": " + d.Detail
		}
		rows = append(rows, []string{d.UUID, d.Name, size(int64(d.Memory)), orUnknown(d.ComputeCapability), orUnknown(d.Driver), temperature, health})
	}
	return rows
}

func orUnknown(text string) string {
	if text == "" {
		return "?"
	}
	return text
}
