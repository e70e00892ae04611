package fleet

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestTaskIsDoneByALocalWorker(t *testing.T) {
	n := run(t, Config{})
	n.worker("a", &trial{slots: cpu(1)})
	n.submit(job("x", "echo"))
	o := n.want("x", "")
	if string(o.Body) != "a cpu" || o.Device != "cpu" || o.Attempts != 1 {
		t.Errorf("outcome %+v", o)
	}
}

func TestOutcomesSayWhatBecameOfATask(t *testing.T) {
	n := run(t, Config{})
	n.worker("a", &trial{slots: cpu(2)})
	for i, c := range []struct {
		what, reason string
		attempts     int
	}{
		{"fail", ReasonFailed, 1},
		{"refuse", "bad_input", 1},
		{"again 3", "", 3},
		{"again 4", "worker_crashed", 3},
		{"huge", ReasonTooLarge, 1},
		{"large", "", 1},
		{"nonsense", "unknown", 1},
	} {
		id := fmt.Sprint("task-", i)
		n.submit(job(id, c.what))
		if o := n.want(id, c.reason); o.Attempts != c.attempts || len(o.Detail) > MaxDetail {
			t.Errorf("%s: %d attempts, want %d; detail of %d bytes", c.what, o.Attempts, c.attempts, len(o.Detail))
		}
	}
}

func TestTaskGivenTwiceIsDoneOnce(t *testing.T) {
	n := run(t, Config{})
	var begun atomic.Int32
	n.worker("a", &trial{cpu(2), func(Task) { begun.Add(1) }})
	n.submit(job("x", "echo"), job("x", "echo"), job("x", "echo"))
	n.want("x", "")
	if err := n.Submit(t.Context(), job("x", "echo")); !errors.Is(err, ErrDone) {
		t.Errorf("submit again: %v, want ErrDone", err)
	}
	n.submit(job("y", "echo"))
	n.want("y", "")
	if begun.Load() != 2 {
		t.Errorf("%d executions, want 2", begun.Load())
	}
}

func TestTaskOfADeviceGoesToItsWorker(t *testing.T) {
	n := run(t, Config{})
	n.worker("a", &trial{slots: []Slot{{Device: "GPU-a", Memory: 1}}})
	n.worker("b", &trial{slots: []Slot{{Device: "GPU-b", Memory: 1}}})
	for i := range 6 {
		task := job(fmt.Sprint("t", i), "echo")
		task.Device = []string{"GPU-a", "GPU-b"}[i%2]
		n.submit(task)
		if o := n.want(task.ID, ""); o.Device != task.Device {
			t.Errorf("task of %s was done on %s", task.Device, o.Device)
		}
	}
}

func TestTaskGoesWhereItsMemoryIs(t *testing.T) {
	n := run(t, Config{})
	n.worker("small", &trial{slots: []Slot{{Device: "s", Memory: 10}}})
	n.worker("large", &trial{slots: []Slot{{Device: "l", Memory: 100}}})
	for i := range 5 {
		task := job(fmt.Sprint("t", i), "echo")
		task.Memory = 50
		n.submit(task)
		if o := n.want(task.ID, ""); o.Device != "l" || o.Attempts != 1 {
			t.Errorf("task of 50 bytes was done on %s in %d attempts", o.Device, o.Attempts)
		}
	}
}

func TestSlotTakesOneTaskAtATime(t *testing.T) {
	n := run(t, Config{})
	var running, most atomic.Int32
	n.worker("a", &counted{trial{slots: cpu(3)}, &running, &most})
	for i := range 30 {
		n.submit(job(fmt.Sprint("t", i), "echo"))
	}
	for range 30 {
		n.outcome()
	}
	if most.Load() > 3 {
		t.Errorf("%d tasks at a time in 3 slots", most.Load())
	}
}

func TestTaskPastDueIsNotBegun(t *testing.T) {
	for _, workers := range []int{0, 1} {
		t.Run(fmt.Sprint(workers, " workers"), func(t *testing.T) {
			n := run(t, Config{})
			for range workers {
				n.worker("a", &trial{cpu(1), func(Task) { t.Error("begun") }})
			}
			task := job("x", "echo")
			task.Due = uint64(time.Now().UnixMilli()) - 1
			n.submit(task)
			if o := n.want("x", ReasonExpired); o.Attempts != 0 {
				t.Errorf("%d attempts", o.Attempts)
			}
		})
	}
}

func TestTaskBegunInTimeMayEndLate(t *testing.T) {
	n := run(t, Config{})
	n.worker("a", &trial{slots: cpu(1), begun: func(task Task) {
		// Longer than the node's grace for tasks that are not said to run.
		<-time.After(time.Until(time.UnixMilli(int64(task.Due))) + 5*quick.Beat)
	}})
	task := job("x", "echo")
	task.Due = uint64(time.Now().Add(2 * time.Second).UnixMilli())
	n.submit(task)
	n.want("x", "")
}

func TestCancelledTaskIsLeft(t *testing.T) {
	n := run(t, Config{})
	begun := make(chan Task, 1)
	n.worker("a", &trial{cpu(1), func(t Task) { begun <- t }})
	n.submit(job("x", "hang"))
	<-begun
	if err := n.Cancel(t.Context(), "x"); err != nil {
		t.Fatal(err)
	}
	n.want("x", ReasonCanceled)
	n.submit(job("y", "echo"))
	n.want("y", "")
	if err := n.Cancel(t.Context(), "x"); !errors.Is(err, ErrNoTask) {
		t.Errorf("cancel what is done: %v", err)
	}
}

func TestHungTaskIsGivenUp(t *testing.T) {
	n := run(t, Config{Stall: 300 * time.Millisecond})
	n.worker("a", &trial{slots: cpu(1)})
	n.submit(job("x", "who"))
	if o := n.want("x", ""); o.Attempts != 2 {
		t.Errorf("%d attempts, want 2", o.Attempts)
	}
	n.submit(job("y", "hang"))
	if o := n.want("y", ReasonStalled); o.Attempts != 3 {
		t.Errorf("%d attempts, want 3", o.Attempts)
	}
}

func TestFullQueueRefuses(t *testing.T) {
	n := run(t, Config{MaxTasks: 3})
	n.submit(job("a", ""), job("b", ""), job("c", ""))
	if err := n.Submit(t.Context(), job("d", "")); !errors.Is(err, ErrFull) {
		t.Errorf("fourth of three: %v", err)
	}
	n.submit(job("a", ""))

	n = run(t, Config{MaxBytes: 1 << 20})
	if err := n.Submit(t.Context(), job("a", strings.Repeat("x", 2<<20))); !errors.Is(err, ErrFull) {
		t.Errorf("2 MiB in a queue of 1: %v", err)
	}
	n.submit(job("a", "x"))
}

func TestTaskOutOfBoundsIsRefused(t *testing.T) {
	n := run(t, Config{})
	for name, change := range map[string]func(*Task){
		"no ID":       func(t *Task) { t.ID = "" },
		"dotted ID":   func(t *Task) { t.ID = "a.b" },
		"long ID":     func(t *Task) { t.ID = strings.Repeat("a", 65) },
		"kind":        func(t *Task) { t.Kind = "think" },
		"program":     func(t *Task) { t.Program = "../x" },
		"device":      func(t *Task) { t.Device = "GPU *" },
		"long device": func(t *Task) { t.Device = strings.Repeat("a", 65) },
	} {
		task := job("x", "")
		change(&task)
		if err := n.Submit(t.Context(), task); !errors.Is(err, ErrTask) {
			t.Errorf("%s: %v", name, err)
		}
	}
	task := job("x", "")
	task.Body = make([]byte, MaxBody+1)
	if err := n.Submit(t.Context(), task); !errors.Is(err, ErrTooLarge) {
		t.Errorf("body: %v", err)
	}
	task.Body = bytes.Repeat([]byte{1}, MaxBody)
	n.submit(task)
}

func TestSlotsFollowTheWorkers(t *testing.T) {
	n := run(t, Config{})
	slots, changed := n.Slots()
	if len(slots) != 0 {
		t.Fatalf("slots %v", slots)
	}
	stop := n.worker("a", &trial{slots: []Slot{{Device: "GPU-a", Class: "h100", Memory: 80}, {Device: "cpu", CPU: true}}})
	<-changed
	slots, changed = n.Slots()
	if len(slots) != 2 || slots[0] != (Slot{"a", "GPU-a", "h100", 80, false}) {
		t.Errorf("slots %v", slots)
	}
	stop()
	<-changed
	if slots, _ = n.Slots(); len(slots) != 0 {
		t.Errorf("slots %v", slots)
	}
}

// TestProgressReachesTheNode: the last of what comes in a moment, and not all of it.
func TestProgressReachesTheNode(t *testing.T) {
	n := run(t, Config{})
	n.worker("a", &trial{slots: cpu(1)})
	n.submit(job("x", "steps"))
	var all []Event
	for e := range n.Events() {
		if all = append(all, e); e.Done == 5 {
			break
		}
	}
	if len(all) > 2 || all[len(all)-1] != (Event{"x", "step", 5, 5}) {
		t.Errorf("%v", all)
	}
	n.want("x", "")
}
