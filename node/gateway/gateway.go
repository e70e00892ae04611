package gateway

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Config says what a gateway serves and what it bears.
type Config struct {
	Market Market
	// Version is that of the program, for server metadata.
	Version string

	// MaxBody bounds a body, before and after it is inflated, and the tensors of a request, in bytes.
	// Default 16 MiB.
	MaxBody int64
	// Memory bounds what the bodies of all requests take until their jobs are submitted, in bytes.
	// Default 1 GiB; at least what one body of MaxBody takes, eight times its size.
	Memory int64
	// Concurrent bounds the calls served at once, Inferences the inference requests that wait for
	// their outputs, Streams the streams of events. Defaults 64, 256 and 64.
	Concurrent, Inferences, Streams int
	// Timeout bounds the work for one call, Wait how long outputs are waited for. Defaults 30 s and
	// 10 min.
	Timeout, Wait time.Duration
	// Stall is how long 256 KiB of a body may take, in either direction. Default 20 s.
	Stall time.Duration
	// Heartbeat is the pause between signs of life on a stream of events. Default 15 s.
	Heartbeat time.Duration

	// Registry gets the metrics; nil: none.
	Registry prometheus.Registerer
	// Log hears of faults; nil: nobody.
	Log *slog.Logger
}

// ErrConfig is returned by Open for a gateway that cannot work.
var ErrConfig = errors.New("unusable configuration of the gateway")

func (c Config) withDefaults() (Config, error) {
	c.MaxBody, c.Memory = cmp.Or(c.MaxBody, 16<<20), cmp.Or(c.Memory, 1<<30)
	c.Concurrent, c.Inferences, c.Streams = cmp.Or(c.Concurrent, 64), cmp.Or(c.Inferences, 256), cmp.Or(c.Streams, 64)
	c.Timeout, c.Wait = cmp.Or(c.Timeout, 30*time.Second), cmp.Or(c.Wait, 10*time.Minute)
	c.Stall, c.Heartbeat = cmp.Or(c.Stall, 20*time.Second), cmp.Or(c.Heartbeat, 15*time.Second)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case c.Market == nil:
		return c, fmt.Errorf("%w: no market", ErrConfig)
	case c.MaxBody < 1 || c.Concurrent < 1 || c.Inferences < 1 || c.Streams < 1:
		return c, fmt.Errorf("%w: a bound below 1", ErrConfig)
	case c.Timeout < 0 || c.Wait < 0 || c.Stall < 0 || c.Heartbeat < 0:
		return c, fmt.Errorf("%w: a time below 0", ErrConfig)
	case c.Memory/weight <= c.MaxBody:
		return c, fmt.Errorf("%w: %d bytes of memory do not do for a body of %d", ErrConfig, c.Memory, c.MaxBody)
	}
	return c, nil
}

// Gateway serves a market over HTTP.
type Gateway struct {
	cfg     Config
	market  Market
	meters  *meters
	budget  budget
	lanes   map[lane]chan struct{}
	handler http.Handler
	openapi []byte
	closing <-chan struct{}
	stop    context.CancelFunc
	mu      struct {
		sync.Mutex
		closed bool
		open   sync.WaitGroup
	}
}

// Open checks the configuration and registers the metrics.
func Open(c Config) (*Gateway, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	g := &Gateway{cfg: c, market: c.Market, lanes: map[lane]chan struct{}{
		laneCall: make(chan struct{}, c.Concurrent), laneInference: make(chan struct{}, c.Inferences), laneStream: make(chan struct{}, c.Streams),
	}}
	g.budget.left.Store(c.Memory)
	about, err := OpenAPI()
	if err != nil {
		return nil, fmt.Errorf("open gateway: %w", err)
	}
	if g.openapi, err = json.Marshal(about); err != nil {
		return nil, fmt.Errorf("open gateway: %w", err)
	}
	if g.meters, err = newMeters(c.Registry); err != nil {
		return nil, fmt.Errorf("open gateway: %w", err)
	}
	life, stop := context.WithCancel(context.Background())
	g.closing, g.stop = life.Done(), stop
	g.handler = g.mux()
	return g, nil
}

// Handler serves /v1 and /v2. Who may come there is the caller's to decide. The http.Server behind it
// must support deadlines of connections, as that of the standard library does.
func (g *Gateway) Handler() http.Handler { return g.handler }

// Close ends all waits and streams, and returns when every request has ended. What comes later is
// answered with 503. It may be called again.
func (g *Gateway) Close() error {
	g.mu.Lock()
	g.mu.closed = true
	g.mu.Unlock()
	g.stop()
	g.mu.open.Wait()
	return nil
}

// enter counts a request that Close has to wait for.
func (g *Gateway) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.mu.closed {
		g.mu.open.Add(1)
	}
	return !g.mu.closed
}

func closingProblem() *Problem {
	return problem(http.StatusServiceUnavailable, ReasonClosing, "the node is stopping")
}

// within derives a context that ends after a while, or when the gateway closes.
func (g *Gateway) within(ctx context.Context, d time.Duration) (context.Context, func()) {
	ctx, end := context.WithCancelCause(ctx)
	timer := time.AfterFunc(d, func() { end(errTime) })
	closed := make(chan struct{})
	go func() {
		select {
		case <-g.closing:
			end(closingProblem())
		case <-closed:
		}
	}()
	return ctx, func() {
		timer.Stop()
		close(closed)
		end(nil)
	}
}

// errTime is the cause of a context whose time is over.
var errTime = errors.New("the time is over")

func (g *Gateway) mux() http.Handler {
	mux := http.NewServeMux()
	methods := map[string][]string{}
	for _, x := range routes() {
		mux.HandleFunc(x.method+" "+x.path, func(w http.ResponseWriter, r *http.Request) { g.serve(&x, w, r) })
		methods[x.path] = append(methods[x.path], x.method)
	}
	for path, allowed := range methods {
		mux.HandleFunc(path, g.refuse(func(w http.ResponseWriter) *Problem {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
			return problem(http.StatusMethodNotAllowed, ReasonMethod, "this path is for %s", strings.Join(allowed, " and "))
		}))
	}
	mux.HandleFunc("/", g.refuse(func(http.ResponseWriter) *Problem {
		return problem(http.StatusNotFound, ReasonNotFound, "there is no such path: see /v1/openapi.json")
	}))
	return mux
}

// refuse answers what no route is for.
func (g *Gateway) refuse(why func(http.ResponseWriter) *Problem) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start, out := time.Now(), newWriter(w, g.meters, g.cfg.Stall)
		g.fail(out, r, why(w))
		g.meters.answered("none", out.status, time.Since(start))
	}
}

// serve carries out a request.
func (g *Gateway) serve(x *route, w http.ResponseWriter, r *http.Request) {
	out, start := newWriter(w, g.meters, g.cfg.Stall), time.Now()
	defer func() { g.meters.answered(x.method+" "+x.path, out.outcome(), time.Since(start)) }()
	if !g.enter() {
		g.fail(out, r, closingProblem())
		return
	}
	defer g.mu.open.Done()
	if err := x.serve(g, out, r); err != nil {
		g.fail(out, r, err)
	}
}

// slot takes a place in a lane; leave it in the end.
func (g *Gateway) slot(l lane) (leave func(), _ *Problem) {
	select {
	case g.lanes[l] <- struct{}{}:
	default:
		return nil, busy(string(l) + "s")
	}
	g.meters.flying.WithLabelValues(string(l)).Inc()
	return func() {
		g.meters.flying.WithLabelValues(string(l)).Dec()
		<-g.lanes[l]
	}, nil
}

// fail answers with an error, if nothing has been answered yet; otherwise the answer is too short and
// the connection is closed.
func (g *Gateway) fail(w *writer, r *http.Request, err error) {
	if w.status != 0 {
		return
	}
	p := asProblem(err)
	w.left = r.Context().Err() != nil && p.Reason != ReasonSlow
	if p.Status == http.StatusInternalServerError {
		g.cfg.Log.Error("gateway", "path", r.URL.Path, "error", err)
	}
	p.setHeaders(w.Header())
	body := Failure{Error: p.Text}
	if !strings.HasPrefix(r.URL.Path, "/v2") {
		body.Reason = p.Reason
	}
	_ = w.json(r, p.Status, body) // the client is gone otherwise
}

// Failure is the body of an answer to a request that is not carried out.
type Failure struct {
	Error  string `json:"error"`
	Reason string `json:"reason,omitempty" about:"stable code; in /v1"`
}
