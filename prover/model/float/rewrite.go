package float

import "fmt"

// affine is what fuse moves into a linear operator: its output channel c is
// multiplied by scale[c], then shift[c] is added.
type affine struct{ scale, shift []float64 }

// fuse moves per-channel factors and addends (batch normalisation, a bias that
// the exporter added separately) into the convolution or product before them,
// where nothing else reads what is between. Fused nodes become dead. It returns
// ErrNotFinite when a weight leaves float32.
func (g *Graph) fuse() error {
	uses := g.countUses()
	// same[v] is the value that v equals after fusion.
	same := make([]ValueID, g.Values())
	for i := range same {
		same[i] = ValueID(i)
	}
	fused := make([]*affine, len(g.Nodes))
	for i := range g.Nodes {
		n := &g.Nodes[i]
		for k, id := range n.Inputs {
			n.Inputs[k] = same[id]
		}
		src := int(n.Inputs[0]) - len(g.Inputs)
		if len(n.Inputs) != 1 || src < 0 || uses[n.Inputs[0]] != 1 {
			continue
		}
		axis, ok := channelAxis(&g.Nodes[src])
		if !ok {
			continue
		}
		if fused[src], ok = fused[src].then(n.Op, g.Nodes[src].Shape, axis); ok {
			same[n.Output] = n.Inputs[0]
			uses[n.Inputs[0]] = uses[n.Output]
		}
	}
	for i := range g.Outputs {
		g.Outputs[i].Value = same[g.Outputs[i].Value]
	}
	for i, a := range fused {
		if a == nil {
			continue
		}
		if err := a.absorb(&g.Nodes[i]); err != nil {
			return fmt.Errorf("node %q (%s): %w", g.Nodes[i].Name, g.Nodes[i].Op.Kind(), err)
		}
	}
	return nil
}

// countUses returns how often each value is read.
func (g *Graph) countUses() []int {
	uses := make([]int, g.Values())
	for i := range g.Nodes {
		for _, id := range g.Nodes[i].Inputs {
			uses[id]++
		}
	}
	for _, o := range g.Outputs {
		uses[o.Value]++
	}
	return uses
}

// channelAxis returns the output axis along which a linear operator's bias
// varies; ok is false for other operators.
func channelAxis(n *Node) (axis int, ok bool) {
	switch n.Op.(type) {
	case *Conv:
		return 1, true
	case *MatMul:
		return len(n.Shape) - 1, true
	}
	return 0, false
}

// then returns a followed by op on an output of that shape; nil is the
// identity. ok is false, and a is returned, when op is not a multiplication or
// addition per cell of axis.
func (a *affine) then(op Op, shape []int, axis int) (next *affine, ok bool) {
	c, mul, ok := constantOperand(op)
	if !ok || len(c.Data) != c.Shape[axis] {
		return a, false
	}
	if a == nil {
		a = &affine{make([]float64, shape[axis]), make([]float64, shape[axis])}
		for i := range a.scale {
			a.scale[i] = 1
		}
	}
	for i := range a.scale {
		k := float64(c.Data[i%len(c.Data)])
		if mul {
			a.scale[i] *= k
			a.shift[i] *= k
		} else {
			a.shift[i] += k
		}
	}
	return a, true
}

// constantOperand is what an operator multiplies by or adds; ok is false for other operators.
func constantOperand(op Op) (c Tensor, mul, ok bool) {
	switch op := op.(type) {
	case *MulConst:
		return op.C, true, true
	case *AddConst:
		return op.C, false, true
	}
	return c, false, false
}

// absorb replaces a linear operator by one with a applied to its output. The
// old operator's lists may be shared and stay as they are.
func (a *affine) absorb(n *Node) error {
	var w, b []float32
	switch op := n.Op.(type) {
	case *Conv:
		next := *op
		next.W, next.B = a.weights(op.W, func(i int) int { return i / op.depth() }), a.bias(op.B)
		next.Grid = a.grid(op.Grid)
		n.Op, w, b = &next, next.W, next.B
	case *MatMul:
		next := *op
		next.W, next.B = a.weights(op.W, func(i int) int { return i % op.N }), a.bias(op.B)
		next.Grid = a.grid(op.Grid)
		n.Op, w, b = &next, next.W, next.B
	}
	for _, list := range [][]float32{w, b} {
		if err := (&constant{floats: list}).checkFinite(); err != nil {
			return err
		}
	}
	return nil
}

// weights returns the scaled weights; channel tells the output channel of each.
// They are returned as they are when no scale differs from 1.
func (a *affine) weights(w []float32, channel func(i int) int) []float32 {
	plain := true
	for _, s := range a.scale {
		plain = plain && s == 1
	}
	if plain {
		return w
	}
	out := make([]float32, len(w))
	for i, v := range w {
		out[i] = float32(float64(v) * a.scale[channel(i)])
	}
	return out
}

// grid is that of the scaled weights.
func (a *affine) grid(g []float32) []float32 {
	if g == nil {
		return nil
	}
	out := make([]float32, len(a.scale))
	for i, s := range a.scale {
		out[i] = float32(float64(g[i%len(g)]) * s)
	}
	return out
}

func (a *affine) bias(b []float32) []float32 {
	out := make([]float32, len(b))
	for i, v := range b {
		out[i] = float32(float64(v)*a.scale[i] + a.shift[i])
	}
	return out
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
