package mempool

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/weisyn/wes/chain"
)

// Validator checks single transactions: chain.Validator. Without attachments it takes for
// granted what is attached and proved, and still returns the cost.
type Validator interface {
	CheckTx(env chain.Env, view chain.View, att chain.Attachments, t *chain.Tx, w chain.Witness) (*chain.Verdict, error)
}

var _ Validator = (*chain.Validator)(nil)

// Peer names who sent a transaction. Zero is this node, whose budgets are not bounded.
type Peer uint64

// Pool is a set of transactions. It is not safe for concurrent use.
type Pool struct {
	cfg   Config
	rules Validator
	view  chain.View
	att   chain.Attachments
	env   chain.Env

	entries map[chain.Hash]*Entry
	spent   map[chain.Outpoint]*Entry   // who spends an output
	refers  map[chain.Outpoint][]*Entry // who refers to one
	bytes   uint64
	order   uint64

	floor   floor
	orphans orphans
	budgets map[Peer]*budget
	refused refused
}

// Errors of policy.
var (
	// ErrKnown: the transaction is in the pool or waits as an orphan.
	ErrKnown = errors.New("the transaction is known")
	// ErrOrphan: something that it spends or refers to is not there; it waits.
	ErrOrphan = errors.New("the transaction waits for others")
	// ErrFee: its fee rate is too low.
	ErrFee = errors.New("the fee is too low")
	// ErrReplacement: it spends what others in the pool spend, and may not replace them.
	ErrReplacement = errors.New("the transaction may not replace others")
	// ErrChain: it would make a chain of unconfirmed transactions too long.
	ErrChain = errors.New("too many unconfirmed transactions depend on each other")
	// ErrBudget: the peer has had enough proofs verified for now.
	ErrBudget = errors.New("the peer's budget for proofs is spent")
	// ErrRefused: it broke a rule before.
	ErrRefused = errors.New("the transaction was refused before")
	// ErrCoinbase: it is the first transaction of a block.
	ErrCoinbase = errors.New("a coinbase is not relayed")
)

// refuses reports whether an error is about a transaction, and not a fault of this machine.
func refuses(err error) bool {
	var broken *chain.RuleError
	var missing *chain.UnavailableError
	return errors.As(err, &broken) || errors.As(err, &missing) || slices.ContainsFunc([]error{
		ErrKnown, ErrOrphan, ErrFee, ErrReplacement, ErrChain, ErrBudget, ErrRefused, ErrCoinbase,
	}, func(policy error) bool { return errors.Is(err, policy) })
}

// New returns an empty pool on a ledger: what view shows is the ledger after its tip, and env
// is that of the next block.
func New(cfg Config, rules Validator, view chain.View, att chain.Attachments, env chain.Env) (*Pool, error) {
	cfg, err := cfg.validate()
	if err != nil {
		return nil, err
	}
	p := &Pool{
		cfg: cfg, rules: rules, view: view, att: att, env: env,
		budgets: map[Peer]*budget{}, orphans: newOrphans(), refused: newRefused(),
	}
	p.clear()
	return p, nil
}

func (p *Pool) clear() {
	p.entries, p.bytes = map[chain.Hash]*Entry{}, 0
	p.spent, p.refers = map[chain.Outpoint]*Entry{}, map[chain.Outpoint][]*Entry{}
}

// Result says what an accepted transaction has led to.
type Result struct {
	Added    []*Entry     // it, and orphans that waited for it; to be relayed
	Replaced []chain.Hash // transactions that it took the place of, with their descendants
}

// Add takes a transaction that a peer has sent at the local time now, in ms since 1970. The
// checks go from cheap to dear: size, inputs, fee, signatures, cost, proofs.
func (p *Pool) Add(now uint64, from Peer, t *chain.Tx, w chain.Witness) (Result, error) {
	var r Result
	e, err := p.add(now, from, t, w, &r)
	if err != nil {
		return Result{}, err
	}
	if err := p.adopt(now, e.ID, &r); err != nil {
		return Result{}, err
	}
	p.trim(now)
	if p.entries[e.ID] == nil {
		return Result{}, fmt.Errorf("%w: the pool is full", ErrFee)
	}
	r.Added = slices.DeleteFunc(r.Added, func(e *Entry) bool { return p.entries[e.ID] == nil })
	return r, nil
}

func (p *Pool) add(now uint64, from Peer, t *chain.Tx, w chain.Witness, r *Result) (*Entry, error) {
	if t.Coinbase() {
		return nil, ErrCoinbase
	}
	e := p.measure(now, t, w)
	if err := p.admissible(e); err != nil {
		return nil, err
	}
	missing, err := p.resolve(e)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		p.orphans.add(from, e, missing, &p.cfg)
		return nil, ErrOrphan
	}
	if err := p.checkFee(now, e); err != nil {
		return nil, err
	}
	if err := p.judge(e, nil); err != nil {
		return nil, err
	}
	if err := p.checkFee(now, e); err != nil {
		return nil, err
	}
	evicted, err := p.room(e)
	if err != nil {
		return nil, err
	}
	if err := p.prove(now, from, e); err != nil {
		return nil, err
	}
	for _, old := range evicted.sorted() {
		r.Replaced = append(r.Replaced, old.ID)
	}
	p.remove(evicted)
	p.enter(e)
	r.Added = append(r.Added, e)
	return e, nil
}

// measure computes what the bytes say.
func (p *Pool) measure(now uint64, t *chain.Tx, w chain.Witness) *Entry {
	e := &Entry{Tx: t, Witness: w, ID: t.ID(), witnessHash: w.Hash(), Added: now, Fee: p.cfg.worth(t.Fee)}
	e.Base = uint64(len(t.Encode()) + len(w.Encode()))
	for _, a := range t.Attachments {
		e.Attached += uint64(a.Len)
	}
	e.Weight = chain.Weight(e.Base, e.Attached, 0)
	return e
}

// admissible refuses what is known or too large.
func (p *Pool) admissible(e *Entry) error {
	switch {
	case p.entries[e.ID] != nil || p.orphans.has(e):
		return ErrKnown
	case p.refused.has(e):
		return ErrRefused
	case e.Base > chain.MaxTxBase || e.Attached > chain.MaxTxAttachments:
		return &chain.RuleError{Code: chain.CodeLimit, Input: -1, Detail: fmt.Sprintf("%d bytes, %d attached", e.Base, e.Attached)}
	}
	return nil
}

// resolve finds the parents in the pool, and what is neither there nor in the ledger.
func (p *Pool) resolve(e *Entry) (missing []chain.Outpoint, err error) {
	for _, o := range slices.Concat(e.Tx.Inputs, e.Tx.References) {
		entry, found, err := p.view.Entry(o)
		if err != nil {
			return nil, fmt.Errorf("find output %v:%d: %w", o.Tx, o.Index, err)
		}
		if found {
			e.timed = e.timed || timed(&entry.Output)
			continue
		}
		parent := p.entries[o.Tx]
		if parent == nil || uint64(o.Index) >= uint64(len(parent.Tx.Outputs)) {
			missing = append(missing, o)
			continue
		}
		e.timed = e.timed || timed(&parent.Tx.Outputs[o.Index])
		if !slices.Contains(e.parents, parent) {
			e.parents = append(e.parents, parent)
		}
	}
	e.timed = e.timed || e.Tx.Until != 0
	return missing, nil
}

// judge checks the rules and takes over the cost. Without attachments, proofs are taken for
// granted.
func (p *Pool) judge(e *Entry, att chain.Attachments) error {
	v, err := p.rules.CheckTx(p.env, &overlay{p}, att, e.Tx, e.Witness)
	if err != nil {
		p.refused.note(e, err, p.cfg.MaxRefused)
		return err
	}
	e.Cost, e.Weight = v.Cost, v.Weight
	return nil
}

// prove checks what is attached and proved, on the peer's budget.
func (p *Pool) prove(now uint64, from Peer, e *Entry) error {
	if len(e.Tx.Attachments) == 0 {
		return nil
	}
	if !p.afford(now, from, e.Cost) {
		return ErrBudget
	}
	return p.judge(e, p.att)
}

func (p *Pool) checkFee(now uint64, e *Entry) error {
	if need := p.Floor(now).fee(e.Weight); e.Fee < need {
		return fmt.Errorf("%w: worth %d, need %d", ErrFee, e.Fee, need)
	}
	return nil
}

// enter links an entry into the pool.
func (p *Pool) enter(e *Entry) {
	p.order++
	e.order = p.order
	p.entries[e.ID] = e
	p.bytes += e.bytes()
	for _, o := range e.Tx.Inputs {
		p.spent[o] = e
	}
	for _, o := range e.Tx.References {
		p.refers[o] = append(p.refers[o], e)
	}
	for _, parent := range e.parents {
		parent.children = append(parent.children, e)
	}
}

// remove takes a set of entries out; it contains its own descendants.
func (p *Pool) remove(f family) {
	for e := range f {
		delete(p.entries, e.ID)
		p.bytes -= e.bytes()
		for _, o := range e.Tx.Inputs {
			delete(p.spent, o)
		}
		for _, o := range e.Tx.References {
			p.refers[o] = without(p.refers[o], e)
			if len(p.refers[o]) == 0 {
				delete(p.refers, o)
			}
		}
		for _, parent := range e.parents {
			parent.children = without(parent.children, e)
		}
	}
}

// confirm takes an entry out whose block is part of the ledger now. Its children keep.
func (p *Pool) confirm(e *Entry) {
	for _, c := range e.children {
		c.parents = without(c.parents, e)
	}
	p.remove(family{e: true})
}

func without(all []*Entry, e *Entry) []*Entry {
	return slices.DeleteFunc(all, func(x *Entry) bool { return x == e })
}

// Get returns a transaction by its id; nil if it is not in the pool.
func (p *Pool) Get(id chain.Hash) *Entry { return p.entries[id] }

// Status is a summary for operators.
type Status struct {
	Transactions int
	Bytes        uint64 // with attachments
	Orphans      int
	Floor        Rate
}

// Status returns the summary at the local time now.
func (p *Pool) Status(now uint64) Status {
	return Status{len(p.entries), p.bytes, len(p.orphans.all), p.Floor(now)}
}

// All yields every transaction, in no order.
func (p *Pool) All() iter.Seq[*Entry] { return maps.Values(p.entries) }

// Len returns the number of transactions, orphans not counted.
func (p *Pool) Len() int { return len(p.entries) }

// Spender returns the transaction that spends an output; nil if none in the pool does.
func (p *Pool) Spender(o chain.Outpoint) *Entry { return p.spent[o] }
