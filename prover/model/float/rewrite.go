package float

import "slices"

// fuse moves per-channel factors and addends (batch normalisation, a bias that
// the exporter added separately) into the convolution or product before them,
// where nothing else reads what is between. Fused nodes become dead.
func (g *Graph) fuse() {
	uses := make([]int, g.Values())
	for i := range g.Nodes {
		for _, id := range g.Nodes[i].Inputs {
			uses[id]++
		}
	}
	for _, o := range g.Outputs {
		uses[o.Value]++
	}
	// alias[v] is the value that v equals after fusion.
	alias := make([]ValueID, g.Values())
	for i := range alias {
		alias[i] = ValueID(i)
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		for k, id := range n.Inputs {
			n.Inputs[k] = alias[id]
		}
		src := int(n.Inputs[0]) - len(g.Inputs)
		if len(n.Inputs) != 1 || src < 0 || uses[n.Inputs[0]] != 1 {
			continue
		}
		if op, ok := absorb(g.Nodes[src].Op, n.Op, g.Nodes[src].Shape); ok {
			g.Nodes[src].Op = op
			alias[n.Output] = n.Inputs[0]
			uses[n.Inputs[0]] = uses[n.Output]
		}
	}
	for i := range g.Outputs {
		g.Outputs[i].Value = alias[g.Outputs[i].Value]
	}
}

// absorb returns linear with the constant operator next applied to its output
// of that shape; ok is false when that is not an operator of the same kind.
func absorb(linear, next Op, shape []int) (op Op, ok bool) {
	switch l := linear.(type) {
	case *Conv:
		c := *l
		ok = absorbInto(next, shape, 1, &c.W, &c.B, func(i int) int { return i / l.depth() })
		return &c, ok
	case *MatMul:
		m := *l
		ok = absorbInto(next, shape, len(shape)-1, &m.W, &m.B, func(i int) int { return i % l.N })
		return &m, ok
	}
	return nil, false
}

// absorbInto replaces weights and bias, whose output channel is axis of shape
// and channel(i) for weight i. The old lists are left as they are.
func absorbInto(next Op, shape []int, axis int, w, b *[]float32, channel func(i int) int) bool {
	switch n := next.(type) {
	case *AddConst:
		k, ok := perChannel(n.C, shape, axis)
		if !ok {
			return false
		}
		bias := slices.Clone(*b)
		for i := range bias {
			bias[i] += k[i]
		}
		*b = bias
	case *MulConst:
		k, ok := perChannel(n.C, shape, axis)
		if !ok {
			return false
		}
		weights, bias := slices.Clone(*w), slices.Clone(*b)
		for i := range weights {
			weights[i] *= k[channel(i)]
		}
		for i := range bias {
			bias[i] *= k[i]
		}
		*w, *b = weights, bias
	default:
		return false
	}
	return (&constant{floats: *w}).checkFinite() == nil && (&constant{floats: *b}).checkFinite() == nil
}

// perChannel returns the constant as one number per cell of axis, if it varies
// along no other.
func perChannel(c Tensor, shape []int, axis int) ([]float32, bool) {
	for d, n := range c.Shape {
		if d != axis && n != 1 {
			return nil, false
		}
	}
	if c.Shape[axis] == shape[axis] {
		return c.Data, true
	}
	return slices.Repeat(c.Data, shape[axis]), true
}

// prune drops the nodes that no output needs and renumbers the values.
func (g *Graph) prune() {
	needed := make([]bool, g.Values())
	for _, o := range g.Outputs {
		needed[o.Value] = true
	}
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		if needed[g.Nodes[i].Output] {
			for _, id := range g.Nodes[i].Inputs {
				needed[id] = true
			}
		}
	}
	renamed := make([]ValueID, g.Values())
	for i := range g.Inputs {
		renamed[i] = ValueID(i)
	}
	kept := g.Nodes[:0]
	for _, n := range g.Nodes {
		if !needed[n.Output] {
			continue
		}
		renamed[n.Output] = ValueID(len(g.Inputs) + len(kept))
		n.Output = renamed[n.Output]
		for k, id := range n.Inputs {
			n.Inputs[k] = renamed[id]
		}
		kept = append(kept, n)
	}
	clear(g.Nodes[len(kept):])
	g.Nodes = kept
	for i := range g.Outputs {
		g.Outputs[i].Value = renamed[g.Outputs[i].Value]
	}
}
