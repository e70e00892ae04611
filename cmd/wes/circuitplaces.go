package main

import (
	"context"
	"errors"

	"github.com/weisyn/wes/gpu/dispatch"
	"github.com/weisyn/wes/gpu/machine"
	"github.com/weisyn/wes/gpu/worker"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/circuit/service"
	"github.com/weisyn/wes/prover/pipeline"
)

// circuitJob proves on a device or on the CPU.
type circuitJob struct {
	look    bool // for devices
	must    bool // there has to be one
	request service.ProveRequest
	result  *circuit.Result
	places  circuitPlaces
}

// run claims what devices there are for the time of the job.
func (j *circuitJob) run(ctx context.Context, o worker.Options) error {
	m, err := openMachine(ctx, j.look, o)
	if err != nil {
		return err
	}
	return errors.Join(j.prove(ctx, m), m.Close())
}

func (j *circuitJob) prove(ctx context.Context, m *machine.Machine) error {
	missing := m.WithoutDevice()
	if j.must && missing != nil {
		return &pipeline.Fault{Stage: circuit.StageProve, Err: without(m, missing)}
	}
	result, outcome, err := service.Prove(ctx, m, j.request)
	j.result, j.places = result, newPlaces(outcome)
	if err == nil && j.look && missing != nil {
		j.places.NoDevice = missing.Error()
	}
	return err
}

// circuitReport is the JSON of wes prove prove.
type circuitReport struct {
	circuit.Report
	circuitPlaces
}

// circuitPlaces say where a proof was made, and where it was tried before.
type circuitPlaces struct {
	Place    string         `json:"place"`               // UUID of a device, or cpu
	NoDevice string         `json:"no_device,omitempty"` // why none was used, where one was looked for
	Attempts []circuitPlace `json:"attempts"`            // in order; the last one made the proof
}

type circuitPlace struct {
	Place  string        `json:"place"`
	Reason worker.Reason `json:"reason,omitempty"` // why it failed
	Error  string        `json:"error,omitempty"`
}

func newPlaces(o dispatch.Outcome) circuitPlaces {
	p := circuitPlaces{Place: o.Place()}
	if o.NoDevice != nil {
		p.NoDevice = o.NoDevice.Error()
	}
	for _, a := range o.Attempts {
		made := circuitPlace{Place: a.Place, Reason: a.Reason}
		if a.Err != nil {
			made.Error = a.Err.Error()
		}
		p.Attempts = append(p.Attempts, made)
	}
	return p
}

// rows tell what is not to be expected: a device, why there is none, and moves.
func (p *circuitPlaces) rows() (rows [][]string) {
	for _, a := range p.Attempts {
		if a.Error != "" {
			rows = append(rows, []string{"moved", "from " + a.Place, a.Error})
		}
	}
	switch {
	case p.NoDevice != "":
		return append(rows, []string{"device", "none", p.NoDevice})
	case p.Place != dispatch.CPU:
		return append(rows, []string{"device", p.Place})
	}
	return rows
}
