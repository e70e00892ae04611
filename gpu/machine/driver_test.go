//go:build linux && cgo

package machine

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/dispatch"
	"github.com/weisyn/wes/gpu/nvml"
	"github.com/weisyn/wes/gpu/nvml/nvmltest"
	"github.com/weisyn/wes/gpu/probe"
	"github.com/weisyn/wes/gpu/worker"
)

// TestADriverThatReportsAFault has real children all the way. The driver reports a fatal
// error of a device while a job runs on it.
func TestADriverThatReportsAFault(t *testing.T) {
	dir := nvmltest.Build(t)
	nvmltest.Say(t, dir, "devices 0 2")
	command := []string{os.Args[0], "worker"}
	child := worker.NewSupervisor(worker.Options{Command: command, Env: []string{"LD_LIBRARY_PATH=" + dir}}, worker.Backoff{})
	driver := probe.Driver{Child: child}
	tick := make(chan time.Time)
	m := open(t, Options{
		Prober: driver, Source: driver, Child: child, Needs: []string{nvml.Subject},
		Monitor: gpu.MonitorOptions{After: func(time.Duration) <-chan time.Time { return tick }},
		Start:   dispatch.Supervise(worker.Options{Command: command, Grace: -1}, worker.Backoff{}),
	})
	if d := m.Devices().Devices; len(d) != 2 {
		t.Fatalf("%+v, %v", d, m.Findings())
	}
	running := make(chan string, 2)
	job := make(chan dispatch.Outcome)
	go func() {
		o, _ := m.Do(t.Context(), dispatch.Task{Method: "test.wait", Memory: 70 << 30, Progress: func(string, int, int) { running <- "" }})
		job <- o
	}()
	<-running
	nvmltest.Say(t, dir, "devices 0 2\nxid 0 31\nxid 0 79")
	tick <- time.Time{}
	<-running
	second := m.Devices().Devices[1]
	if err := m.dispatcher.Close(); err != nil {
		t.Error(err)
	}
	o := <-job
	if len(o.Attempts) != 2 || o.Attempts[0].Reason != worker.ReasonDevice || o.Attempts[0].Place == o.Attempts[1].Place || o.Place() != second.Device.UUID {
		t.Fatalf("attempts %+v, want the second device after the first", o.Attempts)
	}
	if !strings.Contains(o.Attempts[0].Err.Error(), "XID 79") {
		t.Errorf("%v does not name the driver's error", o.Attempts[0].Err)
	}
	for _, d := range m.Devices().Devices {
		if d.Reserved != 0 || d.Leases != 0 {
			t.Errorf("%s: %d bytes in %d leases are still reserved", d.Device.UUID, d.Reserved, d.Leases)
		}
	}
}
