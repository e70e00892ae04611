//go:build linux && cgo

package dispatch

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/nvml/nvmltest"
	"github.com/weisyn/wes/gpu/probe"
	"github.com/weisyn/wes/gpu/worker"
)

// TestAMachineWhoseDeviceFails goes the whole way of a node: probe, claim, watch, dispatch.
// The driver reports a fatal error of a device while a job runs on it.
func TestAMachineWhoseDeviceFails(t *testing.T) {
	dir := nvmltest.Build(t)
	nvmltest.Say(t, dir, "devices 0 2")
	command := []string{os.Args[0], "worker"}
	child := worker.NewSupervisor(worker.Options{Command: command, Env: []string{"LD_LIBRARY_PATH=" + dir}}, worker.Backoff{})
	defer child.Close()
	driver := probe.Driver{Child: child}
	found, err := driver.Probe(t.Context())
	if err != nil || len(found.Devices) != 2 {
		t.Fatalf("%+v, %v", found, err)
	}
	claims, err := gpu.Claim(t.TempDir(), found.Devices)
	if err != nil {
		t.Fatal(err)
	}
	defer claims.Close()
	slots := gpu.NewSlots(claims.Devices, gpu.SlotOptions{})
	tick := make(chan time.Time)
	monitor := gpu.NewMonitor(slots, driver, gpu.MonitorOptions{After: func(time.Duration) <-chan time.Time { return tick }})
	ctx, cancel := context.WithCancel(t.Context())
	watching := make(chan error)
	go func() { watching <- monitor.Run(ctx) }()
	d := New(Options{Slots: slots, Reports: monitor, Start: Supervise(worker.Options{Command: command, Grace: -1}, worker.Backoff{})})

	running := make(chan string, 2)
	job := make(chan Outcome)
	go func() {
		o, _ := d.Do(ctx, Task{Method: "test.wait", Memory: 70 << 30, Progress: func(string, int, int) { running <- "" }})
		job <- o
	}()
	<-running
	nvmltest.Say(t, dir, "devices 0 2\nxid 0 31\nxid 0 79")
	tick <- time.Time{}
	<-running
	cancel()
	o := <-job
	if err := <-watching; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if len(o.Attempts) != 2 || o.Attempts[0].Reason != worker.ReasonDevice || o.Attempts[0].Place == o.Attempts[1].Place || o.Place() != found.Devices[1].UUID {
		t.Errorf("attempts %+v, want the second device after the first", o.Attempts)
	}
	if !strings.Contains(o.Attempts[0].Err.Error(), "XID 79") {
		t.Errorf("%v does not name the driver's error", o.Attempts[0].Err)
	}
	idle(t, slots)
}
