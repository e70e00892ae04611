package channel

import (
	"crypto/ed25519"
	"errors"
	"slices"

	"github.com/weisyn/wes/chain"
)

// debt is a job that the client has not paid.
type debt struct {
	_         struct{} `cbor:",toarray"`
	Job       Job
	Delivered bool
	Output    chain.Hash // zero before
}

// payeeState is what the operator stores. Invariants: Signature is the client's for Totals, or zero
// before the first voucher; Totals and Unpaid together fit the limit of the terms.
type payeeState struct {
	_         struct{} `cbor:",toarray"`
	Format    uint64   // recordVersion
	Announce  Announce
	Version   uint64 // 1 at first, then one more with each change
	Closing   bool
	Totals    totals
	Signature [ed25519.SignatureSize]byte
	Unpaid    []debt
	Recent    []chain.Hash // jobs paid last, at most MaxUnpaid, the latest last
}

var (
	errRecent = errors.New("jobs paid that no vouchers paid")
	errStored = errors.New("the signature of the latest voucher does not verify")
)

func (s *payeeState) check() error {
	if s.Format != recordVersion || s.Version == 0 {
		return errFormat
	}
	if err := s.Announce.check(); err != nil {
		return err
	}
	if err := s.Totals.check(&s.Announce); err != nil {
		return err
	}
	if uint64(len(s.Recent)) != min(s.Totals.N, MaxUnpaid) {
		return errRecent
	}
	var jobs []Job
	for i := range s.Unpaid {
		jobs = append(jobs, s.Unpaid[i].Job)
	}
	if err := checkJobs(&s.Announce.Terms, s.Totals.load(), jobs); err != nil {
		return err
	}
	return s.checkSignature()
}

func (s *payeeState) checkSignature() error {
	none := s.Signature == [ed25519.SignatureSize]byte{}
	if s.Totals.N == 0 && !none || s.Totals.N > 0 && !s.Announce.signedByClient(&s.Totals, s.Signature) {
		return errStored
	}
	return nil
}

// load is that of totals and of what is unpaid.
func (s *payeeState) load() *load {
	l := s.Totals.load()
	for i := range s.Unpaid {
		if r := l.add(&s.Announce.Terms, &s.Unpaid[i].Job); r != nil {
			panic("BUG: accepted more than there is: " + r.Error())
		}
	}
	return l
}

func (s *payeeState) debt(id chain.Hash) *debt {
	i := slices.IndexFunc(s.Unpaid, func(d debt) bool { return d.Job.ID == id })
	if i < 0 {
		return nil
	}
	return &s.Unpaid[i]
}

func (s *payeeState) remove(id chain.Hash) {
	s.Unpaid = slices.DeleteFunc(s.Unpaid, func(d debt) bool { return d.Job.ID == id })
}

// settle moves a job from unpaid to paid.
func (s *payeeState) settle(id chain.Hash) {
	s.remove(id)
	if s.Recent = append(s.Recent, id); len(s.Recent) > MaxUnpaid {
		s.Recent = slices.Delete(s.Recent, 0, 1)
	}
}
