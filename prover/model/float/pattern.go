package float

import (
	"math"
	"slices"
)

// A pattern recognises the last of several nodes that exporters write for one operator: it returns that
// operator and its operand. The nodes between become dead where nothing else reads them.
type pattern func(g *Graph, n *Node) (op Op, x ValueID, ok bool)

// fusePatterns replaces patterns by their operators, from the inputs on, so that a pattern may hold others.
func (g *Graph) fusePatterns() {
	patterns := []pattern{sigmoidPattern, normPattern, geluPattern, siluPattern, hardSwishPattern}
	uses := g.countUses()
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if g.joinedNorm(n, uses) {
			continue
		}
		for _, p := range patterns {
			if op, x, ok := p(g, n); ok {
				n.Op, n.Inputs = op, []ValueID{x}
				break
			}
		}
	}
}

// node returns the node that computes a value, nil for an input.
func (g *Graph) node(id ValueID) *Node {
	if int(id) < len(g.Inputs) {
		return nil
	}
	return &g.Nodes[int(id)-len(g.Inputs)]
}

// opOf is the operator that computes a value; it is nil for an input.
func (g *Graph) opOf(id ValueID) Op {
	if n := g.node(id); n != nil {
		return n.Op
	}
	return nil
}

// step says that a value is scale·v + shift of the value v.
type step struct {
	v            ValueID
	scale, shift float64
}

// maxSteps bounds how far a pattern looks back.
const maxSteps = 8

// steps returns what a value is of itself and of those before it, by numbers multiplied and added.
func (g *Graph) steps(id ValueID) []step {
	s := step{id, 1, 0}
	all := []step{s}
	for range maxSteps {
		n := g.node(s.v)
		if n == nil {
			break
		}
		c, mul, ok := constantOperand(n.Op)
		k, same := uniform(c)
		if !ok || !same {
			break
		}
		if mul {
			s.scale *= float64(k)
		} else {
			s.shift += s.scale * float64(k)
		}
		s.v = n.Inputs[0]
		all = append(all, s)
	}
	return all
}

// stepTo returns the step from a value back to one with an operator of type T.
func stepTo[T Op](g *Graph, id ValueID) (s step, op T, ok bool) {
	for _, s := range g.steps(id) {
		if op, ok := g.opOf(s.v).(T); ok {
			return s, op, true
		}
	}
	return s, op, false
}

// closeTo compares the constants of patterns, which files round.
func closeTo(a, b float64) bool { return math.Abs(a-b) <= 1e-4*math.Abs(b) }

// timesNumber returns the product of two activations that a node is, but for a factor. Both have its shape.
func (g *Graph) timesNumber(n *Node) (k float64, pair [2]ValueID, ok bool) {
	if _, mul, ok := constantOperand(n.Op); !ok && n.Op.Kind() != "Mul" || ok && !mul {
		return 0, pair, false
	}
	s, _, ok := stepTo[*Mul](g, n.Output)
	if !ok || s.shift != 0 {
		return 0, pair, false
	}
	in := g.node(s.v).Inputs
	for i, id := range in {
		pair[i] = id
		if !slices.Equal(g.ShapeOf(id), n.Shape) {
			return 0, pair, false
		}
	}
	return s.scale, pair, true
}

// polynomial holds the coefficients of 1, x, x² and x³.
type polynomial [4]float64

func (p polynomial) plus(q polynomial, sign float64) polynomial {
	for i := range p {
		p[i] += sign * q[i]
	}
	return p
}

// times is false for a degree above 3.
func (p polynomial) times(q polynomial) (r polynomial, ok bool) {
	for i, a := range p {
		for j, b := range q {
			switch {
			case a == 0 || b == 0:
			case i+j >= len(r):
				return r, false
			default:
				r[i+j] += a * b
			}
		}
	}
	return r, true
}

// polynomialOf writes a value as a polynomial in x, if it is one of degree 3 at most.
func (g *Graph) polynomialOf(id, x ValueID, depth int) (p polynomial, ok bool) {
	if id == x {
		return polynomial{0, 1}, true
	}
	n := g.node(id)
	if n == nil || depth == 0 || !slices.Equal(n.Shape, g.ShapeOf(x)) {
		return p, false
	}
	switch n.Op.(type) {
	case *MulConst, *AddConst, *Add, *Mul, *Pow:
	default:
		return p, false
	}
	var in [2]polynomial
	for i, id := range n.Inputs {
		if in[i], ok = g.polynomialOf(id, x, depth-1); !ok {
			return p, false
		}
	}
	switch op := n.Op.(type) {
	case *MulConst:
		k, same := uniform(op.C)
		return polynomial{}.plus(in[0], float64(k)), same
	case *AddConst:
		k, same := uniform(op.C)
		return in[0].plus(polynomial{float64(k)}, 1), same
	case *Add:
		if op.Subtract {
			return in[0].plus(in[1], -1), true
		}
		return in[0].plus(in[1], 1), true
	case *Mul:
		return in[0].times(in[1])
	case *Pow:
		return in[0].power(op.Exponent)
	}
	return p, false
}

// power is false for other exponents than 2 and 3.
func (p polynomial) power(exponent float32) (r polynomial, ok bool) {
	if r, ok = p.times(p); exponent == 3 && ok {
		r, ok = r.times(p)
	}
	return r, ok && (exponent == 2 || exponent == 3)
}

// near reports whether a polynomial has these coefficients.
func (p polynomial) near(q polynomial) bool {
	for i := range p {
		if p[i] != q[i] && !closeTo(p[i], q[i]) {
			return false
		}
	}
	return true
}
