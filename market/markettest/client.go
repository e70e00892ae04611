package markettest

import (
	"cmp"
	"crypto/sha256"
	"fmt"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/channel"
)

// Client is a party that buys.
type Client struct {
	peer
	buyer     *market.Buyer
	contracts map[chain.Hash]attempt // under way
	collects  map[chain.Hash]int     // which CollectFrom is carried out
	count     int
	payers    map[chain.Hash]*payer
	opened    map[chain.Hash]channel.Announce // all channels there ever were, for checks
	alone     map[chain.Hash]chaintest.Signed // escrows that it has funded without the operator
}

// Client adds a client, which must have been named to New.
func (w *World) Client(name string, cheats ...Cheat) *Client {
	c := &Client{peer: w.peer(name), alone: map[chain.Hash]chaintest.Signed{}, opened: map[chain.Hash]channel.Announce{}}
	for _, x := range cheats {
		c.cheats[x] = true
	}
	c.perform, c.status, c.escrows = c.carryOut, c.describe, c.agreed
	w.clients = append(w.clients, c)
	c.boot()
	return c
}

// Buyer returns the machine.
func (c *Client) Buyer() *market.Buyer { return c.buyer }

func (c *Client) boot() {
	cfg := c.w.o.Buyer
	if c.w.o.Cap > 0 {
		cfg.MaxChannels = cmp.Or(cfg.MaxChannels, 8)
	}
	cfg.Chain, cfg.Params = c.w.ledger.net.Ledger.Chain, c.w.ledger.net.Params
	c.buyer = market.NewBuyer(cfg)
	c.machine = c.buyer
	c.contracts, c.collects = map[chain.Hash]attempt{}, map[chain.Hash]int{}
	for _, r := range c.stored() {
		if err := c.buyer.Load(r); err != nil {
			c.w.fail("%s does not load: %v", c.name, err)
		}
	}
	c.restorePayers()
	life := c.life
	c.wake()
	if c.life == life {
		c.tendAll()
	}
	if c.life != life {
		return
	}
	for _, o := range c.w.operators {
		if o.up {
			o.tell(c)
		}
	}
}

func (c *Client) describe(id chain.Hash) string {
	p, ok := c.buyer.Job(id)
	if !ok {
		return ""
	}
	s := fmt.Sprintf("%s %s %s", p.Assignment, p.Execution, p.Settlement)
	if p.Code != market.CodeOK {
		s += " " + string(p.Code)
	}
	if p.Ended() {
		s += " (ended)"
	}
	return s
}

func (c *Client) agreed() map[chain.Hash][]byte {
	all := map[chain.Hash][]byte{}
	for _, p := range c.buyer.Jobs() {
		if !p.Ended() && len(p.Escrow) > 0 {
			all[p.ID] = p.Escrow
		}
	}
	return all
}

// Order is what a client wants.
type Order struct {
	Program  string
	Level    chain.Level
	MaxPrice uint64
	Within   uint64 // ms
	Replicas int    // default 1
	Payload  string
}

// Submit places an order, and names its jobs NAME, or NAME.1 to NAME.k.
func (c *Client) Submit(name string, o Order) error {
	funds := c.w.ledger.coins(c.wallet.Lock(), c.reserved)
	if len(funds) == 0 {
		return errFunds
	}
	payload := []byte(o.Payload)
	p := c.w.programs[o.Program]
	m := market.Order{
		Terms: p.terms(o.Level, c.wallet.Public(), payload), MaxPrice: o.MaxPrice, Deadline: c.clock() + o.Within,
	}
	for i := range max(o.Replicas, 1) {
		c.count++
		h := sha256.Sum256(fmt.Appendf(nil, "%s %d", c.name, c.count))
		m.Nonces = append(m.Nonces, [16]byte(h[:16]))
		label := name
		if o.Replicas > 1 {
			label = fmt.Sprintf("%s.%d", name, i+1)
		}
		c.w.jobs[label] = &job{id: m.Terms.JobID(c.w.ledger.net.Ledger.Chain, m.Nonces[i]), client: c}
	}
	c.put(payload)
	c.put(p.input(payload))
	_, out, err := c.buyer.Submit(c.clock(), m)
	if err != nil {
		return err
	}
	life := c.life
	c.deal(out)
	if c.life == life {
		c.schedule()
	}
	return nil
}

func (c *Client) carryOut(e market.Effect) {
	switch e := e.(type) {
	case market.AskFor:
		c.askFor(e)
	case market.Contract:
		if e.Channel != (chain.Hash{}) {
			c.contractThrough(e)
		} else {
			c.contract(e)
		}
	case market.Abandon:
		c.giveUp(e.Job, e.Attempt)
		c.forgetReserved(e)
	case market.OpenChannel:
		c.later(c.w.delay(), func() { c.openChannel(e) })
	case market.Pay:
		c.later(c.w.delay(), func() { c.pay(e) })
	case market.Fund:
		c.later(c.w.delay(), func() { c.fund(e) })
	case market.CollectFrom:
		c.count++
		c.collects[e.Job] = c.count
		c.collect(e, c.count, 0)
	case market.StopCollecting:
		delete(c.collects, e.Job)
	case market.Verify:
		c.later(c.w.delay(), func() { c.verify(e.Job) })
	case market.Settle:
		c.later(c.w.delay(), func() { c.settleJob(e.Job, e.Exit, evidence{}) })
	case market.Audit:
		c.later(c.w.delay(), func() { c.audit(e) })
	default:
		panic(fmt.Sprintf("BUG: effect %T", e))
	}
}

func (c *Client) askFor(e market.AskFor) {
	c.call(e.To.Peer, askKind, e.Ask.Encode(), e.Within-min(e.Within, c.clock()), func(raw []byte, err error) {
		var a *market.Answer
		if err == nil {
			a, err = market.DecodeAnswer(raw)
		}
		if err != nil {
			a = nil
		}
		c.step(market.Answered{Job: e.Job, Round: e.Round, From: e.To, Answer: a})
	})
}

func (c *Client) fund(e market.Fund) {
	if c.cheats[NeverFunds] {
		return
	}
	raw := c.funding[e.Job]
	start, err := market.DecodeStart(raw)
	if err != nil {
		c.w.fail("%s has no funding transaction: %v", c.name, err)
		return
	}
	s, err := signedOf(start)
	if err == nil {
		err = c.fundAs(e.Job, s)
	}
	if err != nil {
		c.step(market.SubmitFailed{Job: e.Job, Text: err.Error()})
	} else {
		c.step(market.Submitted{Job: e.Job, Tx: s.ID()})
	}
	if c.cheats[FundsAlone] || c.cheats[FundsLess] {
		return
	}
	c.call(e.To.Peer, startKind, raw, 10_000, func([]byte, error) {})
}

func (c *Client) verify(id chain.Hash) {
	p, ok := c.buyer.Job(id)
	if !ok {
		return
	}
	e := market.Verified{Job: id, OK: true}
	if p.Terms.Level == chain.LevelZK {
		escrow := p.AgreedEscrow()
		ev := chain.Evidence{Input: c.blobs[p.Terms.Input], Output: c.blobs[p.Output], Proof: c.blobs[p.Proof]}
		claim := claimOf(c.w.ledger.net.Ledger.Chain, escrow, escrow.Operator, ev.Input, ev.Output)
		claim.Proof = p.Proof
		var err error
		if e.OK, err = c.w.ledger.net.Verifier.Verify(&claim, &ev); err != nil {
			c.w.fail("verify: %v", err)
		}
	}
	if !e.OK {
		e.Text = "the proof does not verify"
	}
	c.step(e)
}

func (c *Client) settleJob(id chain.Hash, x market.Exit, ev evidence) {
	p, ok := c.buyer.Job(id)
	if !ok || p.Ended() || c.cheats[NeverAccepts] && x == market.ExitAccept {
		return
	}
	tx, err := c.settle(x, &p.View, ev)
	if err != nil {
		c.step(market.SubmitFailed{Job: id, Exit: x, Text: err.Error()})
		return
	}
	c.step(market.Submitted{Job: id, Exit: x, Tx: tx})
}

// audit executes a claimed job, and refutes a claim of something else.
func (c *Client) audit(e market.Audit) {
	p, ok := c.buyer.Job(e.Job)
	if !ok {
		return
	}
	output, satisfied := c.w.programAt(p.Terms.Program).run(c.blobs[p.Terms.Payload])
	if !satisfied || chain.Hash(sha256.Sum256(output)) == e.Output {
		return
	}
	input := c.blobs[p.Terms.Input]
	claim := claimOf(c.w.ledger.net.Ledger.Chain, p.AgreedEscrow(), c.wallet.Lock(), input, output)
	c.settleJob(e.Job, market.ExitRefute, evidence{input, output, proofOf(&claim)})
}

// Buyer returns a client by its name.
func (w *World) Buyer(name string) *Client { return w.client(name) }
