package storefront

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/chain/ures"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/node/trade"
	"github.com/weisyn/wes/node/wallet"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// iris is the verifying key of a model, with an input that fits.
type iris struct {
	key    []byte
	inputs []tensor.Tensor
	cells  []byte
}

// prepared is made once for all tests.
var prepared = sync.OnceValues(func() (*iris, error) {
	const name = "../../testdata/models/iris_mlp"
	onnx, err := os.ReadFile(name + ".onnx")
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(name + ".input.json")
	if err != nil {
		return nil, err
	}
	inputs, err := tensor.ParseJSON(raw)
	if err != nil {
		return nil, err
	}
	p, err := new(pipeline.Line).Prepare(context.Background(), pipeline.Source{ONNX: onnx, Inputs: inputs})
	if err != nil {
		return nil, err
	}
	cells, _, err := tensor.QuantizeAll(p.Model.Graph, inputs, false)
	return &iris{proofs.EncodeModel(p.Model), inputs, proofs.EncodeInput(cells)}, err
})

// counter is a desk that does what tests say.
type counter struct {
	mu       sync.Mutex
	jobs     []trade.Purchase // the newest first
	sales    []market.Sale
	adverts  []*market.Advert
	standing map[chain.PublicKey]market.Standing
	orders   []trade.Request
	refusal  error // of orders
	explain  market.Explanation
	blobs    map[chain.Hash][]byte
	waiting  map[chain.Hash]chan struct{}
}

var _ Desk = (*counter)(nil)

func (c *counter) Channels(context.Context) ([]trade.Channel, error) { return nil, nil }

func (c *counter) Order(_ context.Context, r trade.Request) (ids []chain.Hash, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refusal != nil {
		return nil, c.refusal
	}
	c.orders = append(c.orders, r)
	group := chain.Hash{byte(len(c.jobs) + 1)}
	for range r.Replicas {
		id := chain.Hash{byte(len(c.jobs) + 1)}
		p := market.Purchase{
			ID: id, Group: group, Terms: r.Terms, MaxPrice: r.MaxPrice, Deadline: r.Deadline, Phase: 1,
			Assignment: market.Announced, Execution: market.Idle, Settlement: market.Unfunded,
		}
		c.jobs = append([]trade.Purchase{{Purchase: p}}, c.jobs...)
		ids = append(ids, id)
	}
	return ids, nil
}

func (c *counter) Job(_ context.Context, id chain.Hash) (trade.Purchase, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range c.jobs {
		if p.ID == id {
			return p, true, nil
		}
	}
	return trade.Purchase{}, false, nil
}

func (c *counter) Jobs(context.Context) ([]trade.Purchase, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.jobs), nil
}

func (c *counter) Sales(context.Context) ([]market.Sale, error) { return c.sales, nil }

func (c *counter) Operators(context.Context) (all []*market.Advert, standings []market.Standing, err error) {
	for _, a := range c.adverts {
		standings = append(standings, c.standing[a.Operator])
	}
	return c.adverts, standings, nil
}

func (c *counter) Explain(context.Context, chain.Hash) (market.Explanation, bool, error) {
	return c.explain, true, nil
}

func (c *counter) Cancel(_ context.Context, id chain.Hash) error {
	c.change(id, func(p *trade.Purchase) {
		if p.Assignment == market.Announced {
			p.Code, p.Phase, p.Assignment = market.CodeCanceled, over, market.Closed
		}
	})
	return nil
}

func (c *counter) Changed(id chain.Hash) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiting[id] == nil {
		c.waiting[id] = make(chan struct{})
	}
	return c.waiting[id]
}

var errNoBlob = errors.New("no such bytes")

func (c *counter) Blob(h chain.Hash) ([]byte, error) {
	if b, found := c.blobs[h]; found {
		return b, nil
	}
	return nil, errNoBlob
}

func (c *counter) keep(b []byte) chain.Hash {
	h := chain.Hash(sha256.Sum256(b))
	c.blobs[h] = b
	return h
}

// over is the phase of a job that has ended.
const over = 7

// change changes a job and tells those who watch it.
func (c *counter) change(id chain.Hash, f func(p *trade.Purchase)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.jobs {
		if c.jobs[i].ID == id {
			f(&c.jobs[i])
		}
	}
	if w := c.waiting[id]; w != nil {
		close(w)
		delete(c.waiting, id)
	}
}

// ledger has outputs and keys.
type ledger struct {
	outputs map[chain.Outpoint]chain.UTXO
	keys    map[chain.Hash][]byte
}

var (
	_ Ledger        = (*ledger)(nil)
	_ wallet.Ledger = (*ledger)(nil)
)

func (l *ledger) Env(context.Context) (wallet.Env, error) { return wallet.Env{}, nil }

func (l *ledger) Unspent(_ context.Context, lock chain.Hash, visit func(chain.UTXO) bool) error {
	for _, u := range l.outputs {
		if chain.LockHash(u.Entry.Output.Lock) == lock && !visit(u) {
			break
		}
	}
	return nil
}

func (l *ledger) Output(_ context.Context, o chain.Outpoint) (chain.UTXO, bool, error) {
	u, found := l.outputs[o]
	return u, found, nil
}

func (l *ledger) Announced(_ context.Context, cid string) (all []chain.UTXO, err error) {
	for _, u := range l.outputs {
		if e, ok := program(&u); ok && e.cid == cid {
			all = append(all, u)
		}
	}
	return all, nil
}

func (l *ledger) Resources(ctx context.Context, lock chain.Hash) (all []chain.UTXO, err error) {
	err = l.Unspent(ctx, lock, func(u chain.UTXO) bool {
		if _, ok := u.Entry.Output.Body.(*chain.Resource); ok {
			all = append(all, u)
		}
		return true
	})
	return all, err
}

func (l *ledger) Key(_ context.Context, h chain.Hash) ([]byte, bool, error) {
	b, found := l.keys[h]
	return b, found, nil
}

// world is a storefront with what is behind it.
type world struct {
	*Storefront
	t      *testing.T
	desk   *counter
	ledger *ledger
	key    chaintest.Wallet
	iris   *iris
}

func newWorld(t *testing.T, change func(c *Config)) *world {
	t.Helper()
	m, err := prepared()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, iris: m, key: chaintest.NewWallet("client"),
		desk: &counter{
			standing: map[chain.PublicKey]market.Standing{}, blobs: map[chain.Hash][]byte{}, waiting: map[chain.Hash]chan struct{}{},
		},
		ledger: &ledger{map[chain.Outpoint]chain.UTXO{}, map[chain.Hash][]byte{sha256.Sum256(m.key): m.key}},
	}
	c := Config{
		Desk: w.desk, Ledger: w.ledger, Wallet: wallet.New(w.key, w.ledger, &wallet.Memory{}), MaxPrice: 1000,
		Ready: func() []string { return []string{"no peers"} }, Address: func(chain.Lock) string { return "address" },
	}
	if change != nil {
		change(&c)
	}
	w.Storefront = New(c)
	return w
}

// cid is that of a content.
func cid(content string) string { return ures.RawCID(sha256.Sum256([]byte(content))) }

// announce puts the model on the ledger, as a content of an owner.
func (w *world) announce(n byte, owner, name, content string, change func(r *chain.Resource)) market.Ref {
	w.t.Helper()
	raw, err := ures.ParseCID(cid(content))
	if err != nil {
		w.t.Fatal(err)
	}
	lock := chaintest.NewWallet(owner).Lock()
	r := &chain.Resource{
		CID: raw, Kind: chain.ResourceModel, Size: 9, Name: name, Version: "1", Owner: lock,
		Key: &chain.VerifyingKey{Hash: sha256.Sum256(w.iris.key), Len: uint32(len(w.iris.key)), Cost: 5},
	}
	if change != nil {
		change(r)
	}
	o := chain.Outpoint{Tx: chain.Hash{n}}
	w.ledger.outputs[o] = chain.UTXO{Outpoint: o, Entry: chain.Entry{Output: chain.Output{Lock: lock, Body: r}}}
	return market.RefOf(o)
}

// offer has an operator offer programs, all at one price.
func (w *world) offer(operator string, price uint64, all ...market.Ref) chain.PublicKey {
	a := &market.Advert{Operator: chaintest.NewWallet(operator).Public(), Peer: operator, Class: "test", Issued: 5}
	for _, ref := range all {
		a.Offers = append(a.Offers, market.Offer{Program: ref, Level: chain.LevelZK, Price: price}, market.Offer{Program: ref, Level: chain.LevelOptimistic, Price: 1})
	}
	w.desk.adverts = append(w.desk.adverts, a)
	return a.Operator
}

// request asks for the model with an input that fits.
func (w *world) request(model string) *gateway.Request {
	q := &gateway.Request{Model: model}
	for i := range w.iris.inputs {
		t := &w.iris.inputs[i]
		x := written(&tensor.Tensor{Name: t.Name, Shape: t.Shape, Datatype: "FP32", Data: t.Data})
		q.Inputs = append(q.Inputs, x)
	}
	return q
}

// problem requires an error to be one with a status.
func problem(t *testing.T, what string, err error, status int, reason string) {
	t.Helper()
	var p *gateway.Problem
	if !errors.As(err, &p) || p.Status != status || p.Reason != reason || p.Text == "" {
		t.Errorf("%s: %v (%+v), want %d %s", what, err, p, status, reason)
	}
}
