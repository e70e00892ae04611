package api

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/creachadair/jrpc2"
	"github.com/creachadair/jrpc2/jhttp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/netutil"
)

// Config says where a server listens and what it bears.
type Config struct {
	// Address is host and port; port 0 is any.
	Address string
	// Token is asked for as "Authorization: Bearer"; empty only on loopback.
	Token string
	// Cert and Key are files of a TLS certificate and its key, PEM; empty: no TLS.
	Cert, Key string
	// Hosts are names under which browsers may reach the server, beside loopback's.
	Hosts []string
	// Prefix of addresses of the network.
	Prefix string
	// Maturity is after how many blocks a coinbase can be spent.
	Maturity uint64

	// MaxBody bounds a request, in bytes; default 8 MiB: the largest attachments in base64.
	MaxBody int64
	// MaxBatch bounds the requests of a batch. Default 64.
	MaxBatch int
	// Resources are served where they are not nil.
	Resources Resources
	// Market serves what is below /v1 and /v2; nil: nothing. Its bounds and metrics are its own.
	Market http.Handler

	// Concurrent bounds the HTTP requests served at once, Connections the connections, Sockets the
	// WebSockets, Transfers the uploads and downloads. Defaults 32, 1024, 64 and 16: there are more
	// connections than requests that wait, so that those too many get an answer.
	Concurrent, Connections, Sockets, Transfers int
	// Timeout bounds the work for one call. Default 30 s.
	Timeout time.Duration
	// Stall is how long 256 KiB of a transfer may take, or a resource to begin to come. Default 60 s.
	Stall time.Duration

	// Registry gets the metrics of the server, Gatherer is what /metrics shows; nil: none.
	Registry prometheus.Registerer
	Gatherer prometheus.Gatherer
	// Log hears of faults; nil: nobody.
	Log *slog.Logger
}

// ErrConfig is returned by Open for a server that nobody should run.
var ErrConfig = errors.New("unusable configuration of the API")

func (c Config) withDefaults() (Config, error) {
	c.MaxBody, c.MaxBatch, c.Timeout = cmp.Or(c.MaxBody, 8<<20), cmp.Or(c.MaxBatch, 64), cmp.Or(c.Timeout, 30*time.Second)
	c.Concurrent, c.Connections, c.Sockets = cmp.Or(c.Concurrent, 32), cmp.Or(c.Connections, 1024), cmp.Or(c.Sockets, 64)
	c.Transfers, c.Stall = cmp.Or(c.Transfers, 16), cmp.Or(c.Stall, time.Minute)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	host, _, err := net.SplitHostPort(c.Address)
	switch {
	case err != nil:
		return c, fmt.Errorf("%w: address %q is not host:port", ErrConfig, c.Address)
	case c.Token == "" && !loopback(host):
		return c, fmt.Errorf("%w: others can reach %s: set a token, or listen on 127.0.0.1", ErrConfig, c.Address)
	case (c.Cert == "") != (c.Key == ""):
		return c, fmt.Errorf("%w: a certificate and a key go together", ErrConfig)
	}
	return c, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Server is the API of one node.
type Server struct {
	cfg       Config
	service   *service
	listener  net.Listener
	server    *http.Server
	bridge    jhttp.Bridge
	slots     chan struct{}
	sockets   chan struct{}
	transfers chan struct{}
	open      sync.WaitGroup // WebSockets and transfers
	stop      context.CancelFunc
}

// Open binds the address. Run serves it.
func Open(c Config, n Node) (*Server, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	m, err := newMeters(c.Registry)
	if err != nil {
		return nil, fmt.Errorf("open API: %w", err)
	}
	l, err := listen(&c)
	if err != nil {
		return nil, fmt.Errorf("open API: %w", err)
	}
	s := &Server{
		cfg: c, listener: l, slots: make(chan struct{}, c.Concurrent), sockets: make(chan struct{}, c.Sockets),
		transfers: make(chan struct{}, c.Transfers),
	}
	s.service = &service{cfg: c, node: n, render: renderer{c.Prefix}, meters: m}
	s.bridge = jhttp.NewBridge(s.service.handlers(false), &jhttp.BridgeOptions{
		Server: &jrpc2.ServerOptions{DisableBuiltin: true, Concurrency: c.Concurrent},
	})
	life, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.server = &http.Server{
		Handler: s.routes(life), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(c.Log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

func listen(c *Config) (net.Listener, error) {
	l, err := net.Listen("tcp", c.Address)
	if err != nil {
		return nil, err
	}
	l = netutil.LimitListener(l, c.Connections)
	if c.Cert == "" {
		return l, nil
	}
	pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("TLS: %w", err), l.Close())
	}
	return tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}), nil
}

// URL is where the server listens.
func (s *Server) URL() string {
	scheme := "http"
	if s.cfg.Cert != "" {
		scheme = "https"
	}
	return scheme + "://" + s.listener.Addr().String()
}

// Run serves until ctx ends, and returns when all requests and sockets have.
func (s *Server) Run(ctx context.Context) error {
	release := context.AfterFunc(ctx, func() { s.stop() })
	defer release()
	done := make(chan error, 1)
	go func() { done <- s.server.Serve(s.listener) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		within, stop := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer stop()
		if s.server.Shutdown(within) != nil {
			_ = s.server.Close() // what is left is cut off
		}
		err = <-done
	}
	return errors.Join(ignoreClosed(err), s.Close())
}

func ignoreClosed(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// Close ends the server at once. After Run it is done already.
func (s *Server) Close() error {
	s.stop()
	_ = s.server.Close()
	s.open.Wait()
	_ = s.listener.Close() // it may be closed
	return s.bridge.Close()
}

func (s *Server) routes(life context.Context) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /rpc", s.guarded(s.rpc))
	mux.HandleFunc("GET /ws", s.guarded(func(w http.ResponseWriter, r *http.Request) { s.socket(life, w, r) }))
	mux.HandleFunc("POST /resources", s.transfer(life, "up", s.upload))
	mux.HandleFunc("GET /resources/{cid}", s.transfer(life, "down", s.download))
	mux.HandleFunc("GET /openrpc.json", s.guarded(func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, openRPC()) }))
	if s.cfg.Market != nil {
		for _, path := range []string{"/v1/", "/v2", "/v2/"} {
			mux.HandleFunc(path, s.guarded(s.cfg.Market.ServeHTTP))
		}
	}
	if s.cfg.Gatherer != nil {
		metrics := promhttp.HandlerFor(s.cfg.Gatherer, promhttp.HandlerOpts{})
		mux.HandleFunc("GET /metrics", s.guarded(metrics.ServeHTTP))
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", s.ready)
	return mux
}

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	st := s.service.node.Status()
	if st.Ready {
		_, _ = io.WriteString(w, "ready\n") // the client is gone otherwise
		return
	}
	http.Error(w, "not ready: "+strings.Join(st.Reasons, "; "), http.StatusServiceUnavailable)
}

// guarded refuses whoever may not come here.
func (s *Server) guarded(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !s.knows(r):
			s.refuse(w, "token", http.StatusUnauthorized, "the token is missing or wrong: send it as \"Authorization: Bearer TOKEN\"")
		case !s.own(r):
			s.refuse(w, "origin", http.StatusForbidden, "requests of web pages of other hosts are refused")
		default:
			next(w, r)
		}
	}
}

func (s *Server) refuse(w http.ResponseWriter, reason string, code int, message string) {
	s.service.meters.limited.WithLabelValues(reason).Inc()
	if code == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	http.Error(w, message, code)
}

// knows reports whether a request has the token, if one is asked for.
func (s *Server) knows(r *http.Request) bool {
	if s.cfg.Token == "" {
		return true
	}
	got, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return bearer && subtle.ConstantTimeCompare([]byte(got), []byte(s.cfg.Token)) == 1
}

// own reports whether a request goes to a name of this server, and does not come from a page of
// another: a page whose name an attacker lets resolve to this machine would else be obeyed. A
// browser sends no Origin with what a page embeds, as images, but says where it comes from.
func (s *Server) own(r *http.Request) bool {
	if s.cfg.Token == "" && !s.named(r.Host) {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		site := r.Header.Get("Sec-Fetch-Site")
		return site == "" || site == "same-origin" || site == "none"
	}
	_, host, found := strings.Cut(origin, "://")
	return found && (host == r.Host || s.named(host))
}

func (s *Server) named(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	return loopback(host) || slices.Contains(s.cfg.Hosts, host)
}

// eager is how much of a request must have come before it takes a slot, in bytes: slow senders
// hold none.
const eager = 64 << 10

// rpc serves a request or a batch.
func (s *Server) rpc(w http.ResponseWriter, r *http.Request) {
	head := bufio.NewReaderSize(http.MaxBytesReader(w, r.Body, s.cfg.MaxBody), eager)
	_, _ = head.Peek(eager) // what is wrong with it shows below
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		s.refuse(w, "busy", http.StatusTooManyRequests, "busy: too many requests at once")
		return
	}
	body, err := io.ReadAll(head)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		s.refuse(w, "size", http.StatusRequestEntityTooLarge, fmt.Sprintf("the request exceeds %d bytes", s.cfg.MaxBody))
		return
	case err != nil:
		http.Error(w, "the request broke off", http.StatusBadRequest)
		return
	}
	if !json.Valid(body) {
		writeError(w, jrpc2.ParseError, "the request is not JSON")
		return
	}
	n := batchLength(body, s.cfg.MaxBatch+1)
	if n == 0 {
		writeError(w, jrpc2.InvalidRequest, "the batch is empty")
		return
	}
	if n > s.cfg.MaxBatch {
		s.refuse(w, "size", http.StatusRequestEntityTooLarge, fmt.Sprintf("the batch exceeds %d requests", s.cfg.MaxBatch))
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.bridge.ServeHTTP(w, r)
}

// batchLength counts the requests of a batch, up to a limit, without keeping them.
func batchLength(body []byte, limit int) int {
	d := json.NewDecoder(bytes.NewReader(body))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return 1
	}
	n := 0
	for n < limit && d.More() {
		var skipped json.RawMessage
		if d.Decode(&skipped) != nil {
			break
		}
		n++
	}
	return n
}

// writeError answers what is no request, as JSON-RPC 2.0 section 5.1 says.
func writeError(w http.ResponseWriter, code jrpc2.Code, message string) {
	writeJSON(w, http.StatusOK, map[string]any{"jsonrpc": "2.0", "id": nil, "error": map[string]any{"code": code, "message": message}})
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(v) // the client is gone otherwise
}
