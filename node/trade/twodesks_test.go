package trade

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"sync/atomic"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
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
	await(t, func() bool { return len(c.events) > 0 })
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
	c.config.Buyer.Search, c.config.Buyer.Rounds = 1, 1
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

// TestRestartsLoseNothing: whichever side ends and begins again, wherever the job is, it is done once
// and paid.
func TestRestartsLoseNothing(t *testing.T) {
	for name, c := range map[string]struct {
		gate, hold bool
		reached    func(c, o *party, id chain.Hash) bool
		restarted  []string // who is started again there
	}{
		"running": {
			gate: true, restarted: []string{"client", "operator"},
			reached: func(_, o *party, _ chain.Hash) bool { return o.works.runs.Load() > 0 },
		},
		"signing": {
			hold: true, restarted: []string{"operator"},
			reached: func(_, o *party, _ chain.Hash) bool { return o.works.checks.Load() > 0 },
		},
		"verified": {
			restarted: []string{"client", "operator"},
			reached:   func(c, _ *party, id chain.Hash) bool { j := c.job(id); return j.Verified() },
		},
	} {
		for _, who := range c.restarted {
			t.Run(name+" "+who, func(t *testing.T) {
				w := newWorld(t, "client", "operator")
				client, operator := w.client("client").open(), w.operator("operator")
				if c.gate {
					operator.works.gate = make(chan struct{})
				}
				if c.hold {
					operator.works.hold = make(chan struct{})
				}
				operator.open()
				id := client.order(w.request("input"))
				await(t, func() bool { return c.reached(client, operator, id) })
				p := map[string]*party{"client": client, "operator": operator}[who]
				p.reopen()
				if c.gate {
					close(operator.works.gate)
				}
				if c.hold {
					close(operator.works.hold)
				}
				w.finish(id, client, operator)
				if j := client.job(id); j.Settlement != market.Paid || !j.Verified() {
					t.Errorf("%s, %s (%s): %s", j.Execution, j.Settlement, j.Code, j.Text)
				}
				if s, _ := operator.sale(id); s.Settlement != market.Paid {
					t.Errorf("the operator: %s (%s)", s.Settlement, s.Code)
				}
			})
		}
	}
}

// TestSaleCountsOnce: also where its client comes for the result after it was paid by the ledger.
func TestSaleCountsOnce(t *testing.T) {
	w := newWorld(t, "client", "operator")
	c, o := w.client("client").open(), w.operator("operator")
	o.works.gate = make(chan struct{})
	o.config.Seller.AcceptWait = 1
	o.open()
	id := c.order(w.request("input"))
	await(t, func() bool { return o.works.runs.Load() > 0 })
	c.stop()
	o.reopen() // it has no request of the client any more
	close(o.works.gate)
	await(t, func() bool {
		w.step()
		s, _ := o.sale(id)
		return s.Ended()
	})
	if s, _ := o.sale(id); s.Settlement != market.Paid || s.Code != market.CodeProved || s.Delivered != 0 {
		t.Fatalf("%s (%s), delivered at %d", s.Settlement, s.Code, s.Delivered)
	}
	ask := &market.Collect{Job: id, Reveal: true}
	if _, err := o.Serve(t.Context(), "client", CollectProtocol, ask.Encode()); err != nil {
		t.Fatal(err)
	}
	if s, _ := o.sale(id); s.Delivered == 0 {
		t.Error("the client got nothing")
	}
	for name, want := range map[string]map[string]float64{
		"wes_market_sales_total":        {" infer zk proved paid": 1},
		"wes_market_earned_units_total": {"": 10_000},
	} {
		if got := counted(t, o.registry, name); !maps.Equal(got, want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
}

// TestNobodyIsPaidForALie: its client does not accept, and once it is late takes the bond.
func TestNobodyIsPaidForALie(t *testing.T) {
	w := newWorld(t, "client", "operator")
	c, o := w.client("client").open(), w.operator("operator")
	o.works.lie = true
	o.open()
	id := c.order(w.request("input"))
	c.until(id, func(j *Purchase) bool { return j.Code == market.CodeBadProof })
	w.mine(1)
	w.skipped.Add(3_600_000)
	w.finish(id, c)
	if j := c.job(id); j.Settlement != market.Slashed || j.Code != market.CodeBadProof || j.Execution != market.Failed {
		t.Errorf("%s, %s (%s)", j.Execution, j.Settlement, j.Code)
	}
	if _, all, err := c.Operators(t.Context()); err != nil || len(all) > 0 && all[0].Lied == 0 {
		t.Errorf("%+v, %v", all, err)
	}
}

// faulty is a verifier that cannot verify at first.
type faulty struct {
	chain.ProofVerifier
	left atomic.Int32
}

func (f *faulty) Verify(c *chain.Claim, e *chain.Evidence) (bool, error) {
	if f.left.Add(-1) >= 0 {
		return false, chaintest.ErrFault
	}
	return f.ProofVerifier.Verify(c, e)
}

// TestFaultsOfTheClientAreNoLiesOfTheOperator: what cannot be checked now is checked later.
func TestFaultsOfTheClientAreNoLiesOfTheOperator(t *testing.T) {
	w := newWorld(t, "client", "operator")
	c := w.client("client")
	v := &faulty{ProofVerifier: w.verify}
	v.left.Store(2)
	c.config.Proofs = v
	c.open()
	o := w.operator("operator").open()
	id := c.order(w.request("input"))
	w.finish(id, c, o)
	if j := c.job(id); j.Settlement != market.Paid || !j.Verified() {
		t.Errorf("%s (%s): %s", j.Settlement, j.Code, j.Text)
	}
}

// TestRunsThatFailAreReleased: after as many attempts as there are, and with the reason for the client.
func TestRunsThatFailAreReleased(t *testing.T) {
	w := newWorld(t, "client", "operator")
	c, o := w.client("client").open(), w.operator("operator")
	o.works.fail = &RunError{Code: market.CodeExecution, Text: "no luck"}
	o.open()
	id := c.order(w.request("input"))
	c.until(id, func(j *Purchase) bool { return j.Execution == market.Failed })
	if j := c.job(id); j.Code != market.CodeExecution {
		t.Errorf("%s", j.Code)
	}
	w.finish(id, c, o)
	if j := c.job(id); j.Settlement != market.Refunded || j.Code != market.CodeReleased {
		t.Errorf("%s (%s)", j.Settlement, j.Code)
	}
	if n := o.works.runs.Load(); n != 2 { // there is no CPU for a third
		t.Errorf("it was run %d times", n)
	}
}

// TestWhoSellsNoMoreEndsWhatWasSold: results that are here are settled, and what was not done is released.
func TestWhoSellsNoMoreEndsWhatWasSold(t *testing.T) {
	for name, c := range map[string]struct {
		done bool
		code market.Code
	}{"done": {true, market.CodeProved}, "not done": {false, market.CodeReleased}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "client", "operator")
			client, o := w.client("client").open(), w.operator("operator")
			o.works.gate = make(chan struct{})
			o.open()
			id := client.order(w.request("input"))
			await(t, func() bool { return o.works.runs.Load() > 0 })
			client.stop()
			if c.done {
				close(o.works.gate)
				await(t, func() bool { s, _ := o.sale(id); return s.Execution == market.Done })
			}
			o.config.Works, o.config.Capacity = nil, nil
			o.config.Seller.AcceptWait = 1
			o.reopen()
			var err error
			if asked := o.ask(t.Context(), func(context.Context, uint64) { err = o.journal.compact(o.records()) }); asked != nil || err != nil {
				t.Fatal(asked, err)
			}
			await(t, func() bool { w.step(); s, _ := o.sale(id); return s.Ended() })
			if s, _ := o.sale(id); s.Code != c.code {
				t.Errorf("%s (%s)", s.Settlement, s.Code)
			}
		})
	}
}

// TestFaultsOfTheDiskEndTheDesk: what cannot be stored is never said to be.
func TestFaultsOfTheDiskEndTheDesk(t *testing.T) {
	w := newWorld(t, "client", "operator")
	c, o := w.client("client"), w.operator("operator")
	o.works.gate = make(chan struct{})
	d, err := Open(c.config)
	if err != nil {
		t.Fatal(err)
	}
	c.Desk = d
	ended := make(chan error, 1)
	go func() { ended <- d.Run(t.Context()) }()
	w.join("client", d)
	o.open()
	c.order(w.request("input"))
	await(t, func() bool { return o.works.runs.Load() > 0 })
	if err := os.RemoveAll(d.blobs.dir); err != nil {
		t.Fatal(err)
	}
	close(o.works.gate)
	if err := <-ended; !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// TestClaimsAreAudited: a client that executes models itself refutes a wrong claim.
func TestClaimsAreAudited(t *testing.T) {
	for name, c := range map[string]struct {
		lie        bool
		settlement market.Settlement
		code       market.Code
	}{"right": {false, market.Paid, market.CodeClaimStood}, "wrong": {true, market.Slashed, market.CodeRefuted}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "client", "operator")
			client, o := w.operator("client"), w.operator("operator")
			o.works.lie = c.lie
			o.config.Seller.RiskCap = 1 // the client gets nothing before the claim
			client.open()
			o.open()
			r := w.request("input")
			r.Terms.Level, r.MaxPrice = chain.LevelOptimistic, 1_000_000
			id := client.order(r)
			await(t, func() bool { s, _ := o.sale(id); return s.Execution == market.Done })
			w.mine(1)
			w.skipped.Add(100_000) // it is urgent now
			await(t, func() bool { w.step(); j := client.job(id); return j.View.Left == market.InBlock })
			if !c.lie {
				w.skipped.Add(w.mu.net.Params.ClaimWindow + 60_000)
			}
			w.finish(id, client, o)
			if j := client.job(id); j.Settlement != c.settlement || j.Code != c.code {
				t.Errorf("%s (%s)", j.Settlement, j.Code)
			}
		})
	}
}

// TestReplicasArePaidByMajority: three operators, of which one lies.
func TestReplicasArePaidByMajority(t *testing.T) {
	names := []string{"a", "b", "liar"}
	w := newWorld(t, append(names, "client")...)
	c := w.client("client").open()
	for _, name := range names {
		o := w.operator(name)
		o.works.lie = name == "liar"
		o.open()
	}
	await(t, func() bool { all, _, err := c.Operators(t.Context()); return err == nil && len(all) == len(names) })
	r := w.request("input")
	r.Terms.Level, r.MaxPrice, r.Replicas = chain.LevelOptimistic, 1_000_000, len(names)
	ids, err := c.Order(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	good := map[string]int{}
	await(t, func() bool {
		w.step()
		clear(good)
		for _, id := range ids {
			j := c.job(id)
			good[string(j.Settlement)+" "+string(j.Code)]++
		}
		return good["paid accepted"] == 2
	})
	for _, id := range ids {
		j := c.job(id)
		to, _ := j.Contact()
		if paid := j.Settlement == market.Paid; paid == (to.Peer == "liar") {
			t.Errorf("%s: %s (%s)", to.Peer, j.Settlement, j.Code)
		}
	}
}

// TestCanceledJobsCostNothing: until somebody has it, a job can be given up.
func TestCanceledJobsCostNothing(t *testing.T) {
	w := newWorld(t, "client", "operator")
	c, o := w.client("client").open(), w.operator("operator")
	o.works.hold = make(chan struct{})
	o.open()
	id := c.order(w.request("input"))
	await(t, func() bool { return o.works.checks.Load() > 0 })
	if err := c.Cancel(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if j := c.job(id); j.Code != market.CodeCanceled || !j.Ended() {
		t.Errorf("%s", j.Code)
	}
	close(o.works.hold)
	await(t, func() bool {
		all, err := c.config.Wallet.Balances(t.Context())
		return err == nil && len(all) == 1 && all[0].Reserved == 0 && all[0].Spendable == worldCoins*worldCoin
	})
}

func TestOrdersOutOfBounds(t *testing.T) {
	w := newWorld(t, "client")
	c := w.client("client").open()
	poor := w.client("poor").open()
	for name, x := range map[string]struct {
		who    *party
		change func(r *Request)
		want   error
	}{
		"poor":      {poor, func(*Request) {}, ErrNoFunds},
		"no token":  {c, func(r *Request) { r.Terms.Token = chain.TokenID{1} }, ErrNoFunds},
		"payload":   {c, func(r *Request) { r.Payload = make([]byte, market.MaxPayload+1) }, market.ErrTerms},
		"kind":      {c, func(r *Request) { r.Terms.Kind = 9 }, market.ErrTerms},
		"deadline":  {c, func(r *Request) { r.Deadline = w.now() }, market.ErrDeadline},
		"price":     {c, func(r *Request) { r.MaxPrice = 0 }, market.ErrPrice},
		"replicas":  {c, func(r *Request) { r.Replicas, r.Terms.Level = 17, chain.LevelOptimistic }, market.ErrTerms},
		"zk twice":  {c, func(r *Request) { r.Replicas = 2 }, market.ErrTerms},
		"own input": {c, func(r *Request) { r.Input = []byte("another") }, market.ErrTerms},
	} {
		r := w.request("input")
		x.change(&r)
		if ids, err := x.who.Order(t.Context(), r); !errors.Is(err, x.want) || len(ids) > 0 {
			t.Errorf("%s: %v, %v", name, ids, err)
		}
	}
}

// TestJobsFollowTheLedgerBack: what a block said that is no more does not count. The transactions are
// submitted again.
func TestJobsFollowTheLedgerBack(t *testing.T) {
	w := newWorld(t, "client", "operator")
	c, o := w.client("client").open(), w.operator("operator").open()
	id := c.order(w.request("input"))
	c.until(id, verified)
	await(t, func() bool { w.step(); j := c.job(id); return j.Settlement == market.Paid })
	height := w.Tip().Height
	for j := c.job(id); w.Tip().Height > j.View.Height-j.View.LeftDepth; {
		w.undo()
	}
	c.until(id, func(j *Purchase) bool { return j.Settlement != market.Paid && j.View.Height < height })
	w.finish(id, c, o)
	if j := c.job(id); j.Settlement != market.Paid || j.Code != market.CodeAccepted {
		t.Errorf("%s (%s)", j.Settlement, j.Code)
	}
}
