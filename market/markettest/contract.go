package markettest

import (
	"errors"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
)

// attempt is a contract under way.
type attempt struct {
	n    uint32
	coin chain.Outpoint // that is reserved for it
}

// contract makes the escrow in three steps.
func (c *Client) contract(e market.Contract) {
	failed := func(own bool, r market.Refusal) {
		if c.giveUp(e.Job, e.Attempt) {
			c.step(market.ContractFailed{Job: e.Job, Attempt: e.Attempt, Refusal: r, Own: own})
		}
	}
	c.contracts[e.Job] = attempt{n: e.Attempt}
	offer, err := c.offer(c.lie(e), e.Ask.Terms.Program)
	if err != nil {
		c.later(1, func() { failed(true, market.Refusal{Code: market.CodeNoFunds, Text: err.Error()}) })
		return
	}
	c.contracts[e.Job] = attempt{e.Attempt, offer.Inputs[0]}
	a := &market.Award{
		Ask: *e.Ask, Bid: e.Bid, Posted: e.Posted || c.cheats[NeverAsks], Escrow: c.lie(e).State().Data, Offer: offer.Encode(),
		Payload: c.blobs[e.Ask.Terms.Payload],
	}
	c.distort(a)
	c.call(e.To.Peer, awardKind, a.Encode(), e.Within-min(e.Within, c.clock()), func(raw []byte, err error) {
		if c.contracts[e.Job].n != e.Attempt {
			return
		}
		start, r := c.seal(e.Job, offer, raw, err)
		if r != nil {
			failed(false, *r)
			return
		}
		s, _ := signedOf(start)
		c.funding[e.Job] = start.Encode()
		delete(c.contracts, e.Job)
		c.step(market.Contracted{Job: e.Job, Attempt: e.Attempt, At: market.Ref{Tx: s.ID()}, Until: s.Tx.Until})
	})
}

// giveUp forgets a contract, if it is the one under way, and what it has reserved.
func (c *Client) giveUp(job chain.Hash, n uint32) bool {
	a, under := c.contracts[job]
	if !under || a.n != n {
		return false
	}
	delete(c.reserved, a.coin)
	delete(c.contracts, job)
	return true
}

// lie returns the escrow that is offered.
func (c *Client) lie(e market.Contract) *chain.JobEscrow {
	x := *e.Escrow
	if c.cheats[LiesOfPrice] {
		x.Price--
	}
	if c.cheats[LiesOfTime] {
		x.Due--
	}
	return &x
}

func (c *Client) distort(a *market.Award) {
	if c.cheats[LiesOfBid] {
		a.Bid.Price++
	}
	if c.cheats[OtherPayload] {
		a.Payload = append([]byte("?"), a.Payload[1:]...)
	}
}

// seal checks what an operator has signed against the offer, and signs it.
func (c *Client) seal(job chain.Hash, offer *chain.Tx, raw []byte, err error) (*market.Start, *market.Refusal) {
	if err != nil {
		return nil, &market.Refusal{Code: market.CodeUnreachable, Text: err.Error()}
	}
	answer, err := market.DecodeCountersigned(raw)
	if err != nil {
		return nil, &market.Refusal{Code: market.CodeEscrow, Text: err.Error()}
	}
	if len(answer.Refusal) > 0 {
		return nil, &answer.Refusal[0]
	}
	start, err := market.DecodeStart(answer.Partial)
	if err != nil {
		return nil, &market.Refusal{Code: market.CodeEscrow, Text: err.Error()}
	}
	s, err := signedOf(start)
	if err == nil && !extends(s.Tx, offer) {
		err = errors.New("it is not the offer")
	}
	if err == nil {
		s.Witness, err = c.sign(s.Tx, s.Witness)
	}
	if err != nil {
		return nil, &market.Refusal{Code: market.CodeEscrow, Text: err.Error()}
	}
	return &market.Start{Job: job, Tx: s.Tx.Encode(), Witness: s.Witness.Encode()}, nil
}
