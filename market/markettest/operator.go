package markettest

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/channel"
)

// Operator is a party that sells.
type Operator struct {
	peer
	Price    uint64
	Slots    int    // default 1
	Cost     uint64 // of a run, in ms; default 2,000
	Bound    int    // bids and tasks at once; default 16
	Programs []string
	Posted   bool // its advert's prices can be taken without a question
	Draining bool
	Unpaid   int         // jobs of a channel that may be unpaid; default 64
	Fails    market.Code // that every run ends with

	seller   *market.Seller
	capacity *capacity
	tickets  map[market.Ticket]func([]byte)
	ticket   market.Ticket
	resets   []func() // of requests, answered or not
	runs     map[chain.Hash]int
	signed   map[chain.Hash]chain.Outpoint // of countersigned escrows, the coin reserved
	payees   map[chain.Hash]*channel.Payee
	wish     map[chain.Hash]bool // of clients, to close their channels
}

// Operator adds an operator, which must have been named to New.
func (w *World) Operator(name string, set func(*Operator), cheats ...Cheat) *Operator {
	o := &Operator{peer: w.peer(name), Price: 100, Slots: 1, Cost: 2000, Bound: 16, Programs: []string{"model", "licensed", "circuit"}}
	if set != nil {
		set(o)
	}
	for _, x := range cheats {
		o.cheats[x] = true
	}
	o.perform, o.status, o.escrows = o.carryOut, o.describe, o.agreed
	w.operators = append(w.operators, o)
	o.boot()
	return o
}

// Raise changes the price, which its advert does not say yet.
func (o *Operator) Raise(price uint64) { o.Price, o.capacity.price = price, price }

// Seller returns the machine.
func (o *Operator) Seller() *market.Seller { return o.seller }

func (o *Operator) boot() {
	cfg := o.w.o.Seller
	cfg.Chain, cfg.Params, cfg.Key = o.w.ledger.net.Ledger.Chain, o.w.ledger.net.Params, o.wallet.Public()
	o.capacity = &capacity{
		slots: o.Slots, cost: o.Cost, price: o.Price, bound: o.Bound, draining: o.Draining, offers: o.offers, tasks: map[chain.Hash]*task{},
	}
	o.seller = market.NewSeller(cfg, o.capacity)
	o.machine = o.seller
	o.hangUp()
	o.tickets, o.runs = map[market.Ticket]func([]byte){}, map[chain.Hash]int{}
	if o.signed == nil {
		o.signed = map[chain.Hash]chain.Outpoint{}
	}
	for _, r := range o.stored() {
		if err := o.seller.Load(r); err != nil {
			o.w.fail("%s does not load: %v", o.name, err)
		}
	}
	o.wish = map[chain.Hash]bool{}
	o.restorePayees()
	life := o.life
	if o.wake(); o.life == life {
		o.tendAll()
	}
	if o.life == life {
		o.advertise()
	}
}

func (o *Operator) offers(ref market.Ref) bool {
	for _, name := range o.Programs {
		if o.w.programs[name].Ref == ref {
			return true
		}
	}
	return false
}

func (o *Operator) describe(id chain.Hash) string {
	s, ok := o.seller.Sale(id)
	if !ok {
		return ""
	}
	text := fmt.Sprintf("%s %s", s.Execution, s.Settlement)
	if s.Code != market.CodeOK {
		text += " " + string(s.Code)
	}
	if s.Ended() {
		text += " (ended)"
	}
	return text
}

func (o *Operator) agreed() map[chain.Hash][]byte {
	all := map[chain.Hash][]byte{}
	for _, s := range o.seller.Sales() {
		if !s.Ended() {
			all[s.ID] = s.Escrow
		}
	}
	return all
}

// serve takes a request. nil refuses it.
func (o *Operator) serve(from, kind string, raw []byte, reply func([]byte)) {
	o.ticket++
	t := o.ticket
	o.tickets[t] = reply
	if kind == announceKind || kind == voucherKind {
		o.serveChannel(t, kind, raw)
		return
	}
	event, err := o.event(t, from, kind, raw)
	if err != nil {
		o.answer(t, nil)
		return
	}
	if event != nil {
		o.step(event)
	}
}

// serveChannel answers a request about a channel, unless the operator is killed.
func (o *Operator) serveChannel(t market.Ticket, kind string, raw []byte) {
	take := o.announced
	if kind == voucherKind {
		take = o.paid
	}
	answer, err := take(raw)
	if err != nil {
		answer = nil
	}
	if !errors.Is(err, errKilled) {
		o.answer(t, answer)
	}
}

func (o *Operator) event(t market.Ticket, from, kind string, raw []byte) (market.Event, error) {
	switch kind {
	case askKind:
		a, err := market.DecodeAsk(raw)
		if err != nil {
			return nil, err
		}
		return market.Asked{Ticket: t, Peer: from, Ask: a, Problem: o.w.problem(a)}, nil
	case awardKind:
		a, err := market.DecodeAward(raw)
		if err != nil {
			return nil, err
		}
		return o.awarded(t, from, a), nil
	case startKind:
		return o.started(t, from, raw)
	}
	c, err := market.DecodeCollect(raw)
	if err != nil || o.cheats[Silent] {
		return nil, err
	}
	return market.Collecting{Ticket: t, Peer: from, Ask: c, Until: o.clock() + collectWait}, nil
}

func (o *Operator) awarded(t market.Ticket, from string, a *market.Award) market.Event {
	switch {
	case o.cheats[NoSignature]:
		return nil
	case o.cheats[Withdraws]:
		o.reply(market.Reply{Ticket: t, Countersigned: &market.Countersigned{Refusal: []market.Refusal{{Code: market.CodeExpired, Text: "withdrawn"}}}})
		return nil
	}
	return market.Awarded{Ticket: t, Peer: from, Award: a, Problem: o.w.problem(&a.Ask)}
}

func (o *Operator) started(t market.Ticket, from string, raw []byte) (market.Event, error) {
	start, err := market.DecodeStart(raw)
	if err != nil {
		return nil, err
	}
	s, err := signedOf(start)
	sale, known := o.seller.Sale(start.Job)
	if err != nil || !known || sale.Client != from {
		return nil, errRefused
	}
	if e, _ := escrowOf(&s.Tx.Outputs[0]); e == nil || string(e.State().Data) != string(sale.Escrow) {
		return nil, errRefused
	}
	o.funding[start.Job] = raw
	return market.Started{Ticket: t, Peer: from, Job: start.Job, At: market.Ref{Tx: s.ID()}}, nil
}

func (o *Operator) answer(t market.Ticket, raw []byte) {
	if reply := o.tickets[t]; reply != nil {
		delete(o.tickets, t)
		reply(raw)
	}
}

func (o *Operator) reply(r market.Reply) {
	switch {
	case r.Answer != nil:
		o.answer(r.Ticket, r.Answer.Encode())
	case r.Countersigned != nil:
		o.answer(r.Ticket, r.Countersigned.Encode())
	case r.Refusal != nil:
		o.w.log("%s: refuses a request: %s", o.name, r.Refusal.Code)
		o.answer(r.Ticket, nil)
	default:
		o.answer(r.Ticket, []byte{})
	}
}

func (o *Operator) carryOut(e market.Effect) {
	switch e := e.(type) {
	case market.Reply:
		o.reply(e)
	case market.Deliver:
		o.deliver(e)
	case market.Countersign:
		o.later(o.w.delay(), func() { o.countersign(e) })
	case market.Disengage:
		o.forgo(e)
		delete(o.reserved, o.signed[e.Job])
		delete(o.signed, e.Job)
	case market.Propagate:
		o.later(o.w.delay(), func() { o.propagate(e.Job) })
	case market.Run:
		o.run(e)
	case market.Halt:
		delete(o.runs, e.Job)
	case market.Settle:
		o.later(o.w.delay(), func() { o.settleSale(e) })
	default:
		panic(fmt.Sprintf("BUG: effect %T", e))
	}
}

func (o *Operator) countersign(e market.Countersign) {
	refuse := func(c market.Code, text string) {
		o.step(market.Signed{Job: e.Job, Refusal: &market.Refusal{Code: c, Text: text}})
	}
	t := &e.Award.Ask.Terms
	p := o.w.programAt(t.Program)
	if sha256.Sum256(e.Award.Payload) != t.Payload || sha256.Sum256(p.input(e.Award.Payload)) != t.Input {
		refuse(market.CodeBadInput, "it is not the payload of the terms")
		return
	}
	o.put(e.Award.Payload)
	o.put(p.input(e.Award.Payload))
	if e.Award.Channel != (chain.Hash{}) {
		o.accept(e)
		return
	}
	offer, err := chain.DecodeTx(e.Award.Offer)
	if err != nil {
		refuse(market.CodeEscrow, err.Error())
		return
	}
	witness, err := o.join(offer, e.Escrow)
	if err != nil {
		refuse(market.CodeEscrow, err.Error())
		return
	}
	o.signed[e.Job] = offer.Inputs[len(offer.Inputs)-1]
	s := market.Start{Job: e.Job, Tx: offer.Encode(), Witness: witness.Encode()}
	o.step(market.Signed{Job: e.Job, Partial: s.Encode(), Until: offer.Until})
}

func (o *Operator) propagate(job chain.Hash) {
	start, err := market.DecodeStart(o.funding[job])
	if err != nil {
		o.w.fail("%s has no funding transaction: %v", o.name, err)
		return
	}
	s, err := signedOf(start)
	if err == nil {
		err = o.submit(s)
	}
	if err != nil {
		o.step(market.SubmitFailed{Job: job, Text: err.Error()})
		return
	}
	o.step(market.Submitted{Job: job, Tx: s.ID()})
}

func (o *Operator) settleSale(e market.Settle) {
	s, ok := o.seller.Sale(e.Job)
	if !ok || s.Ended() || o.cheats[NeverSettles] || o.cheats[Silent] {
		return
	}
	ev := evidence{o.blobs[s.Terms.Input], o.blobs[s.Output], o.blobs[s.Proof]}
	if o.cheats[ClaimsAnother] && e.Exit == market.ExitClaim {
		ev.output = []byte("another output")
	}
	tx, err := o.settle(e.Exit, &s.View, ev)
	if err != nil {
		o.step(market.SubmitFailed{Job: e.Job, Exit: e.Exit, Text: err.Error()})
		return
	}
	o.step(market.Submitted{Job: e.Job, Exit: e.Exit, Tx: tx})
}
