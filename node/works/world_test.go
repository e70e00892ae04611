package works

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/ures"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/capacity"
	"github.com/weisyn/wes/node/executor"
	"github.com/weisyn/wes/node/fleet"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/node/trade"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/pipeline"
)

func TestMain(m *testing.M) {
	// nats.go leaves a goroutine behind where an object was put faster than it begins: it waits on the
	// channel that was set to nil meanwhile (jetstream/publish.go, cleanupReplySub).
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/nats-io/nats.go/jetstream.(*jetStream).resetPendingAcksOnReconnect"))
}

// deployed is a model as its author publishes it.
type deployed struct {
	pkg []byte
	cid string
	key chain.VerifyingKey
}

// deploy prepares a model once for all tests.
var deploy = sync.OnceValues(func() (*deployed, error) {
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
	key := proofs.EncodeModel(p.Model)
	d := &deployed{pkg: pipeline.EncodePackage(p), key: chain.VerifyingKey{Hash: sha256.Sum256(key), Len: uint32(len(key)), Cost: 10}}
	d.cid = ures.RawCID(sha256.Sum256(d.pkg))
	return d, nil
})

// shelf is a ledger's announcements, and what they announce.
type shelf struct {
	mu       sync.Mutex
	outputs  map[chain.Outpoint]chain.UTXO
	contents map[string][]byte
	fetched  int
	moved    chan struct{} // never closed
}

var _ Source = (*shelf)(nil)

func (s *shelf) Output(_ context.Context, o chain.Outpoint) (chain.UTXO, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, found := s.outputs[o]
	return u, found, nil
}

func (s *shelf) Announced(_ context.Context, cid string) (all []chain.UTXO, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.outputs {
		if r, ok := u.Entry.Output.Body.(*chain.Resource); ok {
			if text, err := ures.FormatCID(r.CID); err == nil && text == cid {
				all = append(all, u)
			}
		}
	}
	return all, nil
}

func (s *shelf) Kept() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for cid := range s.contents {
		all = append(all, cid)
	}
	return all
}

var errNowhere = errors.New("nobody has it")

func (s *shelf) Content(_ context.Context, cid string, most uint64) (io.ReadCloser, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetched++
	b, found := s.contents[cid]
	if !found || uint64(len(b)) > most {
		return nil, errNowhere
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

func (s *shelf) FeeRate() uint64        { return 1000 }
func (s *shelf) Moves() <-chan struct{} { return s.moved }

// announce puts an output on the ledger.
func (s *shelf) announce(n byte, body chain.Body) market.Ref {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := chain.Outpoint{Tx: chain.Hash{n}}
	s.outputs[o] = chain.UTXO{Outpoint: o, Entry: chain.Entry{Output: chain.Output{Body: body}}}
	return market.RefOf(o)
}

func (s *shelf) spend(ref market.Ref) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.outputs, ref.Outpoint())
}

// bench executes nothing: it says what it is told to.
type bench struct {
	mu   sync.Mutex
	fail error
	gate chan struct{} // runs wait for it, unless it is nil
	runs atomic.Int32
	halt atomic.Int32 // runs that ended before
}

func (b *bench) set(fail error, gate chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail, b.gate = fail, gate
}

func (b *bench) Infer(ctx context.Context, q executor.Inference, progress executor.Progress) (*executor.Result, error) {
	b.runs.Add(1)
	b.mu.Lock()
	fail, gate := b.fail, b.gate
	b.mu.Unlock()
	if _, err := q.Package(); err != nil {
		return nil, err
	}
	progress("commit", 1, 2)
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			b.halt.Add(1)
			return nil, ctx.Err()
		}
	}
	if fail != nil {
		return nil, fail
	}
	return &executor.Result{
		Output: proofs.EncodeOutput([][]int64{{1, 2}}), Proof: []byte("proof"), Took: 3 * time.Millisecond,
		Stages: map[string]time.Duration{"open": 2 * time.Millisecond, "commit": time.Millisecond},
	}, nil
}

// errModels is what a bench says of circuits.
var errModels = errors.New("this bench runs models")

func (b *bench) Prove(context.Context, executor.Proving, executor.Progress) (*executor.Result, error) {
	return nil, errModels
}

func (b *bench) Calibrate(context.Context, executor.Proving, executor.Progress) (*executor.Result, error) {
	return nil, errModels
}

func (b *bench) Close() error { return nil }

// shop is works with a queue, workers and what they offer.
type shop struct {
	*Works
	t        *testing.T
	model    *deployed
	shelf    *shelf
	queue    *fleet.Queue
	capacity *trade.Capacity
	dir      string
	stop     func() // of the works and their queue
}

// openShop serves what c says. Its queue is in a folder that may have one already.
func openShop(t *testing.T, dir string, c Config) *shop {
	t.Helper()
	d, err := deploy()
	if err != nil {
		t.Fatal(err)
	}
	s := &shop{
		t: t, model: d, dir: dir,
		shelf: &shelf{outputs: map[chain.Outpoint]chain.UTXO{}, contents: map[string][]byte{d.cid: d.pkg}, moved: make(chan struct{})},
	}
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	s.queue, err = fleet.Open(t.Context(), fleet.Config{Dir: dir, Beat: 100 * time.Millisecond, AckWait: time.Second, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	c.Chain, c.Source, c.Queue, c.Log = chain.Hash{7}, s.shelf, s.queue, log
	if s.Works, err = New(c); err != nil {
		t.Fatal(err)
	}
	s.capacity = trade.NewCapacity(s.Works, capacity.Options{}, capacity.Pricing{})
	endQueue := background(t, s.queue.Run)
	endWorks := background(t, func(ctx context.Context) error { return s.Operate(ctx, s.capacity) })
	s.stop = sync.OnceFunc(func() {
		endWorks()
		endQueue()
		if err := s.queue.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { s.stop() })
	return s
}

// background runs f until the returned function is called.
func background(t *testing.T, f func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- f(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("ended with %v", err)
		}
	})
}

func station(device, class string, b *bench) Station {
	return Station{Slot: fleet.Slot{Device: device, Class: class, Memory: 8 << 30}, Executor: b}
}

// worker works for the shop until it is stopped.
func (s *shop) worker(name string, all ...Station) (stop func()) {
	s.t.Helper()
	crew := NewCrew(all)
	config := fleet.WorkerConfig{Queue: s.queue, Name: name, Dir: s.t.TempDir(), Poll: 50 * time.Millisecond}
	stop = background(s.t, func(ctx context.Context) error { return fleet.Work(ctx, config, crew) })
	s.t.Cleanup(stop)
	return stop
}

// program announces the model.
func (s *shop) program(n byte, change func(r *chain.Resource)) market.Ref {
	s.t.Helper()
	raw, err := ures.ParseCID(s.model.cid)
	if err != nil {
		s.t.Fatal(err)
	}
	key := s.model.key
	r := &chain.Resource{CID: raw, Kind: chain.ResourceModel, Size: uint64(len(s.model.pkg)), Name: fmt.Sprintf("model %d", n), Key: &key}
	if change != nil {
		change(r)
	}
	return s.shelf.announce(n, r)
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

// offered waits until a program is.
func (s *shop) offered(ref market.Ref) trade.Program {
	s.t.Helper()
	p, err := s.Await(s.t.Context(), ref)
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// devices waits until there are so many.
func (s *shop) devices(n int) {
	s.t.Helper()
	await(s.t, func() bool { return len(s.capacity.Slots()) == n })
}

func (s *shop) task(p *trade.Program, device string) *trade.Task {
	return &trade.Task{
		Job: chain.Hash{1, 2, 3}, Program: *p, Payload: []byte("payload"), Device: device, Prove: true,
		Due: uint64(time.Now().Add(time.Hour).UnixMilli()), Attempt: 1,
	}
}
