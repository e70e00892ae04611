package trade

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/capacity"
	"github.com/weisyn/wes/node/wallet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a ledger with a mempool, a model and nodes that trade, in one process. Its clock is the
// system's, from the time of the genesis block on.
type world struct {
	t       *testing.T
	begun   time.Time
	skipped atomic.Uint64 // ms that the clock has jumped
	id      chain.Hash
	model   Program
	verify  *chaintest.Verifier

	mu struct {
		sync.Mutex
		net    *chaintest.Network
		blocks [][]chaintest.Signed // by height - 1, without coinbases
		pool   []chaintest.Signed   // each after those that it spends
		feeds  map[chan Change]bool
		desks  map[string]*Desk // by name of the peer
	}
}

const (
	worldCoins = 8
	worldCoin  = 100_000_000
)

func newWorld(t *testing.T, names ...string) *world {
	t.Helper()
	w := &world{t: t, begun: time.Now(), verify: &chaintest.Verifier{}}
	v, err := chain.NewValidator(chain.DefaultParams(), w.verify, 1)
	if err != nil {
		t.Fatal(err)
	}
	var outputs []chain.Output
	for _, name := range append([]string{"publisher"}, names...) {
		for range worldCoins {
			outputs = append(outputs, chain.Output{Lock: chaintest.NewWallet(name).Lock(), Value: chain.Native(worldCoin)})
		}
	}
	if w.mu.net, _, err = chaintest.NewNetwork(v, outputs...); err != nil {
		t.Fatal(err)
	}
	w.id = w.mu.net.Ledger.Chain
	w.mu.feeds, w.mu.desks = map[chan Change]bool{}, map[string]*Desk{}
	w.model = w.publish("model", chain.Coin{})
	return w
}

// publish announces a model.
func (w *world) publish(name string, royalty chain.Coin) Program {
	w.t.Helper()
	owner := chaintest.NewWallet("publisher")
	raw, key := chaintest.Key(10, name[0])
	wal := wallet.New(owner, w, &wallet.Memory{})
	wal.Clock = w.now
	b, err := wal.Publish(w.t.Context(), chain.Resource{CID: []byte(name), Kind: chain.ResourceModel, Size: 1, Name: name, Price: royalty}, raw, key.Cost)
	if err == nil {
		err = w.Submit(w.t.Context(), b.Tx, b.Witness, b.Attachments)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	w.mine(1)
	return Program{
		Ref: market.Ref{Tx: b.Tx.ID()}, Name: name, Content: name, Kind: chain.JobInfer, Key: key, Model: sha256.Sum256([]byte(name)),
		Units: 1000, Memory: 1 << 20, ProveFee: 10_000,
	}
}

// now is the world's clock, in ms since 1970.
func (w *world) now() uint64 {
	return chaintest.GenesisTime + uint64(time.Since(w.begun).Milliseconds()) + w.skipped.Load()
}

func (w *world) chain() chain.Hash { return w.id }

// view is the unspent outputs after transactions that wait.
type view struct {
	*chaintest.Memory
	spent map[chain.Outpoint]bool
	made  map[chain.Outpoint]chain.Output
}

func (w *world) view(txs []chaintest.Signed) *view {
	v := &view{w.mu.net.Store, map[chain.Outpoint]bool{}, map[chain.Outpoint]chain.Output{}}
	for _, s := range txs {
		v.add(s)
	}
	return v
}

func (v *view) add(s chaintest.Signed) {
	for _, o := range s.Tx.Inputs {
		v.spent[o] = true
	}
	for i := range s.Tx.Outputs {
		v.made[chain.Outpoint{Tx: s.ID(), Index: uint32(i)}] = s.Tx.Outputs[i]
	}
}

func (v *view) Entry(o chain.Outpoint) (chain.Entry, bool, error) {
	if v.spent[o] {
		return chain.Entry{}, false, nil
	}
	if out, ok := v.made[o]; ok {
		return chain.Entry{Output: out}, true, nil
	}
	return v.Memory.Entry(o)
}

func (w *world) check(v *view, s chaintest.Signed) error {
	n := w.mu.net
	_, err := n.CheckTx(n.Env(), v, n.Store, s.Tx, s.Witness)
	return err
}

// mine makes so many blocks, of what waits and is valid.
func (w *world) mine(blocks int) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for range blocks {
		var block []chaintest.Signed
		v := w.view(nil)
		for _, s := range w.mu.pool {
			if w.check(v, s) == nil {
				v.add(s)
				block = append(block, s)
			}
		}
		n := w.mu.net
		if err := n.MineAfter(max(w.now(), n.Now()+1)-n.Now(), block...); err != nil {
			w.t.Fatal(err)
		}
		w.mu.blocks, w.mu.pool = append(w.mu.blocks, block), nil
	}
	w.tell(Change{Moved: true})
}

// step makes a block once everybody has seen the last one.
func (w *world) step() {
	w.t.Helper()
	await(w.t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		for f := range w.mu.feeds {
			if len(f) > 0 {
				return false
			}
		}
		return true
	})
	w.mine(1)
}

// undo takes a block off the ledger; its transactions are lost.
func (w *world) undo() {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.mu.net.Disconnect(); err != nil {
		w.t.Fatal(err)
	}
	w.mu.blocks = w.mu.blocks[:len(w.mu.blocks)-1]
	w.tell(Change{Moved: true})
}

// tell gives news to all feeds, and closes those that are full. The caller holds the lock.
func (w *world) tell(c Change) {
	for f := range w.mu.feeds {
		select {
		case f <- c:
		default:
			delete(w.mu.feeds, f)
			close(f)
		}
	}
}

// The world is the ledger of all its nodes.
var _ Ledger = (*world)(nil)

func (w *world) Env(context.Context) (wallet.Env, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return wallet.Env{Env: w.mu.net.Env(), FeeRate: 1000, Maturity: w.mu.net.Params.Maturity}, nil
}

func (w *world) Unspent(_ context.Context, lock chain.Hash, visit func(chain.UTXO) bool) error {
	w.mu.Lock()
	var all []chain.UTXO
	for o, e := range w.mu.net.Store.Unspent {
		if chain.LockHash(e.Output.Lock) == lock {
			all = append(all, chain.UTXO{Outpoint: o, Entry: e})
		}
	}
	w.mu.Unlock()
	for _, u := range all {
		if !visit(u) {
			break
		}
	}
	return nil
}

func (w *world) Output(_ context.Context, o chain.Outpoint) (chain.UTXO, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	e, found := w.mu.net.Store.Unspent[o]
	return chain.UTXO{Outpoint: o, Entry: e}, found, nil
}

// Held implements Ledger: there are no channels here.
func (w *world) Held(context.Context, chain.Hash) (Tip, []Touch, error) { return w.Tip(), nil, nil }

func (w *world) Tip() Tip {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Tip{w.mu.net.Ledger.Height, w.mu.net.Now()}
}

// Touches returns all transactions of blocks: who asks takes what concerns the job.
func (w *world) Touches(context.Context, chain.Hash) (Tip, []Touch, error) {
	tip := w.Tip()
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []Touch
	for i, b := range w.mu.blocks {
		for _, s := range b {
			all = append(all, Touch{uint64(i) + 1, s.Tx, s.Witness})
		}
	}
	return tip, all, nil
}

func (w *world) Pending(_ context.Context, id chain.Hash) (*chain.Tx, chain.Witness, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.mu.pool {
		if s.ID() == id {
			return s.Tx, s.Witness, true, nil
		}
	}
	return nil, nil, false, nil
}

func (w *world) Submit(_ context.Context, t *chain.Tx, witness chain.Witness, attachments [][]byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := chaintest.Signed{Tx: t, Witness: witness}
	if slices.ContainsFunc(w.mu.pool, func(x chaintest.Signed) bool { return x.ID() == s.ID() }) {
		return nil
	}
	for i, a := range attachments {
		w.mu.net.Store.Attach(t.Attachments[i].Kind, a)
	}
	if err := w.check(w.view(w.mu.pool), s); err != nil {
		return err
	}
	w.mu.pool = append(w.mu.pool, s)
	w.tell(Change{Entered: t})
	return nil
}

func (w *world) Key(_ context.Context, h chain.Hash) ([]byte, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.net.Store.VerifyingKey(h)
}

func (w *world) Changes() (<-chan Change, func()) {
	f := make(chan Change, 64)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.feeds[f] = true
	return f, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.mu.feeds, f)
	}
}

// trial is an operator's works: runs say their payload.
type trial struct {
	w       *world
	program Program
	gate    chan struct{} // runs wait for it, unless it is nil
	hold    chan struct{} // checks of payloads wait for it, unless it is nil
	checks  atomic.Int32
	runs    atomic.Int32
	fail    *RunError // what runs end with; nil: a result
	lie     bool      // their outputs are wrong, and so are their proofs
	wanted  atomic.Int32
	done    atomic.Int32
}

var _ Works = (*trial)(nil)

func (x *trial) Program(ref market.Ref) (Program, bool) { return x.program, ref == x.program.Ref }
func (x *trial) Programs() []Program                    { return []Program{x.program} }
func (x *trial) Want(market.Ref)                        { x.wanted.Add(1) }
func (x *trial) Done(*Task)                             { x.done.Add(1) }

func (x *trial) Await(ctx context.Context, ref market.Ref) (Program, error) {
	if p, ok := x.Program(ref); ok {
		return p, nil
	}
	<-ctx.Done()
	return Program{}, ctx.Err()
}

func (x *trial) Check(ctx context.Context, _ *Program, payload []byte) ([]byte, *market.Refusal) {
	x.checks.Add(1)
	if x.hold != nil {
		select {
		case <-x.hold:
		case <-ctx.Done():
			return nil, &market.Refusal{Code: market.CodeBusy}
		}
	}
	if string(payload) == "bad" {
		return nil, &market.Refusal{Code: market.CodeBadInput, Text: "bad"}
	}
	return payload, nil
}

func (x *trial) Run(ctx context.Context, t *Task, progress func(string, int, int)) (*Ran, error) {
	x.runs.Add(1)
	progress("execute", 1, 2)
	if x.gate != nil {
		select {
		case <-x.gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if x.fail != nil {
		return nil, x.fail
	}
	r := &Ran{Output: outputOf(t.Payload), Took: 5, Memory: 1 << 20, Device: t.Device}
	if x.lie {
		r.Output = []byte("lie")
	}
	if t.Prove {
		r.Proof = chaintest.Prove(&chain.Claim{
			Kind: t.Program.Kind, Key: t.Program.Key, Chain: x.w.chain(), Job: t.Job, Payee: t.Payee, Model: t.Program.Model,
			Input: sha256.Sum256(t.Payload), Output: sha256.Sum256(outputOf(t.Payload)),
		})
	}
	return r, nil
}

func outputOf(payload []byte) []byte { return append([]byte("output of "), payload...) }

// party is a node whose desk can be closed and opened again.
type party struct {
	*Desk
	w        *world
	name     string
	key      chaintest.Wallet
	config   Config
	works    *trial // nil where nothing is sold
	capacity *Capacity
	registry *prometheus.Registry
	stop     func()
}

var _ Signer = chaintest.Wallet{}

// client returns a node that buys.
func (w *world) client(name string) *party {
	w.t.Helper()
	k := chaintest.NewWallet(name)
	wal := wallet.New(k, w, &wallet.Memory{})
	wal.Clock = w.now
	return &party{w: w, name: name, key: k, stop: func() {}, config: Config{
		Dir: filepath.Join(w.t.TempDir(), name), Chain: w.chain(), Params: w.mu.net.Params, Signer: k, Peers: &link{w, name}, Ledger: w,
		Wallet: wal, Proofs: w.verify, Buyer: market.BuyerConfig{Window: 200, Retry: 500}, Clock: w.now,
		Log: slog.New(slog.NewTextHandler(w.t.Output(), nil)),
	}}
}

// operator returns a node that sells the model.
func (w *world) operator(name string) *party {
	w.t.Helper()
	p := w.client(name)
	p.works = &trial{w: w, program: w.model}
	p.config.Works = p.works
	p.config.Seller = market.SellerConfig{RiskCap: 1 << 40, Retry: 500}
	return p
}

// open opens and runs the desk. It is closed when the test ends.
func (p *party) open() *party {
	p.w.t.Helper()
	p.registry = prometheus.NewRegistry()
	p.config.Registry = p.registry
	if p.config.Works != nil {
		p.capacity = NewCapacity(p.config.Works, capacity.Options{}, capacity.Pricing{Minimum: 10_000})
		if err := p.capacity.AddSlot(capacity.Slot{Device: "gpu", Class: "test", Memory: 1 << 30}); err != nil {
			p.w.t.Fatal(err)
		}
		for _, x := range p.config.Works.Programs() {
			p.capacity.Observe(&x, "test", 1_000_000)
		}
		p.config.Capacity = p.capacity
	}
	d, err := Open(p.config)
	if err != nil {
		p.w.t.Fatal(err)
	}
	p.Desk = d
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.w.t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	p.w.join(p.name, d)
	p.stop = sync.OnceFunc(func() {
		p.w.join(p.name, nil)
		cancel()
		if err := errors.Join(<-ended, d.Close()); err != nil {
			p.w.t.Errorf("%s: %v", p.name, err)
		}
	})
	p.w.t.Cleanup(func() { p.stop() })
	return p
}

// reopen ends the desk and goes on with another one on the same folder.
func (p *party) reopen() *party {
	p.w.t.Helper()
	p.stop()
	return p.open()
}

func (w *world) join(name string, d *Desk) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d == nil {
		delete(w.mu.desks, name)
		return
	}
	w.mu.desks[name] = d
}

// link is a node's way to the others.
type link struct {
	w    *world
	name string
}

var _ Peers = (*link)(nil)

var errAway = errors.New("no such peer")

func (l *link) Self() (string, []string) { return l.name, []string{"/mem/" + l.name} }

func (l *link) Ask(ctx context.Context, to market.Contact, protocol string, request []byte, limit int) ([]byte, error) {
	l.w.mu.Lock()
	d := l.w.mu.desks[to.Peer]
	l.w.mu.Unlock()
	if d == nil {
		return nil, errAway
	}
	out, err := d.Serve(ctx, l.name, protocol, request)
	if err == nil && len(out) > limit {
		err = errors.New("a longer answer than was asked for")
	}
	return out, err
}

func (l *link) others() (all []*Desk) {
	l.w.mu.Lock()
	defer l.w.mu.Unlock()
	for name, d := range l.w.mu.desks {
		if name != l.name {
			all = append(all, d)
		}
	}
	return all
}

func (l *link) Count() int { return len(l.others()) }

func (l *link) Publish(ctx context.Context, raw []byte) error {
	a, err := ReadAdvert(l.w.chain(), raw)
	if err != nil {
		return err
	}
	for _, d := range l.others() {
		d.Hear(ctx, a)
	}
	return nil
}

// request is an order for the model that leaves time.
func (w *world) request(payload string) Request {
	p := w.model
	return Request{
		Terms:   market.Terms{Kind: p.Kind, Level: chain.LevelZK, Program: p.Ref, Key: p.Key.Hash, KeyLen: p.Key.Len, KeyCost: p.Key.Cost, Model: p.Model},
		Payload: []byte(payload), MaxPrice: 50_000, Deadline: w.now() + 3_600_000,
	}
}

func (p *party) order(r Request) chain.Hash {
	p.w.t.Helper()
	ids, err := p.Order(p.w.t.Context(), r)
	if err != nil || len(ids) != max(r.Replicas, 1) {
		p.w.t.Fatal(ids, err)
	}
	return ids[0]
}

func (p *party) job(id chain.Hash) Purchase {
	p.w.t.Helper()
	j, found, err := p.Job(p.w.t.Context(), id)
	if err != nil || !found {
		p.w.t.Fatalf("job %v of %s: %v, %v", id, p.name, found, err)
	}
	return j
}

func (p *party) sale(id chain.Hash) (market.Sale, bool) {
	p.w.t.Helper()
	all, err := p.Sales(p.w.t.Context())
	if err != nil {
		p.w.t.Fatal(err)
	}
	for _, s := range all {
		if s.ID == id {
			return s, true
		}
	}
	return market.Sale{}, false
}

// await polls until something is so.
func await(t *testing.T, f func() bool) {
	t.Helper()
	for !f() {
		if t.Context().Err() != nil {
			t.Fatal("the test ends")
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// until waits for a status of a job.
func (p *party) until(id chain.Hash, f func(j *Purchase) bool) {
	p.w.t.Helper()
	await(p.w.t, func() bool { j := p.job(id); return f(&j) })
}

func verified(j *Purchase) bool { return j.Verified() }
func ended(j *Purchase) bool    { return j.Ended() }

// finish makes blocks until jobs have ended at a client and its operators.
func (w *world) finish(id chain.Hash, c *party, operators ...*party) {
	w.t.Helper()
	await(w.t, func() bool {
		w.step()
		j := c.job(id)
		over := j.Ended()
		for _, o := range operators {
			s, ok := o.sale(id)
			over = over && (!ok || s.Ended())
		}
		return over
	})
}
