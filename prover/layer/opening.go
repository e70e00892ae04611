package layer

import (
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
	inputs [][]int32       // public cells by tensor; nil for other tensors
	trees  map[int][]int64 // cells of decision trees by tensor, once computed
	delta  fr.Element
	weight fr.Element // of the claim being added: delta^i

	Value fr.Element
	eqs   []eqWeight     // by slot
	terms map[int][]Term // by committed tensor

	count, work int  // terms and entries so far, see maxTerms and maxWork
	dry         bool // only work is counted: there are no public cells
}

// eqWeight weighs a whole slot, padding included, by coef·eq(point, ·). A slot meets only
// one point: that of the lookups, or that of the table rows.
type eqWeight struct {
	coef  fr.Element
	point []fr.Element // nil: the slot is not weighed
}

// NewOpening starts a claim. inputs holds the public inputs by tensor.
func (s *System) NewOpening(inputs [][]int32, delta fr.Element) *Opening {
	return &Opening{
		sys: s, inputs: inputs, delta: delta, weight: fr.One(),
		eqs: make([]eqWeight, len(s.Slots)), terms: map[int][]Term{}, trees: map[int][]int64{},
	}
}

// next begins another claim.
func (o *Opening) next() { o.weight.Mul(&o.weight, &o.delta) }

// value adds v to the right-hand side of the current claim.
func (o *Opening) value(v fr.Element) {
	v.Mul(&v, &o.weight)
	o.Value.Add(&o.Value, &v)
}

// apply adds a term's value on public cells to the right-hand side.
func (o *Opening) apply(t Term, cells graph.Cells) {
	if !o.dry {
		o.value(t.applyWide(cells))
	}
}

// subtract moves a known summand of the left-hand side to the right.
func (o *Opening) subtract(v fr.Element) { o.value(*v.Neg(&v)) }

// eq adds coef·eq(point, ·) on a slot.
func (o *Opening) eq(slot int, coef fr.Element, point []fr.Element) {
	coef.Mul(&coef, &o.weight)
	e := &o.eqs[slot]
	e.coef.Add(&e.coef, &coef)
	e.point = point[len(point)-o.sys.Slots[slot].Vars:]
}

// term adds a functional on a tensor: views hand it down, public tensors are evaluated.
func (o *Opening) term(tensor int, t Term) error {
	n := &o.sys.Graph.Nodes[tensor]
	if o.count++; o.count > maxTerms {
		return fmt.Errorf("%w: more than %d terms at node %q", ErrTooWide, maxTerms, n.Name)
	}
	if op, public := n.Op.(*graph.Trees); public {
		if !o.dry {
			o.subtract(t.Apply64(o.treeCells(tensor, op)))
		}
		return o.spend(tensor, graph.Elements(o.sys.Info.Shapes[tensor]))
	}
	if _, public := n.Op.(*graph.Input); public {
		if !o.dry {
			o.subtract(t.Apply(o.inputs[tensor]))
		}
		return o.spend(tensor, graph.Elements(o.sys.Info.Shapes[tensor])*(1+len(t.Ids))/publicCells)
	}
	if !IsView(n.Op) {
		o.terms[tensor] = append(o.terms[tensor], t.scaled(o.weight))
		columns, _ := o.sys.columnsOf(tensor)
		return o.spend(tensor, t.size()*len(columns))
	}
	return o.pull(tensor, t)
}

// treeCells are the cells of decision trees: their input is public, so that everybody computes them.
func (o *Opening) treeCells(tensor int, op *graph.Trees) []int64 {
	if o.trees[tensor] == nil {
		table := o.sys.Graph.Nodes[tensor].Inputs[0]
		cells := make([]int64, len(o.inputs[table]))
		for i, v := range o.inputs[table] {
			cells[i] = int64(v)
		}
		o.trees[tensor] = op.Apply(cells, o.sys.Info.Shapes[table][1])
	}
	return o.trees[tensor]
}

// pull hands a functional on a view down to the view's inputs.
func (o *Opening) pull(tensor int, t Term) error {
	n, out := &o.sys.Graph.Nodes[tensor], o.sys.Info.Shapes[tensor]
	in := make([][]int, len(n.Inputs))
	for i, at := range n.Inputs {
		in[i] = o.sys.Info.Shapes[at]
	}
	if err := o.spend(tensor, pullSize(n.Op, t, in[0], out)); err != nil {
		return err
	}
	pulled, err := pull(n.Op, t, in, out)
	if err != nil {
		return fmt.Errorf("%w: node %q: %v", ErrTooWide, n.Name, err)
	}
	for i, at := range n.Inputs {
		if err := o.spend(tensor, pulled[i].dense()); err != nil {
			return err
		}
		if err := o.term(at, pulled[i]); err != nil {
			return err
		}
	}
	return nil
}

// Fill writes L over the committed cells, which are zero before: the prover's side.
func (o *Opening) Fill(l []fr.Element) {
	poly.Parallel(len(o.sys.Slots), 1, func(from, to int) {
		for i := from; i < to; i++ {
			slot := &o.sys.Slots[i]
			o.fillSlot(i, l[slot.Offset:][:1<<slot.Vars])
		}
	})
}

func (o *Opening) fillSlot(i int, cells []fr.Element) {
	if e := &o.eqs[i]; e.point != nil {
		poly.EqScaled(cells, e.point, e.coef)
	}
	if slot := &o.sys.Slots[i]; slot.Kind == SlotValue {
		c := &o.sys.Columns[slot.Source]
		for _, t := range o.terms[c.Tensor] {
			c.AddTerm(cells, t)
		}
	}
}

// Eval is the multilinear extension of L at a point: the verifier's side.
func (o *Opening) Eval(rho []fr.Element) fr.Element {
	values, tables := make([]fr.Element, len(o.sys.Slots)), new(eqTables)
	poly.Parallel(len(values), 1, func(from, to int) {
		for i := from; i < to; i++ {
			values[i] = o.evalSlot(i, rho, tables)
		}
	})
	v := fr.Vector(values)
	return v.Sum()
}

func (o *Opening) evalSlot(i int, rho []fr.Element, tables *eqTables) fr.Element {
	slot := &o.sys.Slots[i]
	at := rho[len(rho)-slot.Vars:]
	var inner fr.Element
	if e := &o.eqs[i]; e.point != nil {
		inner = poly.EqEval(e.point, at)
		inner.Mul(&inner, &e.coef)
	}
	if slot.Kind == SlotValue {
		c := &o.sys.Columns[slot.Source]
		v := c.evalTerms(o.terms[c.Tensor], at, tables)
		inner.Add(&inner, &v)
	}
	sel := selector(rho, slot.Vars, slot.Offset)
	return *inner.Mul(&inner, &sel)
}

// selector is the weight, at a point, of the aligned cube of 2^vars cells at offset.
func selector(point []fr.Element, vars, offset int) fr.Element {
	return poly.EqAt(point[:len(point)-vars], uint64(offset)>>vars)
}
