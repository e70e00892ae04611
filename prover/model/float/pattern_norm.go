package float

import "slices"

// normPattern is d·1/√(mean(d²) + ε) over the last axis: the layer normalisation of x for
// d = x − mean(x), else the RMSNorm of d.
func normPattern(g *Graph, n *Node) (Op, ValueID, bool) {
	if _, ok := n.Op.(*Mul); !ok || len(n.Shape) == 0 {
		return nil, 0, false
	}
	for i, d := range n.Inputs {
		q, eps, ok := g.inverseRoot(n.Inputs[1-i], n.Shape)
		if !ok || !slices.Equal(g.ShapeOf(d), n.Shape) {
			continue
		}
		if x, ok := g.centred(d); ok {
			if y, same := g.centred(q); q == d || same && y == x {
				return &Norm{Epsilon: eps, Centered: true}, x, true
			}
		}
		if q == d {
			return &Norm{Epsilon: eps}, d, true
		}
	}
	return nil, 0, false
}

// inverseRoot returns q and ε of a value that is 1/√(mean(q²) + ε) along the lines of a shape.
func (g *Graph) inverseRoot(id ValueID, full []int) (q ValueID, eps float32, ok bool) {
	id = g.unspread(id, full)
	inside := func() ValueID { return g.unspread(g.node(id).Inputs[0], full) }
	switch op := g.opOf(id).(type) {
	case *Pow:
		if op.Exponent != -0.5 {
			return 0, 0, false
		}
	case *Reciprocal:
		if id = inside(); !isKind(g.opOf(id), "Sqrt") {
			return 0, 0, false
		}
	case *Sqrt:
		if id = inside(); !isKind(g.opOf(id), "Reciprocal") {
			return 0, 0, false
		}
	default:
		return 0, 0, false
	}
	for _, s := range g.steps(inside()) {
		squares, mean := g.meanOf(s.v, full)
		if !mean || s.scale != 1 || s.shift < 0 {
			continue
		}
		if p, square := g.opOf(squares).(*Pow); square && p.Exponent == 2 {
			return g.node(squares).Inputs[0], float32(s.shift), true
		}
	}
	return 0, 0, false
}

func isKind(op Op, kind string) bool { return op != nil && op.Kind() == kind }

// centred returns x of a value that is x − mean(x) along the last axis.
func (g *Graph) centred(id ValueID) (x ValueID, ok bool) {
	n := g.node(id)
	if n == nil {
		return 0, false
	}
	if op, ok := n.Op.(*Add); !ok || !op.Subtract {
		return 0, false
	}
	x, ok = g.meanOf(n.Inputs[1], n.Shape)
	return x, ok && x == n.Inputs[0]
}

// meanOf returns the value of that shape whose means along the last axis another one holds.
func (g *Graph) meanOf(id ValueID, full []int) (src ValueID, ok bool) {
	n := g.node(g.unspread(id, full))
	if n == nil {
		return 0, false
	}
	op, ok := n.Op.(*MeanAxes)
	if !ok || !slices.Equal(op.Axes, []int{len(full) - 1}) || !slices.Equal(g.ShapeOf(n.Inputs[0]), full) {
		return 0, false
	}
	return n.Inputs[0], true
}

// unspread goes back from a value to the one number a line that it repeats along the last axis.
func (g *Graph) unspread(id ValueID, full []int) ValueID {
	last := len(full) - 1
	lines := func(shape []int) bool {
		return slices.Equal(shape, full) || slices.Equal(shape, full[:last]) ||
			len(shape) == len(full) && shape[last] == 1 && slices.Equal(shape[:last], full[:last])
	}
	for range maxSteps {
		switch g.opOf(id).(type) {
		case *Broadcast, *Reshape:
		default:
			return id
		}
		n := g.node(id)
		if !lines(n.Shape) || !lines(g.ShapeOf(n.Inputs[0])) {
			return id
		}
		id = n.Inputs[0]
	}
	return id
}

// behindNorm reports whether a value is a Norm but for factors, addends and reshapes.
func (g *Graph) behindNorm(id ValueID) bool {
	for range maxSteps {
		switch g.opOf(id).(type) {
		case *Norm:
			return true
		case *MulConst, *AddConst, *Reshape:
			id = g.node(id).Inputs[0]
		default:
			return false
		}
	}
	return false
}
