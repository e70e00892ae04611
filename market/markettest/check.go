package markettest

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
)

// newSource returns a source of random numbers of one seed, which is not that of the world.
func newSource(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 2)) }

func dropping(w *World, share float64) func(chaintest.Signed) bool {
	return func(chaintest.Signed) bool { return w.src.Float64() < share }
}

// Check requires that every job has ended, that no money is bound, and that every party has what the
// ends of its jobs give it, to the unit.
func (w *World) Check() error {
	if w.err != nil {
		return w.err
	}
	if err := w.checkEnds(); err != nil {
		return err
	}
	for o, e := range w.ledger.net.Store.Unspent {
		if x, _ := escrowOf(&e.Output); x != nil {
			return fmt.Errorf("money of job %s is still bound in %v", w.name(x.Job), o)
		}
	}
	if got, want := w.ledger.net.Store.Supply(chain.TokenID{})+w.ledger.burned(), uint64((len(clientNames())+len(operatorNames())+1)*coins*coinValue); got != want {
		return fmt.Errorf("a supply of %d became %d", want, got)
	}
	return w.checkBalances()
}

// burned sums what blocks have burned: stores do not keep it.
func (l *ledger) burned() (sum uint64) {
	for _, b := range l.blocks {
		for _, s := range b {
			for _, o := range s.Tx.Outputs {
				if chain.LockHash(o.Lock) == chain.LockHash(chain.Burn()) {
					sum += o.Value.Of(chain.TokenID{})
				}
			}
		}
	}
	return sum
}

func (w *World) checkEnds() error {
	for _, c := range w.clients {
		for _, p := range c.buyer.Jobs() {
			if err := w.checkEnd(c, &p); err != nil {
				return fmt.Errorf("job %s of %s: %w", w.name(p.ID), c.name, err)
			}
		}
	}
	for _, o := range w.operators {
		for _, s := range o.seller.Sales() {
			if !s.Ended() {
				return fmt.Errorf("sale %s of %s has not ended: %s %s", w.name(s.ID), o.name, s.Execution, s.Settlement)
			}
			if o.honest() && s.Settlement == market.Slashed {
				return fmt.Errorf("honest operator %s was slashed for %s: %s", o.name, w.name(s.ID), s.Code)
			}
		}
	}
	return nil
}

func (w *World) checkEnd(c *Client, p *market.Purchase) error {
	if !p.Ended() || p.Assignment != market.Closed || p.Code == market.CodeOK {
		return fmt.Errorf("has not ended: %s %s %s %q", p.Assignment, p.Execution, p.Settlement, p.Code)
	}
	if p.Settlement == market.Escrowed {
		return fmt.Errorf("has ended with money bound")
	}
	to, assigned := p.Contact()
	if !assigned || p.Settlement != market.Paid {
		return nil
	}
	o := w.operator(to.Peer)
	switch {
	case p.Price() > p.MaxPrice:
		return fmt.Errorf("%d was paid of at most %d", p.Price(), p.MaxPrice)
	case p.Terms.Level == chain.LevelZK && o.cannotProve():
		return fmt.Errorf("%s was paid for a result that it cannot prove", o.name)
	case o.cheats[ClaimsAnother] && p.View.Exit == market.ExitFinal && c.honest():
		return fmt.Errorf("%s was paid for a false claim", o.name)
	}
	return nil
}

// checkBalances computes what each party has from the ends of jobs as the ledger shows them.
func (w *World) checkBalances() error {
	profit := map[string]int64{}
	for _, c := range w.clients {
		for _, p := range c.buyer.Jobs() {
			e := p.AgreedEscrow()
			if e == nil {
				continue
			}
			v := w.ledger.view(e.State().Data)
			if v.Escrow != market.InBlock {
				continue
			}
			to := w.payee(e)
			if !c.cheats[FundsAlone] {
				profit[c.name] -= fundingFee
			} else {
				profit[c.name] -= int64(e.Bond)
				profit[to] += int64(e.Bond)
			}
			s := shares(e, &v, &w.ledger.net.Params)
			if v.Exit == market.ExitRelease {
				s = w.ledger.released(e, &v)
			}
			profit[c.name] += s.client
			profit[to] += s.operator
			profit[publisher] += s.owner
		}
	}
	if text := w.checkChannels(profit); text != "" {
		return errors.New(text)
	}
	for _, name := range append(append(clientNames(), operatorNames()...), publisher) {
		got := int64(w.Balance(chaintest.NewWallet(name).Lock())) - coins*coinValue
		if got != profit[name] {
			return fmt.Errorf("%s has %+d more than at first, its jobs give %+d", name, got, profit[name])
		}
	}
	return nil
}

func (w *World) payee(e *chain.JobEscrow) string {
	for _, o := range w.operators {
		if chain.LockHash(e.Operator) == chain.LockHash(o.wallet.Lock()) {
			return o.name
		}
	}
	return ""
}

// split is what the end of a job gives to each.
type split struct{ client, operator, owner int64 }

// shares follows the table of exits; the client is who refutes a claim here.
func shares(e *chain.JobEscrow, v *market.View, p *chain.Params) split {
	fee := int64(min(e.FeeReserve, settlementFee)) // of one settlement
	rest := int64(e.FeeReserve) - fee
	price, bond, royalty := int64(e.Price), int64(e.Bond), int64(e.Royalty.Amount)
	of := func(n, points uint64) int64 { return int64(n * points / 10_000) }
	switch v.Exit {
	case market.ExitAccept, market.ExitProve:
		return split{-price - royalty - fee, price, royalty}
	case market.ExitLate:
		half := int64(e.Price / 2)
		return split{-half - royalty - fee, half, royalty}
	case market.ExitFinal:
		fee += min(rest, settlementFee)
		if v.Claim[0].Invalid {
			pay := of(e.Price, p.InvalidFee)
			return split{-pay - fee, pay, 0}
		}
		return split{-price - royalty - fee, price, royalty}
	case market.ExitRefute:
		return split{of(e.Bond, p.FraudClient) + of(e.Bond, p.FraudProver) - fee, -bond, 0}
	case market.ExitMissed:
		return split{of(e.Bond, p.Missed), -bond, 0}
	}
	return split{}
}

// released reads the client's share of the bond from the transaction.
func (l *ledger) released(e *chain.JobEscrow, v *market.View) split {
	params := &l.net.Params
	early, late := int64(e.Bond*params.ReleaseEarly/10_000), int64(e.Bond*params.ReleaseLate/10_000)
	for _, s := range l.blocks[v.Height-v.LeftDepth] {
		if s.ID() != v.LeftTx {
			continue
		}
		if got := int64(s.Tx.Outputs[0].Value.Of(e.Token)) - int64(e.Price+e.Royalty.Amount+e.FeeReserve); got == early || got == late {
			return split{got, -got, 0}
		}
	}
	return split{}
}
