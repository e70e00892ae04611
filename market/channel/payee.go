package channel

import (
	"fmt"
	"slices"

	"github.com/weisyn/wes/chain"
)

// Options are an operator's bounds.
type Options struct {
	// MaxUnpaid is how many jobs may be begun and not paid, so what the operator may lose. From 1
	// to [MaxUnpaid], the default.
	MaxUnpaid int
}

// validate fills in defaults.
func (o *Options) validate() error {
	if o.MaxUnpaid == 0 {
		o.MaxUnpaid = MaxUnpaid
	}
	if o.MaxUnpaid < 1 || o.MaxUnpaid > MaxUnpaid {
		return fmt.Errorf("unpaid jobs: %d is not 1 to %d", o.MaxUnpaid, MaxUnpaid)
	}
	return nil
}

// Payee is the operator's side of a channel.
type Payee struct {
	id     chain.Hash
	opts   Options
	state  payeeState
	stored mark
}

// OpenPayee takes part in a channel that a client has announced and whose funding output the
// operator has found unspent. Whether token, fee and the depth of the funding will do is the
// caller's to decide. Errors are [ErrTerms], [ErrFunding] and options out of range.
func OpenPayee(now uint64, o Options, operator chain.PublicKey, a *Announce, funding *chain.UTXO) (*Payee, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	t := &a.Terms
	if err := t.Check(); err != nil {
		return nil, err
	}
	if t.Operator != operator {
		return nil, refuse(ErrTerms, "for the operator %x", t.Operator)
	}
	if left := t.Expiry - min(now, t.Expiry); left < Margin+MinLife {
		return nil, refuse(ErrTerms, "expires in %d ms, want %d", left, Margin+MinLife)
	}
	if err := a.CheckFunding(funding); err != nil {
		return nil, err
	}
	p := &Payee{id: a.ID(), opts: o, state: payeeState{Format: recordVersion, Announce: *a, Version: 1}}
	p.state.Totals.Receipt = p.id
	return p, nil
}

// RestorePayee goes on from the latest stored record. Its errors are [ErrMalformed] and options out
// of range.
func RestorePayee(o Options, record []byte) (*Payee, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s, err := decode[payeeState](record, MaxRecord)
	if err != nil {
		return nil, err
	}
	p := &Payee{id: s.Announce.ID(), opts: o, state: *s}
	p.stored = p.Record().mark
	return p, nil
}

// ID identifies the channel.
func (p *Payee) ID() chain.Hash { return p.id }

// Announce returns what the client has announced.
func (p *Payee) Announce() Announce { return p.state.Announce }

// Record returns the present state.
func (p *Payee) Record() Record {
	return Record{encode(&p.state), mark{p.state.Version, p.state.Totals.N, p.state.Closing}}
}

// Stored says that a record is stored, and all before it.
func (p *Payee) Stored(r Record) { p.stored.advance(r) }

func (p *Payee) changed() Record {
	p.state.Version++
	return p.Record()
}

// Accept takes on a job. One that is taken on already is left as it is. Its errors are [ErrJob],
// [ErrClosed], [ErrExpired], [ErrPaymentRequired] and [ErrOwners].
func (p *Payee) Accept(now uint64, j Job) (Record, error) {
	if known := p.state.debt(j.ID); known != nil {
		if !known.Job.same(&j) {
			return Record{}, refuse(ErrJob, "%v is another job already", j.ID)
		}
		return p.Record(), nil
	}
	if err := p.admit(now, &j); err != nil {
		return Record{}, err
	}
	j.Owner = slices.Clone(j.Owner)
	p.state.Unpaid = append(p.state.Unpaid, debt{Job: j})
	return p.changed(), nil
}

func (p *Payee) admit(now uint64, j *Job) error {
	t := &p.state.Announce.Terms
	if err := j.check(); err != nil {
		return refuse(ErrJob, "%v: %v", j.ID, err)
	}
	if slices.Contains(p.state.Recent, j.ID) {
		return refuse(ErrJob, "%v is paid already", j.ID)
	}
	if p.state.Closing {
		return ErrClosed
	}
	if err := t.open(now); err != nil {
		return err
	}
	if n := len(p.state.Unpaid); n >= p.opts.MaxUnpaid {
		return refuse(ErrPaymentRequired, "%d jobs are not paid", n)
	}
	switch r := p.state.load().add(t, j); {
	case r == nil:
		return nil
	case r.Code == ErrFull:
		return refuse(ErrPaymentRequired, "%s", r.Detail)
	default:
		return r
	}
}

// Deliver notes the output of a job, which the client may pay from now on. Delivering it again
// changes nothing. Errors are [ErrUnknownJob], and [ErrResult] for another output than before.
func (p *Payee) Deliver(job, output chain.Hash) (Record, error) {
	d := p.state.debt(job)
	switch {
	case d == nil:
		return Record{}, refuse(ErrUnknownJob, "%v", job)
	case d.Delivered && d.Output != output:
		return Record{}, refuse(ErrResult, "%v was delivered as %v", job, d.Output)
	case d.Delivered:
		return p.Record(), nil
	}
	d.Delivered, d.Output = true, output
	return p.changed(), nil
}

// Drop gives up a job that will not be delivered, so that others find room. Errors are
// [ErrUnknownJob], and [ErrResult] for a job that was delivered: its voucher may be on the way, and
// without it no later one is taken.
func (p *Payee) Drop(job chain.Hash) (Record, error) {
	switch d := p.state.debt(job); {
	case d == nil:
		return Record{}, refuse(ErrUnknownJob, "%v", job)
	case d.Delivered:
		return Record{}, refuse(ErrResult, "%v was delivered", job)
	}
	p.state.remove(job)
	return p.changed(), nil
}

// Receive takes the voucher of a job that was delivered. The latest voucher changes nothing when it
// comes again. Every code from [ErrChannel] to [ErrClosed] is a reason to refuse one; after
// [ErrReplay] and [ErrGap], Ack tells the client where to go on.
func (p *Payee) Receive(now uint64, v *Voucher) (Record, error) {
	if v.Channel != p.id {
		return Record{}, refuse(ErrChannel, "%v", v.Channel)
	}
	if v.pays(&p.state.Totals) {
		return p.Record(), nil
	}
	if err := p.expects(now, v); err != nil {
		return Record{}, err
	}
	next, err := p.paidBy(v)
	if err != nil {
		return Record{}, err
	}
	if !p.state.Announce.signedByClient(&next, v.Signature) {
		return Record{}, refuse(ErrSignature, "voucher %d", v.N)
	}
	p.state.Totals, p.state.Signature = next, v.Signature
	p.state.settle(v.Job)
	return p.changed(), nil
}

// expects reports why a voucher of this number is not taken now.
func (p *Payee) expects(now uint64, v *Voucher) error {
	switch n := p.state.Totals.N; {
	case v.N <= n:
		return refuse(ErrReplay, "voucher %d of %d", v.N, n)
	case p.state.Closing:
		return ErrClosed
	case now >= p.state.Announce.Terms.Expiry:
		return refuse(ErrExpired, "it is %d", now)
	case v.N > n+1:
		return refuse(ErrGap, "voucher %d after %d", v.N, n)
	}
	return nil
}

// paidBy returns the totals that the voucher must be of.
func (p *Payee) paidBy(v *Voucher) (totals, error) {
	d := p.state.debt(v.Job)
	if d == nil {
		return totals{}, refuse(ErrUnknownJob, "%v", v.Job)
	}
	if !d.Delivered || v.Input != d.Job.Input || v.Output != d.Output {
		return totals{}, refuse(ErrResult, "voucher of %v for output %v", v.Job, v.Output)
	}
	next := p.state.Totals.after(&payment{Job: d.Job, Output: d.Output})
	if v.Paid != next.Paid || v.Royalty != next.royalty() {
		return totals{}, refuse(ErrAmount, "%d and %d of royalties, want %d and %d", v.Paid, v.Royalty, next.Paid, next.royalty())
	}
	if v.Receipt != next.Receipt {
		return totals{}, refuse(ErrReceipt, "%v, want %v", v.Receipt, next.Receipt)
	}
	return next, nil
}

// Ack returns the acknowledgement of all vouchers that are stored.
func (p *Payee) Ack() Ack { return Ack{Channel: p.id, N: p.stored.n} }

// Owes reports whether a job is taken on and not paid.
func (p *Payee) Owes(job chain.Hash) bool { return p.state.debt(job) != nil }

// Unpaid is how many jobs are taken on and not paid.
func (p *Payee) Unpaid() int { return len(p.state.Unpaid) }

// Paid reports whether a job is one of the latest [MaxUnpaid] that were paid by vouchers that are
// stored.
func (p *Payee) Paid(job chain.Hash) bool {
	fresh := int(p.state.Totals.N - p.stored.n) // not stored; each is still in Recent
	known := p.state.Recent[:max(0, len(p.state.Recent)-fresh)]
	return slices.Contains(known, job)
}

// Earned is what closing would pay, before the fee.
func (p *Payee) Earned() uint64 { return p.state.Totals.Paid }
