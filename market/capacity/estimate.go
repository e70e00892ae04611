package capacity

import "math/bits"

// Program identifies a program.
type Program [32]byte

// estimates knows how long programs take on classes of devices. What was not used for longest makes
// room.
type estimates struct {
	runs  map[runKey]*measured
	rates map[string]*measured // by class: ns for a unit of work
	clock uint64
	limit int
}

type runKey struct {
	program Program
	class   string
}

// measured is a running mean with the mean of the absolute deviations from it, both in ns: a single
// slow run does not double an estimate, and many do.
type measured struct {
	mean, deviation uint64
	n               uint32
	used            uint64
}

// weight is one over how much a new value counts once there are some.
const weight = 8

func (m *measured) add(v uint64) {
	if m.n++; m.n == 1 {
		m.mean, m.deviation = v, v/4
		return
	}
	w := min(uint64(m.n), weight)
	d := max(v, m.mean) - min(v, m.mean)
	m.deviation = m.deviation - m.deviation/w + d/w
	m.mean = m.mean - m.mean/w + v/w
}

// bound is a time that few runs exceed: the mean, three mean deviations, and a twentieth.
func (m *measured) bound() uint64 { return m.mean + 3*m.deviation + m.mean/20 }

func newEstimates(limit int) *estimates {
	return &estimates{runs: map[runKey]*measured{}, rates: map[string]*measured{}, limit: limit}
}

// observe takes a run of so many units.
func (e *estimates) observe(p Program, class string, units, ns uint64) {
	e.clock++
	k := runKey{p, class}
	m := e.runs[k]
	if m == nil {
		e.room()
		m = &measured{}
		e.runs[k] = m
	}
	m.add(ns)
	m.used = e.clock
	if units == 0 {
		return
	}
	r := e.rates[class]
	if r == nil {
		if len(e.rates) >= maxClasses {
			return
		}
		r = &measured{}
		e.rates[class] = r
	}
	r.add(ns * 1000 / units) // thousandths, for units of less than a nanosecond
}

// maxClasses bounds the classes of devices that rates are kept for.
const maxClasses = 64

func (e *estimates) room() {
	if len(e.runs) < e.limit {
		return
	}
	var oldest runKey
	var at uint64
	for k, m := range e.runs {
		if at == 0 || m.used < at {
			oldest, at = k, m.used
		}
	}
	delete(e.runs, oldest)
}

// estimate returns how long a run takes, in ms, at least 1; false if nothing is known of the class.
// Of a program that never ran there the rate of the class counts, with half as much again.
func (e *estimates) estimate(p Program, class string, units uint64) (uint64, bool) {
	if m := e.runs[runKey{p, class}]; m != nil {
		e.clock++
		m.used = e.clock
		return ms(m.bound()), true
	}
	r := e.rates[class]
	if r == nil {
		return 0, false
	}
	hi, lo := bits.Mul64(r.bound()*3/2, units)
	if hi >= 1000 {
		return 1 << 62, true
	}
	ns, _ := bits.Div64(hi, lo, 1000)
	return ms(ns), true
}

// ms rounds nanoseconds up.
func ms(ns uint64) uint64 { return max(ns/1_000_000+1, 1) }
