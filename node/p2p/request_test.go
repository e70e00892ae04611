package p2p

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestRequestsAreAnsweredWithinTheirLimits(t *testing.T) {
	for _, listen := range []string{overQUIC, overTCP} {
		a, b := start(t, listen+"a", nil), open(t, listen+"b", func(c *Config) { c.Listen = []string{listen} })
		s := service("echo")
		s.MaxRequest = 3 << 20
		must(t, b.Handle(s, echo))
		b.start(t)
		join(t, a, b)
		big := bytes.Repeat([]byte("data"), 1<<19)
		for _, q := range [][]byte{nil, []byte("small"), big} {
			got, err := a.Request(t.Context(), b.Self(), "echo", q, 2<<20)
			if err != nil || !bytes.Equal(got, q) {
				t.Fatalf("%d bytes: %d, %v", len(q), len(got), err)
			}
		}
		for _, c := range []struct {
			request string
			want    error
		}{
			{ErrNotFound.Error(), ErrNotFound},
			{ErrBusy.Error(), ErrBusy},
			{ErrRefused.Error(), ErrRefused},
			{"fault", ErrRefused},
			{string(big) + "x", ErrTooLarge},
		} {
			if _, err := a.Request(t.Context(), b.Self(), "echo", []byte(c.request), 2<<20); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		}
		if _, err := a.Request(t.Context(), b.Self(), "other", nil, 10); !errors.Is(err, ErrRefused) {
			t.Errorf("a protocol that is not spoken: %v", err)
		}
	}
}

func TestOnlyMembersAreAsked(t *testing.T) {
	a := start(t, "a", nil)
	for _, p := range []Peer{"nonsense", "", a.Self()} {
		if _, err := a.Request(t.Context(), p, "echo", nil, 10); !errors.Is(err, ErrLost) {
			t.Errorf("%q: %v", p, err)
		}
	}
}

func TestRequestEndsWithItsContext(t *testing.T) {
	a, b := start(t, "a", nil), open(t, "b", nil)
	must(t, b.Handle(service("wait"), func(ctx context.Context, _ Peer, _ []byte) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}))
	b.start(t)
	join(t, a, b)
	short, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	if _, err := a.Request(short, b.Self(), "wait", nil, 10); !errors.Is(err, ErrTimeout) {
		t.Error(err)
	}
	over, end := context.WithCancel(t.Context())
	end()
	if _, err := a.Request(over, b.Self(), "wait", nil, 10); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestAnswerHasItsTime(t *testing.T) {
	a, b := start(t, "a", nil), open(t, "b", nil)
	s := service("wait")
	s.Within = 50 * time.Millisecond
	must(t, b.Handle(s, func(ctx context.Context, _ Peer, _ []byte) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}))
	b.start(t)
	join(t, a, b)
	if _, err := a.Request(t.Context(), b.Self(), "wait", nil, 10); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
}

func TestPeerHasItsShareAndItsRate(t *testing.T) {
	a, c, b := start(t, "a", nil), start(t, "c", nil), open(t, "b", nil)
	hold, entered := make(chan struct{}), make(chan Peer, 100)
	s := service("work")
	s.PerPeer, s.Total, s.Rate, s.Burst = 2, 12, 1e-9, 4
	must(t, b.Handle(s, func(_ context.Context, from Peer, _ []byte) ([]byte, error) {
		entered <- from
		<-hold
		return nil, nil
	}))
	b.start(t)
	join(t, a, b)
	join(t, c, b)
	var asked sync.WaitGroup
	ask := func(n *node) {
		asked.Go(func() {
			if _, err := n.Request(context.Background(), b.Self(), "work", nil, 1); err != nil {
				t.Error(err)
			}
		})
		if from := <-entered; from != n.Self() {
			t.Errorf("request of %s", from)
		}
	}
	ask(a)
	ask(a)
	if _, err := a.Request(t.Context(), b.Self(), "work", nil, 1); !errors.Is(err, ErrBusy) {
		t.Errorf("a third at once: %v", err)
	}
	ask(c) // the third of the address
	if _, err := c.Request(t.Context(), b.Self(), "work", nil, 1); !errors.Is(err, ErrBusy) {
		t.Errorf("more than a quarter for one address: %v", err)
	}
	close(hold)
	asked.Wait()
	for i := range 4 {
		if _, err := a.Request(t.Context(), b.Self(), "work", nil, 1); (err == nil) != (i < 2) {
			t.Errorf("request %d after a burst of 4: %v", i, err)
		}
	}
}
