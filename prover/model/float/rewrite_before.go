package float

import "fmt"

// fuseBefore moves factors and addends of the features of a product's input into the product, where
// nothing else reads what is between: a table is scaled by its model. Those of a norm stay with it. It
// returns ErrNotFinite when a weight leaves float32.
func (g *Graph) fuseBefore() error {
	uses := g.countUses()
	for i := range g.Nodes {
		n := &g.Nodes[i]
		op, ok := n.Op.(*MatMul)
		for ok {
			src := int(n.Inputs[0]) - len(g.Inputs)
			if src < 0 || uses[n.Inputs[0]] != 1 || g.behindNorm(n.Inputs[0]) {
				break
			}
			before := &g.Nodes[src]
			if op, ok = op.after(before.Op, before.Shape); ok {
				if err := (&constant{floats: append(op.W[:len(op.W):len(op.W)], op.B...)}).checkFinite(); err != nil {
					return fmt.Errorf("node %q (%s): %w", n.Name, op.Kind(), err)
				}
				n.Op, n.Inputs = op, []ValueID{before.Inputs[0]}
			}
		}
	}
	return nil
}

// after returns the product with a factor or addend before it; false: it is none of the features.
func (m *MatMul) after(op Op, shape []int) (*MatMul, bool) {
	c, mul, ok := constantOperand(op)
	if !ok || len(c.Data) != c.Shape[len(shape)-1] {
		return m, false
	}
	out := &MatMul{K: m.K, N: m.N, W: m.W, B: m.B, Grid: m.Grid}
	if mul {
		out.Grid = nil
		out.W = make([]float32, len(m.W))
		for i, v := range m.W {
			out.W[i] = float32(float64(v) * float64(c.Data[i/m.N%len(c.Data)]))
		}
		return out, true
	}
	sums := make([]float64, m.N)
	for i, v := range m.W {
		sums[i%m.N] += float64(v) * float64(c.Data[i/m.N%len(c.Data)])
	}
	out.B = make([]float32, m.N)
	for i, v := range m.B {
		out.B[i] = float32(float64(v) + sums[i])
	}
	return out, true
}
