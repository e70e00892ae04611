package node

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/replica"
)

// transport is what the ledger needs of the network. Peers have the names that join was called
// with.
type transport interface {
	// ask sends a request and returns the answer, of at most limit bytes.
	ask(ctx context.Context, peer string, request []byte, limit int) ([]byte, error)
	// announce sends a header to one peer.
	announce(ctx context.Context, peer string, header []byte) error
	// publish sends a transaction to whoever listens.
	publish(ctx context.Context, tx []byte) error
	// drop disconnects a peer; a banned one stays away for a day.
	drop(peer, reason string, ban bool)
}

// ledger is the goroutine that owns the replica, and what carries out its effects. Fields below
// owned are that goroutine's alone.
type ledger struct {
	queue   *queue
	server  *replica.Server
	store   replica.Store
	net     transport
	log     *slog.Logger
	metrics *ledgerMetrics
	feed    *feed
	work    sync.WaitGroup // goroutines that carry out effects
	last    atomic.Pointer[Status]

	owned struct {
		replica *replica.Replica
		peers   map[string]*peer
		ids     map[replica.PeerID]*peer
		lastID  replica.PeerID
		tickets map[uint64]chan replica.Decision
		ticket  uint64  // the last one given
		joined  []*peer // to be told of the tip
	}
}

// peer is a peer of the ledger.
type peer struct {
	name    string
	id      replica.PeerID
	telling bool   // a header is on its way
	untold  []byte // the next one, nil if there is none
}

// newLedger takes over a replica and the store below it.
func newLedger(r *replica.Replica, s replica.Store, src replica.Source, net transport, log *slog.Logger, reg prometheus.Registerer) *ledger {
	l := &ledger{queue: newQueue(), server: r.Server(src), store: s, net: net, log: log, feed: newFeed()}
	l.owned.replica = r
	l.owned.peers, l.owned.ids = map[string]*peer{}, map[replica.PeerID]*peer{}
	l.owned.tickets = map[uint64]chan replica.Decision{}
	l.metrics = newLedgerMetrics(reg, l.status, func() int { return len(l.queue.events) })
	l.summarise()
	return l
}

// status returns a recent summary; it is not to be changed.
func (l *ledger) status() *Status { return l.last.Load() }

func (l *ledger) summarise() {
	c, m := l.owned.replica.Status(l.queue.now())
	l.last.Store(&Status{Chain: c, Mempool: m, Peers: len(l.owned.peers)})
}

// run owns the replica until ctx ends or this machine fails, and waits for whatever it has
// started.
func (l *ledger) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer l.work.Wait()
	defer stop()
	var began time.Time
	return l.queue.run(ctx, l.owned.replica.Tick, func(before bool) {
		if before {
			began = time.Now()
			return
		}
		for _, e := range l.owned.replica.Effects() {
			l.carry(ctx, e)
		}
		l.greet(ctx)
		l.summarise()
		l.metrics.event.Observe(time.Since(began).Seconds())
	})
}

// greet tells new peers of the tip.
func (l *ledger) greet(ctx context.Context) {
	for _, p := range l.owned.joined {
		if raw := p.untold; raw != nil {
			p.untold = nil
			l.tell(ctx, p, raw)
		}
	}
	l.owned.joined = nil
}

// carry does what the replica asks for, without waiting for anybody.
func (l *ledger) carry(ctx context.Context, e replica.Effect) {
	switch e := e.(type) {
	case replica.Ask:
		p := l.owned.ids[e.Peer]
		l.work.Go(func() { l.ask(ctx, p, e) })
	case replica.Announce:
		raw := replica.EncodeHeader(&e.Header)
		for _, p := range l.owned.peers {
			l.tell(ctx, p, raw)
		}
	case replica.Gossip:
		raw := replica.EncodeTx(e.Edition, e.Tx, e.Witness)
		l.work.Go(func() { l.publish(ctx, raw) })
	case replica.Verdict:
		l.decide(e)
	case replica.Drop:
		l.drop(e)
	case replica.Moved:
		l.moved(&e)
	case replica.Entered:
		l.feed.entered(e.Entry)
	default:
		panic(fmt.Sprintf("BUG: effect %T of the replica", e))
	}
}

func (l *ledger) moved(e *replica.Moved) {
	l.metrics.connected.Add(float64(len(e.Applied)))
	l.metrics.disconnected.Add(float64(len(e.Undone)))
	if len(e.Undone) > 0 {
		l.metrics.reorganised.Inc()
	}
	l.log.Debug("tip", keyHeight, e.Height, keyBlock, e.Tip)
	l.feed.moved(e)
}

// publish gossips a transaction. Its submitter sends it again until a block has it.
func (l *ledger) publish(ctx context.Context, raw []byte) {
	if err := l.net.publish(ctx, raw); err != nil && ctx.Err() == nil {
		l.metrics.asked.WithLabelValues("publish", "failed").Inc()
		l.log.Debug("transaction not published", keyError, err)
	}
}

func (l *ledger) drop(e replica.Drop) {
	p := l.owned.ids[e.Peer]
	if p == nil {
		return
	}
	l.metrics.dropped.WithLabelValues(fmt.Sprint(e.Ban)).Inc()
	l.log.Info("peer dropped", keyPeer, p.name, keyReason, e.Reason, "ban", e.Ban)
	l.work.Go(func() { l.net.drop(p.name, e.Reason, e.Ban) })
}

// decide tells the waiting validator.
func (l *ledger) decide(e replica.Verdict) {
	if waiting := l.owned.tickets[e.Ticket]; waiting != nil {
		waiting <- e.Decision // has room for one
		delete(l.owned.tickets, e.Ticket)
	}
}

// submit takes a transaction of this node's user; see replica.Replica.Submit.
func (l *ledger) submit(ctx context.Context, t *chain.Tx, w chain.Witness, attachments [][]byte) error {
	verdict := l.onReplica(ctx, func(now uint64, r *replica.Replica) error {
		return r.Submit(now, replica.Relayed{Tx: t, Witness: w}, attachments...)
	})
	l.metrics.verdicts.WithLabelValues("local", outcome(verdict)).Inc()
	return verdict
}

// onReplica runs f on the owner's goroutine and returns its error, of which a Refusal is the
// caller's affair and everything else stops the node.
func (l *ledger) onReplica(ctx context.Context, f func(now uint64, r *replica.Replica) error) error {
	var result error
	err := l.queue.do(ctx, func(now uint64) error {
		result = f(now, l.owned.replica)
		if refused(result) {
			return nil
		}
		return result
	})
	if err != nil {
		return err
	}
	return result
}
