package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/dispatch"
	"github.com/weisyn/wes/gpu/machine"
	"github.com/weisyn/wes/gpu/msm/icicle"
	"github.com/weisyn/wes/gpu/worker"
)

// stated is a prober of what a test states. Its devices have no sensors.
type stated gpu.Inventory

var (
	_ gpu.Prober = stated{}
	_ gpu.Source = stated{}
)

func (s stated) Probe(context.Context) (gpu.Inventory, error) { return gpu.Inventory(s), nil }

func (stated) Observe(context.Context) ([]gpu.Observation, error) {
	return nil, errors.New("no sensors")
}

func openStated(t *testing.T, memory uint64, findings ...gpu.Finding) *machine.Machine {
	t.Helper()
	s := stated{Findings: findings}
	if memory > 0 {
		s.Devices = []gpu.Device{{UUID: "GPU-0", Memory: memory}}
	}
	m, err := machine.Open(t.Context(), machine.Options{
		Prober: s, Source: s, Needs: []string{icicle.SubjectCUDA}, Folder: filepath.Join(t.TempDir(), "claims"),
		Start: dispatch.Supervise(worker.Options{}, worker.Backoff{}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestCommitterHoldsADeviceUntilItIsClosed(t *testing.T) {
	m := openStated(t, 80<<30, gpu.Finding{Subject: icicle.SubjectCUDA, Status: gpu.Found})
	c, err := newCommitter(t.Context(), m, deviceAuto)
	if err != nil || c == nil {
		t.Fatalf("%v, %v", c, err)
	}
	if d := m.Devices().Devices[0]; d.Reserved != committerMemory {
		t.Errorf("%d bytes are reserved", d.Reserved)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if d := m.Devices().Devices[0]; d.Reserved != 0 || d.Leases != 0 {
		t.Errorf("%d bytes in %d leases are still reserved", d.Reserved, d.Leases)
	}
}

func TestCommitterWithoutADevice(t *testing.T) {
	cuda := gpu.Finding{Subject: icicle.SubjectCUDA, Status: gpu.Missing, Why: "no backend", Do: "make it"}
	cpu := gpu.Finding{Subject: icicle.SubjectCPU, Status: gpu.Found}
	for name, c := range map[string]struct {
		machine *machine.Machine
		device  string
		opens   bool
		err     string
	}{
		"auto":           {openStated(t, 0, cuda, cpu), deviceAuto, false, ""},
		"ICICLE's CPU":   {openStated(t, 0, cuda, cpu), deviceICICLE, true, ""},
		"no ICICLE":      {openStated(t, 80<<30, cuda), deviceICICLE, false, "--device icicle: no device: ICICLE's CUDA device: no backend: make it"},
		"a small device": {openStated(t, 1<<30, gpu.Finding{Subject: icicle.SubjectCUDA, Status: gpu.Found}), deviceICICLE, false, "--device icicle: acquire device: more memory"},
	} {
		made, err := newCommitter(t.Context(), c.machine, c.device)
		if (made != nil) != c.opens || (err != nil) != (c.err != "") || err != nil && !strings.HasPrefix(err.Error(), c.err) {
			t.Errorf("%s: %v, %v", name, made, err)
		}
		if made != nil {
			if made.lease != nil {
				t.Errorf("%s: a lease of %s", name, made.lease.Device().UUID)
			}
			err = made.Close()
		} else {
			err = c.machine.Close()
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPlacesOfAProofTellItsMoves(t *testing.T) {
	lost := &worker.Failure{Reason: worker.ReasonDevice, Err: errors.New("out of order")}
	p := newPlaces(dispatch.Outcome{Attempts: []dispatch.Attempt{{Place: "GPU-0", Reason: lost.Reason, Err: lost}, {Place: dispatch.CPU}}})
	if p.Place != dispatch.CPU || len(p.Attempts) != 2 || p.Attempts[0].Reason != worker.ReasonDevice || p.Attempts[1].Error != "" {
		t.Errorf("%+v", p)
	}
	rows := p.rows()
	if len(rows) != 1 || rows[0][0] != "moved" || rows[0][1] != "from GPU-0" || rows[0][2] != "device_lost: out of order" {
		t.Errorf("%q", rows)
	}
	p = newPlaces(dispatch.Outcome{Attempts: []dispatch.Attempt{{Place: "GPU-0"}}})
	if rows := p.rows(); len(rows) != 1 || rows[0][0] != "device" || rows[0][1] != "GPU-0" {
		t.Errorf("%q", rows)
	}
	p = newPlaces(dispatch.Outcome{Attempts: []dispatch.Attempt{{Place: dispatch.CPU}}})
	if rows := p.rows(); len(rows) != 0 {
		t.Errorf("%q", rows)
	}
}
