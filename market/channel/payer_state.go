package channel

import (
	"errors"
	"slices"

	"github.com/weisyn/wes/chain"
)

// payerState is what the client stores. Invariants: Acked, Pending and Reserved together fit the
// limit of the terms; no job is in two of the lists.
type payerState struct {
	_        struct{} `cbor:",toarray"`
	Format   uint64   // recordVersion
	Announce Announce
	Version  uint64 // 1 at first, then one more with each change
	Closed   bool
	Acked    totals    // what the operator has stored
	Pending  []payment // after Acked, in the order of vouchers
	Reserved []Job
}

var (
	errFormat = errors.New("a record of another version")
	errJobs   = errors.New("too many jobs, or one twice")
)

func (s *payerState) check() error {
	if s.Format != recordVersion || s.Version == 0 {
		return errFormat
	}
	if err := s.Announce.check(); err != nil {
		return err
	}
	if err := s.Acked.check(&s.Announce); err != nil {
		return err
	}
	jobs := slices.Clone(s.Reserved)
	for i := range s.Pending {
		jobs = append(jobs, s.Pending[i].Job)
	}
	return checkJobs(&s.Announce.Terms, s.Acked.load(), jobs)
}

// checkJobs requires that jobs fit beside a load, and that no id is there twice.
func checkJobs(t *Terms, l *load, jobs []Job) error {
	seen := map[chain.Hash]bool{}
	for i := range jobs {
		j := &jobs[i]
		if err := j.check(); err != nil {
			return err
		}
		if r := l.add(t, j); r != nil {
			return r
		}
		seen[j.ID] = true
	}
	if len(seen) != len(jobs) || len(jobs) > MaxUnpaid {
		return errJobs
	}
	return nil
}

// latest returns the totals with all that is pending.
func (s *payerState) latest() totals {
	t := s.Acked
	for i := range s.Pending {
		t = t.after(&s.Pending[i])
	}
	return t
}

// load is that of totals, which have all that is pending, and of what is reserved.
func (s *payerState) load(latest *totals) *load {
	l := latest.load()
	for i := range s.Reserved {
		if r := l.add(&s.Announce.Terms, &s.Reserved[i]); r != nil {
			panic("BUG: reserved more than there is: " + r.Error())
		}
	}
	return l
}

func (s *payerState) reserved(id chain.Hash) int {
	return slices.IndexFunc(s.Reserved, func(j Job) bool { return j.ID == id })
}

func (s *payerState) pending(id chain.Hash) *payment {
	i := slices.IndexFunc(s.Pending, func(p payment) bool { return p.Job.ID == id })
	if i < 0 {
		return nil
	}
	return &s.Pending[i]
}

// find returns a job that is reserved or pending.
func (s *payerState) find(id chain.Hash) *Job {
	if i := s.reserved(id); i >= 0 {
		return &s.Reserved[i]
	}
	if p := s.pending(id); p != nil {
		return &p.Job
	}
	return nil
}
