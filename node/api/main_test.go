package api

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "write docs/rpc.md")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var alice, bob = chaintest.NewWallet("alice"), chaintest.NewWallet("bob")

// fake is a node on a ledger in memory.
type fake struct {
	*chaintest.Network
	blocks  []*chain.Block
	pool    []chaintest.Signed
	coins   []chain.UTXO
	refuse  error
	mu      sync.Mutex
	heard   []chan Notice
	ready   bool
	entered chan struct{} // calls of Make come here first
}

func newFake(t *testing.T) *fake {
	t.Helper()
	v, err := chain.NewValidator(chain.DefaultParams(), &chaintest.Verifier{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	out := chain.Output{Lock: alice.Lock(), Value: chain.Native(1000)}
	n, coins, err := chaintest.NewNetwork(v, out, out, out)
	if err != nil {
		t.Fatal(err)
	}
	return &fake{Network: n, coins: coins, ready: true}
}

func (f *fake) Status() Status {
	s := Status{Network: "test", Prefix: "twes", Chain: f.Ledger.Chain.String(), Height: f.Ledger.Height, Tip: f.Ledger.Tip.String(), Ready: f.ready}
	if !f.ready {
		s.Reasons = []string{"no peers"}
	}
	s.Mempool.FeeRate = 7
	return s
}
func (f *fake) Peers() []Peer { return nil }
func (f *fake) Read() Reader  { return reader{f} }

func (f *fake) Submit(_ context.Context, t *chain.Tx, w chain.Witness, _ [][]byte) error {
	if f.refuse != nil {
		return f.refuse
	}
	if _, err := f.CheckTx(f.Env(), f.Store, nil, t, w); err != nil {
		return &Refused{err}
	}
	f.pool = append(f.pool, chaintest.Signed{Tx: t, Witness: w})
	f.tell(Notice{Entered: t})
	return nil
}

func (f *fake) Check(_ context.Context, t *chain.Tx, w chain.Witness) (*chain.Verdict, error) {
	return f.CheckTx(f.Env(), f.Store, nil, t, w)
}

func (f *fake) Pending(_ context.Context, id chain.Hash) (*chain.Tx, chain.Witness, bool, error) {
	for _, s := range f.pool {
		if s.ID() == id {
			return s.Tx, s.Witness, true, nil
		}
	}
	return nil, nil, false, nil
}

func (f *fake) Make(context.Context, int) ([]chain.Hash, error) {
	if f.entered != nil {
		f.entered <- struct{}{}
		<-f.entered
	}
	b := f.Block(1000, f.pool...)
	if _, err := f.Connect(b); err != nil {
		return nil, err
	}
	f.blocks, f.pool = append(f.blocks, b), nil
	f.tell(Notice{Applied: []*chain.Block{b}})
	return []chain.Hash{b.Header.Hash()}, nil
}
func (f *fake) Confirmed(context.Context, chain.Hash) (string, error) { return "42", nil }

func (f *fake) Subscribe() (<-chan Notice, func()) {
	c := make(chan Notice, 8)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.heard = append(f.heard, c)
	return c, func() { f.end(c) }
}

func (f *fake) end(c chan Notice) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.Index(f.heard, c); i >= 0 {
		f.heard = slices.Delete(f.heard, i, i+1)
		close(c)
	}
}

func (f *fake) tell(n Notice) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.heard {
		c <- n
	}
}

type reader struct{ *fake }

func (r reader) Ledger() chain.Ledger { return r.fake.Ledger }
func (r reader) Close()               {}

func (r reader) MainHash(h uint64) (chain.Hash, bool, error) {
	if h == 0 || h > uint64(len(r.blocks)) {
		return chain.Hash{}, false, nil
	}
	return r.blocks[h-1].Header.Hash(), true, nil
}

func (r reader) MainHeight(h chain.Hash) (uint64, bool, error) {
	for _, b := range r.blocks {
		if b.Header.Hash() == h {
			return b.Header.Height, true, nil
		}
	}
	return 0, false, nil
}

func (r reader) Block(h chain.Hash) (*chain.Block, bool, error) {
	for _, b := range r.blocks {
		if b.Header.Hash() == h {
			return b, true, nil
		}
	}
	return nil, false, nil
}
func (r reader) Attachment(h chain.Hash) ([]byte, bool, error)     { return r.Store.Attachment(h) }
func (r reader) VerifyingKey(h chain.Hash) ([]byte, bool, error)   { return r.Store.VerifyingKey(h) }
func (r reader) Entry(o chain.Outpoint) (chain.Entry, bool, error) { return r.Store.Entry(o) }

func (r reader) Place(tx chain.Hash) (uint64, int, bool, error) {
	for _, b := range r.blocks {
		for i, t := range b.Txs {
			if t.ID() == tx {
				return b.Header.Height, i, true, nil
			}
		}
	}
	return 0, 0, false, nil
}

func (r reader) Outputs(s Subject, from []byte, limit int) ([]chain.UTXO, []byte, error) {
	var all []chain.UTXO
	for o, e := range r.Store.Unspent {
		if chain.LockHash(e.Output.Lock) == s.ID && s.Role == RoleLock {
			all = append(all, chain.UTXO{Outpoint: o, Entry: e})
		}
	}
	slices.SortFunc(all, func(a, b chain.UTXO) int {
		return bytes.Compare(append(a.Outpoint.Tx[:], byte(a.Outpoint.Index)), append(b.Outpoint.Tx[:], byte(b.Outpoint.Index)))
	})
	start := 0
	if len(from) > 0 {
		start = int(from[0])
	}
	if end := start + limit; end < len(all) {
		return all[start:end], []byte{byte(end)}, nil
	}
	return all[start:], nil, nil
}

func (r reader) History(Subject, []byte, int) ([]Appearance, []byte, error) {
	return []Appearance{{Height: 1, Index: 1, Spends: true}}, nil, nil
}

// serve starts a server on loopback.
func serve(t *testing.T, n Node, change func(*Config)) *Server {
	t.Helper()
	reg := prometheus.NewRegistry()
	c := Config{Address: "127.0.0.1:0", Prefix: "twes", Maturity: 100, Registry: reg, Gatherer: reg}
	if change != nil {
		change(&c)
	}
	s, err := Open(c, n)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	})
	return s
}

func (f *fake) payment() chaintest.Signed {
	c := f.coins[0]
	f.coins = f.coins[1:]
	d := f.Draft().Spend(c, chaintest.With{Data: []any{alice}}).Pay(chain.Output{Lock: bob.Lock(), Value: chain.Native(990)})
	d.Fee = chain.Native(10)
	return d.Sign()
}

func TestTransactionGoesFromSubmissionToItsBlock(t *testing.T) {
	f := newFake(t)
	c := NewClient(serve(t, f, nil).URL(), "")
	ctx := t.Context()
	tx := f.payment()
	if v, err := c.Check(ctx, tx.Tx, tx.Witness); err != nil || v.ID != tx.ID().String() || v.Weight == 0 {
		t.Fatalf("%+v, %v", v, err)
	}
	if s, err := c.Submit(ctx, tx.Tx, tx.Witness); err != nil || s.ID != tx.ID().String() {
		t.Fatalf("%+v, %v", s, err)
	}
	x, err := c.Transaction(ctx, tx.ID())
	if err != nil || x.Status != "pending" || x.Fee[0] != (Coin{"wes", "10"}) {
		t.Fatalf("%+v, %v", x, err)
	}
	m, err := c.Make(ctx, 1)
	if err != nil || len(m.Blocks) != 1 {
		t.Fatal(m, err)
	}
	x, err = c.Transaction(ctx, tx.ID())
	if err != nil || x.Status != "confirmed" || x.Block != m.Blocks[0] || x.Confirmations != 1 || x.Work != "42" || !x.Outputs[0].Unspent {
		t.Fatalf("%+v, %v", x, err)
	}
	b, err := c.Block(ctx, BlockParams{Hash: m.Blocks[0], Raw: true})
	if err != nil || b.Height != 1 || len(b.Transactions) != 2 || b.Raw == "" {
		t.Fatalf("%+v, %v", b, err)
	}
	if h, err := c.History(ctx, SubjectParams{Role: RoleLock, ID: chain.FormatAddress("twes", chain.LockHash(alice.Lock()))}); err != nil || h.Transactions[0].ID != tx.ID().String() {
		t.Fatalf("%+v, %v", h, err)
	}
	o, err := c.Output(ctx, chain.Outpoint{Tx: tx.ID()})
	if err != nil || !o.Unspent || o.Height != 1 {
		t.Fatalf("%+v, %v", o, err)
	}
	u, err := o.UTXO()
	if err != nil || u.Entry.Output.Hash() != tx.Tx.Outputs[0].Hash() {
		t.Fatalf("%+v, %v", u, err)
	}
	if e, err := c.Env(ctx); err != nil || e.Height != 2 || e.FeeRate != 7 || e.Maturity != 100 {
		t.Fatalf("%+v, %v", e, err)
	}
}

func TestPagesFollowTheCursor(t *testing.T) {
	f := newFake(t)
	c := NewClient(serve(t, f, nil).URL(), "")
	p := SubjectParams{Role: RoleLock, ID: chain.LockHash(alice.Lock()).String(), Limit: 2}
	seen := map[string]bool{}
	for pages := 1; ; pages++ {
		page, err := c.Outputs(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range page.Outputs {
			seen[o.Outpoint] = true
		}
		if p.From = page.Next; page.Next == "" {
			if pages != 2 || len(seen) != 3 {
				t.Errorf("%d pages, %d outputs", pages, len(seen))
			}
			return
		}
	}
}

func TestErrorsSayWhatIsWrong(t *testing.T) {
	f := newFake(t)
	c := NewClient(serve(t, f, nil).URL(), "")
	tx := f.payment()
	spoilt := slices.Clone(tx.Witness)
	spoilt[0].Data = [][]byte{bytes.Repeat([]byte{1}, 64)}
	height := uint64(9)
	var r any
	for name, x := range map[string]struct {
		code int
		err  error
	}{
		"rule":      {CodeRule, second(c.Submit(t.Context(), tx.Tx, spoilt))},
		"not found": {CodeNotFound, second(c.Transaction(t.Context(), chain.Hash{1}))},
		"height":    {CodeNotFound, second(c.Block(t.Context(), BlockParams{Height: &height}))},
		"both":      {-32602, second(c.Block(t.Context(), BlockParams{Height: &height, Hash: "00"}))},
		"hash":      {-32602, second(c.Block(t.Context(), BlockParams{Hash: "xyz"}))},
		"unknown":   {-32602, c.Call(t.Context(), "block", map[string]any{"hight": 1}, &r)},
		"type":      {-32602, c.Call(t.Context(), "block", map[string]any{"height": "one"}, &r)},
		"method":    {-32601, c.Call(t.Context(), "nothing", NoParams{}, &r)},
		"socket":    {-32601, c.Call(t.Context(), "subscribe", SubscribeParams{To: "blocks"}, &r)},
		"role":      {-32602, second(c.Outputs(t.Context(), SubjectParams{Role: "x"}))},
		"blocks":    {-32602, second(c.Make(t.Context(), 0))},
	} {
		var e *Error
		if !errors.As(x.err, &e) || int(e.Code) != x.code {
			t.Errorf("%s: %v, want code %d", name, x.err, x.code)
		}
	}
	f.refuse = &Refused{errors.New("the fee is too low")}
	var e *Error
	if _, err := c.Submit(t.Context(), tx.Tx, tx.Witness); !errors.As(err, &e) || e.Code != CodePolicy || !strings.Contains(e.Message, "fee") {
		t.Error(err)
	}
	if _, err := NewClient("http://127.0.0.1:1", "").Status(t.Context()); !errors.Is(err, ErrUnreachable) {
		t.Error(err)
	}
}

func second[T any](_ T, err error) error { return err }

// do sends a raw request.
func do(t *testing.T, s *Server, method, path, body string, header map[string]string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for k, v := range header {
		if k == "Host" {
			req.Host = v
		}
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(raw)
}

const statusCall = `{"jsonrpc":"2.0","id":1,"method":"wes_status","params":{}}`

func TestForeignPagesAndWrongTokensAreRefused(t *testing.T) {
	open, closed := serve(t, newFake(t), nil), serve(t, newFake(t), func(c *Config) { c.Token = "secret" })
	for name, x := range map[string]struct {
		server *Server
		header map[string]string
		want   int
	}{
		"loopback":     {open, nil, 200},
		"own page":     {open, map[string]string{"Origin": open.URL()}, 200},
		"foreign page": {open, map[string]string{"Origin": "http://evil.example"}, 403},
		"rebinding":    {open, map[string]string{"Host": "evil.example"}, 403},
		"null":         {open, map[string]string{"Origin": "null"}, 403},
		"embedded":     {open, map[string]string{"Sec-Fetch-Site": "cross-site"}, 403},
		"address bar":  {open, map[string]string{"Sec-Fetch-Site": "none"}, 200},
		"no token":     {closed, nil, 401},
		"wrong token":  {closed, map[string]string{"Authorization": "Bearer secreT"}, 401},
		"token":        {closed, map[string]string{"Authorization": "Bearer secret"}, 200},
	} {
		for _, path := range []string{"/rpc", "/openrpc.json", "/metrics"} {
			method, body := http.MethodGet, ""
			if path == "/rpc" {
				method, body = http.MethodPost, statusCall
			}
			if got, text := do(t, x.server, method, path, body, x.header); got != x.want {
				t.Errorf("%s %s: %d %s, want %d", name, path, got, text, x.want)
			}
		}
	}
	if _, err := Open(Config{Address: "0.0.0.0:0"}, newFake(t)); !errors.Is(err, ErrConfig) {
		t.Error(err)
	}
}

func TestMarketIsServedBehindTheGuard(t *testing.T) {
	market := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path) })
	url := serve(t, newFake(t), func(c *Config) { c.Token, c.Market = "secret", market }).URL()
	for _, path := range []string{"/v1/jobs", "/v2", "/v2/models/m/infer"} {
		for token, want := range map[string]string{"secret": path, "other": "the token is missing"} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Authorization", "Bearer "+token)
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if err != nil || !strings.HasPrefix(string(raw), want) || (resp.StatusCode == http.StatusOK) != (token == "secret") {
				t.Errorf("%s with token %s: %s %s, %v", path, token, resp.Status, raw, err)
			}
		}
	}
}

func TestHealthAndReadinessMeanSomething(t *testing.T) {
	f := newFake(t)
	s := serve(t, f, nil)
	for _, ready := range []bool{true, false} {
		f.ready = ready
		health, _ := do(t, s, http.MethodGet, "/healthz", "", nil)
		got, text := do(t, s, http.MethodGet, "/readyz", "", nil)
		if health != 200 || (got == 200) != ready || !ready && !strings.Contains(text, "no peers") {
			t.Errorf("ready %v: %d, %d %s", ready, health, got, text)
		}
	}
	if _, text := do(t, s, http.MethodGet, "/metrics", "", nil); !strings.Contains(text, "wes_api_sockets") {
		t.Error(text)
	}
}

func TestHostileRequestsAreBounded(t *testing.T) {
	s := serve(t, newFake(t), func(c *Config) { c.MaxBody, c.MaxBatch = 4096, 3 })
	batch := func(n int) string {
		return "[" + strings.Repeat(statusCall+",", n-1) + statusCall + "]"
	}
	for name, x := range map[string]struct {
		body string
		want int
		text string
	}{
		"batch":        {batch(3), 200, `"result"`},
		"large batch":  {batch(4), 413, "batch"},
		"large body":   {strings.Repeat("x", 4097), 413, "4096"},
		"no JSON":      {"{", 200, "-32700"},
		"no request":   {`{"a":1}`, 200, "-32600"},
		"empty batch":  {"[]", 200, "-32600"},
		"deep":         {strings.Repeat("[", 4000), 200, "-32700"},
		"deep in call": {`{"jsonrpc":"2.0","id":1,"method":"wes_block","params":{"hash":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}}`, 200, "-32602"},
		"positions":    {`{"jsonrpc":"2.0","id":1,"method":"wes_block","params":[1,2,3]}`, 200, "-32602"},
	} {
		if got, text := do(t, s, http.MethodPost, "/rpc", x.body, nil); got != x.want || !strings.Contains(text, x.text) {
			t.Errorf("%s: %d %s", name, got, text)
		}
	}
	if got, _ := do(t, s, http.MethodGet, "/rpc", "", nil); got != 405 {
		t.Errorf("GET: %d", got)
	}
}

func TestBusyServerSaysWhenToComeAgain(t *testing.T) {
	f := newFake(t)
	f.entered = make(chan struct{})
	s := serve(t, f, func(c *Config) { c.Concurrent = 1 })
	done := make(chan error)
	go func() {
		_, err := NewClient(s.URL(), "").Make(context.Background(), 1)
		done <- err
	}()
	<-f.entered
	resp, err := http.Post(s.URL()+"/rpc", "application/json", strings.NewReader(statusCall))
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%s, retry after %q", resp.Status, resp.Header.Get("Retry-After"))
	}
	f.entered <- struct{}{}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestReferenceIsUpToDate(t *testing.T) {
	const file = "../../docs/rpc.md"
	want := Reference()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil || string(got) != want {
		t.Errorf("docs/rpc.md differs from the methods (%v): run go test ./node/api -update", err)
	}
}
