package trade

import (
	"context"
	"errors"
	"testing"

	"github.com/weisyn/wes/market"
)

// TestJobIsDoneAndPaid: two desks in one process, from the order to the end on the ledger.
func TestJobIsDoneAndPaid(t *testing.T) {
	w := newWorld(t, "client", "operator")
	c := w.client("client").open()
	o := w.operator("operator").open()
	id := c.order(w.request("input"))
	c.until(id, verified)
	w.finish(id, c, o)
	j := c.job(id)
	if j.Settlement != market.Paid || j.Code != market.CodeAccepted || j.Price() != 10_000 {
		t.Errorf("%s (%s) for %d", j.Settlement, j.Code, j.Price())
	}
	if got, err := c.Blob(j.Output); err != nil || string(got) != "output of input" {
		t.Errorf("%q, %v", got, err)
	}
	s, ok := o.sale(id)
	if !ok || s.Settlement != market.Paid || s.Code != market.CodeAccepted {
		t.Errorf("%+v", s)
	}
	if o.works.done.Load() != 1 {
		t.Errorf("%d outcomes were done with", o.works.done.Load())
	}
}

// TestQuestionsThatNobodyWaitsForAreNotCarriedOut: an error says that nothing has happened, and
// nothing will.
func TestQuestionsThatNobodyWaitsForAreNotCarriedOut(t *testing.T) {
	w := newWorld(t, "client")
	c := w.client("client").open()
	busy, free := make(chan struct{}), make(chan struct{})
	c.post(t.Context(), event{do: func(context.Context, uint64) { close(busy); <-free }})
	<-busy
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error, 1)
	go func() {
		_, err := c.Order(ctx, w.request("input"))
		answer <- err
	}()
	await(t, func() bool { return len(c.events) == 1 })
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(free)
	if all, err := c.Jobs(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%d jobs, %v", len(all), err)
	}
	c.stop()
	if _, err := c.Order(t.Context(), w.request("input")); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// TestTimePassesUnderLoad: where there is always another event, jobs end in time all the same.
func TestTimePassesUnderLoad(t *testing.T) {
	w := newWorld(t, "client")
	c := w.client("client")
	c.config.Buyer.Search = 1
	c.open()
	var load func(context.Context, uint64)
	load = func(context.Context, uint64) {
		select {
		case c.events <- event{do: load}:
		default:
		}
	}
	c.post(t.Context(), event{do: load})
	c.post(t.Context(), event{do: load})
	id := c.order(w.request("input"))
	c.until(id, ended)
	if j := c.job(id); j.Code != market.CodeNoBid {
		t.Errorf("%+v", j.Code)
	}
}
