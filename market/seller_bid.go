package market

import (
	"bytes"
	"slices"

	"github.com/weisyn/wes/chain"
)

// asked answers with a bid, whose capacity is held as long as it stands, or with a refusal.
func (s *Seller) asked(now uint64, e Asked) {
	bid, refusal := s.bid(now, e)
	if refusal != nil {
		s.out.emit(Reply{Ticket: e.Ticket, Answer: &Answer{Refusal: []Refusal{*refusal}}})
		return
	}
	s.out.emit(Reply{Ticket: e.Ticket, Answer: &Answer{Bid: []Bid{*bid}}})
}

func (s *Seller) bid(now uint64, e Asked) (*Bid, *Refusal) {
	if e.Problem != nil {
		return nil, e.Problem
	}
	if e.Ask.Terms.Client == s.cfg.Key {
		return nil, &Refusal{Code: CodeTerms, Text: "operator and client have the same key"}
	}
	if e.Ask.Deadline <= now {
		return nil, &Refusal{Code: CodeExpired}
	}
	job, hash := e.Ask.Terms.JobID(s.cfg.Chain, e.Ask.Nonce), e.Ask.Hash()
	if s.known(job) {
		return nil, &Refusal{Code: CodeTerms, Text: "the job is known already"}
	}
	if b := s.bids[hash]; b != nil && b.until >= now && b.peer == e.Peer {
		return &b.bid, nil // asked twice
	}
	s.withdraw(now, job) // the bid of the round before
	until := now + s.cfg.BidTime
	q, refusal := s.capacity.Quote(now, job, &e.Ask.Terms, e.Ask.Deadline, until)
	if refusal != nil {
		return nil, refusal
	}
	if q.Price > e.Ask.Reserve {
		s.capacity.Release(now, job)
		return nil, &Refusal{Code: CodePrice, Price: q.Price}
	}
	bid := Bid{
		Ask: hash, Operator: s.cfg.Key, Price: q.Price, Promise: max(q.Promise, 1), Class: q.Class, ProveFee: q.ProveFee,
		Bond: s.cfg.Bond, Expiry: until,
	}
	s.bids[hash] = &pending{job, bid, e.Peer, until}
	return &bid, nil
}

// withdraw forgets the bids for a job.
func (s *Seller) withdraw(now uint64, job chain.Hash) {
	for hash, b := range s.bids {
		if b.job == job {
			delete(s.bids, hash)
			s.capacity.Release(now, job)
		}
	}
}

func (s *Seller) expireBids(now uint64) {
	for hash, b := range s.bids {
		if b.until < now {
			delete(s.bids, hash)
			s.capacity.Release(now, b.job)
		}
	}
}

// awarded checks an award against the bid that was made, or the price that was posted, and lets the
// escrow be signed.
func (s *Seller) awarded(now uint64, e Awarded) {
	job := e.Award.Ask.Terms.JobID(s.cfg.Chain, e.Award.Ask.Nonce)
	escrow, refusal := s.agree(now, job, e)
	if refusal != nil {
		s.out.emit(Reply{Ticket: e.Ticket, Countersigned: &Countersigned{Refusal: []Refusal{*refusal}}})
		return
	}
	x := &Sale{
		ID: job, Terms: e.Award.Ask.Terms, Nonce: e.Award.Ask.Nonce, Client: e.Peer, Bid: e.Award.Bid, Signed: now,
		Channel: e.Award.Channel, Escrow: slices.Clone(e.Award.Escrow), Settlement: Unfunded,
	}
	x.enter(signing, Queued)
	s.sales[job], s.tickets[job] = x, e.Ticket
	s.out.save(job)
	s.out.emit(Countersign{job, e.Award, escrow})
}

func (s *Seller) agree(now uint64, job chain.Hash, e Awarded) (*chain.JobEscrow, *Refusal) {
	a := e.Award
	switch {
	case e.Problem != nil:
		return nil, e.Problem
	case s.known(job):
		return nil, &Refusal{Code: CodeTerms, Text: "the job is known already"}
	case a.Bid.Operator != s.cfg.Key:
		return nil, &Refusal{Code: CodeTerms, Text: "the bid is another operator's"}
	case s.open() >= s.cfg.MaxSales:
		return nil, &Refusal{Code: CodeCapped}
	}
	if refusal := s.bound(now, job, e); refusal != nil {
		return nil, refusal
	}
	escrow, refusal := s.checkEscrow(now, job, a)
	if refusal == nil {
		refusal = s.capacity.Commit(now, job, escrow.Due)
	}
	if refusal != nil {
		s.capacity.Release(now, job)
	}
	return escrow, refusal
}

func (s *Seller) open() int {
	n := 0
	for _, x := range s.sales {
		if !x.Ended() {
			n++
		}
	}
	return n
}

// bound requires the bid to be one that stands, or a posted price to be still asked for.
func (s *Seller) bound(now uint64, job chain.Hash, e Awarded) *Refusal {
	a := e.Award
	if a.Posted {
		s.withdraw(now, job)
		q, refusal := s.capacity.Quote(now, job, &a.Ask.Terms, a.Ask.Deadline, now+s.cfg.BidTime)
		if refusal != nil {
			return refusal
		}
		if a.Bid.Price < q.Price || a.Bid.Promise < q.Promise || a.Bid.ProveFee < q.ProveFee {
			s.capacity.Release(now, job)
			return &Refusal{Code: CodePrice, Price: q.Price, Text: "what was posted does not hold any more"}
		}
		return nil
	}
	b := s.bids[a.Ask.Hash()]
	if b == nil || b.peer != e.Peer || b.until < now || !bytes.Equal(encode(&b.bid), encode(&a.Bid)) {
		return &Refusal{Code: CodeExpired, Text: "no such bid stands"}
	}
	delete(s.bids, a.Ask.Hash())
	return nil
}

// clockSkew is how far clocks of two nodes may differ, in ms.
const clockSkew = 60_000

// checkEscrow requires the escrow to be just the one that terms and bid lead to.
func (s *Seller) checkEscrow(now uint64, job chain.Hash, a *Award) (*chain.JobEscrow, *Refusal) {
	read, err := chain.DecodeState(&chain.State{Type: chain.StateEscrow, Data: a.Escrow})
	if err != nil {
		return nil, &Refusal{Code: CodeEscrow, Text: clip(err.Error())}
	}
	e := read.(*chain.JobEscrow)
	want := a.Ask.Terms.Escrow(job, &a.Bid, &s.cfg.Params, e.Start)
	switch {
	case !bytes.Equal(want.State().Data, a.Escrow):
		return nil, &Refusal{Code: CodeEscrow, Text: "it is not the escrow of these terms and this bid"}
	case e.Start > saturated(now, clockSkew) || saturated(e.Start, clockSkew) < now:
		return nil, &Refusal{Code: CodeEscrow, Text: "it starts at another time"}
	}
	if _, ok := want.Total(); !ok {
		return nil, &Refusal{Code: CodeEscrow, Text: "its sum leaves 64 bits"}
	}
	return e, nil
}

// signed sends the operator's half to the client, and waits for the ledger.
func (s *Seller) signed(now uint64, x *Sale, e Signed) {
	if x.phase() != signing {
		s.out.emit(Disengage{x.ID, x.Channel})
		return
	}
	ticket, waits := s.tickets[x.ID]
	delete(s.tickets, x.ID)
	if e.Refusal != nil {
		s.drop(now, x, e.Refusal.Code, e.Refusal.Text)
		if waits {
			s.out.emit(Reply{Ticket: ticket, Countersigned: &Countersigned{Refusal: []Refusal{*e.Refusal}}})
		}
		return
	}
	if !waits { // the process was another then
		s.out.emit(Disengage{x.ID, x.Channel})
		s.drop(now, x, CodeNotFunded, "the client waits no more")
		return
	}
	if x.inChannel() {
		s.takeOn(now, x)
	} else {
		x.Until = e.Until
		x.enter(awaiting, Queued)
	}
	s.out.save(x.ID)
	s.out.emit(Reply{Ticket: ticket, Countersigned: &Countersigned{Partial: e.Partial}})
}

// drop ends a job that was never funded.
func (s *Seller) drop(now uint64, x *Sale, c Code, text string) {
	x.Text = clip(text)
	s.end(now, x, c)
}

// started submits the funding transaction too: whoever wants to be paid does not rely on the client.
func (s *Seller) started(now uint64, e Started) {
	x := s.sales[e.Job]
	if x == nil || x.Client != e.Peer || x.Ended() {
		s.out.emit(Reply{Ticket: e.Ticket, Refusal: &Refusal{Code: CodeTerms, Text: "no such job of yours waits"}})
		return
	}
	s.out.emit(Reply{Ticket: e.Ticket})
	if x.phase() == signing || !x.At.IsZero() {
		return
	}
	x.At = e.At
	if x.View.Escrow == Nowhere {
		x.Funding = now
		s.out.emit(Propagate{x.ID})
	}
	s.out.save(x.ID)
}
