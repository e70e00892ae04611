package markettest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
)

// Run draws a schedule of jobs and faults from a seed, runs it, ends the faults, waits until every
// job should have ended, and checks what has become of the money. It returns how the jobs of the
// clients have ended. The error names the seed and, where trace is set, tells what has happened.
func Run(seed uint64, trace bool) ([]market.Purchase, error) {
	w, err := New(draw(seed), append(clientNames(), operatorNames()...)...)
	if err == nil {
		err = w.schedule()
	}
	if err == nil {
		return w.purchases(), nil
	}
	if trace && w != nil {
		return nil, fmt.Errorf("seed %d: %w\n%s", seed, err, strings.Join(w.trace, "\n"))
	}
	return nil, fmt.Errorf("seed %d: %w", seed, err)
}

func (w *World) purchases() (all []market.Purchase) {
	for _, c := range w.clients {
		all = append(all, c.buyer.Jobs()...)
	}
	return all
}

func clientNames() []string   { return []string{"c", "d"} }
func operatorNames() []string { return []string{"a", "b", "e", "f"} }

// The lengths of a schedule, in ms.
const (
	faulty = 400_000
	quiet  = 3 * 3_600_000
)

func draw(seed uint64) Options {
	s := newSource(seed)
	o := Options{Seed: seed, Latency: 1 + s.Uint64N(400), Spacing: 3000 + s.Uint64N(15_000)}
	if s.IntN(3) > 0 {
		o.Loss = s.Float64() * 0.15
	}
	if s.IntN(2) > 0 {
		o.Crash = s.Float64() * 0.01
	}
	o.Seller.RiskCap = []uint64{1, 50, 1000}[s.IntN(3)]
	o.Cap = []uint64{0, 300, 3000}[s.IntN(3)]
	return o
}

func (w *World) schedule() error {
	clients, operators := w.population()
	jobs := 1 + w.src.IntN(6)
	if w.o.Cap > 0 {
		jobs *= 3 // the first ones open channels
	}
	for range jobs {
		w.at(w.now+w.src.Uint64N(faulty*3/4), func() { w.want(clients[w.src.IntN(len(clients))]) })
	}
	names := append(clients, operators...)
	w.trouble(names)
	if err := w.Run(faulty); err != nil {
		return err
	}
	w.o.Loss, w.o.Crash = 0, 0
	w.o.Spacing = 30_000
	w.calm = true
	for _, name := range names {
		w.start(name)
	}
	for range quiet / 600_000 {
		if err := w.Run(600_000); err != nil {
			return err
		}
		if w.ended() {
			break
		}
	}
	return w.Check()
}

// population adds the parties. Some cheat, but not in ways that leave both sides of a job without
// anybody who would end it.
func (w *World) population() (clients, operators []string) {
	clientCheats := []Cheat{NeverAccepts, NeverFunds, FundsAlone, LiesOfPrice, LiesOfTime, LiesOfBid, NeverAsks, OtherPayload, NeverPays, PaysLate, PaysLess}
	operatorCheats := []Cheat{
		WrongOutput, StolenProof, ReplayedProof, Slow, NoSignature, Withdraws, Unsigned, FalseWitness, CopiesOutput, ClaimsAnother,
		LosesItsDevice, ClosesEarly, Silent, NeverSettles,
	}
	deaf := w.src.IntN(2) == 0 // clients are honest, operators may do nothing
	if !deaf {
		operatorCheats = operatorCheats[:len(operatorCheats)-2]
	}
	for _, name := range clientNames()[:1+w.src.IntN(2)] {
		var cheats []Cheat
		if !deaf && w.src.IntN(2) == 0 {
			cheats = append(cheats, clientCheats[w.src.IntN(len(clientCheats))])
		}
		c := w.Client(name, cheats...)
		c.skew = w.src.Int64N(4000) - 2000
		clients = append(clients, name)
	}
	for _, name := range operatorNames()[:1+w.src.IntN(4)] {
		var cheats []Cheat
		if w.src.IntN(3) == 0 {
			cheats = append(cheats, operatorCheats[w.src.IntN(len(operatorCheats))])
		}
		o := w.Operator(name, func(o *Operator) {
			o.Price, o.Slots, o.Cost = 10+w.src.Uint64N(500), 1+w.src.IntN(2), 500+w.src.Uint64N(20_000)
			o.Posted = w.src.IntN(3) == 0 || w.o.Cap > 0 && w.src.IntN(2) == 0
			o.Unpaid = w.src.IntN(3)
		}, cheats...)
		o.skew = w.src.Int64N(4000) - 2000
		operators = append(operators, name)
	}
	return clients, operators
}

// want places an order of a random kind.
func (w *World) want(name string) {
	c := w.client(name)
	if !c.up {
		return
	}
	label := fmt.Sprintf("j%d", len(w.jobs)+1)
	o := Order{Program: "model", Level: chain.LevelZK, MaxPrice: 100 + w.src.Uint64N(1000), Within: 20_000 + w.src.Uint64N(300_000), Payload: label}
	switch w.src.IntN(6) {
	case 0:
		o.Program, o.Payload = "circuit", "good witness "+label
	case 1:
		o.Program, o.Payload = "circuit", "bad witness "+label
	case 2:
		o.Program = "licensed"
	case 3:
		o.Level = chain.LevelOptimistic
	case 4:
		o.Level, o.Replicas = chain.LevelOptimistic, 2+w.src.IntN(2)
	}
	if err := c.Submit(label, o); err != nil && !errors.Is(err, errFunds) {
		w.fail("submit %s: %v", label, err)
	}
}

// trouble draws a fault every now and then.
func (w *World) trouble(names []string) {
	w.at(w.now+3000+w.src.Uint64N(40_000), func() {
		if w.calm {
			return
		}
		switch w.src.IntN(3) {
		case 0:
			if n := 1 + w.src.IntN(4); w.ledger.net.Ledger.Height > uint64(n)+4 {
				share := w.src.Float64()
				w.Reorganise(n, dropping(w, share))
			}
		default:
			name := names[w.src.IntN(len(names))]
			w.Kill(name)
			w.at(w.now+w.src.Uint64N(40_000), func() { w.start(name) })
		}
		w.trouble(names)
	})
}

// ended reports whether no job of anybody is open.
func (w *World) ended() bool {
	for _, c := range w.clients {
		if len(c.agreed()) > 0 || c.open() || len(c.channels) > 0 {
			return false
		}
	}
	for _, o := range w.operators {
		if len(o.agreed()) > 0 || len(o.channels) > 0 {
			return false
		}
	}
	return true
}

func (c *Client) open() bool {
	for _, p := range c.buyer.Jobs() {
		if !p.Ended() {
			return true
		}
	}
	return false
}

// cannotProve reports whether a cheat is caught by level zk.
func (o *Operator) cannotProve() bool {
	return o.cheats[WrongOutput] || o.cheats[StolenProof] || o.cheats[ReplayedProof]
}

// honest reports whether a party does nothing against others.
func (p *peer) honest() bool { return len(p.cheats) == 0 }
