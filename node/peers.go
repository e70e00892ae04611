package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weisyn/wes/chain/consensus"
	"github.com/weisyn/wes/chain/replica"
)

const (
	// askTimeout bounds one request, of up to 8 MiB.
	askTimeout = 60 * time.Second
	// tellTimeout bounds the announcement of a header to one peer.
	tellTimeout = 10 * time.Second
)

// join reports a peer that speaks this network's protocol.
func (l *ledger) join(ctx context.Context, name string) error {
	return l.queue.do(ctx, func(now uint64) error {
		if l.owned.peers[name] != nil {
			return nil
		}
		l.owned.lastID++
		tip, err := l.tip()
		if err != nil {
			return err
		}
		p := &peer{name: name, id: l.owned.lastID, untold: tip}
		l.owned.peers[name], l.owned.ids[p.id] = p, p
		l.owned.joined = append(l.owned.joined, p)
		return l.owned.replica.Join(now, p.id)
	})
}

// tip returns the announcement for a new peer: the answer to its first request may be older than
// its joining here, and what is announced between the two does not reach it. It is nil on the
// genesis block.
func (l *ledger) tip() ([]byte, error) {
	now := l.store.Ledger()
	if now.Height == 0 {
		return nil, nil
	}
	h, found, err := l.store.Header(now.Tip)
	if err != nil || !found {
		return nil, fmt.Errorf("read the header of the tip (found: %v): %w", found, err)
	}
	return replica.EncodeHeader(&consensus.SealedHeader{Header: h.Header, Seal: h.Seal}), nil
}

// leave reports that a peer is gone.
func (l *ledger) leave(ctx context.Context, name string) error {
	l.queue.forget(name)
	return l.queue.do(ctx, func(now uint64) error {
		p := l.owned.peers[name]
		if p == nil {
			return nil
		}
		delete(l.owned.peers, name)
		delete(l.owned.ids, p.id)
		return l.owned.replica.Leave(now, p.id)
	})
}

// ask sends a request of the replica and reports the answer, which is decoded here and not on
// the owner's goroutine. Its peer is nil if it has left.
func (l *ledger) ask(ctx context.Context, p *peer, e replica.Ask) {
	kind := kindName(e.Request.Kind)
	a, failure := l.answer(ctx, p, e.Request)
	if failure != 0 {
		l.metrics.asked.WithLabelValues(kind, failureName(failure)).Inc()
		l.report(ctx, func(now uint64) error { return l.owned.replica.Fail(now, e.Peer, e.Request, failure) })
		return
	}
	l.metrics.asked.WithLabelValues(kind, "answered").Inc()
	l.report(ctx, func(now uint64) error { return l.owned.replica.Answer(now, e.Peer, e.Request, a) })
}

func (l *ledger) answer(ctx context.Context, p *peer, q *replica.Request) (*replica.Answer, replica.Failure) {
	if p == nil {
		return nil, replica.Lost
	}
	ctx, stop := context.WithTimeout(ctx, askTimeout)
	defer stop()
	raw, err := l.net.ask(ctx, p.name, q.Encode(), replica.MaxAnswer)
	if errors.Is(err, errTooLarge) {
		return nil, replica.Garbled
	}
	if err != nil {
		l.log.Debug("no answer", keyPeer, p.name, "kind", kindName(q.Kind), keyError, err)
		return nil, replica.Lost
	}
	a, err := replica.DecodeAnswer(q, raw)
	if err != nil {
		l.log.Debug("bad answer", keyPeer, p.name, keyError, err)
		return nil, replica.Garbled
	}
	return a, 0
}

// errTooLarge is what a transport returns for an answer of more bytes than the limit.
var errTooLarge = errors.New("the answer is too large")

// report runs a step of a goroutine that the ledger has started. If it cannot, the ledger has
// ended, and nobody waits for the report.
func (l *ledger) report(ctx context.Context, step func(now uint64) error) {
	_ = l.queue.do(ctx, step)
}

// tell announces a header to a peer. While one is on its way, only the last of those that follow
// is kept.
func (l *ledger) tell(ctx context.Context, p *peer, raw []byte) {
	if p.telling {
		p.untold = raw
		return
	}
	p.telling = true
	l.work.Go(func() {
		within, stop := context.WithTimeout(ctx, tellTimeout)
		defer stop()
		err := l.net.announce(within, p.name, raw)
		l.metrics.asked.WithLabelValues("announce", sent(err)).Inc()
		l.report(ctx, func(uint64) error {
			next := p.untold
			p.telling, p.untold = false, nil
			if next != nil && l.owned.peers[p.name] == p {
				l.tell(ctx, p, next)
			}
			return nil
		})
	})
}

// announced takes the header that a peer has announced; an error means that the peer is at
// fault.
func (l *ledger) announced(ctx context.Context, from string, raw []byte) error {
	h, err := replica.DecodeHeader(raw)
	if err != nil {
		return fmt.Errorf("announcement: %w", err)
	}
	return l.queue.of(ctx, from, func(now uint64) error {
		p := l.owned.peers[from]
		if p == nil {
			return nil
		}
		return l.owned.replica.Announced(now, p.id, h)
	})
}

// relayed takes a gossiped transaction and waits for the verdict.
func (l *ledger) relayed(ctx context.Context, from string, raw []byte) replica.Decision {
	d := l.judged(ctx, from, raw)
	l.metrics.verdicts.WithLabelValues("relayed", decisionName(d)).Inc()
	return d
}

func (l *ledger) judged(ctx context.Context, from string, raw []byte) replica.Decision {
	x, err := replica.DecodeTx(raw)
	if err != nil {
		return replica.Rejected
	}
	verdict := make(chan replica.Decision, 1)
	err = l.queue.of(ctx, from, func(now uint64) error {
		p := l.owned.peers[from]
		if p == nil {
			verdict <- replica.Ignored
			return nil
		}
		l.owned.ticket++
		l.owned.tickets[l.owned.ticket] = verdict
		return l.owned.replica.Relay(now, p.id, x, l.owned.ticket)
	})
	if err != nil {
		return replica.Ignored
	}
	select {
	case d := <-verdict:
		return d
	case <-ctx.Done():
	case <-l.queue.ended:
	}
	return replica.Ignored
}

// serve answers a request of a peer from what readers see. An error that is ErrMessage of
// package replica is the peer's fault, any other stops the node.
func (l *ledger) serve(ctx context.Context, raw []byte) ([]byte, error) {
	out, err := l.server.Serve(raw)
	if err != nil && !errors.Is(err, replica.ErrMessage) {
		l.report(ctx, func(uint64) error { return err })
	}
	return out, err
}

// refused reports whether an error of the replica is a refusal, and no fault.
func refused(err error) bool {
	var r *replica.Refusal
	return errors.As(err, &r)
}

// Names of outcomes in metrics.

func outcome(err error) string {
	switch {
	case err == nil:
		return "accepted"
	case refused(err):
		return "refused"
	}
	return "failed"
}

func sent(err error) string {
	if err != nil {
		return "failed"
	}
	return "answered"
}

func failureName(f replica.Failure) string {
	if f == replica.Garbled {
		return "garbled"
	}
	return "lost"
}

func decisionName(d replica.Decision) string {
	switch d {
	case replica.Accepted:
		return "accepted"
	case replica.Rejected:
		return "rejected"
	}
	return "ignored"
}

func kindName(k replica.Kind) string {
	names := [...]string{
		replica.KindHeaders: "headers", replica.KindBody: "body", replica.KindOutline: "outline",
		replica.KindTxs: "transactions", replica.KindAttachments: "attachments",
	}
	return names[k]
}
