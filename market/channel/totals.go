package channel

import (
	"bytes"
	"errors"
	"slices"

	"github.com/weisyn/wes/chain"
)

// royalties is what an owner is paid in all.
type royalties struct {
	_      struct{} `cbor:",toarray"`
	Owner  []byte   // encoded lock
	Amount uint64
}

// totals are what N vouchers pay. Invariant: Paid and all royalties together are at most the limit
// of the terms.
type totals struct {
	_       struct{} `cbor:",toarray"`
	N       uint64
	Paid    uint64      // to the operator
	Owners  []royalties // ascending by lock
	Receipt chain.Hash
}

// royalty sums what all owners are paid.
func (t *totals) royalty() uint64 {
	var sum uint64
	for i := range t.Owners {
		sum += t.Owners[i].Amount
	}
	return sum
}

// cost is what is taken from the cap.
func (t *totals) cost() uint64 { return t.Paid + t.royalty() }

// after returns the totals with one more job paid. The job fits the limit.
func (t *totals) after(p *payment) totals {
	next := totals{N: t.N + 1, Paid: t.Paid + p.Job.Price, Owners: slices.Clone(t.Owners), Receipt: p.receipt(t.Receipt)}
	if p.Job.Royalty == 0 {
		return next
	}
	i, found := t.owner(p.Job.Owner)
	if !found {
		next.Owners = slices.Insert(next.Owners, i, royalties{Owner: p.Job.Owner})
	}
	next.Owners[i].Amount += p.Job.Royalty
	return next
}

func (t *totals) owner(lock []byte) (int, bool) {
	return slices.BinarySearchFunc(t.Owners, lock, func(r royalties, l []byte) int { return bytes.Compare(r.Owner, l) })
}

var errTotals = errors.New("totals that no vouchers lead to")

// check reports totals that the vouchers of a channel can't lead to.
func (t *totals) check(a *Announce) error {
	left := a.Terms.Limit()
	if t.Paid > left || t.N > t.Paid || len(t.Owners) > MaxOwners {
		return errTotals
	}
	left -= t.Paid
	for i := range t.Owners {
		o := &t.Owners[i]
		if o.Amount == 0 || o.Amount > left || i > 0 && bytes.Compare(t.Owners[i-1].Owner, o.Owner) >= 0 {
			return errTotals
		}
		if err := checkOwner(o.Owner); err != nil {
			return err
		}
		left -= o.Amount
	}
	if t.N == 0 && (t.cost() > 0 || t.Receipt != a.ID()) || t.N > 0 && t.Paid == 0 {
		return errTotals
	}
	return nil
}

// load is what is taken from the cap, or will be: totals, and the jobs that are not in them.
type load struct {
	cost   uint64
	owners map[string]bool
}

func (t *totals) load() *load {
	l := &load{t.cost(), map[string]bool{}}
	for i := range t.Owners {
		l.owners[string(t.Owners[i].Owner)] = true
	}
	return l
}

// add reports why a job does not fit beside the rest, as [ErrFull] or [ErrOwners].
func (l *load) add(t *Terms, j *Job) *Refusal {
	if left := t.Limit() - l.cost; j.cost() > left {
		return refuse(ErrFull, "%d of %d are left", left, t.Limit())
	}
	if j.Royalty > 0 && !l.owners[string(j.Owner)] {
		if len(l.owners) == MaxOwners {
			return refuse(ErrOwners, "there are %d", MaxOwners)
		}
		l.owners[string(j.Owner)] = true
	}
	l.cost += j.cost()
	return nil
}
