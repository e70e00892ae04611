package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/creachadair/jrpc2"
	"github.com/weisyn/wes/chain"
)

// noticeMethod is the name of notifications.
const noticeMethod = methodPrefix + "notice"

// The bounds of one WebSocket.
const (
	maxSubscriptions = 16
	socketCalls      = 4  // at once
	socketMessages   = 16 // received and not answered
	socketWrite      = 10 * time.Second
	socketPing       = 30 * time.Second
)

// socket is one WebSocket: a channel of package jrpc2, and its subscriptions.
type socket struct {
	conn   *websocket.Conn
	end    context.CancelFunc // of the connection
	life   func() context.Context
	server *jrpc2.Server
	batch  int           // requests of one message
	flying chan struct{} // messages whose answers have not been sent
	work   sync.WaitGroup
	mu     struct {
		sync.Mutex
		last uint64
		stop map[uint64]func()
	}
}

// socketKey finds the socket of a call.
type socketKey struct{}

// socket serves a WebSocket until it ends.
func (s *Server) socket(life context.Context, w http.ResponseWriter, r *http.Request) {
	select {
	case s.sockets <- struct{}{}:
		defer func() { <-s.sockets }()
	default:
		s.refuse(w, "busy", http.StatusTooManyRequests, "busy: too many WebSockets")
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // guarded has compared the origin
	if err != nil {
		return // it has been answered
	}
	s.open.Add(1)
	defer s.open.Done()
	s.service.meters.sockets.Inc()
	defer s.service.meters.sockets.Dec()
	conn.SetReadLimit(s.cfg.MaxBody)
	ctx, stop := context.WithCancel(life)
	defer stop()
	k := &socket{conn: conn, end: stop, batch: s.cfg.MaxBatch, flying: make(chan struct{}, socketMessages)}
	k.mu.stop = map[uint64]func(){}
	ctx = context.WithValue(ctx, socketKey{}, k)
	k.life = func() context.Context { return ctx }
	k.server = jrpc2.NewServer(s.service.handlers(true), &jrpc2.ServerOptions{
		AllowPush: true, DisableBuiltin: true, Concurrency: socketCalls, NewContext: k.life,
	})
	k.work.Go(func() { k.ping(ctx) })
	release := context.AfterFunc(ctx, func() { _ = conn.CloseNow() })
	defer release()
	k.server.Start(k)
	_ = k.server.Wait() // how a client leaves is its affair
	stop()
	k.unsubscribeAll()
	k.work.Wait()
}

// ping finds out that a client is gone.
func (k *socket) ping(ctx context.Context) {
	t := time.NewTicker(socketPing)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			within, stop := context.WithTimeout(ctx, socketWrite)
			err := k.conn.Ping(within)
			stop()
			if err != nil {
				k.end()
				return
			}
		}
	}
}

// Send implements channel.Channel. An answer makes room for another message; a notification does
// not.
func (k *socket) Send(b []byte) error {
	if !bytes.HasPrefix(b, []byte(`{"jsonrpc":"2.0","method"`)) {
		select {
		case <-k.flying:
		default:
		}
	}
	ctx, stop := context.WithTimeout(k.life(), socketWrite)
	defer stop()
	return k.conn.Write(ctx, websocket.MessageText, b)
}

// Recv implements channel.Channel. It waits while too many messages are not answered, and ends
// the connection of who sends too large a batch, or notifications, which have no answer.
func (k *socket) Recv() ([]byte, error) {
	select {
	case k.flying <- struct{}{}:
	case <-k.life().Done():
		return nil, io.EOF
	}
	_, b, err := k.conn.Read(k.life())
	if err != nil {
		return nil, io.EOF // however it ended
	}
	if batchLength(b, k.batch+1) > k.batch || !answered(b) {
		_ = k.conn.Close(websocket.StatusPolicyViolation, "too large a batch, or a request without id")
		return nil, io.EOF
	}
	return b, nil
}

// answered reports whether a message gets an answer: what is no request does, and all requests
// with an id.
func answered(message []byte) bool {
	requests, err := jrpc2.ParseRequests(message)
	if err != nil {
		return true
	}
	for _, r := range requests {
		if r.ID == "" && r.Error == nil {
			return false
		}
	}
	return true
}

// Close implements channel.Channel.
func (k *socket) Close() error { return k.conn.Close(websocket.StatusNormalClosure, "") }

func (k *socket) unsubscribeAll() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for id, stop := range k.mu.stop {
		stop()
		delete(k.mu.stop, id)
	}
}

func (s *service) subscribe(ctx context.Context, p *SubscribeParams) (Subscribed, error) {
	k, _ := ctx.Value(socketKey{}).(*socket)
	if k == nil {
		return Subscribed{}, errors.New("BUG: a subscription without a socket")
	}
	pick, err := s.picker(p)
	if err != nil {
		return Subscribed{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.mu.stop) >= maxSubscriptions {
		return Subscribed{}, jrpc2.Errorf(CodePolicy, "%d subscriptions are the most of one connection", maxSubscriptions)
	}
	k.mu.last++
	id := k.mu.last
	notices, stop := s.node.Subscribe()
	k.mu.stop[id] = stop
	k.work.Go(func() { k.tell(id, notices, pick) })
	return Subscribed{id}, nil
}

// tell passes on notices until the subscription ends. A client that is too slow is cut off.
func (k *socket) tell(id uint64, notices <-chan Notice, pick func(*Notice) []Notification) {
	for n := range notices {
		for _, x := range pick(&n) {
			x.Subscription = id
			if err := k.server.Notify(k.life(), noticeMethod, x); err != nil {
				k.end()
				return
			}
		}
	}
	k.mu.Lock()
	_, wanted := k.mu.stop[id]
	k.mu.Unlock()
	if wanted {
		_ = k.conn.Close(websocket.StatusPolicyViolation, "too slow for the subscription")
		k.end()
	}
}

func (s *service) unsubscribe(ctx context.Context, p *UnsubscribeParams) (Subscribed, error) {
	k, _ := ctx.Value(socketKey{}).(*socket)
	if k == nil {
		return Subscribed{}, errors.New("BUG: a subscription without a socket")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	stop := k.mu.stop[p.Subscription]
	if stop == nil {
		return Subscribed{}, fmt.Errorf("subscription %d: %w", p.Subscription, ErrNotFound)
	}
	delete(k.mu.stop, p.Subscription)
	stop()
	return Subscribed{p.Subscription}, nil
}

// picker returns what a subscription tells of a notice.
func (s *service) picker(p *SubscribeParams) (func(*Notice) []Notification, error) {
	switch p.To {
	case "blocks":
		return blocksOf, nil
	case "transactions":
		return enteredOf, nil
	case "address":
		h, err := chain.ParseAddress(s.render.prefix, p.Address)
		if err != nil {
			return nil, invalid("address %q: %v", short(p.Address), err)
		}
		return func(n *Notice) []Notification { return s.touching(n, h) }, nil
	}
	return nil, invalid("to: %q is none of blocks, transactions, address", short(p.To))
}

func blocksOf(n *Notice) []Notification {
	if len(n.Undone)+len(n.Applied) == 0 {
		return nil
	}
	x := Notification{}
	for _, b := range n.Undone {
		x.Undone = append(x.Undone, b.Header.Hash().String())
	}
	for _, b := range n.Applied {
		x.Applied = append(x.Applied, renderHeader(&b.Header))
	}
	return []Notification{x}
}

func enteredOf(n *Notice) []Notification {
	if n.Entered == nil {
		return nil
	}
	return []Notification{{Transaction: n.Entered.ID().String()}}
}

// touching lists transactions with an output under a lock.
func (s *service) touching(n *Notice, lock chain.Hash) []Notification {
	var all []Notification
	pays := func(t *chain.Tx) bool {
		for i := range t.Outputs {
			if chain.LockHash(t.Outputs[i].Lock) == lock {
				return true
			}
		}
		return false
	}
	if n.Entered != nil && pays(n.Entered) {
		all = append(all, Notification{Transaction: n.Entered.ID().String()})
	}
	for _, b := range n.Applied {
		for _, t := range b.Txs {
			if pays(t) {
				all = append(all, Notification{Transaction: t.ID().String(), Height: b.Header.Height})
			}
		}
	}
	return all
}
