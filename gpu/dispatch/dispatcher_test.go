package dispatch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/worker"
)

// TestWhatBecomesOfAnAttemptThatFailed holds the table of the package comment.
func TestWhatBecomesOfAnAttemptThatFailed(t *testing.T) {
	crash, hang := failure(worker.ReasonCrashed, true), failure(worker.ReasonHung, true)
	memory, gone := failure(worker.ReasonMemory, true), failure(worker.ReasonDevice, false)
	refuse := func(r worker.Reason) error { return failure(r, false) }
	const dev = "GPU-0"
	for name, c := range map[string]struct {
		task    Task
		results []error // of the attempts, in order
		places  []string
		reports []string
	}{
		"a job that succeeds":     {Task{}, []error{nil}, []string{dev}, []string{"done GPU-0"}},
		"on the CPU":              {Task{CPUOnly: true}, []error{nil}, []string{CPU}, nil},
		"too large":               {Task{Memory: 101}, []error{nil}, []string{CPU}, nil},
		"bad input":               {Task{}, []error{refuse(worker.ReasonInput)}, []string{dev}, nil},
		"own reason":              {Task{}, []error{refuse("unsatisfied_witness")}, []string{dev}, nil},
		"no reason":               {Task{}, []error{refuse(worker.ReasonFailed)}, []string{dev}, nil},
		"canceled":                {Task{}, []error{failure(worker.ReasonCanceled, true)}, []string{dev}, nil},
		"deadline":                {Task{}, []error{failure(worker.ReasonDeadline, true)}, []string{dev}, nil},
		"lost once":               {Task{}, []error{crash, nil}, []string{dev, dev}, []string{"done GPU-0"}},
		"lost twice":              {Task{}, []error{crash, crash, nil}, []string{dev, dev, CPU}, nil},
		"lost everywhere":         {Task{}, []error{crash, crash, crash}, []string{dev, dev, CPU}, nil},
		"lost on the CPU":         {Task{CPUOnly: true}, []error{crash, nil}, []string{CPU, CPU}, nil},
		"lost twice on the CPU":   {Task{CPUOnly: true}, []error{crash, crash}, []string{CPU, CPU}, nil},
		"hung":                    {Task{}, []error{hang, nil}, []string{dev, dev}, []string{"hung GPU-0", "done GPU-0"}},
		"hung twice":              {Task{}, []error{hang, hang, nil}, []string{dev, dev, CPU}, []string{"hung GPU-0"}},
		"broken protocol":         {Task{}, []error{failure(worker.ReasonProtocol, true), nil}, []string{dev, dev}, []string{"done GPU-0"}},
		"device lost":             {Task{}, []error{gone, nil}, []string{dev, dev}, []string{"gone GPU-0", "done GPU-0"}},
		"device lost twice":       {Task{}, []error{gone, gone, nil}, []string{dev, dev, CPU}, []string{"gone GPU-0", "gone GPU-0"}},
		"out of memory":           {Task{}, []error{memory, nil}, []string{dev, CPU}, nil},
		"out of memory, refused":  {Task{}, []error{refuse(worker.ReasonMemory), nil}, []string{dev, CPU}, nil},
		"out of memory on CPU":    {Task{CPUOnly: true}, []error{memory}, []string{CPU}, nil},
		"out of memory on both":   {Task{}, []error{memory, memory}, []string{dev, CPU}, nil},
		"out of memory, lost":     {Task{}, []error{memory, crash, nil}, []string{dev, CPU, CPU}, nil},
		"lost, out of memory":     {Task{}, []error{crash, memory, crash}, []string{dev, dev, CPU}, nil},
		"lost, then a refusal":    {Task{}, []error{crash, refuse(worker.ReasonInput)}, []string{dev, dev}, nil},
		"protocol without a loss": {Task{}, []error{refuse(worker.ReasonProtocol)}, []string{dev}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s, r := slots(1), &reports{}
			turn := 0
			w := &workers{do: func(_ context.Context, place string, _ worker.Job) error {
				if turn >= len(c.results) || place != c.places[turn] {
					t.Fatalf("attempt %d on %s, want %v", turn, place, c.places)
				}
				turn++
				return c.results[turn-1]
			}}
			d := New(Options{Slots: s, Reports: r, Start: w.start})
			o, err := d.Do(t.Context(), c.task)
			checkOutcome(t, o, err, c.places, c.results)
			if !slices.Equal(r.all(), c.reports) {
				t.Errorf("reports %v, want %v", r.all(), c.reports)
			}
			if (o.NoDevice != nil) != (c.task.Memory > 100) {
				t.Errorf("why no device: %v", o.NoDevice)
			}
			idle(t, s)
			if err := d.Close(); err != nil {
				t.Error(err)
			}
			if open, _ := w.count(); open != 0 {
				t.Errorf("%d workers are left", open)
			}
		})
	}
}

func checkOutcome(t *testing.T, o Outcome, err error, places []string, results []error) {
	t.Helper()
	last := results[len(results)-1]
	if (last == nil) != (err == nil) || last != nil && !errors.Is(err, last) {
		t.Errorf("error %v, want %v", err, last)
	}
	if len(o.Attempts) != len(places) || o.Place() != places[len(places)-1] {
		t.Fatalf("attempts %v, want %v", o.Attempts, places)
	}
	for i, a := range o.Attempts {
		var want worker.Reason
		if f, ok := results[i].(*worker.Failure); ok {
			want = f.Reason
		}
		if a.Place != places[i] || a.Reason != want {
			t.Errorf("attempt %d: %s on %s, want %s on %s", i, a.Reason, a.Place, want, places[i])
		}
	}
}

func TestATaskWithoutAnyDeviceRunsOnTheCPU(t *testing.T) {
	w := &workers{do: func(context.Context, string, worker.Job) error { return nil }}
	d := New(Options{Slots: slots(0), Reports: &reports{}, Start: w.start})
	defer d.Close()
	o, err := d.Do(t.Context(), Task{Memory: 5})
	if err != nil || o.Place() != CPU || !errors.Is(o.NoDevice, gpu.ErrNoDevice) {
		t.Errorf("on %s because of %v: %v", o.Place(), o.NoDevice, err)
	}
}

// TestADeviceThatGoesAwayMovesItsJob takes the device out while a job runs on it.
func TestADeviceThatGoesAwayMovesItsJob(t *testing.T) {
	s, r := slots(2), &reports{}
	w := &workers{do: func(ctx context.Context, place string, _ worker.Job) error {
		if place != "GPU-0" {
			return nil
		}
		if err := s.TakeOut("GPU-0", "overheated"); err != nil {
			t.Error(err)
		}
		<-ctx.Done()
		return &worker.Failure{Reason: worker.ReasonCanceled, Err: ctx.Err()}
	}}
	d := New(Options{Slots: s, Reports: r, Start: w.start})
	o, err := d.Do(t.Context(), Task{Memory: 5})
	if err != nil || len(o.Attempts) != 2 || o.Place() != "GPU-1" {
		t.Fatalf("%+v, %v", o, err)
	}
	if a := o.Attempts[0]; a.Reason != worker.ReasonDevice || !strings.Contains(a.Err.Error(), "overheated") {
		t.Errorf("first attempt: %s, %v", a.Reason, a.Err)
	}
	if want := []string{"done GPU-1"}; !slices.Equal(r.all(), want) {
		t.Errorf("reports %v, want %v: who took the device out knows why", r.all(), want)
	}
	if open, started := w.count(); open != 1 || started != 2 {
		t.Errorf("%d of %d workers are open; the one of the device that went away is of no use", open, started)
	}
	idle(t, s)
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestAPlaceKeepsOneWorkerForTheNextJob(t *testing.T) {
	s := slots(1)
	enter, leave := make(chan int), make(chan error)
	w := &workers{do: func(context.Context, string, worker.Job) error {
		enter <- 1
		return <-leave
	}}
	d := New(Options{Slots: s, Reports: &reports{}, Start: w.start})
	var all sync.WaitGroup
	do := func() { all.Go(func() { _, _ = d.Do(t.Context(), Task{Memory: 30}) }) }
	for range 3 {
		do()
		<-enter
	}
	for range 3 {
		leave <- nil
	}
	all.Wait()
	if open, started := w.count(); open != 1 || started != 3 {
		t.Errorf("%d of %d workers are left, want 1 of 3", open, started)
	}
	do()
	<-enter
	leave <- failure(worker.ReasonInput, false)
	all.Wait()
	if open, started := w.count(); open != 1 || started != 3 {
		t.Errorf("%d of %d workers are left: the one that was idle had to be used", open, started)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestTheCPUTakesSoManyJobsAtATime(t *testing.T) {
	enter, leave := make(chan int, 9), make(chan error)
	w := &workers{do: func(context.Context, string, worker.Job) error {
		enter <- 1
		return <-leave
	}}
	d := New(Options{Slots: slots(0), Reports: &reports{}, Start: w.start, CPUs: 2})
	defer d.Close()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { _, _ = d.Do(t.Context(), Task{CPUOnly: true}) })
	}
	<-enter
	<-enter
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if o, err := d.Do(ctx, Task{CPUOnly: true}); !errors.Is(err, context.Canceled) || len(o.Attempts) != 0 {
		t.Errorf("%v, %v: the task never began", o.Attempts, err)
	}
	select {
	case <-enter:
		t.Error("three jobs at a time")
	default:
	}
	for range 4 {
		leave <- nil
	}
	all.Wait()
}

func TestCloseEndsWhatRunsAndWhatWaits(t *testing.T) {
	s := slots(1)
	running := make(chan int, 2)
	w := &workers{do: func(ctx context.Context, _ string, _ worker.Job) error {
		running <- 1
		<-ctx.Done()
		return &worker.Failure{Reason: worker.ReasonCanceled, Lost: true, Err: ctx.Err()}
	}}
	d := New(Options{Slots: s, Reports: &reports{}, Start: w.start})
	errs := make(chan error)
	for range 2 {
		go func() {
			_, err := d.Do(t.Context(), Task{Memory: 100})
			errs <- err
		}()
	}
	<-running
	for s.Snapshot().Waiting == 0 {
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if open, _ := w.count(); open != 0 {
		t.Errorf("%d workers are left", open)
	}
	for range 2 {
		if err := <-errs; !errors.Is(err, ErrClosed) {
			t.Errorf("%v, want closed", err)
		}
	}
	if _, err := d.Do(t.Context(), Task{}); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	idle(t, s)
}

func TestAnEndedContextIsTheReason(t *testing.T) {
	s := slots(1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	w := &workers{do: func(ctx context.Context, _ string, _ worker.Job) error {
		<-ctx.Done()
		return &worker.Failure{Reason: worker.ReasonCrashed, Lost: true, Err: fmt.Errorf("killed: %w", ctx.Err())}
	}}
	d := New(Options{Slots: s, Reports: &reports{}, Start: w.start})
	defer d.Close()
	o, err := d.Do(ctx, Task{})
	if !errors.Is(err, context.DeadlineExceeded) || len(o.Attempts) > 1 {
		t.Errorf("%v after %d attempts", err, len(o.Attempts))
	}
}

func TestAWorkerSeesItsDeviceAlone(t *testing.T) {
	if got := Visible("GPU-7"); !slices.Contains(got, "CUDA_VISIBLE_DEVICES=GPU-7") {
		t.Errorf("%v", got)
	}
	if got := Visible(CPU); !slices.Contains(got, "CUDA_VISIBLE_DEVICES=") {
		t.Errorf("%v", got)
	}
}

// TestNothingIsLeftWhateverBreaks runs tasks on fakes that fail at random, while devices
// come and go.
func TestNothingIsLeftWhateverBreaks(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { breakAtRandom(t, seed) })
	}
}

func breakAtRandom(t *testing.T, seed uint64) {
	const devices, tasks = 3, 60
	s := slots(devices)
	monitor := gpu.NewMonitor(s, nil, gpu.MonitorOptions{})
	var working [devices]atomic.Int64 // bytes of the tasks that run on each device
	results := []error{
		nil, nil, failure(worker.ReasonCrashed, true), failure(worker.ReasonHung, true), failure(worker.ReasonMemory, false),
		failure(worker.ReasonDevice, false), failure(worker.ReasonInput, false), failure(worker.ReasonDeadline, true),
	}
	w := &workers{do: func(ctx context.Context, place string, j worker.Job) error {
		if d := slices.IndexFunc(s.Snapshot().Devices, func(d gpu.Usage) bool { return d.Device.UUID == place }); d >= 0 {
			bytes := int64(len(j.Body[0]))
			if now := working[d].Add(bytes); now > 100 {
				t.Errorf("%d bytes of %s are in use", now, place)
			}
			defer working[d].Add(-bytes)
		}
		return results[rand.IntN(len(results))]
	}}
	d := New(Options{Slots: s, Reports: monitor, Start: w.start, CPUs: 2})
	var all sync.WaitGroup
	for n := range uint64(tasks) {
		random := rand.New(rand.NewPCG(seed, n))
		bytes, onCPU := random.IntN(120), random.IntN(5) == 0
		all.Go(func() {
			o, err := d.Do(t.Context(), Task{Memory: uint64(bytes), Body: Same(make([]byte, bytes)), CPUOnly: onCPU})
			checkRandom(t, o, err)
		})
		if uuid := fmt.Sprintf("GPU-%d", random.IntN(devices)); random.IntN(2) == 0 {
			_ = s.TakeOut(uuid, "test")
		} else {
			_ = s.PutBack(uuid)
		}
	}
	all.Wait()
	idle(t, s)
	if open, _ := w.count(); open > devices+1 {
		t.Errorf("%d workers are idle, at most one for each place may be", open)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if open, _ := w.count(); open != 0 {
		t.Errorf("%d workers are left", open)
	}
}

func checkRandom(t *testing.T, o Outcome, err error) {
	n := len(o.Attempts)
	if n == 0 || n > 3 || (err == nil) != (o.Attempts[n-1].Reason == "") {
		t.Errorf("%d attempts, the last %+v: %v", n, o.Attempts[max(n-1, 0)], err)
		return
	}
	for _, a := range o.Attempts[:n-1] {
		if !again(a) {
			t.Errorf("repeated after %s", a.Reason)
		}
	}
	if last := o.Attempts[n-1]; last.Reason == worker.ReasonCrashed && last.Place != CPU {
		t.Error("a lost task did not come to the CPU")
	}
}
