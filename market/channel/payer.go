package channel

import (
	"slices"

	"github.com/weisyn/wes/chain"
)

// Payer is the client's side of a channel.
type Payer struct {
	id     chain.Hash
	state  payerState
	latest totals // with all of state.Pending
	stored mark
}

// OpenPayer opens a channel whose funding output is in the ledger, or will be. Its errors are
// [ErrTerms] and [ErrFunding]. The first record is to be stored before the funding transaction is
// sent.
func OpenPayer(t Terms, funding *chain.UTXO) (*Payer, error) {
	a := Announce{Terms: t, Tx: funding.Outpoint.Tx, Index: funding.Outpoint.Index}
	if err := t.Check(); err != nil {
		return nil, err
	}
	if err := a.CheckFunding(funding); err != nil {
		return nil, err
	}
	p := &Payer{id: a.ID(), state: payerState{Format: recordVersion, Announce: a, Version: 1}}
	p.state.Acked.Receipt = p.id
	p.latest = p.state.Acked
	return p, nil
}

// RestorePayer goes on from the latest stored record. Its errors are [ErrMalformed].
func RestorePayer(record []byte) (*Payer, error) {
	s, err := decode[payerState](record, MaxRecord)
	if err != nil {
		return nil, err
	}
	p := &Payer{id: s.Announce.ID(), state: *s, latest: s.latest()}
	p.stored = p.Record().mark
	return p, nil
}

// ID identifies the channel.
func (p *Payer) ID() chain.Hash { return p.id }

// Announce returns what the operator is told of the channel.
func (p *Payer) Announce() Announce { return p.state.Announce }

// Record returns the present state.
func (p *Payer) Record() Record {
	return Record{encode(&p.state), mark{p.state.Version, p.latest.N, p.state.Closed}}
}

// Stored says that a record is stored, and all before it.
func (p *Payer) Stored(r Record) { p.stored.advance(r) }

// changed returns the record after a change.
func (p *Payer) changed() Record {
	p.state.Version++
	return p.Record()
}

// Room is what further jobs may cost.
func (p *Payer) Room() uint64 { return p.state.Announce.Terms.Limit() - p.load().cost }

// Cost is what all vouchers together take from the cap, of which the operator may have stored
// fewer.
func (p *Payer) Cost() uint64 { return p.latest.cost() }

// Open is how many jobs are reserved, or paid and not acknowledged.
func (p *Payer) Open() int { return len(p.state.Reserved) + len(p.state.Pending) }

// Pending is how many jobs are paid and not acknowledged.
func (p *Payer) Pending() int { return len(p.state.Pending) }

// Closed reports whether no new job and payment is taken.
func (p *Payer) Closed() bool { return p.state.Closed }

// load counts what is signed and what is reserved.
func (p *Payer) load() *load { return p.state.load(&p.latest) }

// Reserve keeps what a job costs. A job that is reserved, or paid and not acknowledged, is left as
// it is. Its errors are [ErrJob], [ErrClosed], [ErrExpired], [ErrFull] and [ErrOwners].
func (p *Payer) Reserve(now uint64, j Job) (Record, error) {
	if known := p.state.find(j.ID); known != nil {
		if !known.same(&j) {
			return Record{}, refuse(ErrJob, "%v is another job already", j.ID)
		}
		return p.Record(), nil
	}
	if err := p.admit(now, &j); err != nil {
		return Record{}, err
	}
	j.Owner = slices.Clone(j.Owner)
	p.state.Reserved = append(p.state.Reserved, j)
	return p.changed(), nil
}

func (p *Payer) admit(now uint64, j *Job) error {
	t := &p.state.Announce.Terms
	if err := j.check(); err != nil {
		return refuse(ErrJob, "%v: %v", j.ID, err)
	}
	if p.state.Closed {
		return ErrClosed
	}
	if err := t.open(now); err != nil {
		return err
	}
	if n := len(p.state.Reserved) + len(p.state.Pending); n >= MaxUnpaid {
		return refuse(ErrFull, "%d jobs are open", n)
	}
	if r := p.load().add(t, j); r != nil {
		return r
	}
	return nil
}

// Forget frees what was reserved for a job that will not be paid; [ErrUnknownJob] if it is paid.
func (p *Payer) Forget(job chain.Hash) (Record, error) {
	i := p.state.reserved(job)
	if i < 0 {
		return Record{}, refuse(ErrUnknownJob, "%v is not reserved", job)
	}
	p.state.Reserved = slices.Delete(p.state.Reserved, i, i+1)
	return p.changed(), nil
}

// Pay adds a job, whose output the client has verified, to what is paid. Once the record is stored,
// Outbox has its voucher. Paying a job again that is not acknowledged changes nothing. Its errors
// are [ErrUnknownJob], [ErrResult], [ErrClosed] and [ErrExpired].
func (p *Payer) Pay(now uint64, job, output chain.Hash) (Record, error) {
	if known := p.state.pending(job); known != nil {
		if known.Output != output {
			return Record{}, refuse(ErrResult, "%v is paid for %v", job, known.Output)
		}
		return p.Record(), nil
	}
	i := p.state.reserved(job)
	switch {
	case i < 0:
		return Record{}, refuse(ErrUnknownJob, "%v is not reserved", job)
	case p.state.Closed:
		return Record{}, ErrClosed
	case now >= p.state.Announce.Terms.Expiry:
		return Record{}, refuse(ErrExpired, "it is %d", now)
	}
	paid := payment{Job: p.state.Reserved[i], Output: output}
	p.state.Reserved = slices.Delete(p.state.Reserved, i, i+1)
	p.state.Pending = append(p.state.Pending, paid)
	p.latest = p.latest.after(&paid)
	return p.changed(), nil
}

// Outbox signs the vouchers that are stored and that the operator has not acknowledged, in their
// order. A voucher is the same each time; it may be sent any number of times.
func (p *Payer) Outbox(sign Sign) ([]Voucher, error) {
	a := &p.state.Announce
	var all []Voucher
	t := p.state.Acked
	for i := range p.state.Pending {
		paid := &p.state.Pending[i]
		if t = t.after(paid); t.N > p.stored.n {
			break
		}
		s, err := a.sign(a.closing(&t), a.Terms.Client, sign)
		if err != nil {
			return nil, err
		}
		all = append(all, Voucher{
			Channel: p.id, N: t.N, Job: paid.Job.ID, Input: paid.Job.Input, Output: paid.Output,
			Paid: t.Paid, Royalty: t.royalty(), Receipt: t.Receipt, Signature: s,
		})
	}
	return all, nil
}

// Acknowledged takes what the operator has stored. An older acknowledgement changes nothing. One of
// another channel is [ErrChannel]; one of a voucher that this state has not signed is [ErrBehind],
// and the channel must not be used any more.
func (p *Payer) Acknowledged(a *Ack) (Record, error) {
	switch {
	case a.Channel != p.id:
		return Record{}, refuse(ErrChannel, "%v", a.Channel)
	case a.N > p.stored.n:
		return Record{}, refuse(ErrBehind, "voucher %d of %d", a.N, p.stored.n)
	case a.N <= p.state.Acked.N:
		return p.Record(), nil
	}
	n := int(a.N - p.state.Acked.N)
	for i := range n {
		p.state.Acked = p.state.Acked.after(&p.state.Pending[i])
	}
	p.state.Pending = slices.Delete(p.state.Pending, 0, n)
	return p.changed(), nil
}

// Covers returns the jobs that this acknowledgement, and none before, says are paid.
func (p *Payer) Covers(a *Ack) (all []chain.Hash) {
	for i := range p.state.Pending {
		if p.state.Acked.N+uint64(i) < a.N {
			all = append(all, p.state.Pending[i].Job.ID)
		}
	}
	return all
}

// ClosedBy returns the acknowledgement that a transaction stands for which spends the funding output.
// One that the operator has made says which vouchers it has stored; any other says nothing new.
func (p *Payer) ClosedBy(tx chain.Hash) Ack {
	t := p.state.Acked
	for i := range p.state.Pending {
		if t = t.after(&p.state.Pending[i]); p.state.Announce.closing(&t).ID() == tx {
			return Ack{Channel: p.id, N: t.N}
		}
	}
	return Ack{Channel: p.id, N: p.state.Acked.N}
}

// Close ends the channel for new jobs and payments: its funding output is spent, or the client does
// not trust its state.
func (p *Payer) Close() Record {
	if p.state.Closed {
		return p.Record()
	}
	p.state.Closed = true
	return p.changed()
}

// Reclaim returns the transaction with which the client takes back the whole cap, less the fee. It
// is valid from the expiry on, [ErrEarly] before, unless the operator has closed the channel.
func (p *Payer) Reclaim(now uint64, sign Sign) (*chain.Tx, chain.Witness, error) {
	a := &p.state.Announce
	if now < a.Terms.Expiry {
		return nil, nil, refuse(ErrEarly, "it is %d, the expiry %d", now, a.Terms.Expiry)
	}
	tx := a.reclaim()
	s, err := a.sign(tx, a.Terms.Client, sign)
	if err != nil {
		return nil, nil, err
	}
	return tx, chain.Witness{{Choices: []uint64{branchClient}, Data: [][]byte{s[:]}}}, nil
}
