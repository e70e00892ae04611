package replica

import (
	"fmt"
	"maps"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/consensus"
	"github.com/weisyn/wes/chain/mempool"
)

// Config is what a replica is made of.
type Config struct {
	// Consensus has the rules of headers, and the limits of the sync.
	Consensus consensus.Config
	// Mempool is the policy of this node.
	Mempool mempool.Config
	// Validator has the rules of blocks. Its verifier is best a chain.ProofCache: a proof is
	// checked for the mempool and again for its block.
	Validator *chain.Validator
	// MaxWaiting bounds the transactions that wait for their attachments, PeerWaiting those of
	// one peer. Defaults 256 and 16.
	MaxWaiting, PeerWaiting int
}

func (c Config) withDefaults() Config {
	if c.MaxWaiting == 0 {
		c.MaxWaiting = 256
	}
	if c.PeerWaiting == 0 {
		c.PeerWaiting = 16
	}
	return c
}

// Replica is the ledger of one node. It is not safe for concurrent use.
type Replica struct {
	cfg   Config
	store Store
	core  *consensus.Core
	pool  *mempool.Pool
	held  *attachments // of the mempool

	assemblies map[chain.Hash]*assembly // of blocks asked for
	waiting    []*waiting               // transactions without their attachments, oldest first
	submitted  []submitted              // by this node's user, oldest first
	passed     map[chain.Hash]uint64    // when copies of waiting transactions were passed on last, ms since 1970
	stored     []chain.Hash             // complete blocks, not yet marked
	ready      *validated               // the block that was mined last
	ticks      uint64
	out        []Effect
}

// New returns a replica that stands where the store does.
func New(cfg Config, store Store) (*Replica, error) {
	r := &Replica{cfg: cfg.withDefaults(), store: store, held: newAttachments(store), assemblies: map[chain.Hash]*assembly{}, passed: map[chain.Hash]uint64{}}
	ledger := store.Ledger()
	var fault error
	core, err := consensus.New(cfg.Consensus, func(yield func(consensus.Record) bool) {
		for h, err := range store.Headers() {
			if err != nil {
				fault = err
				return
			}
			if !yield(consensus.Record{Header: consensus.SealedHeader{Header: h.Header, Seal: h.Seal}, Stored: h.Stored, Bad: h.Bad}) {
				return
			}
		}
	}, ledger.Tip)
	if fault != nil {
		return nil, fmt.Errorf("read headers: %w", fault)
	}
	if err != nil {
		return nil, err
	}
	r.core = core
	r.pool, err = mempool.New(cfg.Mempool, cfg.Validator, store, r.held, next(&ledger))
	if err != nil {
		return nil, err
	}
	return r, nil
}

// next is what rules of the next block compare with.
func next(l *chain.Ledger) chain.Env {
	return chain.Env{Chain: l.Chain, Height: l.Height + 1, Now: l.Time}
}

// Server returns what answers the requests of peers, from what readers see.
func (r *Replica) Server(s Source) *Server { return &Server{source: s, waiting: r.held} }

// Effects returns what there is to do, and forgets it.
func (r *Replica) Effects() []Effect {
	out := r.out
	r.out = nil
	return out
}

func (r *Replica) emit(e Effect) { r.out = append(r.out, e) }

// Join reports a new peer.
func (r *Replica) Join(now uint64, p PeerID) error {
	r.hasten()
	return r.step(now, consensus.Joined{Peer: p})
}

// Leave reports that a peer is gone.
func (r *Replica) Leave(now uint64, p PeerID) error { return r.step(now, consensus.Left{Peer: p}) }

// Announced reports a header that a peer has announced.
func (r *Replica) Announced(now uint64, p PeerID, h consensus.SealedHeader) error {
	return r.step(now, consensus.Headers{Peer: p, Headers: []consensus.SealedHeader{h}})
}

// step reports an event to the core and does what the core asks for. Errors of the core are
// our own bugs.
func (r *Replica) step(now uint64, m consensus.Message) error {
	if err := r.core.Step(now, m); err != nil {
		return fmt.Errorf("consensus: %w", err)
	}
	return r.follow(now)
}

// sweepTicks is how often attachments that no transaction needs are forgotten, and transactions
// that are too old.
const sweepTicks = 30

// Tick reports that about a second has passed.
func (r *Replica) Tick(now uint64) error {
	r.ticks++
	r.core.Tick(now)
	r.expireWaiting()
	if r.ticks%sweepTicks == 0 {
		r.pool.Expire(now)
		r.sweep()
		maps.DeleteFunc(r.passed, func(id chain.Hash, _ uint64) bool { return r.pool.Get(id) == nil })
	}
	r.resend()
	return r.follow(now)
}

// follow does what the core asks for, until it asks for nothing.
func (r *Replica) follow(now uint64) error {
	for {
		ready := r.core.Ready()
		if err := r.write(&ready); err != nil {
			return err
		}
		for _, q := range ready.Requests {
			if err := r.request(&q); err != nil {
				return err
			}
		}
		if ready.Announce != nil {
			if err := r.announce(*ready.Announce); err != nil {
				return err
			}
		}
		for _, d := range ready.Drops {
			r.emit(Drop(d))
		}
		if ready.Switch == nil {
			return nil
		}
		if err := r.move(now, ready.Switch); err != nil {
			return err
		}
	}
}

// write makes durable what the core has decided of headers.
func (r *Replica) write(ready *consensus.Ready) error {
	if len(ready.Headers) > 0 {
		hs := make([]chain.StoredHeader, len(ready.Headers))
		for i, h := range ready.Headers {
			hs[i] = chain.StoredHeader{Header: h.Header, Seal: h.Seal}
		}
		if err := r.store.PutHeaders(hs); err != nil {
			return fmt.Errorf("write headers: %w", err)
		}
	}
	if len(r.stored) > 0 {
		if err := r.store.MarkStored(r.stored); err != nil {
			return fmt.Errorf("mark blocks as stored: %w", err)
		}
		r.stored = nil
	}
	if len(ready.Invalid) > 0 {
		if err := r.store.MarkBad(ready.Invalid); err != nil {
			return fmt.Errorf("mark blocks as invalid: %w", err)
		}
	}
	return nil
}

func (r *Replica) announce(tip chain.Hash) error {
	h, found, err := r.store.Header(tip)
	if err != nil || !found {
		return fmt.Errorf("read the header of the tip (found: %v): %w", found, err)
	}
	r.emit(Announce{consensus.SealedHeader{Header: h.Header, Seal: h.Seal}})
	return nil
}

// Status summarises the ledger at the local time now, and the mempool.
func (r *Replica) Status(now uint64) (consensus.Status, mempool.Status) {
	return r.core.Status(), r.pool.Status(now)
}

// Above returns the work of the blocks that follow h on the branch of the tip.
func (r *Replica) Above(h chain.Hash) (consensus.Work, bool) { return r.core.Above(h) }

// Pending returns a transaction of the mempool; nil if it is not there.
func (r *Replica) Pending(id chain.Hash) *mempool.Entry { return r.pool.Get(id) }

// Spender returns the transaction of the mempool that spends an output; nil if there is none.
func (r *Replica) Spender(o chain.Outpoint) *mempool.Entry { return r.pool.Spender(o) }

// Floor returns the least fee rate that the mempool takes.
func (r *Replica) Floor(now uint64) mempool.Rate { return r.pool.Floor(now) }
