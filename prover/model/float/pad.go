package float

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Pad surrounds the input by zeros. Both lists have the rank of the input and
// are not negative.
type Pad struct{ Begin, End []int }

var _ mover = (*Pad)(nil)

// Kind returns "Pad".
func (*Pad) Kind() string { return "Pad" }

// InferShape adds both pads to every dimension.
func (p *Pad) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 1); err != nil {
		return nil, err
	}
	if len(p.Begin) != len(in[0]) || len(p.End) != len(in[0]) {
		return nil, fmt.Errorf("pads of rank %d for rank %d", len(p.Begin), len(in[0]))
	}
	out := slices.Clone(in[0])
	for d := range out {
		if p.Begin[d] < 0 || p.End[d] < 0 {
			return nil, fmt.Errorf("negative pad on axis %d", d)
		}
		out[d] += p.Begin[d] + p.End[d]
	}
	return out, nil
}

func (p *Pad) move(in [][]int, out []int, put func(k, from, to int)) {
	step, base := strides(out), 0
	for d := range step {
		base += p.Begin[d] * step[d]
	}
	walkStrided(in[0], base, step, func(i, j int) { put(0, i, j) })
}

func (p *Pad) eval(in []Tensor, out Tensor) { evalMove(p, in, out) }

func importPad(c *call) ([]*value, error) {
	mode, err := c.attrString("mode", "constant")
	if err != nil {
		return nil, err
	}
	if mode != "constant" && mode != "edge" && mode != "reflect" {
		return nil, fmt.Errorf("mode %q is not supported", mode)
	}
	if zero, err := c.padsByZero(); err != nil || !zero && mode == "constant" {
		return nil, cmp.Or(err, errors.New("padding by a value other than 0 is not supported"))
	}
	pads, _, err := c.movedInts(1, "pads", 11)
	if err != nil {
		return nil, err
	}
	axes, given, err := c.ints(3)
	if err != nil {
		return nil, err
	}
	x, err := c.source(0)
	if err != nil {
		return nil, err
	}
	for i := 0; !given && i < len(x.shape); i++ {
		axes = append(axes, i)
	}
	if _, err := normAxes(axes, len(x.shape)); err != nil {
		return nil, err
	}
	if len(pads) != 2*len(axes) {
		return nil, fmt.Errorf("%d pads for %d axes", len(pads), len(axes))
	}
	op := &Pad{make([]int, len(x.shape)), make([]int, len(x.shape))}
	for i, a := range axes {
		a, _ = normAxis(a, len(x.shape))
		op.Begin[a], op.End[a] = pads[i], pads[i+len(axes)]
	}
	if mode != "constant" {
		v, err := c.padByCells(op, x, mode == "reflect")
		return []*value{v}, err
	}
	if !slices.ContainsFunc(pads, func(p int) bool { return p != 0 }) {
		return []*value{x}, nil
	}
	return c.moved(op, x)
}

// padsByZero reports whether the value that is padded by, an attribute before opset 11, is 0.
func (c *call) padsByZero() (bool, error) {
	if c.opset < 11 {
		v, err := c.attrFloat("value", 0)
		return v == 0, err
	}
	if c.operand(2) == nil {
		return true, nil
	}
	fill, err := c.constant(2)
	if err != nil {
		return false, err
	}
	return fill.size() == 0 || fill.size() == 1 && fill.float(0) == 0, nil
}

// padByCells repeats the cells at the edges, or reflects those next to them.
func (c *call) padByCells(p *Pad, x *value, reflect bool) (*value, error) {
	for axis, n := range x.shape {
		begin, end := p.Begin[axis], p.End[axis]
		switch {
		case begin == 0 && end == 0:
			continue
		case begin < 0 || end < 0:
			return nil, fmt.Errorf("negative pad on axis %d", axis)
		case n == 0 || reflect && max(begin, end) >= n:
			return nil, fmt.Errorf("pads of axis %d of length %d", axis, n)
		}
		if begin+n+end > maxCells {
			return nil, fmt.Errorf("axis %d of length %d: %w", axis, begin+n+end, ErrLimit)
		}
		var at []int
		for i := -begin; i < n+end; i++ {
			k := min(max(i, 0), n-1)
			if reflect {
				k += k - i
			}
			at = append(at, k)
		}
		var err error
		if x, err = c.take(x, axis, at); err != nil {
			return nil, err
		}
	}
	return x, nil
}
