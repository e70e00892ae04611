package dispatch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/worker"
)

// yard is a Dispatcher with real children.
type yard struct {
	*Dispatcher
	slots   *gpu.Slots
	monitor *gpu.Monitor
}

// newYard checks at the end of the test that nothing is left: memory, files, processes.
func newYard(t *testing.T, devices int) *yard {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("children are counted in /proc")
	}
	before := openFiles(t)
	y := &yard{slots: slots(devices)}
	y.monitor = gpu.NewMonitor(y.slots, nil, gpu.MonitorOptions{Rules: gpu.Rules{Hangs: 2, Probation: 1}})
	start := Supervise(worker.Options{
		Command: []string{os.Args[0], "worker"}, Env: []string{scratch + "=" + t.TempDir()},
		Memory: 256 << 20, Grace: -1,
	}, worker.Backoff{First: time.Millisecond})
	y.Dispatcher = New(Options{Slots: y.slots, Reports: y.monitor, Start: start})
	t.Cleanup(func() {
		if err := y.Close(); err != nil {
			t.Error(err)
		}
		idle(t, y.slots)
		if left := children(t); len(left) > 0 {
			t.Errorf("processes %v are left", left)
		}
		if after := openFiles(t); after > before {
			t.Errorf("%d files are open, %d before", after, before)
		}
	})
	return y
}

func openFiles(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// children lists the processes whose parent is this one.
func children(t *testing.T) (pids []string) {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lists {
		// A thread can end while it is looked at.
		if b, err := os.ReadFile(l); err == nil {
			pids = append(pids, strings.Fields(string(b))...)
		}
	}
	return pids
}

// reply collects what a method returns.
func reply(to *string) func(io.Reader, uint64) error {
	return func(body io.Reader, _ uint64) error {
		b, err := io.ReadAll(body)
		*to = string(b)
		return err
	}
}

func TestChildrenSeeTheirDevice(t *testing.T) {
	y := newYard(t, 1)
	for _, c := range []struct {
		task Task
		want string
	}{{Task{Memory: 5}, "GPU-0 hello"}, {Task{CPUOnly: true}, " hello"}} {
		var got string
		c.task.Method, c.task.Body, c.task.Receive = "test.echo", Same([]byte("hel"), []byte("lo")), reply(&got)
		if _, err := y.Do(t.Context(), c.task); err != nil || got != c.want {
			t.Errorf("%q, %v; want %q", got, err, c.want)
		}
	}
}

// TestBrokenChildrenCostNoJob breaks the child on each device attempt; the CPU does
// the job, and says why it had to.
func TestBrokenChildrenCostNoJob(t *testing.T) {
	lost := []worker.Reason{worker.ReasonCrashed, worker.ReasonCrashed, ""}
	for method, want := range map[string][]worker.Reason{
		"test.kill":   lost,
		"test.abort":  lost,
		"test.panic":  lost,
		"test.hang":   {worker.ReasonHung, worker.ReasonHung, ""},
		"test.memory": {worker.ReasonMemory, ""},
		"test.device": {worker.ReasonDevice, ""},
	} {
		t.Run(method, func(t *testing.T) {
			y := newYard(t, 1)
			var got string
			o, err := y.Do(t.Context(), Task{Method: method, Memory: 100, Receive: reply(&got), Stall: 500 * time.Millisecond})
			if err != nil || got != "done" || o.Place() != CPU {
				t.Errorf("%q on %s: %v", got, o.Place(), err)
			}
			var reasons []worker.Reason
			for _, a := range o.Attempts {
				reasons = append(reasons, a.Reason)
			}
			if fmt.Sprint(reasons) != fmt.Sprint(want) {
				t.Errorf("reasons %v, want %v", reasons, want)
			}
			idle(t, y.slots)
			if out := y.slots.Snapshot().Devices[0].Out; (out != "") != (method == "test.device") {
				t.Errorf("device is out of service: %q", out)
			}
		})
	}
}

func TestALostJobIsRepeatedOnItsDevice(t *testing.T) {
	y := newYard(t, 1)
	var got string
	o, err := y.Do(t.Context(), Task{Method: "test.once", Receive: reply(&got)})
	if err != nil || got != "GPU-0" || len(o.Attempts) != 2 || o.Attempts[0].Reason != worker.ReasonCrashed {
		t.Errorf("%q, %+v, %v", got, o, err)
	}
}

func TestARefusalEndsTheJob(t *testing.T) {
	y := newYard(t, 1)
	o, err := y.Do(t.Context(), Task{Method: "test.refuse"})
	var f *worker.Failure
	if !errors.As(err, &f) || f.Reason != "unsatisfied_witness" || len(o.Attempts) != 1 {
		t.Errorf("%+v, %v", o, err)
	}
}

func TestJobsThatHangTakeTheirDeviceOut(t *testing.T) {
	y := newYard(t, 2)
	for range 2 {
		if _, err := y.Do(t.Context(), Task{Method: "test.hang", Memory: 100, Receive: reply(new(string)), Stall: 300 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
	}
	if out := y.slots.Snapshot().Devices[0].Out; !strings.HasPrefix(out, string(gpu.FaultHung)) {
		t.Errorf("device is out of service: %q, want %q", out, gpu.FaultHung)
	}
}

// TestADeviceLostUnderARunningChild moves a job whose device is found lost while it runs.
func TestADeviceLostUnderARunningChild(t *testing.T) {
	y := newYard(t, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	places := make(chan string, 2)
	ended := make(chan error)
	go func() {
		o, err := y.Do(ctx, Task{Method: "test.wait", Memory: 100, Progress: func(string, int, int) {
			places <- fmt.Sprint(y.slots.Snapshot().Devices[0].Leases)
		}})
		if len(o.Attempts) != 2 || o.Attempts[0].Reason != worker.ReasonDevice || o.Attempts[1].Place != CPU {
			t.Errorf("attempts %v", o.Attempts)
		}
		ended <- err
	}()
	if leases := <-places; leases != "1" {
		t.Errorf("%s leases while the job runs on the device", leases)
	}
	y.monitor.Gone("GPU-0")
	if leases := <-places; leases != "0" {
		t.Errorf("%s leases while the job runs on the CPU", leases)
	}
	cancel()
	var f *worker.Failure
	if err := <-ended; !errors.As(err, &f) || f.Reason != worker.ReasonCanceled {
		t.Errorf("%v, want canceled", err)
	}
}
