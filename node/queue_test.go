package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
)

// TestMain leaves to libp2p what its hosts leave to the process; see package p2p.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/quic-go/quic-go.(*Transport).listen"),
		goleak.IgnoreAnyFunction("github.com/libp2p/go-flow-metrics.(*sweeper).run"),
		goleak.IgnoreTopFunction("github.com/ipfs/go-log/v2/writer.(*MirrorWriter).logRoutine"),
		goleak.IgnoreAnyFunction("go.opencensus.io/stats/view.(*worker).start"),
	)
}

// started runs a queue until the test ends.
func started(t *testing.T) (*queue, func() error) {
	t.Helper()
	q := newQueue()
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	nothing := func(bool) {}
	go func() { failed <- q.run(ctx, func(uint64) error { return nil }, nothing) }()
	stop := func() error { cancel(); <-q.ended; return <-failed }
	return q, stop
}

func TestQueueRunsOneAtATimeAndStops(t *testing.T) {
	q, stop := started(t)
	n := 0 // without a lock: the race detector watches
	done := make(chan error)
	for range 50 {
		go func() { done <- q.do(t.Context(), func(uint64) error { n++; return nil }) }()
	}
	for range 50 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := stop(); err != nil || n != 50 {
		t.Errorf("%d steps, %v", n, err)
	}
	for range maxQueued + 1 { // more than fit
		if err := q.do(t.Context(), func(uint64) error { return nil }); !errors.Is(err, errStopped) {
			t.Fatalf("after the end: %v", err)
		}
	}
}

func TestQueueEndsWithTheFirstFault(t *testing.T) {
	q := newQueue()
	fault := errors.New("the disk is gone")
	failed := make(chan error, 1)
	go func() {
		failed <- q.run(t.Context(), func(uint64) error { return nil }, func(bool) {})
	}()
	if err := q.do(t.Context(), func(uint64) error { return fault }); err != nil && !errors.Is(err, errStopped) {
		t.Error(err)
	}
	if err := <-failed; !errors.Is(err, fault) {
		t.Error(err)
	}
}

// TestAPeerFillsOnlyItsRoom blocks the owner, lets one peer send more than its room, and shows
// that another's events are still taken.
func TestAPeerFillsOnlyItsRoom(t *testing.T) {
	q, stop := started(t)
	entered, release := make(chan struct{}), make(chan struct{})
	blocked := make(chan error, 1)
	go func() {
		blocked <- q.do(t.Context(), func(uint64) error { close(entered); <-release; return nil })
	}()
	<-entered
	flood := make(chan error, 2*maxPeerQueued)
	var ran atomic.Bool
	ctx, cancel := context.WithCancel(t.Context())
	for range 2 * maxPeerQueued {
		go func() { flood <- q.of(ctx, "flooder", func(uint64) error { ran.Store(true); return nil }) }()
	}
	room := q.room("flooder")
	for len(room) < maxPeerQueued {
		pause(ctx, nil, 1)
	}
	honest := make(chan error, 1)
	go func() { honest <- q.of(t.Context(), "honest", func(uint64) error { return nil }) }()
	for len(q.events) < maxPeerQueued+1 {
		pause(ctx, nil, 1)
	}
	if len(q.events) != maxPeerQueued+1 {
		t.Errorf("%d events wait, want %d", len(q.events), maxPeerQueued+1)
	}
	cancel()
	for range 2 * maxPeerQueued {
		if err := <-flood; !errors.Is(err, context.Canceled) {
			t.Errorf("given up: %v", err)
		}
	}
	close(release)
	if err := errors.Join(<-honest, <-blocked, stop()); err != nil || ran.Load() {
		t.Errorf("an event that was given up has run: %v; %v", ran.Load(), err)
	}
}

func TestFirstFaultStopsAllPartsAndIsNamed(t *testing.T) {
	fault := errors.New("the disk is gone")
	until := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for _, c := range []struct {
		run  func(context.Context) error
		want error
	}{
		{func(context.Context) error { return fault }, fault},
		{func(context.Context) error { return nil }, errLeft},
	} {
		err := supervise(t.Context(), slog.New(slog.DiscardHandler), []part{{"peers", until}, {"store", c.run}})
		var p *PartError
		if !errors.As(err, &p) || p.Part != "store" || !errors.Is(err, c.want) {
			t.Errorf("%v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := supervise(ctx, slog.New(slog.DiscardHandler), []part{{"peers", until}}); err != nil {
		t.Errorf("stopped: %v", err)
	}
}

func TestWhoWaitedForAFaultyLedgerIsNotAtFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fault := errors.New("the disk is gone")
		miner := part{"miner", func(context.Context) error { return fmt.Errorf("block template: %w", errStopped) }}
		ledger := part{"ledger", func(context.Context) error {
			synctest.Wait() // the miner's error has been looked at
			return fault
		}}
		err := supervise(t.Context(), slog.New(slog.DiscardHandler), []part{ledger, miner})
		var p *PartError
		if !errors.As(err, &p) || p.Part != "ledger" || !errors.Is(err, fault) {
			t.Errorf("%v", err)
		}
	})
}

func TestPartsCloseInReverse(t *testing.T) {
	var order []string
	var c closers
	c.add("first", func() error { order = append(order, "first"); return errors.New("stuck") })
	c.add("second", func() error { order = append(order, "second"); return nil })
	if err := c.close(); err == nil || err.Error() != "close first: stuck" || strings.Join(order, " ") != "second first" {
		t.Errorf("%v: %v", order, err)
	}
}
