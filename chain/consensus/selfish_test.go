package consensus

import "testing"

// strategy is how a miner deviates.
type strategy struct {
	lucky  float64 // withholds a block if its distance is among this share of the smallest
	trail  int     // goes on with its own branch while it is at most so many blocks behind
	stamp  uint64  // ms that its blocks are dated ahead
	remine float64 // mines the tip again if its distance is among this share of the largest
}

// attack is a miner with a share of the work against all others, who see one another's blocks
// at once and its blocks 50 ms after it lets them go.
type attack struct {
	*sketch
	cfg     Config
	plan    strategy
	pureXOR bool // all siblings contend
	now     uint64
	mine    map[*block]bool
	private []*block // its branch since the fork, lowest first
	shown   int      // of private, known to all
}

// share returns the attacker's part of the blocks of the winning branch, after n blocks were
// found by anybody.
func (a *attack) share(power float64, n int) float64 {
	for range n {
		a.now += uint64(a.src.ExpFloat64() * float64(a.cfg.Spacing))
		if a.src.Float64() < power {
			a.mine[a.find()] = true
		} else {
			a.honest()
		}
	}
	var won, all float64
	for b := a.best; b.parent != nil; b = b.parent {
		all++
		if a.mine[b] {
			won++
		}
	}
	return won / all
}

// found adds a block; the sketch gives it a random hash.
func (a *attack) found(parent *block, stamp uint64) *block {
	b := a.child(parent, 1)
	b.time = max(a.now+stamp, parent.time+a.cfg.Spacing/10)
	return b
}

// ahead returns how far the private branch is ahead of the public one.
func (a *attack) ahead() int {
	return int(int64(a.private[len(a.private)-1].height) - int64(a.best.height))
}

// release shows the private branch.
func (a *attack) release() {
	for _, b := range a.private[a.shown:] {
		a.complete(b, a.now+50, a.pureXOR, &a.cfg)
	}
	a.shown = len(a.private)
	if a.best == a.private[len(a.private)-1] {
		a.private, a.shown = nil, 0
	}
}

// find has the attacker find a block.
func (a *attack) find() *block {
	parent := a.best
	if len(a.private) > 0 {
		parent = a.private[len(a.private)-1]
	}
	fresh := len(a.private) == 0
	if fresh && parent.parent != nil && !a.mine[parent] && quantile(parent) > 1-a.plan.remine {
		parent = parent.parent
	}
	b := a.found(parent, a.plan.stamp)
	a.private = append(a.private, b)
	behind := !fresh && b.height <= a.best.height+1
	if behind || fresh && quantile(b) >= a.plan.lucky {
		a.release()
	}
	return b
}

// quantile returns the share of blocks with smaller distances; they are uniform in the sketch.
func quantile(b *block) float64 {
	d := int(b.hash[0]^b.parent.hash[0])<<8 | int(b.hash[1]^b.parent.hash[1])
	return float64(d) / 65536
}

// honest has the others find a block, and the attacker react.
func (a *attack) honest() {
	b := a.found(a.best, 0)
	a.complete(b, a.now, a.pureXOR, &a.cfg)
	if len(a.private) == 0 {
		return
	}
	switch ahead := a.ahead(); {
	case ahead >= 2:
	case ahead >= 0:
		a.release()
	case -ahead > a.plan.trail:
		a.private, a.shown = nil, 0
	}
}

func simulate(seed uint64, plan strategy, pureXOR bool, power float64, n int) float64 {
	a := &attack{sketch: newSketch(seed), cfg: testConfig().withDefaults(), plan: plan, pureXOR: pureXOR, now: epoch, mine: map[*block]bool{}}
	return a.share(power, n)
}

// noise is three standard deviations of a share over simulated blocks, and more.
const (
	simulated = 60_000
	noise     = 0.006
)

// TestWithholdingPaysNothingUpTo30Percent has miners that withhold all blocks, or lucky ones,
// dated now or ahead, and let go when others catch up.
func TestWithholdingPaysNothingUpTo30Percent(t *testing.T) {
	for _, power := range []float64{0.2, 0.25, 0.3} {
		for _, plan := range []strategy{{lucky: 1}, {lucky: 0.5}, {lucky: 0.1}, {lucky: 0.25, stamp: 1500}, {remine: 0.3}} {
			if got := simulate(1, plan, false, power, simulated); got > power+noise {
				t.Errorf("%+v with %.2f of the work earns %.4f", plan, power, got)
			}
		}
	}
}

// TestTrailingPaysAPointAt30Percent states what is known to be left: a miner that goes on from
// one block behind may win a deep fork by rule 2. It breaks even at some 27 %.
func TestTrailingPaysAPointAt30Percent(t *testing.T) {
	for power, limit := range map[float64]float64{0.25: 0.25 + noise, 0.3: 0.31 + noise} {
		for _, plan := range []strategy{{lucky: 0.5, trail: 1, stamp: 1500}, {lucky: 0.25, trail: 1, stamp: 1500}, {lucky: 0.1, trail: 2}} {
			if got := simulate(1, plan, false, power, simulated); got > limit {
				t.Errorf("%+v with %.2f of the work earns %.4f", plan, power, got)
			}
		}
	}
}

// TestPureXORWouldPay is the control: the simulation sees what rule 3 prevents. It compares
// with honest work of the same seed.
func TestPureXORWouldPay(t *testing.T) {
	for power, plans := range map[float64][]strategy{0.2: {{lucky: 0.25}}, 0.25: {{lucky: 0.5}, {remine: 0.3}}} {
		honest := simulate(1, strategy{}, true, power, simulated)
		for _, plan := range plans {
			if got := simulate(1, plan, true, power, simulated); got < honest+noise/2 {
				t.Errorf("%+v with %.2f of the work earns %.4f, honest work %.4f", plan, power, got, honest)
			}
		}
	}
}

// TestHonestWorkEarnsItsShare checks the simulation itself.
func TestHonestWorkEarnsItsShare(t *testing.T) {
	for _, power := range []float64{0.2, 0.3} {
		if got := simulate(1, strategy{}, false, power, simulated); got < power-noise || got > power+noise {
			t.Errorf("%.2f of the work earns %.4f", power, got)
		}
	}
}
