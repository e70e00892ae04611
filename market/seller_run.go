package market

import (
	"slices"

	"github.com/weisyn/wes/chain"
)

// place runs the tasks that devices are free for.
func (s *Seller) place(now uint64) {
	for _, p := range s.capacity.Place(now) {
		x := s.sales[p.Job]
		if x == nil || x.phase() != queued {
			s.capacity.Release(now, p.Job)
			continue
		}
		x.Class, x.Began = p.Class, now
		x.Attempts++
		x.enter(running, Running)
		s.out.save(x.ID)
		s.out.emit(Run{x.ID, p.Device, x.Terms.Level == chain.LevelZK})
	}
}

// provingStages are those that come after the execution: of models in package prover, of circuits in
// package circuit.
var provingStages = []string{"commit", "lookup", "contract", "open", "prove", "verify"}

func (s *Seller) runProgressed(x *Sale, e RunProgressed) {
	if x.phase() != running {
		return
	}
	last := s.stages[x.ID]
	s.stages[x.ID] = e
	if proving := slices.Contains(provingStages, e.Stage); proving && x.Execution == Running {
		x.Execution = Proving
	}
	if e.Stage != last.Stage || e.Done != last.Done {
		x.Version++
		s.out.touch(x.ID)
	}
}

// maxAttempts is how often a job is run: as it came, once more, and then on the CPU.
const maxAttempts = 3

func (s *Seller) runEnded(now uint64, x *Sale, e RunEnded) {
	if x.phase() != running {
		return
	}
	if e.Code == CodeOK {
		s.capacity.Finish(now, x.ID, max(e.Took, 1), e.Memory)
		x.Output, x.Proof, x.Took, x.Finished = e.Output, e.Proof, e.Took, now
		x.enter(ready, Done)
		s.out.save(x.ID)
		return
	}
	s.capacity.Finish(now, x.ID, 0, e.Memory)
	if s.retryable(e.Code) && x.Attempts < maxAttempts {
		x.CPU = x.CPU || e.Code == CodeMemory || x.Attempts == maxAttempts-1
		if s.capacity.Again(now, x.ID, x.CPU) {
			x.enter(queued, Queued)
			s.out.save(x.ID)
			return
		}
	}
	s.fail(now, x, e.Code, e.Text)
}

func (s *Seller) retryable(c Code) bool {
	return c == CodeDevice || c == CodeMemory || c == CodeHung || c == CodeExecution
}

// fail gives a job up: the sooner it is released, the less of the bond is lost.
func (s *Seller) fail(now uint64, x *Sale, c Code, text string) {
	if x.phase() == running {
		s.out.emit(Halt{x.ID})
	}
	s.capacity.Release(now, x.ID)
	x.Code, x.Text = c, clip(text)
	x.enter(failing, Failed)
	s.out.save(x.ID)
}

// collecting takes a client's request for news; those of strangers are refused.
func (s *Seller) collecting(now uint64, e Collecting) {
	x := s.sales[e.Ask.Job]
	if x == nil || x.Client != e.Peer {
		s.out.emit(Reply{Ticket: e.Ticket, Refusal: &Refusal{Code: CodeTerms, Text: "no such job of yours"}})
		return
	}
	i := slices.IndexFunc(s.waiting, func(w collector) bool { return w.job == e.Ask.Job })
	if i >= 0 { // one at a time: the earlier one is answered now
		s.answer(now, s.waiting[i])
		s.waiting = slices.Delete(s.waiting, i, i+1)
	}
	if len(s.waiting) >= s.cfg.MaxWaiting {
		s.out.emit(Reply{Ticket: e.Ticket, Refusal: &Refusal{Code: CodeBusy}})
		return
	}
	s.waiting = append(s.waiting, collector{e.Ticket, e.Ask.Job, *e.Ask, e.Until})
}

// serve answers the requests for which there is news, or that have waited long enough.
func (s *Seller) serve(now uint64) {
	s.waiting = slices.DeleteFunc(s.waiting, func(w collector) bool {
		x := s.sales[w.job]
		if x != nil && !s.news(x, &w.ask) && now < w.until {
			return false
		}
		s.answer(now, w)
		return true
	})
}

// news reports whether there is something that the client has not seen.
func (s *Seller) news(x *Sale, c *Collect) bool {
	return x.Version > c.Seen && (x.phase() != ready || s.deliverable(x)) || x.phase() == ready && c.Reveal && s.deliverable(x)
}

func (s *Seller) answer(now uint64, w collector) {
	x := s.sales[w.job]
	if x == nil {
		s.out.emit(Reply{Ticket: w.ticket, Refusal: &Refusal{Code: CodeTerms, Text: "no such job of yours"}})
		return
	}
	d := Deliver{Ticket: w.ticket, Channel: x.Channel, Delivery: Delivery{
		Job: x.ID, Version: x.Version, Execution: x.Execution, Device: x.Class,
	}}
	if x.Execution == Failed {
		d.Delivery.Code = x.Code
	}
	if p, ok := s.stages[x.ID]; ok && x.phase() == running {
		d.Delivery.Stage, d.Delivery.Done, d.Delivery.Total = p.Stage, p.Done, p.Total
	}
	switch {
	case x.Finished == 0:
	case s.deliverable(x):
		d.Signed, d.Result, d.Delivery.Revealed = true, x.Result(), w.ask.Reveal
		if w.ask.Reveal {
			d.Output, d.Proof = x.Output, x.Proof
		}
		s.delivered(now, x, w.ask.Reveal)
	default: // done, but the escrow is not deep enough for its value
		d.Delivery.Execution = Proving
	}
	s.out.emit(d)
}

// delivered notes what the client has got. Who has asked for the hash alone waits for other replicas:
// an output that went to the ledger meanwhile could be copied by their operators.
func (s *Seller) delivered(now uint64, x *Sale, revealed bool) {
	if x.Delivered != 0 || !revealed && x.Sealed {
		return
	}
	if x.Sealed = true; revealed {
		x.Sealed, x.Delivered = false, now
	}
	s.out.save(x.ID)
}

// deliverable reports whether the escrow is safe enough for its value. A channel pays for what was
// not given up.
func (s *Seller) deliverable(x *Sale) bool {
	v := &x.View
	if x.inChannel() {
		return x.phase() != closed || x.Settlement == Paid
	}
	if v.Escrow == Nowhere {
		return false
	}
	return v.Depth >= s.depth(x.Bid.Price)
}

// depth is how many blocks make a price safe.
func (s *Seller) depth(price uint64) uint64 {
	for _, step := range []struct{ factor, depth uint64 }{{1, 0}, {10, 2}, {100, 6}} {
		if limit, ok := times(s.cfg.RiskCap, step.factor); !ok || price <= limit {
			return step.depth
		}
	}
	return 30
}
