package replica

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/mempool"
)

// Editions of gossip: what comes first, and what is sent again because it was not passed on
// the first time. Copies that a submitter sends have those above.
const (
	first uint8 = iota
	again
)

// waiting is a relayed transaction whose attachments were asked for.
type waiting struct {
	Relayed
	id      chain.Hash
	from    PeerID
	ticket  uint64
	request *Request
	expires uint64 // tick
}

// waitTicks is how long a transaction waits for its attachments.
const waitTicks = 15

// Relay takes a transaction that a peer has sent. The verdict comes as an effect, with the
// ticket.
func (r *Replica) Relay(now uint64, from PeerID, x Relayed, ticket uint64) error {
	result, err := r.pool.Add(now, mempool.Peer(from), x.Tx, x.Witness)
	if errors.Is(err, mempool.ErrKnown) && r.passes(now, &x) {
		r.emit(Verdict{ticket, Accepted})
		return nil
	}
	var missing *chain.UnavailableError
	if errors.As(err, &missing) && r.wait(from, x, ticket, missing.Missing) {
		return nil
	}
	return r.judged(&result, err, from, ticket)
}

// judged emits the verdict of a transaction and what follows from it.
func (r *Replica) judged(result *mempool.Result, err error, from PeerID, ticket uint64) error {
	d := Ignored
	switch decision, refused := judge(err); {
	case !refused:
		return fmt.Errorf("mempool: %w", err)
	case err == nil:
		d = Accepted
		r.entered(&mempool.Result{Added: result.Added[1:]}, again) // orphans; the first is passed on by its verdict
		r.emit(Entered{result.Added[0]})
	default:
		d = decision
	}
	r.emit(Verdict{ticket, d})
	if d == Rejected {
		r.emit(Drop{from, "it relayed an invalid transaction: " + err.Error(), true})
	}
	return nil
}

// judge tells what an error of the mempool says of a transaction; false if it is a fault of
// this machine.
func judge(err error) (Decision, bool) {
	var broken *chain.RuleError
	var missing *chain.UnavailableError
	switch {
	case errors.As(err, &broken):
		if s := broken.Code.Scope(); s == chain.ScopeBody || s == chain.ScopeWitness {
			return Rejected, true
		}
		return Ignored, true
	case err == nil, errors.As(err, &missing), policy(err):
		return Ignored, true
	}
	return 0, false
}

// policy reports whether an error is a refusal by the mempool's policy.
func policy(err error) bool {
	return slices.ContainsFunc([]error{
		mempool.ErrKnown, mempool.ErrOrphan, mempool.ErrFee, mempool.ErrReplacement, mempool.ErrChain,
		mempool.ErrBudget, mempool.ErrRefused, mempool.ErrCoinbase,
	}, func(e error) bool { return errors.Is(err, e) })
}

// entered publishes transactions that are in the mempool now.
func (r *Replica) entered(result *mempool.Result, edition uint8) {
	for _, e := range result.Added {
		r.emit(Entered{e})
		r.emit(Gossip{edition, Relayed{e.Tx, e.Witness}})
	}
}

// Refusal is why a submitted transaction was not taken. It wraps an error of package mempool, a
// *chain.RuleError or a *chain.UnavailableError.
type Refusal struct{ Err error }

func (e *Refusal) Error() string { return "transaction refused: " + e.Err.Error() }

// Unwrap returns the reason.
func (e *Refusal) Unwrap() error { return e.Err }

// Submit takes a transaction of this node's own user, with attachments that may be at hand
// already. It returns a *Refusal if the mempool does not take it; other errors are faults.
func (r *Replica) Submit(now uint64, x Relayed, attachments ...[]byte) error {
	if err := r.offer(x.Tx, attachments); err != nil {
		return &Refusal{err}
	}
	result, err := r.pool.Add(now, 0, x.Tx, x.Witness)
	if err != nil {
		if _, refused := judge(err); refused {
			return &Refusal{err}
		}
		return fmt.Errorf("mempool: %w", err)
	}
	r.entered(&result, first)
	r.remember(x.Tx.ID())
	return nil
}

// offer keeps attachments that a transaction lists.
func (r *Replica) offer(t *chain.Tx, all [][]byte) error {
	var size uint64
	for _, b := range all {
		size += uint64(len(b))
		h := chain.Hash(sha256.Sum256(b))
		if size > chain.MaxTxAttachments || !slices.Contains(attached([]*chain.Tx{t}), h) {
			return &chain.RuleError{Code: chain.CodeAttachment, Input: -1, Detail: fmt.Sprintf("%v is not listed, or too large", h)}
		}
	}
	if r.crowded() {
		return fmt.Errorf("%w: attachments fill the mempool", mempool.ErrFee)
	}
	for _, b := range all {
		r.held.add(b)
	}
	return nil
}

// crowded makes room for attachments, and reports whether there is none.
func (r *Replica) crowded() bool {
	limit := r.cfg.Mempool.MaxBytes
	if limit == 0 {
		limit = 128 << 20
	}
	limit += uint64(r.cfg.MaxWaiting) << 18 // on top of the pool: what is on its way
	if r.held.size() < limit {
		return false
	}
	r.sweep()
	return r.held.size() >= limit
}

// sweep forgets attachments of transactions that are gone.
func (r *Replica) sweep() {
	named := map[chain.Hash]bool{}
	for e := range r.pool.All() {
		for _, a := range e.Tx.Attachments {
			named[a.SHA256] = true
		}
	}
	for _, w := range r.waiting {
		for _, a := range w.Tx.Attachments {
			named[a.SHA256] = true
		}
	}
	r.held.keep(named)
}

// wait asks the sender of a transaction for its attachments; false if too much waits already.
func (r *Replica) wait(from PeerID, x Relayed, ticket uint64, missing []chain.Hash) bool {
	n := 0
	for _, w := range r.waiting {
		if w.from == from {
			n++
		}
	}
	id := x.Tx.ID()
	known := slices.ContainsFunc(r.waiting, func(w *waiting) bool { return w.id == id && w.from == from })
	if known || n >= r.cfg.PeerWaiting || len(r.waiting) >= r.cfg.MaxWaiting || r.crowded() {
		return false
	}
	q := &Request{Kind: KindAttachments, Hashes: missing[:min(len(missing), MaxAttachments)]}
	r.waiting = append(r.waiting, &waiting{x, id, from, ticket, q, r.ticks + waitTicks})
	r.emit(Ask{from, q})
	return true
}

// attachmentsCame tries the transactions again that waited for an answer, which may be nil.
func (r *Replica) attachmentsCame(now uint64, from PeerID, q *Request, a *Answer) error {
	for i, w := range r.waiting {
		if w.from != from || w.request != q {
			continue
		}
		r.waiting = slices.Delete(r.waiting, i, i+1)
		if a != nil && !r.crowded() {
			r.hold(w.Tx, a.Attachments)
		}
		result, err := r.pool.Add(now, mempool.Peer(from), w.Tx, w.Witness)
		return r.judged(&result, err, from, w.ticket)
	}
	return nil
}

// hold keeps attachments of the lengths that a transaction says.
func (r *Replica) hold(t *chain.Tx, all [][]byte) {
	for _, b := range all {
		h := chain.Hash(sha256.Sum256(b))
		if slices.ContainsFunc(t.Attachments, func(a chain.Attachment) bool { return a.SHA256 == h && int(a.Len) == len(b) }) {
			r.held.add(b)
		}
	}
}

// expireWaiting gives up transactions whose attachments did not come.
func (r *Replica) expireWaiting() {
	r.waiting = slices.DeleteFunc(r.waiting, func(w *waiting) bool {
		if r.ticks < w.expires {
			return false
		}
		r.emit(Verdict{w.ticket, Ignored})
		return true
	})
}
