package float

// lstm is one step. Its gates are the input's, the output's, the forget gate and the new cell. Of coupled gates the
// forget gate is 1 − i, as in ONNX Runtime.
func (d *direction) lstm(t int, s state) state {
	var i, o, f *value
	switch {
	case d.p != nil && d.coupled:
		i = d.peeping(t, 0, s.h, s.c)
	case d.p != nil:
		i, f = d.peeping(t, 0, s.h, s.c), d.peeping(t, 2, s.h, s.c)
	case d.coupled:
		both := d.activate(0, d.gate(t, 0, 2, s.h))
		i, o = d.part(both, 0), d.part(both, 1)
	default:
		all := d.activate(0, d.gate(t, 0, 3, s.h))
		i, o, f = d.part(all, 0), d.part(all, 1), d.part(all, 2)
	}
	g := d.activate(1, d.gate(t, 3, 4, s.h))
	c := d.cell(i, f, g, s.c)
	if d.p != nil {
		o = d.peeping(t, 1, s.h, c)
	}
	return state{d.mul(o, d.function(2, c)), c}
}

// cell is i·g + f·c, or c + i·(g − c) of coupled gates.
func (d *direction) cell(i, f, g, c *value) *value {
	if !d.coupled {
		return d.add(d.mul(i, g), d.mul(f, c))
	}
	return d.add(d.mul(i, d.less(g, c)), c)
}

// peeping is a gate of an LSTM with peepholes: it sees the cell.
func (d *direction) peeping(t, gate int, h, c *value) *value {
	first := (3*d.index + gate) * d.hidden
	k := constant{typ: d.p.typ, shape: []int{d.hidden}, floats: d.p.floats[first : first+d.hidden]}
	return d.activate(0, d.add(d.gate(t, gate, gate+1, h), d.mul(c, k.value())))
}

// gru is one step. Its gates are the update's, the reset's and the new state. The next state z·h + (1 − z)·n is
// n + z·(h − n).
func (d *direction) gru(t int, s state) state {
	both := d.activate(0, d.gate(t, 0, 2, s.h))
	z, r := d.part(both, 0), d.part(both, 1)
	var n *value
	if d.outside {
		n = d.add(d.input(t, 2, 3), d.mul(r, d.add(d.product(s.h, 2, 3), d.resetBias())))
	} else {
		n = d.gate(t, 2, 3, d.mul(r, s.h))
	}
	n = d.activate(1, n)
	return state{h: d.add(n, d.mul(z, d.less(s.h, n)))}
}

// resetBias is the recurrent bias of a GRU's new state; nil is zero.
func (d *direction) resetBias() *value {
	if d.b == nil {
		return nil
	}
	first := (6*d.index + 5) * d.hidden
	k := constant{typ: d.b.typ, shape: []int{1, 1, d.hidden}, floats: d.b.floats[first : first+d.hidden]}
	return k.value()
}

func (d *direction) rnn(t int, s state) state {
	return state{h: d.activate(0, d.gate(t, 0, 1, s.h))}
}

// gate is the argument of the functions of some gates, up to to.
func (d *direction) gate(t, from, to int, h *value) *value {
	return d.add(d.input(t, from, to), d.product(h, from, to))
}

// input is a step's part of the input times W.
func (d *direction) input(t, from, to int) *value {
	s := d.at(d.x.shape, t)
	s.Starts[2], s.Sizes[2] = (d.index*d.gates+from)*d.hidden, (to-from)*d.hidden
	return d.made(d.apply(s, d.x))
}

// product multiplies a state by R.
func (d *direction) product(h *value, from, to int) *value {
	if h == nil || d.err != nil {
		return d.made(nil, nil)
	}
	w := d.parts[from]
	if w == nil {
		var err error
		if w, err = d.columns(d.r, (d.index*d.gates+from)*d.hidden, (to-from)*d.hidden); err != nil {
			return d.made(nil, err)
		}
		d.parts[from] = w
	}
	return d.made(d.times(h, w))
}

// part is one of several gates.
func (d *direction) part(gates *value, i int) *value {
	if d.err != nil {
		return nil
	}
	s := wholeSlice(gates.shape)
	s.Starts[2], s.Sizes[2] = i*d.hidden, d.hidden
	return d.made(d.apply(s, gates))
}

func (d *direction) add(x, y *value) *value {
	if d.err != nil {
		return nil
	}
	return d.made(d.plus(x, y))
}

func (d *direction) less(x, y *value) *value {
	if d.err != nil {
		return nil
	}
	return d.made(d.difference(x, y))
}

func (d *direction) mul(x, y *value) *value {
	if d.err != nil {
		return nil
	}
	return d.made(d.cellTimes(x, y))
}

// activate clips and applies function k of the direction.
func (d *direction) activate(k int, x *value) *value {
	if d.clip > 0 && d.err == nil {
		var err error
		if x, err = d.emit(&Clip{-d.clip, d.clip}, x); err != nil {
			return d.made(nil, err)
		}
	}
	return d.function(k, x)
}

// function applies function k of the direction. That of an LSTM's cell has no clipped argument, as in ONNX Runtime.
func (d *direction) function(k int, x *value) *value {
	if d.err != nil {
		return nil
	}
	return d.made(d.functions[k].apply(d.call, x))
}

// made ends a value of a step, which has the same at all of them: it gives roles to its nodes, or to the node of this
// step that stands for it, and notes an error.
func (d *direction) made(v *value, err error) *value {
	if d.err == nil {
		d.err = err
	}
	nodes := d.g.Nodes
	from, last := d.nodes, len(nodes)-1
	if from > last && v != nil && int(v.id)-len(d.g.Inputs) >= d.first {
		from = int(v.id) - len(d.g.Inputs)
		last = from
	}
	for i := from; i <= last; i++ {
		nodes[i].Role = d.role(place{d.values, last - i})
	}
	d.values++
	d.nodes = len(nodes)
	return v
}

func (d *direction) role(at place) int {
	if d.roles[at] == 0 {
		d.importer.roles++
		d.roles[at] = d.importer.roles
	}
	return d.roles[at]
}

// plus adds two values of which none is masked and nil is zero.
func (c *call) plus(x, y *value) (*value, error) {
	switch {
	case x == nil:
		return y, nil
	case y == nil:
		return x, nil
	case x.fixed && y.fixed:
		return c.combineValues("Add", x, y)
	case x.fixed:
		x, y = y, x
	}
	if !y.fixed {
		return c.emit(&Add{}, x, y)
	}
	k, err := c.aligned(y, x)
	if err != nil {
		return nil, err
	}
	return c.emit(&AddConst{k}, x)
}

// difference is x − y of values, not both constants, where nil is zero.
func (c *call) difference(x, y *value) (*value, error) {
	switch {
	case y == nil:
		return x, nil
	case x != nil && !x.fixed && !y.fixed:
		return c.emit(&Add{Subtract: true}, x, y)
	}
	y, err := c.negate(y)
	if err != nil {
		return nil, err
	}
	return c.plus(y, x)
}

// cellTimes multiplies cells of two values of which none is masked and nil is zero.
func (c *call) cellTimes(x, y *value) (*value, error) {
	switch {
	case x == nil || y == nil:
		return nil, nil
	case x.fixed && y.fixed:
		return c.combineValues("Mul", x, y)
	case x.fixed:
		x, y = y, x
	}
	if !y.fixed {
		return c.multiply(x, y)
	}
	k, err := c.aligned(y, x)
	if err != nil {
		return nil, err
	}
	return c.emit(&MulConst{k}, x)
}
