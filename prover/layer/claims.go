package layer

import (
	"slices"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/lookup"
	"github.com/weisyn/wes/prover/poly"
)

// Challenges are the verifier's choices up to the contraction.
type Challenges struct {
	Alpha, Beta fr.Element   // of the lookup keys: α − (c0 + β·c1 + β²·tag)
	Left, Right lookup.Claim // what the fractional sums leave open
	Point       []fr.Element // PointVars long; its suffix is Left.Point
	Gamma       fr.Element   // its powers weigh the columns of revealed tensors
	Rho         fr.Element   // weighs all revealed tensors against the lookups

	terms     [][]NodeTerm // by node, see nodeTerms
	constants []fr.Element // by node, see constants
}

// PadPoint puts the extra challenges that revealed columns need above a lookup point.
func PadPoint(extra, left []fr.Element) []fr.Element {
	return append(append([]fr.Element{}, extra...), left...)
}

// Leaf finds the lookups of a kind for a column.
func (s *System) Leaf(kind LeafKind, column int) *Leaf {
	i, ok := s.leafAt[leafKey{kind, column}]
	if !ok {
		panic("BUG: column without its leaf")
	}
	return &s.Leaves[i]
}

// Messages are the prover's values that the opening is about.
type Messages struct {
	Convs  [2]fr.Element // Σ of all contraction claims in the lookups, and in revealed tensors
	Inputs []fr.Element  // input factors of the contraction claims
}

// OutputClaim evaluates a committed output at a random point of each axis.
type OutputClaim struct {
	Tensor int
	Point  [][]fr.Element // by axis
	Cells  graph.Cells
}

// Open turns everything left open into one claim on the committed vector. revealed holds
// the public cells of revealed tensors, by tensor.
func (s *System) Open(o *Opening, ch *Challenges, m *Messages, claims *Claims, r []fr.Element, revealed map[int]graph.Cells, outputs []OutputClaim) error {
	if err := s.openLookups(o, ch, m); err != nil {
		return err
	}
	o.next()
	if err := s.openReveals(o, ch, m, revealed); err != nil {
		return err
	}
	o.next()
	s.openCounts(o, ch)
	i := 0
	err := s.eachInput(claims, r, func(tensor int, t Term) error {
		o.next()
		o.value(m.Inputs[i])
		i++
		return o.term(tensor, t)
	})
	if err != nil {
		return err
	}
	for _, out := range outputs {
		o.next()
		if err := s.openOutput(o, out); err != nil {
			return err
		}
	}
	return nil
}

// openLookups spells out D̃(p) = Σ sel·(α − key̅) + (1 − Σ sel) = v (proof-formulas.md A6),
// less the part that the contraction proves.
func (s *System) openLookups(o *Opening, ch *Challenges, m *Messages) error {
	if s.LeafCount == 0 {
		return nil
	}
	v := poly.Less(ch.Left.Point, uint64(s.LeafCount)) // Σ sel
	var known, one fr.Element
	one.SetOne()
	known.Sub(&ch.Alpha, &one).Mul(&known, &v).Add(&known, &one).Sub(&known, &ch.Left.Den)
	o.value(known) // = Σ sel·key̅
	o.subtract(m.Convs[0])
	tables := new(eqTables)
	for i := range s.Leaves {
		if err := s.openLeaf(o, ch, &s.Leaves[i], tables); err != nil {
			return err
		}
	}
	for i := range s.Graph.Nodes {
		if op, ok := s.Graph.Nodes[i].Op.(*graph.Rescale); ok {
			if err := s.openAccumulator(o, ch, i, &op.Acc, op); err != nil {
				return err
			}
		}
	}
	return nil
}

// openLeaf adds what a leaf's keys take from the committed columns:
//
//	digits    see openDigit
//	function  y + β·(y+e) + β²·tag; without digits y + β·acc + β²·tag, here without acc
//	maximum   (y−a) + β·(y−b) + β²·tag
func (s *System) openLeaf(o *Opening, ch *Challenges, leaf *Leaf, tables *eqTables) error {
	p := ch.Left.Point
	sel := selector(p, leaf.Vars, leaf.Offset)
	if leaf.Kind == LeafRemainder || leaf.Kind == LeafHigh {
		s.openDigit(o, p, leaf, sel)
		return nil
	}
	scaled := func(c fr.Element) fr.Element { return *c.Mul(&c, &sel) }
	tag := fr.NewElement(s.Tables[leaf.Table].Tag)
	tag.Mul(&tag, &ch.Beta).Mul(&tag, &ch.Beta)
	o.subtract(scaled(tag))
	value := s.slotIndex(SlotValue, leaf.Column)
	o.eq(value, sel, p)
	if leaf.Kind == LeafFunction && s.digits(leaf.Column) == 0 {
		return nil
	}
	o.eq(value, scaled(ch.Beta), p)
	if leaf.Kind == LeafFunction {
		o.eq(s.slotIndex(SlotExcess, leaf.Column), scaled(ch.Beta), p)
		return nil
	}
	return s.openMaximum(o, ch, leaf, sel, tables)
}

// openMaximum subtracts a + β·b from a maximum's keys.
func (s *System) openMaximum(o *Opening, ch *Challenges, leaf *Leaf, sel fr.Element, tables *eqTables) error {
	c := &s.Columns[leaf.Column]
	p := ch.Left.Point[len(ch.Left.Point)-c.Vars:]
	lone := c.lone(p)
	sel.Mul(&sel, &lone).Neg(&sel)
	t := Separable(sel, c.eqVectors(p, tables)...)
	in := s.Graph.Nodes[c.Tensor].Inputs
	if err := o.term(in[0], t); err != nil {
		return err
	}
	return o.term(in[1], t.scaled(ch.Beta))
}

// accumulated is the functional on what a node accumulates. op is nil for a Reveal.
func (s *System) accumulated(node int, acc *graph.Accumulator, op *graph.Rescale, t *NodeTerm) Term {
	u := t.U
	if op != nil && len(op.Shift) > 1 {
		u = t.channels(graph.ChannelShifts(op, s.Info.Shapes[node][acc.Channel]))
	}
	return t.term(acc.Channel, u)
}

// constants are bias and rounding term of a node, both public, under its functionals.
func (s *System) constants(node int, acc *graph.Accumulator, op *graph.Rescale, terms []NodeTerm) (sum fr.Element) {
	shape := s.Info.Shapes[node]
	all := []*graph.Constant{&acc.Bias}
	if op != nil {
		all = append(all, halves(op, shape))
	}
	for i := range terms {
		t := s.accumulated(node, acc, op, &terms[i])
		for _, c := range all {
			v := t.applyConstant(c, shape)
			sum.Add(&sum, &v)
		}
	}
	return sum
}

// openAccumulator adds what an accumulator takes from other tensors without a contraction,
// and moves its constants to the right. op is nil for a Reveal.
func (s *System) openAccumulator(o *Opening, ch *Challenges, node int, acc *graph.Accumulator, op *graph.Rescale) error {
	terms := s.nodeTerms(ch)[node]
	o.subtract(ch.constants[node])
	if !slices.ContainsFunc(acc.Terms, func(t graph.Term) bool { return t.Conv == nil && t.Product == nil }) {
		return nil
	}
	for i := range terms {
		t := s.accumulated(node, acc, op, &terms[i])
		for k, term := range acc.Terms {
			if term.Conv != nil || term.Product != nil {
				continue
			}
			if err := o.term(s.Graph.Nodes[node].Inputs[k], t.scaled(poly.FromInt64(term.Mult))); err != nil {
				return err
			}
		}
	}
	return nil
}

// halves is the rounding term of each channel.
func halves(op *graph.Rescale, shape []int) *graph.Constant {
	c := &graph.Constant{Shape: make([]int, len(shape))}
	for i := range c.Shape {
		c.Shape[i] = 1
	}
	c.Shape[op.Acc.Channel] = len(op.Shift)
	for _, s := range op.Shift {
		c.Data = append(c.Data, graph.Half(s))
	}
	return c
}

func (s *System) openReveals(o *Opening, ch *Challenges, m *Messages, revealed map[int]graph.Cells) error {
	o.subtract(m.Convs[1])
	for i := range s.Graph.Nodes {
		op, ok := s.Graph.Nodes[i].Op.(*graph.Reveal)
		if !ok {
			continue
		}
		terms := s.nodeTerms(ch)[i]
		for k := range terms {
			o.apply(terms[k].term(op.Acc.Channel, terms[k].U), revealed[i])
		}
		if err := s.openAccumulator(o, ch, i, &op.Acc, nil); err != nil {
			return err
		}
	}
	return nil
}

// openCounts says that the numerators of the table rows are the committed multiplicities.
func (s *System) openCounts(o *Opening, ch *Challenges) {
	if s.RowCount == 0 {
		return
	}
	o.value(ch.Right.Num)
	for i := range s.Tables {
		t := &s.Tables[i]
		o.eq(s.slotIndex(SlotCount, i), selector(ch.Right.Point, t.Vars, t.Offset), ch.Right.Point)
	}
}

func (s *System) openOutput(o *Opening, out OutputClaim) error {
	vecs := make([][]fr.Element, len(out.Point))
	for a, p := range out.Point {
		vecs[a] = poly.EqPrefix(p, s.Info.Shapes[out.Tensor][a])
	}
	t := Separable(fr.One(), vecs...)
	o.apply(t, out.Cells)
	return o.term(out.Tensor, t)
}
