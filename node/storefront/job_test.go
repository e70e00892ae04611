package storefront

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/chain/ures"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/capacity"
	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/node/trade"
)

// submit has a job of the model.
func (w *world) submit(verification string) *gateway.Job {
	w.t.Helper()
	if len(w.ledger.outputs) == 0 {
		w.announce(1, "client", "iris", "a", nil)
	}
	q := w.request("iris")
	q.Verification = verification
	j, err := w.Submit(w.t.Context(), q)
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

// get reads a job after it has changed.
func (w *world) get(id string, change func(p *trade.Purchase)) *gateway.Job {
	w.t.Helper()
	h, err := parseHash(id)
	if err != nil {
		w.t.Fatal(err)
	}
	w.desk.change(h, change)
	j, err := w.Job(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return j
}

// TestJobsOnEveryAxis follows one from its order to its payment.
func TestJobsOnEveryAxis(t *testing.T) {
	w := newWorld(t, nil)
	operator := chaintest.NewWallet("operator").Public()
	j := w.submit("")
	if j.Level != "zk" || j.ProofStatus != gateway.ProofPending || j.Price != "" || j.Ended || j.Times.Due != 0 {
		t.Errorf("%+v", j)
	}
	p, _ := parseHash(j.ID)
	j = w.get(j.ID, func(x *trade.Purchase) {
		x.Phase, x.Assignment, x.Execution, x.Settlement = 3, market.Assigned, market.Running, market.Escrowed
		x.Operator = []market.Contact{{Operator: operator}}
		x.Agreed = []market.Bid{{Operator: operator, Price: 10, Promise: 1, Class: "class"}}
		params := chain.DefaultParams()
		x.Terms.Client = w.key.Public()
		x.Escrow = x.Terms.Escrow(p, &x.Agreed[0], &params, 1000).State().Data
		x.At, x.Submitted, x.Started = market.Ref{Tx: chain.Hash{7}}, 1, 2
		x.Progress = &market.Progressed{Stage: "commit", Done: 1, Total: 4, Device: "faster"}
	})
	if j.Assignment != "assigned" || j.Execution != "running" || j.Settlement != "escrowed" || j.Price != "10" || j.Operator != keyText(operator) ||
		j.Stage != "commit" || j.Done != 1 || j.Total != 4 || j.Device != "faster" || j.EscrowTx != (chain.Hash{7}).String() ||
		j.Times.Submitted != 1 || j.Times.Assigned != 2 || j.Times.Due <= 1000 || len(j.Outputs) > 0 {
		t.Errorf("%+v", j)
	}
	if _, err := w.Proof(t.Context(), j.ID); err == nil {
		t.Error("there is a proof")
	}
	m, err := w.model(t.Context(), w.desk.jobs[0].Terms.Key)
	if err != nil {
		t.Fatal(err)
	}
	var cells [][]int64
	for _, o := range m.graph.Outputs {
		n := 1
		for _, d := range o.Shape {
			n *= d
		}
		cells = append(cells, make([]int64, n))
	}
	output, proof := w.desk.keep(proofs.EncodeOutput(cells)), w.desk.keep([]byte("proof"))
	j = w.get(j.ID, func(x *trade.Purchase) {
		x.Phase, x.Execution, x.Revealed, x.Output, x.Proof, x.Delivered = 4, market.Done, true, output, proof, 3
	})
	if j.ProofStatus != gateway.ProofPending || len(j.Outputs) != len(m.graph.Outputs) || j.ProofCID != ures.RawCID(proof) || j.ProofBytes != 5 || j.Stage != "" || j.Device != "class" || j.Times.Outputs != 3 {
		t.Errorf("%+v", j)
	}
	if got, err := w.Proof(t.Context(), j.ID); err != nil || string(got) != "proof" {
		t.Errorf("%q, %v", got, err)
	}
	j = w.get(j.ID, func(x *trade.Purchase) {
		x.Phase, x.Checked, x.Settlement, x.Code, x.Assignment = over, true, market.Paid, market.CodeAccepted, market.Closed
		x.View = market.View{Height: 20, Left: market.InBlock, LeftTx: chain.Hash{8}, LeftDepth: 6}
	})
	if !j.Ended || j.ProofStatus != gateway.ProofVerified || j.Settlement != "paid" || j.Reason != "accepted" || j.Height != 15 || j.SettleTx != (chain.Hash{8}).String() {
		t.Errorf("%+v", j)
	}
	j = w.get(j.ID, func(x *trade.Purchase) { x.Checked, x.Code = false, market.CodeBadProof })
	if j.ProofStatus != gateway.ProofRefused || len(j.Outputs) > 0 {
		t.Errorf("outputs of a refused proof: %+v", j)
	}
	clear(w.desk.blobs)
	j = w.get(j.ID, func(x *trade.Purchase) { x.Code = market.CodeAccepted })
	if len(j.Outputs) > 0 {
		t.Errorf("%+v", j.Outputs)
	}
	_, err = w.Proof(t.Context(), j.ID)
	problem(t, "proof", err, http.StatusNotFound, gateway.ReasonNotFound)
}

// TestOutputsOfReplicasWaitForTheMajority: and come from whichever replica is of it.
func TestOutputsOfReplicasWaitForTheMajority(t *testing.T) {
	w := newWorld(t, nil)
	j := w.submit("replicated:2")
	m, err := w.model(t.Context(), w.desk.jobs[0].Terms.Key)
	if err != nil {
		t.Fatal(err)
	}
	var cells [][]int64
	for _, o := range m.graph.Outputs {
		n := 1
		for _, d := range o.Shape {
			n *= d
		}
		cells = append(cells, make([]int64, n))
	}
	output := w.desk.keep(proofs.EncodeOutput(cells))
	other := w.desk.jobs[0].ID
	j = w.get(j.ID, func(x *trade.Purchase) { x.Revealed, x.Output, x.Delivered = true, output, 3 })
	if len(j.Outputs) != 0 || j.Times.Outputs != 0 || j.ProofStatus != gateway.ProofNone || j.Level != "replicated:2" {
		t.Errorf("%+v", j)
	}
	w.desk.change(other, func(x *trade.Purchase) { x.Revealed, x.Output, x.Checked = true, output, true })
	if j, err = w.Job(t.Context(), j.ID); err != nil || len(j.Outputs) == 0 {
		t.Errorf("%+v, %v", j, err)
	}
}

func TestJobsThatAreNotThere(t *testing.T) {
	w := newWorld(t, nil)
	for _, id := range []string{"", "x", strings.Repeat("0", 63), strings.Repeat("0", 64), strings.Repeat("x", 5000)} {
		_, err := w.Job(t.Context(), id)
		problem(t, id, err, http.StatusNotFound, gateway.ReasonNotFound)
		_, err = w.Watch(t.Context(), id)
		problem(t, id, err, http.StatusNotFound, gateway.ReasonNotFound)
		problem(t, id, w.Cancel(t.Context(), id), http.StatusNotFound, gateway.ReasonNotFound)
		_, err = w.Explain(t.Context(), id)
		problem(t, id, err, http.StatusNotFound, gateway.ReasonNotFound)
		_, err = w.Bids(t.Context(), id)
		problem(t, id, err, http.StatusNotFound, gateway.ReasonNotFound)
		_, err = w.Proof(t.Context(), id)
		problem(t, id, err, http.StatusNotFound, gateway.ReasonNotFound)
	}
}

// TestJobsComeInPages: each is on one, and replicas on two pages are replicas still.
func TestJobsComeInPages(t *testing.T) {
	w := newWorld(t, nil)
	for range 3 {
		w.submit("")
	}
	w.submit("replicated:2")
	w.desk.change(chain.Hash{2}, func(p *trade.Purchase) { p.Phase = over })
	for _, c := range []struct {
		open  bool
		limit int
		want  []string
	}{
		{false, 1, []string{"replicated:2", "replicated:2", "zk", "zk", "zk"}},
		{false, 2, []string{"replicated:2", "replicated:2", "zk", "zk", "zk"}},
		{true, 3, []string{"replicated:2", "replicated:2", "zk", "zk"}},
		{false, 5, []string{"replicated:2", "replicated:2", "zk", "zk", "zk"}},
		{false, 100, []string{"replicated:2", "replicated:2", "zk", "zk", "zk"}},
		{false, 0, []string{"replicated:2", "replicated:2", "zk", "zk", "zk"}},
	} {
		var got []string
		seen := map[string]bool{}
		cursor := ""
		for first := true; first || cursor != ""; first = false {
			page, next, err := w.Jobs(t.Context(), gateway.JobFilter{Open: c.open, Limit: c.limit, Cursor: cursor})
			if err != nil || len(page) > max(c.limit, 1) {
				t.Fatal(len(page), err)
			}
			for _, j := range page {
				if seen[j.ID] {
					t.Fatalf("%s is on two pages", j.ID)
				}
				seen[j.ID] = true
				got = append(got, j.Level)
			}
			cursor = next
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v", c, got)
		}
	}
	_, _, err := w.Jobs(t.Context(), gateway.JobFilter{Limit: 1, Cursor: "gone"})
	problem(t, "cursor", err, http.StatusNotFound, gateway.ReasonNotFound)
}

// TestWatchersGetTheLatest: a slow one misses what is past, and never the end.
func TestWatchersGetTheLatest(t *testing.T) {
	w := newWorld(t, nil)
	j := w.submit("")
	id, _ := parseHash(j.ID)
	watch, err := w.Watch(t.Context(), j.ID)
	if err != nil {
		t.Fatal(err)
	}
	if first := <-watch; first.Execution != "idle" {
		t.Errorf("%+v", first)
	}
	for _, e := range []market.Execution{market.Queued, market.Running, market.Proving} {
		w.desk.change(id, func(p *trade.Purchase) { p.Execution = e })
	}
	for e := ""; e != "proving"; {
		e = (<-watch).Execution
	}
	w.desk.change(id, func(p *trade.Purchase) { p.Phase = over })
	ended := false
	for j := range watch {
		ended = j.Ended
	}
	if !ended {
		t.Error("the end is missing")
	}
	// Of a job that has ended there is one event, and who goes away is waited for no more.
	if watch, err = w.Watch(t.Context(), j.ID); err != nil || !(<-watch).Ended {
		t.Error(err)
	}
	if _, open := <-watch; open {
		t.Error("there is more after the end")
	}
	ctx, cancel := context.WithCancel(t.Context())
	if watch, err = w.Watch(ctx, w.submit("").ID); err != nil {
		t.Fatal(err)
	}
	cancel()
	for range watch {
	}
}

func TestJobsAreCanceledInTime(t *testing.T) {
	w := newWorld(t, nil)
	first, second := w.submit(""), w.submit("")
	if err := w.Cancel(t.Context(), first.ID); err != nil {
		t.Error(err)
	}
	w.get(second.ID, func(p *trade.Purchase) { p.Assignment = market.Assigned })
	problem(t, "assigned", w.Cancel(t.Context(), second.ID), http.StatusConflict, "canceled")
}

func TestExplanationsAreSentences(t *testing.T) {
	w := newWorld(t, nil)
	j := w.submit("")
	operator := chaintest.NewWallet("operator").Public()
	key := keyText(operator)[:16]
	from := market.Contact{Operator: operator}
	for _, c := range []struct {
		e        market.Explanation
		assigned bool
		want     string
	}{
		{market.Explanation{}, false, "nobody has the job: this node knows no operator that offers the model or takes questions about it"},
		{
			market.Explanation{Asked: 3, Rounds: 8, Capable: 2, Reasons: []market.ReasonCount{{Code: market.CodePrice, Count: 2}, {Code: market.CodeBusy, Count: 1}}},
			false,
			"nobody has the job after 8 rounds: 3 operators were asked (2 × price, 1 × busy); 2 of them could have run it",
		},
		{market.Explanation{Asked: 3, Bids: 2}, true, "operator " + key + "… has the job for 10 base units: the best of 2 bids from 3 operators"},
		{market.Explanation{Asked: 1, Bids: 1}, true, "operator " + key + "… has the job for 10 base units, at its posted price"},
		{market.Explanation{}, true, "operator " + key + "… has the job for 10 base units, at its posted price"},
	} {
		c.e.Prices = []uint64{1, 2}
		c.e.Declines = []market.Declined{{From: from, Refusal: market.Refusal{Code: market.CodePrice, Price: 7, Text: "more"}}}
		w.desk.explain = c.e
		w.get(j.ID, func(p *trade.Purchase) {
			p.Operator, p.Agreed = nil, nil
			if c.assigned {
				p.Operator, p.Agreed = []market.Contact{from}, []market.Bid{{Operator: operator, Price: 10}}
			}
			p.Bids = []market.Received{{From: from, Posted: c.e.Asked == 1, Bid: market.Bid{Operator: operator, Price: 10, Promise: 5, Class: "class", Bond: []market.Ref{{Tx: chain.Hash{1}}}}}}
		})
		x, err := w.Explain(t.Context(), j.ID)
		if err != nil || x.Text != c.want {
			t.Errorf("%q, %v, want %q", x.Text, err, c.want)
		}
		if !slices.Equal(x.Prices, []string{"1", "2"}) || len(x.Declines) != 1 || x.Declines[0] != (gateway.Decline{Operator: keyText(operator), Reason: "price", Text: "more", Price: "7"}) {
			t.Errorf("%+v", x)
		}
		bids, err := w.Bids(t.Context(), j.ID)
		if err != nil || len(bids) != 1 || bids[0].Chosen != c.assigned || bids[0].Price != "10" || bids[0].Bond == "" || bids[0].Device != "class" {
			t.Errorf("%+v, %v", bids, err)
		}
	}
}

func TestOperatorsWithTheirPrices(t *testing.T) {
	w := newWorld(t, nil)
	ref := w.announce(1, "client", "iris", "a", nil)
	gone := market.Ref{Tx: chain.Hash{50}}
	liar := w.offer("liar", 10, ref, gone)
	w.desk.standing[liar] = market.Standing{Done: 3, Broken: 2, Lied: 1}
	all, err := w.Operators(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	x := all[0]
	if x.ID != keyText(liar) || x.Peer != "liar" || x.Done != 3 || x.Broken != 2 || !x.Shunned || x.SeenMS != 5 || !slices.Equal(x.Devices, []string{"test"}) {
		t.Errorf("%+v", x)
	}
	if want := []gateway.Offered{{Model: cid("a"), Price: "10"}, {Model: gone.String(), Price: "10"}}; !slices.Equal(x.Prices, want) {
		t.Errorf("%+v", x.Prices)
	}
}

// shop is what is sold here.
type shop struct {
	trade.Works
	program trade.Program
}

func (s *shop) Programs() []trade.Program { return []trade.Program{s.program} }

// TestStatusOfWhoSells: a job keeps one device busy, also where others are of its class.
func TestStatusOfWhoSells(t *testing.T) {
	x := &shop{program: trade.Program{Ref: market.Ref{Tx: chain.Hash{1}}, Name: "iris", Content: "content", Units: 5, Memory: 6}}
	c := trade.NewCapacity(x, capacity.Options{}, capacity.Pricing{Minimum: 44})
	for _, s := range []capacity.Slot{{Device: "a", Class: "gpu", Memory: 9}, {Device: "b", Class: "gpu", Memory: 9}, {Device: "c", Class: "cpu"}} {
		if err := c.AddSlot(s); err != nil {
			t.Fatal(err)
		}
	}
	w := newWorld(t, func(cfg *Config) { cfg.Works, cfg.Capacity = x, c })
	w.desk.sales = []market.Sale{
		{ID: chain.Hash{1}, Phase: 4, Execution: market.Running, Class: "gpu"},
		{ID: chain.Hash{2}, Phase: 3, Execution: market.Queued, Class: "gpu"},
		{ID: chain.Hash{3}, Phase: over, Execution: market.Running, Class: "gpu"},
	}
	w.submit("")
	w.get(w.submit("").ID, func(p *trade.Purchase) { p.Phase = over })
	s, err := w.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !s.Selling || s.Cordoned || s.Sold != 2 || s.Bought != 1 || s.Address != "address" || s.Key != keyText(w.key.Public()) {
		t.Errorf("%+v", s)
	}
	if len(s.Programs) != 1 || s.Programs[0].Price != "44" || s.Programs[0].CID != "content" {
		t.Errorf("%+v", s.Programs)
	}
	busy := 0
	for _, d := range s.Devices {
		if d.State == "busy" {
			busy++
			if d.Class != "gpu" || d.Job != (chain.Hash{1}).String() {
				t.Errorf("%+v", d)
			}
		}
	}
	if len(s.Devices) != 3 || busy != 1 {
		t.Errorf("%d of %d devices are busy", busy, len(s.Devices))
	}
	if err := w.Cordon(t.Context(), true); err != nil || !c.Cordoned() {
		t.Error(err)
	}
	if got := w.Ready(); !slices.Equal(got, []string{"no peers"}) {
		t.Error(got)
	}
}

func TestStatusOfWhoOnlyBuys(t *testing.T) {
	w := newWorld(t, nil)
	s, err := w.Status(t.Context())
	if err != nil || s.Selling || len(s.Devices) > 0 || !slices.Equal(s.Balance, []gateway.Holding{{State: "spendable", Units: "0"}}) {
		t.Errorf("%+v, %v", s, err)
	}
	problem(t, "cordon", w.Cordon(t.Context(), true), http.StatusConflict, "draining")
	if all, err := w.Devices(t.Context()); err != nil || len(all) > 0 {
		t.Errorf("%+v, %v", all, err)
	}
}
