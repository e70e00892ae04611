package works

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/executor"
	"github.com/weisyn/wes/node/fleet"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/node/trade"
)

func noProgress(string, int, int) {}

// ready is a shop that offers the model on some devices.
func ready(t *testing.T, all ...Station) (*shop, trade.Program, func()) {
	t.Helper()
	s := openShop(t, t.TempDir(), Config{Serve: Serve{Any: true}})
	stop := s.worker("a", all...)
	s.devices(len(all))
	return s, s.offered(s.program(1, nil)), stop
}

func TestRunsSayWhatCameOfThem(t *testing.T) {
	b := &bench{}
	s, p, _ := ready(t, station("gpu", "fast", b))
	gate := make(chan struct{}) // what a run says before its result may be overtaken by it
	b.set(nil, gate)
	open := sync.OnceFunc(func() { close(gate) })
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	r, err := s.Run(ctx, s.task(&p, "gpu"), func(stage string, _, _ int) {
		if stage == "commit" {
			open()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(r.Output, proofs.EncodeOutput([][]int64{{1, 2}})) || string(r.Proof) != "proof" || r.Took != 3 || r.Device != "gpu" || r.Memory == 0 {
		t.Errorf("%+v", r)
	}
	s.Done(s.task(&p, "gpu"))
	await(t, func() bool { return errors.Is(s.queue.Done(t.Context(), nameOf(s.task(&p, "gpu"))), fleet.ErrNoTask) })
}

// TestReasonsOfRunsThatFail: those of workers and of the queue have the market's codes.
func TestReasonsOfRunsThatFail(t *testing.T) {
	b := &bench{}
	s, p, _ := ready(t, station("gpu", "fast", b))
	for i, c := range []struct {
		err  error
		want market.Code
	}{
		{&executor.Failure{Reason: executor.BadInput, Err: errors.New("x")}, market.CodeBadInput},
		{&executor.Failure{Reason: executor.TooLarge, Err: errors.New("x")}, market.CodeMemory},
		{&executor.Failure{Reason: executor.KeyMismatch, Err: errors.New("x")}, market.CodeExecution},
		{errors.New("x"), market.CodeExecution},
	} {
		b.set(c.err, nil)
		task := s.task(&p, "gpu")
		task.Attempt = uint8(i)
		_, err := s.Run(t.Context(), task, noProgress)
		var failed *trade.RunError
		if !errors.As(err, &failed) || failed.Code != c.want {
			t.Errorf("%v: %v", c.err, err)
		}
		s.Done(task)
	}
	for reason, want := range map[string]market.Code{
		fleet.ReasonExpired: market.CodeDeadline, fleet.ReasonLost: market.CodeDevice, fleet.ReasonStalled: market.CodeHung, "": market.CodeExecution,
	} {
		if got := codeOf(reason); got != want {
			t.Errorf("%q: %s", reason, got)
		}
	}
}

// TestRunsOnALostDevice: they end as soon as it is gone, and the next attempt runs on another one.
func TestRunsOnALostDevice(t *testing.T) {
	b := &bench{}
	s, p, stop := ready(t, station("gpu", "fast", b))
	b.set(nil, make(chan struct{}))
	ended := make(chan error, 1)
	n := b.runs.Load()
	go func() {
		_, err := s.Run(t.Context(), s.task(&p, "gpu"), noProgress)
		ended <- err
	}()
	await(t, func() bool { return b.runs.Load() > n })
	stop()
	var failed *trade.RunError
	if err := <-ended; !errors.As(err, &failed) || failed.Code != market.CodeDevice {
		t.Errorf("%v", err)
	}
	s.devices(0)
	if _, offered := s.Program(p.Ref); !offered {
		t.Error("the program is withdrawn")
	}
	again := s.task(&p, "gpu")
	again.Attempt++
	if _, err := s.Run(t.Context(), again, noProgress); !errors.As(err, &failed) || failed.Code != market.CodeDevice {
		t.Errorf("without the device: %v", err)
	}
	b.set(nil, nil)
	s.worker("b", station("gpu", "fast", b))
	s.devices(1)
	again.Attempt++
	if _, err := s.Run(t.Context(), again, noProgress); err != nil {
		t.Errorf("on the device that is back: %v", err)
	}
}

// TestHaltedRunsAreTakenBack: the worker ends them.
func TestHaltedRunsAreTakenBack(t *testing.T) {
	b := &bench{}
	s, p, _ := ready(t, station("gpu", "fast", b))
	b.set(nil, make(chan struct{}))
	ctx, halt := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	n := b.runs.Load()
	go func() {
		_, err := s.Run(ctx, s.task(&p, "gpu"), noProgress)
		ended <- err
	}()
	await(t, func() bool { return b.runs.Load() > n })
	halt(trade.ErrHalted)
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	await(t, func() bool { return b.halt.Load() == 1 })
}

// TestRunsGoOnAfterARestart: the next process gets what the worker has done for this one.
func TestRunsGoOnAfterARestart(t *testing.T) {
	b := &bench{}
	dir := t.TempDir()
	s := openShop(t, dir, Config{Serve: Serve{Any: true}})
	stop := s.worker("a", station("gpu", "fast", b))
	p := s.offered(s.program(1, nil))
	gate := make(chan struct{})
	b.set(nil, gate)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	n := b.runs.Load()
	go func() {
		_, err := s.Run(ctx, s.task(&p, "gpu"), noProgress)
		ended <- err
	}()
	await(t, func() bool { return b.runs.Load() > n })
	cancel() // the process ends, and not the job
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if b.halt.Load() != 0 {
		t.Error("the run was taken back")
	}
	close(gate)
	await(t, func() bool { // it has come, and nobody has asked for it
		s.runs.mu.Lock()
		defer s.runs.mu.Unlock()
		return len(s.runs.outcomes) == 1
	})
	task := s.task(&p, "gpu")
	stop()
	s.stop()
	s = openShop(t, dir, Config{})
	s.worker("b", station("gpu", "fast", &bench{}))
	s.devices(1)
	r, err := s.Run(t.Context(), task, noProgress)
	if err != nil || string(r.Proof) != "proof" {
		t.Errorf("%+v, %v", r, err)
	}
	if b.runs.Load() != n+1 {
		t.Errorf("it was run %d times", b.runs.Load()-n)
	}
}

// TestOutcomesWaitForWhoAsks: for a while.
func TestOutcomesWaitForWhoAsks(t *testing.T) {
	r := newRuns()
	early := fleet.Outcome{ID: "early", Body: []byte{1}}
	r.settle(early)
	x := r.begin("early", nil)
	if got := <-x.outcome; !reflect.DeepEqual(got, early) {
		t.Errorf("%+v", got)
	}
	r.settle(early)
	r.settle(early) // handed over twice
	if got := <-x.outcome; !reflect.DeepEqual(got, early) || len(x.outcome) != 0 {
		t.Errorf("%+v", got)
	}
	r.tell(fleet.Event{ID: "early"}) // nobody wants to know
	second := r.begin("early", nil)
	r.end("early", x)
	if r.settle(early); len(second.outcome) != 1 {
		t.Error("the end of the first has ended the second")
	}
	r.end("early", second)
	r.settle(fleet.Outcome{ID: "never"})
	if all := r.forgotten(time.Now()); len(all) != 0 {
		t.Errorf("%v are forgotten at once", all)
	}
	if all := r.forgotten(time.Now().Add(2 * earlyTime)); len(all) != 1 || all[0] != "never" || len(r.outcomes) != 0 {
		t.Errorf("%v are forgotten, %v are left", all, r.outcomes)
	}
}

// TestCrewKnowsItsDevices: tasks for others, and bodies that are no orders, are failures.
func TestCrewKnowsItsDevices(t *testing.T) {
	b := &bench{}
	closed := 0
	x := station("gpu", "fast", b)
	x.Close = func() error { closed++; return nil }
	c := NewCrew([]Station{x, station("cpu", "slow", b)})
	if all := c.Slots(); len(all) != 2 || all[0] != x.Slot {
		t.Errorf("%+v", all)
	}
	good := encode(&order{Version: version})
	for name, f := range map[string]struct {
		device string
		body   []byte
		retry  bool
	}{
		"another device": {"tpu", good, true}, "no order": {"gpu", []byte("x"), false}, "another version": {"gpu", encode(&order{Version: 2}), false},
	} {
		_, err := c.Execute(t.Context(), fleet.Slot{Device: f.device}, fleet.Task{Body: f.body}, "", noProgress)
		var failure *fleet.Failure
		if !errors.As(err, &failure) || failure.Reason != fleet.ReasonFailed || failure.Retry != f.retry {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := c.Close(); err != nil || closed != 1 {
		t.Errorf("%v, closed %d times", err, closed)
	}
}

func TestOrdersAndResultsAreGolden(t *testing.T) {
	o := &order{
		Version: version, Kind: chain.JobProve, Chain: chain.Hash{1}, Job: chain.Hash{2}, Payee: chain.Hash{3}, Key: chain.Hash{4}, Prove: true, Payload: []byte("in"),
	}
	zeros := hex.EncodeToString(make([]byte, 31))
	want := "88010" + strconv.Itoa(int(chain.JobProve)) + "582001" + zeros + "582002" + zeros + "582003" + zeros + "582004" + zeros + "f5" + "42" + hex.EncodeToString([]byte("in"))
	if got := hex.EncodeToString(encode(o)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, err := decodeOrder(encode(o)); err != nil || !reflect.DeepEqual(got, o) {
		t.Errorf("%+v, %v", got, err)
	}
	r := &result{Version: version, Output: []byte{1}, Proof: []byte{2, 3}, Took: 256, Memory: 5, Stages: []stage{{Name: "open", Took: 7}}}
	want = "8601" + "4101" + "420203" + "190100" + "05" + "81" + "82" + "64" + hex.EncodeToString([]byte("open")) + "07"
	if got := hex.EncodeToString(encode(r)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, err := decodeResult(encode(r)); err != nil || !reflect.DeepEqual(got, r) {
		t.Errorf("%+v, %v", got, err)
	}
	r.Stages = make([]stage, maxStages+1)
	if _, err := decodeResult(encode(r)); !errors.Is(err, errFormat) {
		t.Errorf("too many stages: %v", err)
	}
	for _, b := range [][]byte{nil, {0x80}, encode(&result{Version: 2}), append(encode(o), 0)} {
		if _, err := decodeResult(b); !errors.Is(err, errFormat) {
			t.Errorf("%x: %v", b, err)
		}
		if _, err := decodeOrder(b); !errors.Is(err, errFormat) {
			t.Errorf("%x: %v", b, err)
		}
	}
}

// FuzzBodies: bodies of workers and nodes are read or refused.
func FuzzBodies(f *testing.F) {
	f.Add(encode(&order{Version: version, Payload: []byte("in")}))
	f.Add(encode(&result{Version: version, Stages: []stage{{Name: "open"}}}))
	f.Add([]byte{0x86, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if o, err := decodeOrder(b); err == nil {
			if again, err := decodeOrder(encode(o)); err != nil || !reflect.DeepEqual(again, o) {
				t.Fatalf("%+v, %+v, %v", o, again, err)
			}
		} else if !errors.Is(err, errFormat) {
			t.Fatal(err)
		}
		if r, err := decodeResult(b); err == nil {
			if again, err := decodeResult(encode(r)); err != nil || !bytes.Equal(encode(again), encode(r)) {
				t.Fatalf("%+v, %+v, %v", r, again, err)
			}
		} else if !errors.Is(err, errFormat) {
			t.Fatal(err)
		}
	})
}
