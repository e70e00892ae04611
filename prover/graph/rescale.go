package graph

import "fmt"

// Rescale divides an accumulator by a power of two, rounding halves up, and applies a
// function: q = floor((acc + half) / 2^s), y = Table[q], with half = 2^(s-1), or 0 when
// s = 0. Shift holds one s for all channels, or one for each index of the channel axis.
type Rescale struct {
	Acc   Accumulator
	Shift []int
	Table int
}

// Reveal makes an accumulator public as it is, without rounding. Its scale is that of
// the output that names it.
type Reveal struct {
	Acc Accumulator
}

func (*Rescale) kind() kind { return kindRescale }
func (*Reveal) kind() kind  { return kindReveal }

func (op *Rescale) shape(in [][]int) ([]int, error) {
	out, err := op.Acc.shape(in)
	if err != nil {
		return nil, err
	}
	if len(op.Shift) != 1 && len(op.Shift) != out[op.Acc.Channel] {
		return nil, fmt.Errorf("%d shifts for %d channels", len(op.Shift), out[op.Acc.Channel])
	}
	for _, s := range op.Shift {
		if s < 0 || s > MaxShift {
			return nil, fmt.Errorf("shift %d is not in 0..%d", s, MaxShift)
		}
	}
	return out, nil
}

// MaxShift is the largest shift over the channels.
func (op *Rescale) MaxShift() int {
	most := 0
	for _, s := range op.Shift {
		most = max(most, s)
	}
	return most
}

// MinShift is the smallest shift over the channels.
func (op *Rescale) MinShift() int {
	least := op.Shift[0]
	for _, s := range op.Shift {
		least = min(least, s)
	}
	return least
}

// Half is the rounding term of a shift.
func Half(shift int) int64 {
	if shift == 0 {
		return 0
	}
	return 1 << (shift - 1)
}

// ShiftRight is floor((acc + half) / 2^shift).
func ShiftRight(acc int64, shift int) int64 { return (acc + Half(shift)) >> shift }

// bound requires the table to be defined on every q that the accumulator can reach.
func (op *Rescale) bound(g *Graph, in []Interval) (Interval, error) {
	acc, err := op.Acc.bound(in)
	if err != nil {
		return acc, err
	}
	if op.Table < 0 || op.Table >= len(g.Tables) {
		return acc, fmt.Errorf("no table %d", op.Table)
	}
	s := op.MinShift()
	q := Interval{ShiftRight(acc.Lo, s), ShiftRight(acc.Hi, s)}
	t := &g.Tables[op.Table]
	if d := t.Domain(); q.Lo < d.Lo || q.Hi > d.Hi {
		return acc, fmt.Errorf("quotients in [%d, %d] leave the table's domain [%d, %d]", q.Lo, q.Hi, d.Lo, d.Hi)
	}
	return t.Range(), nil
}

func (op *Rescale) fields(c *codec) {
	op.Acc.fields(c)
	c.ints(&op.Shift, MaxElements)
	c.int(&op.Table)
}

func (op *Reveal) shape(in [][]int) ([]int, error) { return op.Acc.shape(in) }

func (op *Reveal) bound(_ *Graph, in []Interval) (Interval, error) { return op.Acc.bound(in) }

func (op *Reveal) fields(c *codec) { op.Acc.fields(c) }
