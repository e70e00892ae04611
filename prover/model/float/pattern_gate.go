package float

import "math"

// geluPattern is x·(1 + erf(x/√2))/2, or with the tanh of a cubic, whatever factor has the half.
func geluPattern(g *Graph, n *Node) (Op, ValueID, bool) {
	k, pair, ok := g.timesNumber(n)
	if !ok {
		return nil, 0, false
	}
	for i, gate := range pair {
		s, arg, op, want := g.geluGate(gate)
		if op == nil || !closeTo(s.shift, s.scale) {
			continue
		}
		for _, x := range g.steps(pair[1-i]) {
			if x.shift != 0 || !closeTo(k*s.scale*x.scale, 0.5) {
				continue
			}
			if p, ok := g.polynomialOf(arg, x.v, maxSteps); ok && p.near(want) {
				return op, x.v, true
			}
		}
	}
	return nil, 0, false
}

// geluGate returns the function in a gate, its argument and the polynomial that this must be.
func (g *Graph) geluGate(gate ValueID) (s step, arg ValueID, op Op, want polynomial) {
	if s, _, ok := stepTo[*Erf](g, gate); ok {
		return s, g.node(s.v).Inputs[0], &Gelu{}, polynomial{0, 1 / math.Sqrt2}
	}
	if s, _, ok := stepTo[*Tanh](g, gate); ok {
		k := math.Sqrt(2 / math.Pi)
		return s, g.node(s.v).Inputs[0], &GeluTanh{}, polynomial{0, k, 0, k * geluCubic}
	}
	return s, 0, nil, want
}

// siluPattern is x·sigmoid(x).
func siluPattern(g *Graph, n *Node) (Op, ValueID, bool) {
	k, pair, ok := g.timesNumber(n)
	if !ok || k != 1 {
		return nil, 0, false
	}
	for i, gate := range pair {
		if _, ok := g.opOf(gate).(*Sigmoid); ok && g.node(gate).Inputs[0] == pair[1-i] {
			return &Silu{}, pair[1-i], true
		}
	}
	return nil, 0, false
}

// hardSwishPattern is x·min(max(x + 3, 0), 6)/6, or x·HardSigmoid(x) with a slope of 1/6.
func hardSwishPattern(g *Graph, n *Node) (Op, ValueID, bool) {
	k, pair, ok := g.timesNumber(n)
	if !ok {
		return nil, 0, false
	}
	for i, gate := range pair {
		x := pair[1-i]
		if h, ok := g.opOf(gate).(*HardSigmoid); ok && k == 1 && g.node(gate).Inputs[0] == x &&
			closeTo(float64(h.Alpha), 1./6) && closeTo(float64(h.Beta), 0.5) {
			return &HardSwish{}, x, true
		}
		s, clip, ok := stepTo[*Clip](g, gate)
		if !ok || clip.Lo != 0 || clip.Hi != 6 || s.shift != 0 || !closeTo(k*s.scale, 1./6) {
			continue
		}
		for _, t := range g.steps(g.node(s.v).Inputs[0]) {
			if t.v == x && t.scale == 1 && t.shift == 3 {
				return &HardSwish{}, x, true
			}
		}
	}
	return nil, 0, false
}

// sigmoidPattern is 1/(1 + exp(−x)).
func sigmoidPattern(g *Graph, n *Node) (Op, ValueID, bool) {
	if _, ok := n.Op.(*Reciprocal); !ok {
		return nil, 0, false
	}
	s, _, ok := stepTo[*Exp](g, n.Inputs[0])
	if !ok || s.scale != 1 || s.shift != 1 {
		return nil, 0, false
	}
	for _, t := range g.steps(g.node(s.v).Inputs[0]) {
		if t.scale == -1 && t.shift == 0 {
			return &Sigmoid{}, t.v, true
		}
	}
	return nil, 0, false
}
