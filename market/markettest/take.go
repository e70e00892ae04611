package markettest

import (
	"bytes"
	"errors"
	"slices"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/channel"
)

// restorePayees goes on with the channels that are stored. It is done before the machine resumes.
func (o *Operator) restorePayees() {
	o.payees = map[chain.Hash]*channel.Payee{}
	for id, record := range o.channels {
		x, err := channel.RestorePayee(channel.Options{MaxUnpaid: o.Unpaid}, record)
		if err != nil {
			o.w.fail("%s: a channel does not load: %v", o.name, err)
			return
		}
		o.payees[id] = x
	}
}

// tendAll looks at what became of the jobs of channels, and goes on with all channels.
func (o *Operator) tendAll() {
	life := o.life
	for _, s := range o.seller.Sales() {
		x := o.payees[s.Channel]
		switch {
		case s.Ended() || s.Channel == chain.Hash{}:
		case x == nil:
			o.step(market.ChannelClosed{Channel: s.Channel})
		case x.Paid(s.ID):
			o.step(market.Vouched{Job: s.ID})
		}
		if o.life != life {
			return
		}
	}
	var all []chain.Hash
	for id := range o.payees {
		all = append(all, id)
	}
	slices.SortFunc(all, func(a, b chain.Hash) int { return bytes.Compare(a[:], b[:]) })
	for _, id := range all {
		if o.life == life {
			o.tend(id)
		}
	}
}

// announced takes part in a channel whose funding is deep enough for its cap.
func (o *Operator) announced(raw []byte) ([]byte, error) {
	a, err := channel.DecodeAnnounce(raw)
	if err != nil {
		return nil, err
	}
	if x := o.payees[a.ID()]; x != nil {
		ack := x.Ack()
		return ack.Encode(), nil
	}
	u, found := o.w.ledger.output(a.Funding())
	if !found || a.Terms.Cap > o.w.o.Seller.RiskCap && !o.w.ledger.mined(a.Tx) || a.Terms.Fee < closingFee {
		return nil, errRefused
	}
	x, err := channel.OpenPayee(o.clock(), channel.Options{MaxUnpaid: o.Unpaid}, o.wallet.Public(), a, &u)
	if err != nil {
		return nil, err
	}
	r := x.Record()
	if !o.keep(x.ID(), r) {
		return nil, errKilled
	}
	x.Stored(r)
	o.payees[x.ID()] = x
	o.tend(x.ID())
	ack := x.Ack()
	return ack.Encode(), nil
}

var errKilled = errors.New("killed")

// accept has a channel owe the price of a job.
func (o *Operator) accept(e market.Countersign) {
	x := o.payees[e.Award.Channel]
	refuse := func(c market.Code, text string) {
		o.step(market.Signed{Job: e.Job, Refusal: &market.Refusal{Code: c, Text: text}})
	}
	if x == nil || x.Announce().Terms.Client != e.Award.Ask.Terms.Client {
		refuse(market.CodePayment, "no such channel of yours")
		return
	}
	r, err := x.Accept(o.clock(), owed(e.Job, &e.Award.Ask.Terms, e.Award.Bid.Price))
	if err != nil {
		refuse(market.CodePayment, err.Error())
		return
	}
	if o.keep(x.ID(), r) {
		x.Stored(r)
		o.step(market.Signed{Job: e.Job})
	}
}

// forgo gives up what a channel owes for a job.
func (o *Operator) forgo(e market.Disengage) {
	x := o.payees[e.Channel]
	if x == nil {
		return
	}
	if r, err := x.Drop(e.Job); err == nil && o.keep(x.ID(), r) {
		x.Stored(r)
	}
}

// noteDelivery has the channel know what is about to be sent. False: the operator was killed.
func (o *Operator) noteDelivery(e market.Deliver) bool {
	x := o.payees[e.Channel]
	if x == nil || !x.Owes(e.Delivery.Job) {
		return true
	}
	r, err := x.Deliver(e.Delivery.Job, e.Result.Output)
	if err != nil {
		o.w.fail("%s cannot deliver: %v", o.name, err)
		return false
	}
	if !o.keep(x.ID(), r) {
		return false
	}
	x.Stored(r)
	return true
}

// paid takes vouchers.
func (o *Operator) paid(raw []byte) ([]byte, error) {
	p, err := channel.DecodePayments(raw)
	if err != nil {
		return nil, err
	}
	x := o.payees[p.Channel]
	if x == nil {
		return nil, errRefused
	}
	var jobs []chain.Hash
	for i := range p.Vouchers {
		v := &p.Vouchers[i]
		owes := x.Owes(v.Job)
		if _, err := x.Receive(o.clock(), v); err == nil && owes {
			jobs = append(jobs, v.Job)
		}
	}
	r := x.Record()
	if !o.keep(x.ID(), r) {
		return nil, errKilled
	}
	x.Stored(r)
	life := o.life
	for _, id := range jobs {
		if o.step(market.Vouched{Job: id}); o.life != life {
			return nil, errKilled
		}
	}
	o.wish[p.Channel] = o.wish[p.Channel] || p.Close
	ack := x.Ack()
	return ack.Encode(), nil
}

// tend closes a channel when it is time.
func (o *Operator) tend(id chain.Hash) {
	x := o.payees[id]
	if x == nil {
		return
	}
	o.later(tendEvery, func() { o.tend(id) })
	a := x.Announce()
	_, depth, spent := o.w.ledger.spender(a.Funding())
	if spent && depth >= buried || !spent && o.w.ledger.net.Now() > a.Terms.Expiry+channelLife {
		life := o.life
		if o.step(market.ChannelClosed{Channel: id}); o.life == life {
			delete(o.payees, id)
			delete(o.channels, id)
		}
		return
	}
	if x.Due(o.clock()) || o.wish[id] || o.cheats[ClosesEarly] && x.Earned() > 0 {
		r := x.Close()
		if !o.keep(id, r) {
			return
		}
		x.Stored(r)
	}
	tx, w, err := x.Closing(o.wallet.Sign)
	if err == nil && !spent {
		_ = o.submit(chaintest.Signed{Tx: tx, Witness: w}) // it is tried again
	}
}
