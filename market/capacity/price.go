package capacity

import "math/bits"

// Pricing says what an operator asks for a job, in base units.
type Pricing struct {
	Minimum uint64             // of every job
	PerUnit uint64             // for 1,000,000 units of work
	PerMiB  uint64             // for each MiB of memory that a run takes
	Fixed   map[Program]uint64 // of single programs, in place of all that
}

// Price returns the price of a job, at least 1; the largest number if the sum leaves 64 bits.
func (p *Pricing) Price(n *Need) uint64 {
	if fixed, ok := p.Fixed[n.Program]; ok {
		return max(fixed, 1)
	}
	work := scaled(p.PerUnit, n.Units, 1_000_000)
	memory := scaled(p.PerMiB, n.Memory, 1<<20)
	sum, carry := bits.Add64(work, memory, 0)
	if carry != 0 {
		return 1<<64 - 1
	}
	return max(sum, p.Minimum, 1)
}

// scaled returns ⌈rate · n / per⌉.
func scaled(rate, n, per uint64) uint64 {
	hi, lo := bits.Mul64(rate, n)
	lo, carry := bits.Add64(lo, per-1, 0)
	hi += carry
	if hi >= per {
		return 1<<64 - 1
	}
	q, _ := bits.Div64(hi, lo, per)
	return q
}
