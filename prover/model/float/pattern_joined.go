package float

import "slices"

// joinedNorm recognises x·R + (beta − mean(x)·R), where R is gamma times the inverse root of a layer
// normalisation of x: so some write it to save a difference. The last node becomes the addition of
// beta, two of those before it the Norm and the product with gamma.
func (g *Graph) joinedNorm(n *Node, uses []int) bool {
	if op, ok := n.Op.(*Add); !ok || op.Subtract || len(n.Shape) == 0 {
		return false
	}
	for i, id := range n.Inputs {
		scaled := g.node(id)
		if scaled == nil || uses[id] != 1 || !isKind(scaled.Op, "Mul") {
			continue
		}
		for k, x := range scaled.Inputs {
			rest, beta, ok := g.joinedRest(n.Inputs[1-i], x, scaled.Inputs[1-k], n.Shape)
			if !ok || !g.soleUse(n.Inputs[1-i], rest, uses) {
				continue
			}
			eps, gamma, ok := g.joinedRoot(x, scaled.Inputs[1-k], n.Shape)
			if !ok {
				continue
			}
			first, second := g.node(min(id, rest)), g.node(max(id, rest))
			first.Op, first.Inputs, first.Shape = &Norm{Epsilon: eps, Centered: true}, []ValueID{x}, n.Shape
			second.Op, second.Inputs, second.Shape = &MulConst{gamma}, []ValueID{first.Output}, n.Shape
			n.Op, n.Inputs = &AddConst{beta}, []ValueID{second.Output}
			return true
		}
	}
	return false
}

// soleUse reports whether a value and those before it, back to first, are read once.
func (g *Graph) soleUse(id, first ValueID, uses []int) bool {
	for ; id != first; id = g.node(id).Inputs[0] {
		if uses[id] != 1 {
			return false
		}
	}
	return uses[first] == 1
}

// joinedRest recognises beta − mean(x)·R and returns the product.
func (g *Graph) joinedRest(id, x, r ValueID, full []int) (product ValueID, beta Tensor, ok bool) {
	sum := g.node(id)
	if sum == nil {
		return 0, beta, false
	}
	add, ok := sum.Op.(*AddConst)
	if !ok {
		return 0, beta, false
	}
	s, mul, ok := stepTo[*Mul](g, sum.Inputs[0])
	if !ok || mul == nil || s.scale != -1 || s.shift != 0 {
		return 0, beta, false
	}
	in := g.node(s.v).Inputs
	for i, m := range in {
		if y, ok := g.meanOf(m, full); ok && y == x && in[1-i] == r {
			return s.v, add.C, slices.Equal(sum.Shape, full)
		}
	}
	return 0, beta, false
}

// joinedRoot recognises the inverse root of the variance of x times gamma.
func (g *Graph) joinedRoot(x, r ValueID, full []int) (eps float32, gamma Tensor, ok bool) {
	n := g.node(r)
	if n == nil || !slices.Equal(g.ShapeOf(x), full) {
		return 0, gamma, false
	}
	mul, ok := n.Op.(*MulConst)
	if !ok {
		return 0, gamma, false
	}
	q, eps, ok := g.inverseRoot(n.Inputs[0], full)
	if !ok {
		return 0, gamma, false
	}
	y, ok := g.centred(q)
	return eps, mul.C, ok && y == x
}
