package layer

import (
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/poly"
	"github.com/weisyn/wes/prover/vec"
)

// NodeTerm is a functional on the accumulator of a node: U over its channels times one
// vector for each other axis, taken from the columns with as many low bits.
type NodeTerm struct {
	Low  int
	Runs []fr.Element   // weight of each run of 2^Low channels; U is Runs ⊗ eq(low bits)
	U    []fr.Element   // weight of each channel, zero outside the class
	Axes [][]fr.Element // weights of the other axes; the channel's entry is unused
}

// nodeTerms are the functionals on the accumulator of each node: those that the lookups
// end in for a Rescale, and for a Reveal those of its revealed columns, not yet weighed by
// Rho. They are computed once for a proof.
func (s *System) nodeTerms(ch *Challenges) [][]NodeTerm {
	if ch.terms != nil {
		return ch.terms
	}
	ch.terms, ch.constants = make([][]NodeTerm, len(s.Graph.Nodes)), make([]fr.Element, len(s.Graph.Nodes))
	gammas, tables := powers(ch.Gamma, len(s.Reveals)), new(eqTables)
	poly.Parallel(len(ch.terms), 4, func(from, to int) {
		for i := from; i < to; i++ {
			switch op := s.Graph.Nodes[i].Op.(type) {
			case *graph.Rescale:
				ch.terms[i] = s.rescaleTerms(i, op, ch, tables)
				ch.constants[i] = s.constants(i, &op.Acc, op, ch.terms[i])
			case *graph.Reveal:
				ch.terms[i] = s.weighColumns(i, op.Acc.Channel, ch.Point, tables, func(c int) fr.Element { return gammas[c] })
				ch.constants[i] = s.constants(i, &op.Acc, nil, ch.terms[i])
			}
		}
	})
	return ch.terms
}

// powers are 1, x, x², …
func powers(x fr.Element, n int) []fr.Element {
	p := make([]fr.Element, n)
	next := fr.One()
	for i := range p {
		p[i] = next
		next.Mul(&next, &x)
	}
	return p
}

// weighColumns weighs the columns of a node by eq at the suffix of the point that each has,
// times weight(i) for column i of Columns, or of Reveals.
func (s *System) weighColumns(node, channel int, point []fr.Element, tables *eqTables, weight func(i int) fr.Element) []NodeTerm {
	var terms []NodeTerm
	list, first := s.columnsOf(node)
	for i := range list {
		c := &list[i]
		p := point[len(point)-c.Vars:]
		parts := c.split(p)
		if len(terms) == 0 || terms[len(terms)-1].Low != c.Low {
			terms = append(terms, NodeTerm{Low: c.Low, U: make([]fr.Element, c.Shape[channel]), Axes: c.eqAxes(parts, tables)})
		}
		w, lone := weight(first+i), c.lone(p)
		w.Mul(&w, &lone)
		t := &terms[len(terms)-1]
		runs := make([]fr.Element, c.Count>>c.Low)
		poly.EqScaled(runs, parts.high, w)
		t.Runs = append(t.Runs, runs...)
		vec.Scale(t.U[c.First:c.First+c.Count], tables.prefix(parts.high, parts.low, c.Count), &w)
	}
	return terms
}

// weighed is the term with its channel weights multiplied by rho.
func (t NodeTerm) weighed(rho *fr.Element) NodeTerm {
	runs, u := make([]fr.Element, len(t.Runs)), make([]fr.Element, len(t.U))
	vec.Scale(runs, t.Runs, rho)
	first, used := trimmed(t.U)
	vec.Scale(u[first:first+len(used)], used, rho)
	t.Runs, t.U = runs, u
	return t
}

// channels are the channel weights multiplied by 2^up, up given for each channel.
func (t *NodeTerm) channels(up []int) []fr.Element {
	if !slices.ContainsFunc(up, func(u int) bool { return u != 0 }) {
		return t.U
	}
	var factors [64]fr.Element
	for i := range factors {
		factors[i] = fr.NewElement(1 << i)
	}
	u := make([]fr.Element, len(t.U))
	for c := range u {
		if u[c] = t.U[c]; up[c] != 0 {
			u[c].Mul(&u[c], &factors[up[c]])
		}
	}
	return u
}

// term is the functional with the given channel weights.
func (t *NodeTerm) term(channel int, u []fr.Element) Term {
	vecs := append([][]fr.Element{}, t.Axes...)
	vecs[channel] = u
	return Separable(fr.One(), vecs...)
}
