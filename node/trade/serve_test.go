package trade

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
)

// ask is a question of a client about the model, signed for a peer.
func (w *world) ask(client, peer string, change func(a *market.Ask)) *market.Ask {
	k := chaintest.NewWallet(client)
	r := w.request("input")
	a := &market.Ask{Terms: r.Terms, Reserve: 50_000, Deadline: r.Deadline}
	a.Terms.Client = k.Public()
	a.Terms.Payload, a.Terms.PayloadLen = sha256.Sum256(r.Payload), uint32(len(r.Payload))
	a.Terms.Input = a.Terms.Payload
	if change != nil {
		change(a)
	}
	a.Signature = [ed25519.SignatureSize]byte(k.Sign(a.Digest(peer)))
	return a
}

// award is one without a bid.
func award(a *market.Ask, operator chain.PublicKey) *market.Award {
	return &market.Award{
		Ask: *a, Payload: []byte("input"), Escrow: []byte("escrow"), Offer: []byte("offer"),
		Bid: market.Bid{Ask: a.Hash(), Operator: operator, Price: 10_000, Promise: 1, Expiry: a.Deadline},
	}
}

// TestRequestsThatAreNoneAreThePeersFault: it may be punished for them.
func TestRequestsThatAreNoneAreThePeersFault(t *testing.T) {
	w := newWorld(t, "client", "operator")
	o := w.operator("operator").open()
	good := w.ask("client", "peer", nil)
	forged := *good
	forged.Reserve++
	start := market.Start{Job: chain.Hash{1}, Tx: []byte("tx")}
	for name, c := range map[string]struct {
		protocol string
		request  []byte
	}{
		"unknown protocol":        {"market-steal", nil},
		"empty ask":               {AskProtocol, nil},
		"ask and more":            {AskProtocol, append(good.Encode(), 0)},
		"oversized ask":           {AskProtocol, make([]byte, market.MaxAsk+1)},
		"changed ask":             {AskProtocol, forged.Encode()},
		"ask for another peer":    {AskProtocol, w.ask("client", "another", nil).Encode()},
		"empty award":             {AwardProtocol, nil},
		"oversized award":         {AwardProtocol, make([]byte, market.MaxAward+1)},
		"award of a changed ask":  {AwardProtocol, award(&forged, o.key.Public()).Encode()},
		"award of another's ask":  {AwardProtocol, award(w.ask("client", "another", nil), o.key.Public()).Encode()},
		"empty start":             {StartProtocol, nil},
		"oversized start":         {StartProtocol, make([]byte, market.MaxStart+1)},
		"start without a tx":      {StartProtocol, start.Encode()},
		"empty collect":           {CollectProtocol, nil},
		"oversized collect":       {CollectProtocol, make([]byte, market.MaxCollect+1)},
		"collect that is an ask":  {CollectProtocol, good.Encode()},
		"another message's bytes": {AskProtocol, (&market.Collect{}).Encode()},
	} {
		if out, err := o.Serve(t.Context(), "peer", c.protocol, c.request); !errors.Is(err, market.ErrMessage) || out != nil {
			t.Errorf("%s: %q, %v", name, out, err)
		}
	}
	if _, err := o.Serve(t.Context(), "peer", AskProtocol, good.Encode()); err != nil {
		t.Errorf("a good one: %v", err)
	}
}

// TestAnswersSayWhyThereIsNoBid: what the ledger has against a question is the answer to it.
func TestAnswersSayWhyThereIsNoBid(t *testing.T) {
	w := newWorld(t, "client", "operator")
	o := w.operator("operator").open()
	for name, c := range map[string]struct {
		client string
		change func(a *market.Ask)
		want   market.Code // CodeOK: a bid
	}{
		"good":            {"client", nil, market.CodeOK},
		"another program": {"client", func(a *market.Ask) { a.Terms.Program.Index++ }, market.CodeUnknownProgram},
		"another model":   {"client", func(a *market.Ask) { a.Terms.Model[0]++ }, market.CodeTerms},
		"another key":     {"client", func(a *market.Ask) { a.Terms.Key[0]++ }, market.CodeTerms},
		"cheaper key":     {"client", func(a *market.Ask) { a.Terms.KeyCost-- }, market.CodeTerms},
		"poor":            {"poor", nil, market.CodeNoFunds},
		"too dear":        {"client", func(a *market.Ask) { a.Reserve = worldCoins*worldCoin + 1 }, market.CodeNoFunds},
		"another token":   {"client", func(a *market.Ask) { a.Terms.Token = chain.TokenID{1} }, market.CodeNoFunds},
		"too cheap":       {"client", func(a *market.Ask) { a.Reserve = 9_999 }, market.CodePrice},
		"too soon":        {"client", func(a *market.Ask) { a.Deadline = 1 }, market.CodeExpired},
		"its own":         {"operator", nil, market.CodeTerms},
	} {
		raw, err := o.Serve(t.Context(), "peer", AskProtocol, w.ask(c.client, "peer", c.change).Encode())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		a, err := market.DecodeAnswer(raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.want == market.CodeOK != (len(a.Bid) == 1) || len(a.Refusal) == 1 && a.Refusal[0].Code != c.want {
			t.Errorf("%s: %+v", name, a)
		}
	}
	if n := o.works.wanted.Load(); n != 1 {
		t.Errorf("%d programs were wanted", n)
	}
	raw, err := o.Serve(t.Context(), "peer", AwardProtocol, award(w.ask("client", "peer", nil), o.key.Public()).Encode())
	if err != nil {
		t.Fatal(err)
	}
	if c, err := market.DecodeCountersigned(raw); err != nil || len(c.Refusal) != 1 || c.Refusal[0].Code != market.CodeExpired {
		t.Errorf("an award without a bid: %+v, %v", c, err)
	}
}

// TestRoyaltiesAreTheOwners: terms that pay the owner less, or another, are refused.
func TestRoyaltiesAreTheOwners(t *testing.T) {
	w := newWorld(t, "client", "operator")
	w.model = w.publish("licensed", chain.Coin{Amount: 70})
	o := w.operator("operator").open()
	owner, another := chaintest.NewWallet("publisher").Lock(), chaintest.NewWallet("another").Lock()
	for name, c := range map[string]struct {
		amount uint64
		owner  chain.Lock
		good   bool
	}{"exact": {70, owner, true}, "more": {71, owner, true}, "less": {69, owner, false}, "another": {70, another, false}, "nothing": {0, nil, false}} {
		raw, err := o.Serve(t.Context(), "peer", AskProtocol, w.ask("client", "peer", func(a *market.Ask) {
			if a.Terms.Royalty = c.amount; c.owner != nil {
				a.Terms.Owner = chain.EncodeLock(c.owner)
			}
		}).Encode())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if a, err := market.DecodeAnswer(raw); err != nil || len(a.Bid) == 1 != c.good {
			t.Errorf("%s: %+v, %v", name, a, err)
		}
	}
}

func TestNothingIsSoldWithoutWorks(t *testing.T) {
	w := newWorld(t, "client")
	c := w.client("client").open()
	a := w.ask("client", "peer", nil)
	for protocol, request := range map[string][]byte{AskProtocol: a.Encode(), AwardProtocol: award(a, c.key.Public()).Encode()} {
		if _, err := c.Serve(t.Context(), "peer", protocol, request); !errors.Is(err, ErrNotSelling) {
			t.Errorf("%s: %v", protocol, err)
		}
	}
}

// TestJobsAreTheirClientsOnly: others learn nothing of them, and start nothing.
func TestJobsAreTheirClientsOnly(t *testing.T) {
	w := newWorld(t, "client", "operator")
	c, o := w.client("client").open(), w.operator("operator")
	o.works.gate = make(chan struct{})
	defer close(o.works.gate)
	o.open()
	id := c.order(w.request("input"))
	await(t, func() bool { return o.works.runs.Load() > 0 })
	name := o.blobs.path(fundingName(sellerSide, id))
	await(t, func() bool { s, _ := o.sale(id); return !s.At.IsZero() })
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range []chain.Hash{id, {1}} {
		out, err := o.Serve(t.Context(), "stranger", CollectProtocol, (&market.Collect{Job: job, Reveal: true}).Encode())
		if err != nil || len(out) > 0 {
			t.Errorf("news of %v for a stranger: %q, %v", job, out, err)
		}
	}
	s, err := market.DecodeStart(raw)
	if err != nil {
		t.Fatal(err)
	}
	unknown, other := *s, *s
	unknown.Job[0]++
	other.Tx = (&chain.Tx{Chain: w.chain(), Outputs: []chain.Output{{Lock: chain.Open(), Value: chain.Native(1)}}}).Encode()
	for why, c := range map[string]struct {
		peer  string
		start market.Start
	}{"a stranger": {"stranger", *s}, "an unknown job": {"client", unknown}, "another transaction": {"client", other}} {
		if _, err := o.Serve(t.Context(), c.peer, StartProtocol, c.start.Encode()); !errors.Is(err, errRefused) {
			t.Errorf("%s: %v", why, err)
		}
	}
	worthless := *s
	worthless.Witness = chain.Witness{}.Encode()
	if _, err := o.Serve(t.Context(), "client", StartProtocol, worthless.Encode()); err != nil {
		t.Error(err)
	}
	if now, err := os.ReadFile(name); err != nil || !bytes.Equal(now, raw) {
		t.Errorf("the funding transaction was replaced: %v", err)
	}
}

// TestRequestsEndWithTheirPeer: who does not wait any more leaves nothing behind.
func TestRequestsEndWithTheirPeer(t *testing.T) {
	w := newWorld(t, "client", "operator")
	c, o := w.client("client").open(), w.operator("operator")
	o.works.gate = make(chan struct{})
	defer close(o.works.gate)
	o.open()
	id := c.order(w.request("input"))
	await(t, func() bool { return o.works.runs.Load() > 0 })
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error, 1)
	s, _ := o.sale(id)
	go func() {
		_, err := o.Serve(ctx, "client", CollectProtocol, (&market.Collect{Job: id, Seen: s.Version + 100}).Encode())
		answer <- err
	}()
	await(t, func() bool {
		n := 0
		if err := o.Desk.ask(t.Context(), func(context.Context, uint64) { n = len(o.owned.tickets) }); err != nil {
			t.Fatal(err)
		}
		return n > 0
	})
	c.stop()
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	await(t, func() bool {
		n := 0
		if err := o.Desk.ask(t.Context(), func(context.Context, uint64) { n = len(o.owned.tickets) }); err != nil {
			t.Fatal(err)
		}
		return n == 0
	})
}

func TestAdvertsSayWhatIsSold(t *testing.T) {
	w := newWorld(t, "client", "operator")
	o := w.operator("operator")
	o.config.Posted = true
	o.config.Any = func() bool { return true }
	o.open()
	a := o.advert(t.Context())
	read, err := ReadAdvert(w.chain(), a.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if read.Operator != o.key.Public() || read.Peer != "operator" || !slices.Equal(read.Addresses, []string{"/mem/operator"}) || read.Class != "test" || !read.Any {
		t.Errorf("%+v", read)
	}
	if read.Expiry != read.Issued+market.MaxAdvertTime || len(read.Offers) != 2 {
		t.Fatalf("%+v", read)
	}
	for i, level := range []chain.Level{chain.LevelZK, chain.LevelOptimistic} {
		want := market.Offer{Program: w.model.Ref, Level: level, Price: 10_000, Promise: 1002, ProveFee: w.model.ProveFee, Posted: true}
		if got := read.Offers[i]; got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if tasks, bids := o.capacity.Depth(); tasks != 0 || bids != 0 {
		t.Errorf("an advert holds capacity: %d, %d", tasks, bids)
	}
	o.capacity.Cordon(true)
	if a := o.advert(t.Context()); a == nil || len(a.Offers) != 0 {
		t.Errorf("who takes nothing new offers %+v", a)
	}
}

func TestAdvertsAreSignedForTheirChain(t *testing.T) {
	w := newWorld(t, "operator")
	o := w.operator("operator").open()
	a := o.advert(t.Context())
	forged := *a
	forged.Peer = "another"
	foreign := *a
	foreign.Chain[0]++
	digest := foreign.Digest()
	foreign.Signature = [ed25519.SignatureSize]byte(o.key.Sign(digest))
	for name, raw := range map[string][]byte{
		"empty": nil, "more": append(a.Encode(), 0), "oversized": make([]byte, market.MaxAdvert+1), "forged": forged.Encode(), "of another chain": foreign.Encode(),
	} {
		if _, err := ReadAdvert(w.chain(), raw); !errors.Is(err, market.ErrMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPostedPricesAreTakenWithoutAQuestion: a small job is awarded at once.
func TestPostedPricesAreTakenWithoutAQuestion(t *testing.T) {
	w := newWorld(t, "client", "operator")
	c, o := w.client("client").open(), w.operator("operator")
	o.config.Posted = true
	o.open()
	await(t, func() bool { all, _, err := c.Operators(t.Context()); return err == nil && len(all) == 1 })
	id := c.order(w.request("input"))
	c.until(id, verified)
	if asks := counted(t, o.registry, "wes_market_asks_total"); len(asks) != 0 {
		t.Errorf("%v", asks)
	}
	if e, found, err := c.Explain(t.Context(), id); err != nil || !found || e.Bids != 1 {
		t.Errorf("%+v, %v, %v", e, found, err)
	}
}

// TestWhatEndedLongAgoIsForgotten: with its bytes, and what is open keeps them.
func TestWhatEndedLongAgoIsForgotten(t *testing.T) {
	w := newWorld(t, "client", "operator")
	c, o := w.client("client"), w.operator("operator")
	c.config.Keep, o.config.Keep = time.Hour, time.Hour
	o.works.gate = make(chan struct{})
	defer close(o.works.gate)
	c.open()
	o.open()
	first := c.order(w.request("first"))
	o.works.gate <- struct{}{}
	w.finish(first, c, o)
	w.skipped.Add(2 * 3_600_000)
	w.mine(1)
	await(t, func() bool { return o.Desk.cfg.Peers.Publish(t.Context(), o.advert(t.Context()).Encode()) == nil })
	second := c.order(w.request("second"))
	await(t, func() bool { return o.works.runs.Load() > 1 })
	for _, p := range []*party{c, o} {
		all, err := os.ReadDir(p.blobs.dir)
		if err != nil {
			t.Fatal(err)
		}
		long := time.Now().Add(-2 * time.Hour)
		for _, e := range all {
			if err := os.Chtimes(p.blobs.path(e.Name()), long, long); err != nil {
				t.Fatal(err)
			}
		}
		if asked := p.Desk.ask(t.Context(), func(context.Context, uint64) { err = p.forget(w.now()) }); asked != nil || err != nil {
			t.Fatal(asked, err)
		}
		if _, err := p.Blob(sha256.Sum256([]byte("first"))); !errors.Is(err, ErrNoBlob) {
			t.Errorf("%s has the bytes still: %v", p.name, err)
		}
		if _, err := p.Blob(sha256.Sum256([]byte("second"))); err != nil {
			t.Errorf("%s: %v", p.name, err)
		}
	}
	check := func() {
		t.Helper()
		if all, err := c.Jobs(t.Context()); err != nil || len(all) != 1 || all[0].ID != second {
			t.Errorf("%d jobs, %v", len(all), err)
		}
		if all, err := o.Sales(t.Context()); err != nil || len(all) != 1 || all[0].ID != second {
			t.Errorf("%d sales, %v", len(all), err)
		}
	}
	check()
	c.reopen()
	o.reopen()
	check()
}

// TestMoneyIsFoundWhereverItIs: in a block, in the mempool, or between the two.
func TestMoneyIsFoundWhereverItIs(t *testing.T) {
	w := newWorld(t, "client")
	c := w.client("client")
	tx := &chain.Tx{Outputs: []chain.Output{{Lock: chain.Open(), Value: chain.Native(7)}}}
	ref := market.Ref{Tx: tx.ID()}
	for name, x := range map[string]struct {
		l     looks
		found bool
	}{
		"block":                {looks{tx: tx, block: 0, mempool: never}, true},
		"mempool":              {looks{tx: tx, block: never, mempool: 0}, true},
		"taken by a block":     {looks{tx: tx, block: 1, mempool: never}, true},
		"nowhere":              {looks{tx: tx, block: never, mempool: never}, false},
		"another of its index": {looks{tx: &chain.Tx{}, block: never, mempool: 0}, false},
	} {
		x.l.Ledger = w
		d := &Desk{cfg: c.config}
		d.cfg.Ledger = &x.l
		u, err := d.money(t.Context(), settlement{view: market.View{Output: ref}})
		if (err == nil) != x.found || err != nil && !errors.Is(err, errUnseen) {
			t.Errorf("%s: %v", name, err)
		}
		if x.found && u.Entry.Output.Value.Of(chain.TokenID{}) != 7 {
			t.Errorf("%s: %+v", name, u)
		}
	}
}

// looks is a ledger that shows a transaction from some look on, counted from 0.
type looks struct {
	Ledger
	tx             *chain.Tx
	block, mempool int
	outputs, waits int
}

const never = 100

func (l *looks) Output(_ context.Context, o chain.Outpoint) (chain.UTXO, bool, error) {
	l.outputs++
	if l.outputs <= l.block {
		return chain.UTXO{}, false, nil
	}
	return chain.UTXO{Outpoint: o, Entry: chain.Entry{Output: l.tx.Outputs[0]}}, true, nil
}

func (l *looks) Pending(context.Context, chain.Hash) (*chain.Tx, chain.Witness, bool, error) {
	l.waits++
	return l.tx, nil, l.waits > l.mempool, nil
}
