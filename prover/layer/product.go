package layer

import (
	"fmt"
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/poly"
	"github.com/weisyn/wes/prover/vec"
)

// productShape is the contraction index of a product: the axes of the output that both
// operands have, in order, then the contracted one.
type productShape struct {
	cube
	node, term int
	shared     []int // axes of the output
	operands   [2]operand
}

// operand is a tensor that a product reads. parts holds, for each of its axes, the part of
// the contraction index that it is, or -1 for an axis of rows or columns; axes is Product.Left
// or Product.Right.
type operand struct {
	tensor      int
	shape       []int
	axes, parts []int
}

// makeProducts lists the products of all nodes.
func (s *System) makeProducts() error {
	for i := range s.Graph.Nodes {
		acc := graph.AccumulatorOf(s.Graph.Nodes[i].Op)
		if acc == nil {
			continue
		}
		seconds := acc.Seconds()
		for t := range acc.Terms {
			if acc.Terms[t].Product == nil {
				continue
			}
			p := s.newProductShape(i, t, acc.Terms[t].Product, seconds[t])
			if p.vars > maxVars {
				return fmt.Errorf("%w: node %d %q: products of 2^%d pairs, at most 2^%d", ErrTooWide, i, s.Graph.Nodes[i].Name, p.vars, maxVars)
			}
			s.products = append(s.products, p)
			s.Weights.ContractVars = max(s.Weights.ContractVars, p.vars)
		}
	}
	return nil
}

func (s *System) newProductShape(node, term int, p *graph.Product, second int) productShape {
	shape := productShape{node: node, term: term}
	var dims []int
	for a, d := range s.Info.Shapes[node] {
		if slices.Contains(p.Left, a) && slices.Contains(p.Right, a) {
			shape.shared, dims = append(shape.shared, a), append(dims, d)
		}
	}
	shape.cube = newCube(append(dims, p.Length)...)
	inputs := s.Graph.Nodes[node].Inputs
	for i, axes := range [2][]int{p.Left, p.Right} {
		o := operand{tensor: inputs[[2]int{term, second}[i]], axes: axes}
		o.shape = s.Info.Shapes[o.tensor]
		for _, a := range axes {
			part := slices.Index(shape.shared, a)
			if a == graph.Contracted {
				part = len(shape.shared)
			}
			o.parts = append(o.parts, part)
		}
		shape.operands[i] = o
	}
	return shape
}

// ProductClaim says what one product contributes to the weighed accumulators of its node. If
// the weights of the output are T = Π_a T_a over its axes, that is Σ_{b,k} L(b,k)·R(b,k), with
// b the shared axes, i those of the left operand alone, j those of the right one alone, m the
// term's multiplier, and
//
//	L(b,k) = m·T(b)·Σ_i T(i)·left(b,i,k)
//	R(b,k) = Σ_j T(j)·right(b,j,k)
//
// T(b) is part of L, so the sum has degree two. Both factors are linear functionals of a
// tensor at every point, and read no cell beyond the tensors' extents.
type ProductClaim struct {
	shape *productShape
	mult  fr.Element
	out   [][]fr.Element // T, by axis of the output
}

func (s *System) productClaims(ch *Challenges) []ProductClaim {
	var claims []ProductClaim
	for i := range s.products {
		p := &s.products[i]
		op := s.Graph.Nodes[p.node].Op
		acc := graph.AccumulatorOf(op)
		up := graph.ChannelShifts(op, s.Info.Shapes[p.node][acc.Channel])
		for _, t := range s.weighedTerms(p.node, ch) {
			out := slices.Clone(t.Axes)
			out[acc.Channel] = t.channels(up)
			claims = append(claims, ProductClaim{shape: p, mult: poly.FromInt64(acc.Terms[p.term].Mult), out: out})
		}
	}
	return claims
}

// Vars is the number of variables of the claim's sum.
func (c *ProductClaim) Vars() int { return c.shape.vars }

// Late is Π (1 − r_i) over the variables that the claim has not.
func (c *ProductClaim) Late(r []fr.Element) fr.Element { return zeroWeight(r[:len(r)-c.shape.vars]) }

// Operands are the tensors whose functionals the factors are, the left one first.
func (c *ProductClaim) Operands() [2]int {
	return [2]int{c.shape.operands[0].tensor, c.shape.operands[1].tensor}
}

// weighedFactor is the index of the factor that the weights of channels are part of.
func (c *ProductClaim) weighedFactor(channel int) int {
	if slices.Contains(c.shape.operands[0].axes, channel) {
		return 0
	}
	return 1
}

// Factors computes L and R over the contraction index, from the cells of the operands.
func (c *ProductClaim) Factors(left, right []int32) [2][]fr.Element {
	factors := [2][]fr.Element{c.factor(0, left), c.factor(1, right)}
	dst := factors[0]
	k := c.shape.dims[len(c.shape.dims)-1]
	step := 1 << c.shape.bits[len(c.shape.bits)-1]
	weights := c.sharedWeights()
	for at := 0; at < len(dst); at += step {
		run := dst[at:][:k]
		vec.Scale(run, run, &weights[at/step])
	}
	return factors
}

// sharedWeights is m·T(b) over the padded index of the shared axes.
func (c *ProductClaim) sharedWeights() []fr.Element {
	weights := []fr.Element{c.mult}
	for i, a := range c.shape.shared {
		weights = outerPadded(weights, c.out[a], 1<<c.shape.bits[i])
	}
	return weights
}

// factor sums an operand against the weights of the axes that it has alone.
func (c *ProductClaim) factor(side int, x []int32) []fr.Element {
	o := &c.shape.operands[side]
	weights := make([][]fr.Element, len(o.axes))
	steps := make([]int, len(c.shape.dims))
	step := 1
	for i := len(o.axes) - 1; i >= 0; i-- {
		if o.parts[i] < 0 {
			weights[i] = c.out[o.axes[i]]
			continue
		}
		steps[o.parts[i]] = step
		step *= o.shape[i]
	}
	dst := make([]fr.Element, c.shape.prefix())
	c.shape.spread(dst, contractSome(x, o.shape, weights), steps)
	return dst
}

// spread copies the cells of an array, those along part i of the index steps[i] apart, to
// their places in the padded index.
func (c *cube) spread(dst, src []fr.Element, steps []int) {
	var walk func(part, padded, at int)
	walk = func(part, padded, at int) {
		if part == len(c.dims) {
			dst[padded] = src[at]
			return
		}
		for i := range c.dims[part] {
			walk(part+1, padded<<c.bits[part]|i, at+i*steps[part])
		}
	}
	walk(0, 0, 0)
}

// contractSome sums x over the axes that have weights. The others stay, in their order. The
// last run of neighbouring axes with weights is summed jointly, in one pass over x.
func contractSome(x []int32, shape []int, weights [][]fr.Element) []fr.Element {
	to := len(shape)
	for to > 0 && weights[to-1] == nil {
		to--
	}
	from, joint := to, []fr.Element{fr.One()}
	for from > 0 && weights[from-1] != nil {
		from--
		joint = outer(weights[from], joint)
	}
	inner := product(shape[to:])
	cells := make([]fr.Element, product(shape[:from])*inner)
	if inner == 1 {
		poly.MatVec(cells, joint, x, len(joint))
	} else {
		for o := range product(shape[:from]) {
			poly.VecMat(cells[o*inner:][:inner], joint, x[o*len(joint)*inner:][:len(joint)*inner], inner)
		}
	}
	dims := slices.Clone(shape)
	for a := from; a < to; a++ {
		dims[a] = 1
	}
	for a := from - 1; a >= 0; a-- {
		if weights[a] != nil {
			cells = contractAxis(cells, dims, a, [][]fr.Element{weights[a]})
			dims[a] = 1
		}
	}
	return cells
}

// term is the functional on an operand whose value its factor is at r.
func (c *ProductClaim) term(side int, r []fr.Element, tables *eqTables) Term {
	parts := c.shape.parts(r)
	o := &c.shape.operands[side]
	t := Term{Coef: fr.One(), Groups: make([]Group, len(o.axes))}
	for i, a := range o.axes {
		if o.parts[i] < 0 {
			t.Groups[i] = Group{Axes: 1, Vec: c.out[a]}
			continue
		}
		point := parts[o.parts[i]]
		g := Group{Axes: 1, Vec: tables.prefix(point, nil, o.shape[i]), Point: point}
		if side == 0 && a != graph.Contracted {
			weights := make([]fr.Element, len(g.Vec))
			vec.Mul(weights, g.Vec, c.out[a])
			g = Group{Axes: 1, Vec: weights}
		}
		t.Groups[i] = g
	}
	if side == 0 {
		t.Coef = c.mult
	}
	return t
}
