package market

import "github.com/weisyn/wes/chain"

// room is what is known of the channel with an operator.
type room struct {
	channel chain.Hash // zero: none stands
	left    uint64     // that it can pay, in base units
	full    bool       // the operator has taken no job for it, and nothing was told since
	opening bool
	again   uint64 // before which no other is opened
}

// small reports whether a job may be paid through a channel: its proof is checked before it is paid,
// and settling it on the ledger would cost too much for its price.
func small(p *Purchase, r *Received) bool {
	return p.Terms.Level == chain.LevelZK && p.Terms.Token == (chain.TokenID{}) && Worthwhile(r.Bid.Price, r.Bid.ProveFee)
}

// cost is what a channel pays for a bid.
func (p *Purchase) cost(r *Received) uint64 { return saturated(r.Bid.Price, p.Terms.Royalty) }

// fits reports whether the channel with whoever made a bid can pay for it.
func (b *Buyer) fits(p *Purchase, r *Received) bool {
	c := b.rooms[r.From.Operator]
	return c != nil && c.channel != (chain.Hash{}) && !c.full && small(p, r) && p.cost(r) <= c.left
}

// through returns the channel that pays for a bid, and counts that; zero if an escrow does. Then a
// channel is opened for the jobs to come.
func (b *Buyer) through(now uint64, p *Purchase, r *Received) chain.Hash {
	if !b.fits(p, r) {
		b.openAhead(now, p, r)
		return chain.Hash{}
	}
	c := b.rooms[r.From.Operator]
	c.left -= p.cost(r)
	return c.channel
}

func (b *Buyer) openAhead(now uint64, p *Purchase, r *Received) {
	a, c := b.adverts[r.From.Operator], b.rooms[r.From.Operator]
	switch {
	case a == nil || !a.Channels || !small(p, r):
		return
	case c != nil && (c.opening || c.full || now < c.again):
		return
	case (c == nil || c.channel == chain.Hash{}) && b.channels(now) >= b.cfg.MaxChannels:
		return
	}
	b.room(r.From.Operator).opening = true
	b.out.emit(OpenChannel{r.From})
}

// channels counts those that stand or are being opened, and forgets failures that were long ago.
func (b *Buyer) channels(now uint64) (n int) {
	for k, c := range b.rooms {
		switch {
		case c.channel != chain.Hash{} || c.opening:
			n++
		case now >= c.again:
			delete(b.rooms, k)
		}
	}
	return n
}

func (b *Buyer) room(k chain.PublicKey) *room {
	if b.rooms[k] == nil {
		b.rooms[k] = &room{}
	}
	return b.rooms[k]
}

func (b *Buyer) channelRoom(e ChannelRoom) {
	c := b.room(e.Operator)
	switch {
	case e.Room > 0:
		c.opening = c.opening && c.channel == e.Channel
		c.channel, c.left, c.full = e.Channel, e.Room, false
	case c.channel == e.Channel:
		c.channel, c.left, c.full = chain.Hash{}, 0, false
	}
}

func (b *Buyer) channelFailed(now uint64, e ChannelFailed) {
	c := b.room(e.Operator)
	c.opening, c.again = false, saturated(now, b.cfg.ChannelPause)
}

// byEscrow goes on with a job that the operator does not take on for the channel. A posted price
// stands still; a bid was used up.
func (b *Buyer) byEscrow(now uint64, p *Purchase) {
	k := p.Operator[0].Operator
	b.room(k).full = true
	for i := range p.Bids {
		if p.Bids[i].From.Operator == k && p.Bids[i].Posted {
			p.Bids[i].Expired = false
		}
	}
	p.Operator, p.Agreed, p.Escrow, p.Channel = nil, nil, nil, chain.Hash{}
	b.award(now, p)
}

func (b *Buyer) pay(p *Purchase) { b.out.emit(Pay{p.ID, p.Channel, p.Output}) }

// vouched ends a job that is paid.
func (b *Buyer) vouched(p *Purchase) {
	if p.phase() != accepting || !p.inChannel() {
		return
	}
	p.Settlement = Paid
	b.end(p, CodeVoucher, "")
}

func (b *Buyer) unvouched(p *Purchase, e Unpaid) {
	if p.phase() == accepting && p.inChannel() {
		b.unpaid(p, CodeUnpaid, e.Text)
	}
}

// unpaid ends a job that a channel does not pay for.
func (b *Buyer) unpaid(p *Purchase, c Code, text string) {
	b.out.emit(StopCollecting{p.ID})
	b.unassign(p)
	p.Settlement = Refunded
	b.end(p, c, text)
}

// lost ends a job whose operator has failed.
func (b *Buyer) lost(now uint64, p *Purchase, c Code) {
	if c != CodeWitness {
		b.note(now, p, p.Operator[0].Operator, func(s *Standing) { s.Broken++ })
		p.Reliability = true
	}
	b.unpaid(p, c, "")
}

// giveUpAt is when nothing is waited for any more; 0: never.
func (b *Buyer) giveUpAt(p *Purchase) uint64 {
	if p.phase() != working {
		return 0
	}
	return saturated(p.escrow().Due, clockSkew)
}

// pushChannel gives up what does not come in time, by the later of the ledger's and the local clock.
func (b *Buyer) pushChannel(now uint64, p *Purchase) {
	if at := b.giveUpAt(p); at != 0 && max(now, p.View.Now) >= at {
		p.Execution = Failed
		b.lost(now, p, CodeDeadline)
	}
}
