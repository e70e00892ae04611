package storefront

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/trade"
)

// TestModelsAreFound by alias, content, output and name.
func TestModelsAreFound(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Aliases = map[string]string{"flowers": cid("a")} })
	dear := w.announce(1, "client", "iris", "a", func(r *chain.Resource) { r.Price.Amount = 50 })
	cheap := w.announce(2, "stranger", "iris", "a", nil)
	single := w.announce(3, "client", "single", "b", nil)
	w.announce(4, "client", "twice", "c", nil)
	w.announce(5, "client", "twice", "d", nil)
	unseen := w.announce(6, "stranger", "unseen", "e", nil)
	w.announce(7, "client", "forged", "f", nil)
	forged := w.announce(8, "stranger", "forged", "f", func(r *chain.Resource) { r.Key.Hash[0]++ })
	w.announce(9, "client", "file", "g", func(r *chain.Resource) { r.Kind, r.Key = chain.ResourceFile, nil })
	for name, want := range map[string]market.Ref{
		"flowers": cheap, "iris": dear, cid("a"): cheap, dear.String(): dear, "single": single, cid("b"): single,
		cid("e"): unseen, forged.String(): forged,
	} {
		e, err := w.find(t.Context(), name)
		if err != nil || e.ref != want {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
	for _, name := range []string{"", "unseen", "nothing", cid("z"), "file", cid("g"), market.Ref{Tx: chain.Hash{99}}.String(), market.Ref{Tx: chain.Hash{9}}.String(), "1:x"} {
		_, err := w.find(t.Context(), name)
		problem(t, name, err, http.StatusNotFound, gateway.ReasonModel)
	}
	for _, name := range []string{"twice", cid("f")} {
		_, err := w.find(t.Context(), name)
		problem(t, name, err, http.StatusConflict, gateway.ReasonModel)
	}
	// What is offered comes first, and then what costs least with its royalty.
	w.offer("operator", 10, dear)
	if e, err := w.find(t.Context(), cid("a")); err != nil || e.ref != dear || e.price != 10 {
		t.Errorf("%+v, %v", e, err)
	}
	w.offer("another", 59, cheap)
	if e, err := w.find(t.Context(), "iris"); err != nil || e.ref != cheap || e.price != 59 {
		t.Errorf("%+v, %v", e, err)
	}
	liar := w.offer("liar", 1, cheap)
	w.desk.standing[liar] = market.Standing{Lied: 5}
	if e, err := w.find(t.Context(), "iris"); err != nil || e.price != 59 {
		t.Errorf("the price of a liar counts: %+v, %v", e, err)
	}
}

func TestModelsAreDescribed(t *testing.T) {
	w := newWorld(t, nil)
	ref := w.announce(1, "client", "iris", "a", func(r *chain.Resource) { r.Price.Amount = 50 })
	m, err := w.Model(t.Context(), "iris")
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "iris" || m.CID != cid("a") || m.Version != "1" || m.Kind != gateway.KindInfer || m.Resource != ref.String() || m.Royalty != "50" || m.Ready || m.Reason == "" || m.Owner != "address" {
		t.Errorf("%+v", m)
	}
	if len(m.Inputs) != 1 || m.Inputs[0].Datatype != "FP32" || len(m.Outputs) == 0 {
		t.Errorf("%+v, %+v", m.Inputs, m.Outputs)
	}
	w.offer("operator", 10, ref)
	all, err := w.Models(t.Context())
	if err != nil || len(all) != 1 || !all[0].Ready || all[0].Price != "10" || all[0].Reason != "" {
		t.Errorf("%+v, %v", all, err)
	}
	if key, err := w.Key(t.Context(), "iris"); err != nil || string(key) != string(w.iris.key) {
		t.Errorf("%v", err)
	}
	other := newWorld(t, nil)
	other.announce(1, "client", "iris", "a", func(r *chain.Resource) { r.Key.Hash[0]++ })
	_, err = other.Model(t.Context(), "iris")
	problem(t, "without a key", err, http.StatusServiceUnavailable, gateway.ReasonNotReady)
	_, err = other.Key(t.Context(), "iris")
	problem(t, "without a key", err, http.StatusServiceUnavailable, gateway.ReasonNotReady)
}

// TestOrdersSayWhatTheRequestDoes: the terms are those of the announcement.
func TestOrdersSayWhatTheRequestDoes(t *testing.T) {
	w := newWorld(t, nil)
	ref := w.announce(1, "owner", "iris", "a", func(r *chain.Resource) { r.Price = chain.Coin{Amount: 50} })
	q := w.request(cid("a"))
	q.MaxPrice, q.Verification, q.DeadlineMS = "900", "replicated:3", 60_000
	before := time.Now()
	j, err := w.Submit(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if j.Level != "replicated:3" || j.Assignment != "announced" || j.Kind != gateway.KindInfer || j.Model != "iris" || j.ModelCID != cid("a") {
		t.Errorf("%+v", j)
	}
	r := w.desk.orders[0]
	m, err := w.model(t.Context(), sha256.Sum256(w.iris.key))
	if err != nil {
		t.Fatal(err)
	}
	want := market.Terms{
		Kind: chain.JobInfer, Level: chain.LevelOptimistic, Program: ref, Key: sha256.Sum256(w.iris.key), KeyLen: uint32(len(w.iris.key)), KeyCost: 5,
		Model: m.digest, Royalty: 50, Owner: chain.EncodeLock(chaintest.NewWallet("owner").Lock()),
	}
	if fmt.Sprintf("%+v", r.Terms) != fmt.Sprintf("%+v", want) || r.Replicas != 3 || r.MaxPrice != 900 || string(r.Payload) != string(w.iris.cells) {
		t.Errorf("%+v, want %+v", r, want)
	}
	if min, max := uint64(before.Add(time.Minute).UnixMilli()), uint64(time.Now().Add(time.Minute).UnixMilli()); r.Deadline < min || r.Deadline > max {
		t.Errorf("deadline %d, not between %d and %d", r.Deadline, min, max)
	}
}

func TestOrdersThatAreRefused(t *testing.T) {
	w := newWorld(t, nil)
	w.announce(1, "client", "iris", "a", nil)
	w.announce(2, "client", "circuit", "b", func(r *chain.Resource) { r.Kind = chain.ResourcePlonk })
	const malformed, bad = gateway.ReasonMalformed, http.StatusBadRequest
	for name, c := range map[string]struct {
		change func(q *gateway.Request)
		desk   error
		status int
		reason string
	}{
		"unknown model":  {func(q *gateway.Request) { q.Model = "nothing" }, nil, http.StatusNotFound, gateway.ReasonModel},
		"verification":   {func(q *gateway.Request) { q.Verification = "trust" }, nil, bad, malformed},
		"one replica":    {func(q *gateway.Request) { q.Verification = "replicated:1" }, nil, bad, malformed},
		"many replicas":  {func(q *gateway.Request) { q.Verification = "replicated:17" }, nil, bad, malformed},
		"no replicas":    {func(q *gateway.Request) { q.Verification = "replicated:" }, nil, bad, malformed},
		"a bare number":  {func(q *gateway.Request) { q.Verification = "3" }, nil, bad, malformed},
		"price":          {func(q *gateway.Request) { q.MaxPrice = "-1" }, nil, bad, malformed},
		"no price":       {func(q *gateway.Request) { q.MaxPrice = "0" }, nil, bad, malformed},
		"a float":        {func(q *gateway.Request) { q.MaxPrice = "1.5" }, nil, bad, malformed},
		"a high price":   {func(q *gateway.Request) { q.MaxPrice = "1001" }, nil, http.StatusPaymentRequired, "price"},
		"another kind":   {func(q *gateway.Request) { q.Kind = gateway.KindProve }, nil, http.StatusUnprocessableEntity, "terms"},
		"no model":       {func(q *gateway.Request) { q.Model, q.Kind = "circuit", gateway.KindInfer }, nil, http.StatusUnprocessableEntity, "terms"},
		"no input":       {func(q *gateway.Request) { q.Inputs = nil }, nil, http.StatusUnprocessableEntity, "bad_input"},
		"no funds":       {nil, trade.ErrNoFunds, http.StatusPaymentRequired, "no_funds"},
		"too many":       {nil, market.ErrTooMany, http.StatusTooManyRequests, "capped"},
		"deadline":       {nil, market.ErrDeadline, http.StatusGatewayTimeout, "deadline"},
		"royalty":        {nil, fmt.Errorf("%w: x", market.ErrPrice), http.StatusPaymentRequired, "price"},
		"terms":          {nil, fmt.Errorf("x: %w", market.ErrTerms), http.StatusUnprocessableEntity, "terms"},
		"the node stops": {nil, trade.ErrClosed, http.StatusServiceUnavailable, "draining"},
	} {
		q := w.request("iris")
		if c.change != nil {
			c.change(q)
		}
		w.desk.refusal = c.desk
		_, err := w.Submit(t.Context(), q)
		problem(t, name, err, c.status, c.reason)
	}
	fault := errors.New("fault")
	w.desk.refusal = fault
	if _, err := w.Submit(t.Context(), w.request("iris")); !errors.Is(err, fault) {
		t.Error(err)
	}
	if len(w.desk.orders) != 0 {
		t.Errorf("%+v", w.desk.orders)
	}
}

func TestVerificationPriceAndDeadlineHaveDefaults(t *testing.T) {
	w := newWorld(t, nil)
	for text, want := range map[string]struct {
		level    chain.Level
		replicas int
	}{"": {chain.LevelZK, 1}, "zk": {chain.LevelZK, 1}, "optimistic": {chain.LevelOptimistic, 1}, "replicated:2": {chain.LevelOptimistic, 2}, "replicated:16": {chain.LevelOptimistic, 16}} {
		if level, replicas, err := verification(text); err != nil || level != want.level || replicas != want.replicas {
			t.Errorf("%q: %v, %d, %v", text, level, replicas, err)
		}
	}
	for text, want := range map[string]uint64{"": 1000, "1": 1, "1000": 1000} {
		if n, err := w.price(text); err != nil || n != want {
			t.Errorf("%q: %d, %v", text, n, err)
		}
	}
	now := uint64(time.Now().UnixMilli())
	const year = uint64(365 * 24 * time.Hour / time.Millisecond)
	for ms, want := range map[int64]uint64{0: 600_000, -5: 600_000, 60_000: 60_000, 1 << 62: year} {
		got := w.deadline(ms)
		if later := uint64(time.Now().UnixMilli()) - now; got < now+want || got > now+want+later {
			t.Errorf("%d: %d ms from now", ms, got-now)
		}
	}
}
