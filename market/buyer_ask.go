package market

import (
	"bytes"
	"slices"

	"github.com/weisyn/wes/chain"
)

// heard keeps the latest advert of every operator. Those that have ended make room first, then
// those that have nothing to say for themselves.
func (b *Buyer) heard(now uint64, a *Advert) {
	if a.Chain != b.cfg.Chain || a.Expiry < now || a.Issued > saturated(now, MaxAdvertTime) {
		return
	}
	old := b.adverts[a.Operator]
	if old != nil && old.Issued >= a.Issued {
		return
	}
	if old == nil && len(b.adverts) >= b.cfg.MaxAdverts && !b.makeRoom(now) {
		return
	}
	b.adverts[a.Operator] = a
	b.each(func(p *Purchase) { // whoever was waiting for somebody to ask
		if p.phase() == asking && len(p.Waiting) == 0 && len(p.fresh()) == 0 && b.eligible(now, p, a) && !p.declined(a.Operator) {
			b.askOne(now, p, a)
		}
	})
}

func (b *Buyer) makeRoom(now uint64) bool {
	var worst *Advert
	for _, a := range b.adverts {
		if a.Expiry < now {
			delete(b.adverts, a.Operator)
			return true
		}
		if b.history.of(a.Operator).Done == 0 && (worst == nil || bytes.Compare(a.Operator[:], worst.Operator[:]) > 0) {
			worst = a
		}
	}
	if worst == nil {
		return false
	}
	delete(b.adverts, worst.Operator)
	return true
}

// offers reports whether an advert may lead to a bid for a job.
func (b *Buyer) offers(p *Purchase, a *Advert) bool {
	return a.Token == p.Terms.Token && (a.Any || a.of(p.Terms.Program, p.Terms.Level) != nil)
}

// eligible reports whether an operator may do a job. None does two replicas of a job, and none works
// for itself.
func (b *Buyer) eligible(now uint64, p *Purchase, a *Advert) bool {
	return a.Expiry >= now && b.offers(p, a) && b.history.trusted(now, a.Operator) && a.Operator != p.Terms.Client &&
		!slices.Contains(b.taken(p), a.Operator)
}

// candidates are the operators that may do a job, those expected to be cheapest first, and last those
// that do not offer it yet.
func (b *Buyer) candidates(now uint64, p *Purchase) []*Advert {
	var all []*Advert
	for _, a := range b.adverts {
		if b.eligible(now, p, a) {
			all = append(all, a)
		}
	}
	cost := func(a *Advert) uint64 {
		if o := a.of(p.Terms.Program, p.Terms.Level); o != nil {
			return b.history.expected(a.Operator, o.Price)
		}
		return 1<<64 - 1
	}
	slices.SortFunc(all, func(x, y *Advert) int {
		if c := compare(cost(x), cost(y)); c != 0 {
			return c
		}
		return bytes.Compare(x.Operator[:], y.Operator[:])
	})
	return all
}

// taken are the operators of the other replicas.
func (b *Buyer) taken(p *Purchase) []chain.PublicKey {
	var all []chain.PublicKey
	for _, q := range b.jobs {
		if q.Group == p.Group && q.ID != p.ID && len(q.Operator) > 0 {
			all = append(all, q.Operator[0].Operator)
		}
	}
	return all
}

// begin takes a posted price where one will do, and asks otherwise.
func (b *Buyer) begin(now uint64, p *Purchase) {
	p.Sought = saturated(now, b.cfg.Search)
	for _, a := range b.candidates(now, p) {
		o := a.of(p.Terms.Program, p.Terms.Level)
		if o != nil && Reserve(o.ProveFee) <= b.cfg.MaxReserve && o.Posted && o.Price <= p.MaxPrice && o.Promise <= b.cfg.SmallJob && saturated(now, o.Promise) <= p.Deadline {
			p.Bids = append(p.Bids, Received{From: contactOf(a), Bid: a.bid(o, p.ask(p.MaxPrice)), Posted: true})
		}
	}
	if p.Bids = p.Bids[:min(len(p.Bids), 4)]; len(p.Bids) > 0 {
		b.award(now, p)
		return
	}
	b.open(now, p, 0)
}

func contactOf(a *Advert) Contact {
	return Contact{Operator: a.Operator, Peer: a.Peer, Addresses: a.Addresses}
}

// reserve is the highest price of a round: it rises by a quarter each round, up to the client's.
func (b *Buyer) reserve(p *Purchase, round uint8) uint64 {
	r := p.MaxPrice
	for range b.cfg.Rounds - 1 - min(round, b.cfg.Rounds-1) {
		r = ratio(r, 4, 5)
	}
	return max(r, 1)
}

// open begins a round.
func (b *Buyer) open(now uint64, p *Purchase, round uint8) {
	p.enter(asking)
	p.Round, p.Closes = round, saturated(now, b.cfg.Window)
	p.Bids, p.Waiting = nil, nil
	asked := 0
	for _, a := range b.candidates(now, p) {
		if asked == b.cfg.MaxAsked {
			break
		}
		b.askOne(now, p, a)
		asked++
	}
	b.out.save(p.ID)
}

func (b *Buyer) askOne(_ uint64, p *Purchase, a *Advert) {
	to := contactOf(a)
	p.Waiting = append(p.Waiting, to)
	b.out.emit(AskFor{Job: p.ID, Round: p.Round, To: to, Ask: p.ask(b.reserve(p, p.Round)), Within: p.Closes})
}

// answered collects what operators say. The window closes early when all have answered, and somebody
// bids, or would for more, or nobody is going to say anything else in a while.
func (b *Buyer) answered(now uint64, p *Purchase, e Answered) {
	i := slices.IndexFunc(p.Waiting, func(c Contact) bool { return c.Operator == e.From.Operator })
	if p.phase() != asking || e.Round != p.Round || i < 0 {
		return
	}
	from := p.Waiting[i]
	p.Waiting = slices.Delete(p.Waiting, i, i+1)
	switch {
	case e.Answer == nil:
		p.decline(from, Refusal{Code: CodeUnreachable})
	case len(e.Answer.Refusal) == 1:
		p.decline(from, e.Answer.Refusal[0])
	default:
		b.bid(now, p, from, e.Answer.Bid[0])
	}
	b.out.touch(p.ID)
	if len(p.Waiting) == 0 && (len(p.fresh()) > 0 || p.asked() > 0 || !slices.ContainsFunc(p.Declines, passing)) {
		b.close(now, p)
	}
}

// asked is the least price that somebody would take, above what was allowed; 0 if nobody has named one
// that the client would pay.
func (p *Purchase) asked() (least uint64) {
	for _, d := range p.Declines {
		if n := d.Refusal.Price; d.Refusal.Code == CodePrice && n > 0 && n <= p.MaxPrice && (least == 0 || n < least) {
			least = n
		}
	}
	return least
}

// fetching reports whether an operator may offer the program soon.
func fetching(d Declined) bool { return d.Refusal.Code == CodeUnknownProgram }

// passing reports whether an operator may say something else in a while.
func passing(d Declined) bool {
	switch d.Refusal.Code {
	case CodeUnknownProgram, CodeBusy, CodeCapped, CodeDraining, CodeUnreachable:
		return true
	}
	return false
}

// bid takes a bid that is one of this round; any other is as good as none.
func (b *Buyer) bid(now uint64, p *Purchase, from Contact, bid Bid) {
	reserve := b.reserve(p, p.Round)
	switch {
	case bid.Ask != p.ask(reserve).Hash() || bid.Operator != from.Operator || bid.Expiry > saturated(now, MaxBidTime):
		p.decline(from, Refusal{Code: CodeTerms, Text: "its bid is for something else"})
	case bid.Expiry < now:
		p.decline(from, Refusal{Code: CodeExpired})
	case Reserve(bid.ProveFee) > b.cfg.MaxReserve:
		p.decline(from, Refusal{Code: CodeTerms, Text: "its fee reserve is too high"})
	case bid.Price > reserve:
		p.decline(from, Refusal{Code: CodePrice, Price: bid.Price})
	case saturated(now, bid.Promise) > p.Deadline:
		p.decline(from, Refusal{Code: CodeInfeasible, Price: bid.Price})
	default:
		p.Bids = append(p.Bids, Received{From: from, Bid: bid})
	}
}

// decline notes the latest refusal of an operator.
func (p *Purchase) decline(from Contact, r Refusal) {
	p.Declines = slices.DeleteFunc(p.Declines, func(d Declined) bool { return d.From.Operator == from.Operator })
	if len(p.Declines) < 64 {
		p.Declines = append(p.Declines, Declined{From: from, Refusal: r})
	}
}

func (p *Purchase) declined(k chain.PublicKey) bool {
	return slices.ContainsFunc(p.Declines, func(d Declined) bool { return d.From.Operator == k })
}

// fresh are the bids that may still be awarded.
func (p *Purchase) fresh() []Received {
	return slices.DeleteFunc(slices.Clone(p.Bids), func(r Received) bool { return r.Expired })
}

// close ends a round: the best bid gets the job, or the next round begins.
func (b *Buyer) close(now uint64, p *Purchase) {
	for _, c := range p.Waiting {
		p.decline(c, Refusal{Code: CodeUnreachable, Text: "no answer within the window"})
	}
	p.Waiting = nil
	switch {
	case len(p.fresh()) > 0:
		b.award(now, p)
	case now < min(p.Sought, p.Deadline) && len(b.candidates(now, p)) == 0:
		p.Closes = saturated(now, b.cfg.Window) // adverts come now and again
	default:
		b.again(now, p)
	}
}

// again opens the next round, if there is one and a price could change something.
func (b *Buyer) again(now uint64, p *Purchase) {
	if len(p.Bids) > 0 && p.Bids[0].Posted { // nobody was asked yet
		b.open(now, p, 0)
		return
	}
	if next := b.next(now, p); next < b.cfg.Rounds && saturated(now, b.cfg.Window) < p.Deadline {
		b.open(now, p, next)
		return
	}
	b.end(p, CodeNoBid, "")
}

// next is the round after this one: the first that allows what somebody has asked for. While an operator
// only has to fetch and try the program, no higher price helps: the round is held again.
func (b *Buyer) next(now uint64, p *Purchase) uint8 {
	next, least := p.Round+1, p.asked()
	if least == 0 && now < p.Sought && slices.ContainsFunc(p.Declines, fetching) {
		return p.Round
	}
	for next+1 < b.cfg.Rounds && b.reserve(p, next) < least {
		next++
	}
	return next
}

// award gives the job to the best bid that is left.
func (b *Buyer) award(now uint64, p *Purchase) {
	for i := range p.Bids {
		if p.Bids[i].Bid.Expiry < now {
			p.Bids[i].Expired = true
		}
	}
	best := b.best(p)
	if best < 0 {
		b.again(now, p)
		return
	}
	r := &p.Bids[best]
	r.Expired = true // it is not tried twice
	p.enter(contracting)
	p.Attempt++
	transfer := ratio(uint64(p.Terms.PayloadLen), 1000, b.cfg.Throughput)
	p.Within = saturated(now, saturated(b.cfg.Countersign, transfer))
	p.Operator, p.Agreed = []Contact{r.From}, []Bid{r.Bid}
	e := p.Terms.Escrow(p.ID, &r.Bid, &b.cfg.Params, max(now, p.View.Now))
	p.Escrow = e.State().Data
	reserve := b.reserve(p, p.Round)
	if r.Posted {
		reserve = p.MaxPrice
	}
	p.Channel = b.through(now, p, r)
	b.out.emit(Contract{
		Job: p.ID, Attempt: p.Attempt, To: r.From, Ask: p.ask(reserve), Bid: r.Bid, Posted: r.Posted, Channel: p.Channel, Escrow: e,
		Within: p.Within,
	})
	b.out.save(p.ID)
}

// best is the index of the bid that is expected to cost least; among equals the earliest promise,
// then the smallest key.
func (b *Buyer) best(p *Purchase) int {
	best := -1
	taken := b.taken(p)
	for i := range p.Bids {
		r := &p.Bids[i]
		if r.Expired || slices.Contains(taken, r.From.Operator) {
			continue
		}
		if best < 0 || b.better(p, r, &p.Bids[best]) {
			best = i
		}
	}
	return best
}

// expected is what a bid may cost at most, by the client's experience: whoever proves may spend the
// whole fee reserve. A channel has none.
func (b *Buyer) expected(p *Purchase, r *Received) uint64 {
	if b.fits(p, r) {
		return b.history.expected(r.From.Operator, r.Bid.Price)
	}
	return b.history.expected(r.From.Operator, saturated(r.Bid.Price, Reserve(r.Bid.ProveFee)))
}

func (b *Buyer) better(p *Purchase, x, y *Received) bool {
	if c := compare(b.expected(p, x), b.expected(p, y)); c != 0 {
		return c < 0
	}
	if c := compare(x.Bid.Promise, y.Bid.Promise); c != 0 {
		return c < 0
	}
	return bytes.Compare(x.From.Operator[:], y.From.Operator[:]) < 0
}
