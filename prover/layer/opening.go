package layer

import (
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/poly"
)

// Opening is one linear claim on the committed vector P: ⟨P, L⟩ = Value, where L is a
// random combination of everything that the other arguments left open. Claims are added
// one after the other, each weighed by the next power of a challenge.
type Opening struct {
	sys    *System
	inputs [][]int32 // public cells by tensor; nil for other tensors
	delta  fr.Element
	weight fr.Element // of the claim being added: delta^i

	Value fr.Element
	eqs   []eqWeight
	terms map[int][]Term // by committed tensor
	count int
}

// eqWeight weighs a whole slot, padding included, by coef·eq(point, ·).
type eqWeight struct {
	slot  *Slot
	coef  fr.Element
	point []fr.Element
}

// maxTerms bounds the functionals that views can multiply into.
const maxTerms = 1 << 16

// ErrTooWide reports a graph whose views need more work of the verifier than is allowed.
var ErrTooWide = errors.New("views weigh too many cells jointly")

// NewOpening starts a claim. inputs holds the public inputs by tensor.
func (s *System) NewOpening(inputs [][]int32, delta fr.Element) *Opening {
	return &Opening{sys: s, inputs: inputs, delta: delta, weight: fr.One(), terms: map[int][]Term{}}
}

// next begins another claim.
func (o *Opening) next() { o.weight.Mul(&o.weight, &o.delta) }

// value adds v to the right-hand side of the current claim.
func (o *Opening) value(v fr.Element) {
	v.Mul(&v, &o.weight)
	o.Value.Add(&o.Value, &v)
}

// subtract moves a known summand of the left-hand side to the right.
func (o *Opening) subtract(v fr.Element) { o.value(*v.Neg(&v)) }

// eq adds coef·eq(point, ·) on a slot.
func (o *Opening) eq(slot *Slot, coef fr.Element, point []fr.Element) {
	coef.Mul(&coef, &o.weight)
	o.eqs = append(o.eqs, eqWeight{slot, coef, point[len(point)-slot.Vars:]})
}

// term adds a functional on a tensor: views hand it down, public inputs are evaluated.
func (o *Opening) term(tensor int, t Term) error {
	n := &o.sys.Graph.Nodes[tensor]
	if o.count++; o.count > maxTerms {
		return fmt.Errorf("%w: more than %d terms at node %q", ErrTooWide, maxTerms, n.Name)
	}
	if _, public := n.Op.(*graph.Input); public {
		o.subtract(t.Apply(o.inputs[tensor]))
		return nil
	}
	if !IsView(n.Op) {
		o.terms[tensor] = append(o.terms[tensor], t.scaled(o.weight))
		return nil
	}
	in := make([][]int, len(n.Inputs))
	for i, at := range n.Inputs {
		in[i] = o.sys.Info.Shapes[at]
	}
	pulled, err := pull(n.Op, t, in, o.sys.Info.Shapes[tensor])
	if err != nil {
		return fmt.Errorf("%w: node %q: %v", ErrTooWide, n.Name, err)
	}
	for i, at := range n.Inputs {
		if err := o.term(at, pulled[i]); err != nil {
			return err
		}
	}
	return nil
}

// Fill writes L over the committed cells: the prover's side.
func (o *Opening) Fill(l []fr.Element) {
	for _, e := range o.eqs {
		cells := l[e.slot.Offset:][:1<<e.slot.Vars]
		weights := fr.Vector(make([]fr.Element, len(cells)))
		poly.EqScaled(weights, e.point, e.coef)
		dst := fr.Vector(cells)
		dst.Add(dst, weights)
	}
	for i := range o.sys.Columns {
		c := &o.sys.Columns[i]
		slot := o.sys.Slot(SlotValue, i)
		for _, t := range o.terms[c.Tensor] {
			c.AddTerm(l[slot.Offset:][:1<<slot.Vars], t)
		}
	}
}

// Eval is the multilinear extension of L at a point: the verifier's side.
func (o *Opening) Eval(rho []fr.Element) fr.Element {
	var sum fr.Element
	for _, e := range o.eqs {
		v := selector(rho, e.slot.Vars, e.slot.Offset)
		at := poly.EqEval(e.point, rho[len(rho)-e.slot.Vars:])
		v.Mul(&v, &at).Mul(&v, &e.coef)
		sum.Add(&sum, &v)
	}
	for i := range o.sys.Columns {
		c := &o.sys.Columns[i]
		terms := o.terms[c.Tensor]
		if len(terms) == 0 {
			continue
		}
		slot := o.sys.Slot(SlotValue, i)
		at := rho[len(rho)-slot.Vars:]
		var inner fr.Element
		for _, t := range terms {
			v := c.evalTerm(t, at)
			inner.Add(&inner, &v)
		}
		sel := selector(rho, slot.Vars, slot.Offset)
		inner.Mul(&inner, &sel)
		sum.Add(&sum, &inner)
	}
	return sum
}

// selector is the weight, at a point, of the aligned cube of 2^vars cells at offset.
func selector(point []fr.Element, vars, offset int) fr.Element {
	return poly.EqAt(point[:len(point)-vars], uint64(offset)>>vars)
}
