package trade

import (
	"context"
	"crypto/sha256"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/capacity"
	"github.com/weisyn/wes/node/wallet"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fair is a client and an operator of one ledger, in simulated time, with blocks every 10 s.
type fair struct {
	t        *testing.T
	ledger   *testLedger
	program  Program
	hub      *hub
	client   *stall
	operator *stall
	jobs     map[string]chain.Hash
}

// stall is a desk that can be stopped and opened again from its folder.
type stall struct {
	fair   *fair
	name   string
	wallet chaintest.Wallet
	config Config
	desk   *Desk
	stop   context.CancelFunc
	ended  chan error
}

// hub carries the requests between desks.
type hub struct {
	mu    sync.Mutex
	desks map[string]*Desk
	// meddle changes a request, or loses it as nil.
	meddle func(protocol string, request []byte) []byte
	sent   map[string][][]byte // by protocol
}

// meddleWith has requests go through a function from now on; nil leaves them alone.
func (h *hub) meddleWith(f func(protocol string, request []byte) []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.meddle = f
}

// first is the first request of a protocol.
func (h *hub) first(protocol string) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sent[protocol][0]
}

type hubPeer struct {
	*hub
	name string
}

var _ Peers = (*hubPeer)(nil)

func (p *hubPeer) Self() (string, []string) { return p.name, nil }

func (p *hubPeer) Count() int { return 1 }

var errGone = errors.New("nobody is there")

func (p *hubPeer) Ask(ctx context.Context, to market.Contact, protocol string, request []byte, limit int) ([]byte, error) {
	p.mu.Lock()
	d, meddle := p.desks[to.Peer], p.meddle
	p.sent[protocol] = append(p.sent[protocol], request)
	p.mu.Unlock()
	if meddle != nil {
		request = meddle(protocol, request)
	}
	if d == nil || request == nil {
		return nil, errGone
	}
	answer, err := d.Serve(ctx, p.name, protocol, request)
	if err == nil && len(answer) > limit {
		err = errors.New("the answer is too long")
	}
	return answer, err
}

func (p *hubPeer) Publish(ctx context.Context, advert []byte) error {
	a, err := market.DecodeAdvert(advert)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, d := range p.desks {
		d.Hear(ctx, a)
	}
	return nil
}

// testWorks turns an input into "output of INPUT", with the proof that chaintest's verifier takes.
type testWorks struct {
	chain   chain.Hash
	program Program
	wrong   atomic.Bool
}

var _ Works = (*testWorks)(nil)

func (w *testWorks) Program(ref market.Ref) (Program, bool) { return w.program, ref == w.program.Ref }
func (w *testWorks) Programs() []Program                    { return []Program{w.program} }
func (w *testWorks) Want(market.Ref)                        {}
func (w *testWorks) Done(*Task)                             {}
func (w *testWorks) Await(context.Context, market.Ref) (Program, error) {
	return w.program, nil
}

func (w *testWorks) Check(_ context.Context, _ *Program, payload []byte) ([]byte, *market.Refusal) {
	return payload, nil
}

func (w *testWorks) Run(_ context.Context, t *Task, _ func(string, int, int)) (*Ran, error) {
	output := append([]byte("output of "), t.Payload...)
	c := chain.Claim{
		Kind: chain.JobInfer, Key: w.program.Key, Chain: w.chain, Job: t.Job, Payee: t.Payee, Model: w.program.Model,
		Input: sha256.Sum256(t.Payload), Output: sha256.Sum256(output),
	}
	if w.wrong.Load() {
		c.Job = chain.Hash{}
	}
	return &Ran{Output: output, Proof: chaintest.Prove(&c), Took: 10}, nil
}

// inFair runs a test in a fair, whose client opens channels of a cap.
func inFair(t *testing.T, channelCap uint64, test func(f *fair)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l, ref, key, err := newTestLedger("client", "operator")
		must(t, err)
		f := &fair{t: t, ledger: l, hub: &hub{desks: map[string]*Desk{}, sent: map[string][][]byte{}}, jobs: map[string]chain.Hash{}}
		f.program = Program{
			Ref: market.RefOf(ref), Name: "model", Kind: chain.JobInfer, Key: key, Model: sha256.Sum256([]byte("model")), Units: 1, Memory: 1,
			ProveFee: 50_000,
		}
		f.operator = f.stall("operator", func(c *Config) {
			w := &testWorks{chain: c.Chain, program: f.program}
			plan := NewCapacity(w, capacity.Options{}, capacity.Pricing{Minimum: 10_000})
			must(t, plan.AddSlot(capacity.Slot{Device: "d", Class: "slot", Memory: 1 << 30, CPU: true}))
			plan.Observe(&f.program, "slot", 10_000_000)
			c.Works, c.Capacity, c.Posted, c.Seller.RiskCap = w, plan, true, 20_000_000
		})
		f.client = f.stall("client", func(c *Config) { c.ChannelCap, c.ChannelLife = channelCap, 2*time.Hour })
		done := make(chan struct{})
		var mining sync.WaitGroup
		mining.Go(func() { f.mining(done) })
		f.operator.open()
		f.client.open()
		f.pass(20 * time.Second) // adverts are heard
		test(f)
		f.client.close()
		f.operator.close()
		close(done)
		mining.Wait()
	})
}

func (f *fair) mining(done chan struct{}) {
	every := time.NewTicker(10 * time.Second)
	defer every.Stop()
	for {
		select {
		case <-done:
			return
		case <-every.C:
			if err := f.ledger.mine(10_000); err != nil {
				f.t.Error(err)
			}
		}
	}
}

func (f *fair) stall(name string, set func(*Config)) *stall {
	w, begun := chaintest.NewWallet(name), time.Now()
	clock := func() uint64 { return chaintest.GenesisTime + uint64(time.Since(begun).Milliseconds()) }
	money := wallet.New(w, f.ledger, &wallet.Memory{})
	money.Params, money.Clock = f.ledger.net.Params, clock
	s := &stall{fair: f, name: name, wallet: w, config: Config{
		Dir: filepath.Join(f.t.TempDir(), name), Chain: f.ledger.net.Ledger.Chain, Params: f.ledger.net.Params, Signer: w,
		Peers: &hubPeer{f.hub, name}, Ledger: f.ledger, Wallet: money, Proofs: f.ledger.net.Verifier, Clock: clock,
	}}
	set(&s.config)
	return s
}

func (s *stall) open() {
	s.fair.t.Helper()
	d, err := Open(s.config)
	must(s.fair.t, err)
	s.desk, s.ended = d, make(chan error, 1)
	var ctx context.Context
	ctx, s.stop = context.WithCancel(s.fair.t.Context())
	go func() { s.ended <- d.Run(ctx) }()
	s.fair.hub.mu.Lock()
	defer s.fair.hub.mu.Unlock()
	s.fair.hub.desks[s.name] = d
}

// close stops the desk as the end of its process does.
func (s *stall) close() error {
	if s.desk == nil {
		return nil
	}
	s.fair.hub.mu.Lock()
	delete(s.fair.hub.desks, s.name)
	s.fair.hub.mu.Unlock()
	s.stop()
	err := <-s.ended
	closed := s.desk.Close()
	s.desk = nil
	return errors.Join(err, closed)
}

func (s *stall) reopen() {
	s.fair.t.Helper()
	_ = s.close() // it may have ended by a fault
	s.open()
}

func (f *fair) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// order has the client want something computed.
func (f *fair) order(name string) {
	f.t.Helper()
	ids, err := f.client.desk.Order(f.t.Context(), Request{
		Terms: market.Terms{
			Kind: chain.JobInfer, Level: chain.LevelZK, Program: f.program.Ref, Key: f.program.Key.Hash, KeyLen: f.program.Key.Len,
			KeyCost: f.program.Key.Cost, Model: f.program.Model,
		},
		Payload: []byte(name), MaxPrice: 20_000, Deadline: f.client.config.Clock() + 600_000,
	})
	must(f.t, err)
	f.jobs[name] = ids[0]
}

// expect requires where a job of the client is.
func (f *fair) expect(name string, s market.Settlement, c market.Code) {
	f.t.Helper()
	p, found, err := f.client.desk.Job(f.t.Context(), f.jobs[name])
	must(f.t, err)
	if !found || p.Settlement != s || p.Code != c {
		f.t.Fatalf("%s is %s %q (%s), want %s %q", name, p.Settlement, p.Code, p.Text, s, c)
	}
}

// opened has the client do a first job, by an escrow, with which a channel is opened.
func (f *fair) opened() {
	f.t.Helper()
	f.order("first")
	f.pass(2 * time.Minute)
	f.expect("first", market.Paid, market.CodeAccepted)
}

// one returns the only channel of a desk.
func (s *stall) one() Channel {
	s.fair.t.Helper()
	all, err := s.desk.Channels(s.fair.t.Context())
	must(s.fair.t, err)
	if len(all) != 1 {
		s.fair.t.Fatalf("%s has the channels %+v", s.name, all)
	}
	return all[0]
}

func (s *stall) profit() int64 {
	return int64(s.fair.ledger.balance(s.wallet.Lock())) - coins*coinValue
}
