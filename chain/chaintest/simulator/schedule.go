package simulator

import "fmt"

// Run draws a schedule of faults from a seed, runs it, heals the network and checks it. The
// error names the seed.
func Run(seed uint64) error {
	w, err := New(draw(seed))
	if err == nil {
		err = w.run()
	}
	if err != nil {
		return fmt.Errorf("seed %d: %w", seed, err)
	}
	return nil
}

// draw chooses a world.
func draw(seed uint64) Options {
	o := Options{Seed: seed}
	s := newSource(seed)
	o.Nodes = 2 + s.IntN(4)
	for range s.IntN(3) {
		o.Adversaries = append(o.Adversaries, Adversary(1+s.IntN(adversaries-1)))
	}
	o.Delay = 1 + s.Uint64N(1500)
	o.Spacing = 2000 + s.Uint64N(10_000)
	o.Loss = s.Float64() * 0.2
	if s.IntN(2) == 0 {
		o.Skew = s.Uint64N(2000)
	}
	if s.IntN(4) == 0 {
		o.AttachmentDepth = 3 + s.Uint64N(5)
	}
	return o
}

// The lengths of a schedule, in ms.
const (
	faulty = 120_000
	healed = 60_000
	quiet  = 50_000 // for what is on its way, through peers that stall
)

func (w *World) run() error {
	w.linkAll()
	for _, n := range w.nodes[w.o.Nodes:] {
		n.later(w.src.Uint64N(5000), n.act)
	}
	w.mining()
	w.trading(1500)
	w.trouble()
	if err := w.Pass(faulty); err != nil {
		return err
	}
	if err := w.Heal(); err != nil {
		return err
	}
	return w.Check()
}

// trouble draws a fault every now and then.
func (w *World) trouble() {
	w.after(2000+w.src.Uint64N(15_000), func() {
		if w.now < epoch+faulty {
			w.misfortune()
			w.trouble()
		}
	})
}

func (w *World) misfortune() {
	switch w.src.IntN(4) {
	case 0:
		w.Split(1 + w.src.IntN(max(len(w.nodes)-1, 1)))
	case 1:
		w.linkAll()
	case 2:
		w.Cut(w.src.IntN(len(w.nodes)), w.src.IntN(len(w.nodes)))
	case 3:
		n := w.honest()[w.src.IntN(w.o.Nodes)]
		n.store.FailAt = 1 + w.src.IntN(12)
		w.after(w.src.Uint64N(20_000), func() { w.restart(n) })
	}
}

// restart brings a node back that crashed, or takes the fault back that has not struck.
func (w *World) restart(n *node) {
	if !n.down {
		n.store.FailAt = 0
		return
	}
	if err := n.start(); err != nil {
		w.fail("node %d does not start again: %v", n.id, err)
	}
}

// Split cuts every link between the first k nodes and the others.
func (w *World) Split(k int) {
	for a := range k {
		for b := k; b < len(w.nodes); b++ {
			w.Cut(a, b)
		}
	}
}

func (w *World) linkAll() {
	for a := range w.nodes {
		for b := range a {
			w.Link(a, b)
		}
	}
}

// Heal ends all faults of links, disks and clocks, lets the network come together, mines one
// more block, and lets that spread.
func (w *World) Heal() error {
	w.o.Loss = 0
	for _, n := range w.nodes {
		n.offset = 0
		w.restart(n)
	}
	for range healed / 10_000 {
		w.linkAll()
		if err := w.Pass(10_000); err != nil {
			return err
		}
	}
	w.mined = w.now + 20*quiet // nobody mines by itself any more
	if err := w.Pass(quiet); err != nil {
		return err
	}
	w.linkAll()
	for range 100 {
		if err := w.Pass(1000); err != nil {
			return err
		}
		if w.honest()[0].mine() {
			break
		}
	}
	return w.Pass(quiet)
}
