package markettest

import (
	"errors"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
)

// collectWait is how long an operator may keep a request for news, in ms.
const collectWait = 20_000

// collect asks for news until it is stopped or the result is here.
func (c *Client) collect(e market.CollectFrom, turn int, seen uint64) {
	if c.collects[e.Job] != turn {
		return
	}
	q := &market.Collect{Job: e.Job, Seen: seen, Reveal: e.Reveal}
	c.call(e.To.Peer, collectKind, q.Encode(), 2*collectWait, func(raw []byte, err error) {
		if c.collects[e.Job] != turn {
			return
		}
		var d *market.Delivery
		if err == nil {
			d, err = market.DecodeDelivery(raw)
		}
		if err != nil || d.Job != e.Job {
			c.later(1000, func() { c.collect(e, turn, seen) })
			return
		}
		if len(d.Result) > 0 {
			c.receive(d)
			return
		}
		c.step(market.Progressed{
			Job: e.Job, Execution: d.Execution, Code: d.Code, Stage: d.Stage, Done: d.Done, Total: d.Total, Device: d.Device,
		})
		c.collect(e, turn, d.Version)
	})
}

func (c *Client) receive(d *market.Delivery) {
	e := market.Delivered{Job: d.Job, Result: d.Result, Signature: d.Signature, Revealed: d.Revealed}
	if d.Revealed {
		e.Output = c.put(d.Output)
		if len(d.Proof) > 0 {
			e.Proof = c.put(d.Proof)
		}
	}
	c.step(e)
}

// fundAs submits the funding transaction, or what a cheat makes of it.
func (c *Client) fundAs(id chain.Hash, s chaintest.Signed) error {
	alone, less := c.cheats[FundsAlone], c.cheats[FundsLess]
	if !alone && !less {
		return c.submit(s)
	}
	if made, ok := c.alone[id]; ok {
		return c.submit(made)
	}
	p, _ := c.buyer.Job(id)
	e := *p.AgreedEscrow()
	if less {
		e.Price = 1
	}
	total, _ := e.Total()
	coin, err := c.peer.reserve(total, s.Tx.Until)
	if err != nil {
		return err
	}
	t := &chain.Tx{
		Chain: s.Tx.Chain, Until: s.Tx.Until, Inputs: []chain.Outpoint{coin.Outpoint}, References: s.Tx.References,
		Outputs: []chain.Output{{Lock: chain.Open(), Value: chain.Native(total), Body: e.State()}},
	}
	w, err := c.sign(c.change(t, coin, total), make(chain.Witness, 1))
	c.alone[id] = chaintest.Signed{Tx: t, Witness: w}
	return errors.Join(err, c.submit(c.alone[id]))
}

// proofOf makes a proof of a claim. The proof system of chaintest lets everybody prove everything;
// here only what is true is proved.
func proofOf(c *chain.Claim) []byte { return chaintest.Prove(c) }
