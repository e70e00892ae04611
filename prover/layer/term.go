// Package layer holds the relations of the integer graph's operators: how a linear
// functional on an operator's output becomes one on its inputs, how tensors become
// columns of the committed vector, and which claims convolutions and products make. Prover and
// verifier share it; nothing here executes a graph or touches a transcript.
package layer

import (
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/poly"
	"github.com/weisyn/wes/prover/vec"
)

// maxDense bounds the cells of a group of axes that have to be weighed jointly: the
// verifier's work on them is linear.
const maxDense = 1 << 20

// Term is a linear functional on a tensor: Coef times the tensor product of one vector
// for each group of consecutive axes. The vectors end at the real extent of the axes,
// so no functional ever reads a padded cell.
type Term struct {
	Coef   fr.Element
	Groups []Group
	Ids    []fr.Element // a cell i stands for eq(Ids, i), not for i; nil: it stands for i
}

// Group weighs the cells of consecutive axes, in row-major order. If Point is set, Vec is
// eq(Point, ·) over one axis: it separates where the axis splits at a power of two.
type Group struct {
	Axes  int
	Vec   []fr.Element
	Point []fr.Element
}

// eqGroup weighs n cells of one axis by eq(point, ·).
func eqGroup(point []fr.Element, n int) Group {
	return Group{Axes: 1, Vec: poly.EqPrefix(point, n), Point: point}
}

// split is the group over several axes that its axis has the cells of, in order: one for each,
// if all but the first have lengths of powers of two.
func (g Group) split(lengths []int) (groups []Group, ok bool) {
	bits := 0
	for i, n := range lengths {
		if b := log2Ceil(n); i == 0 || n == 1<<b {
			bits += b
			continue
		}
		return nil, false
	}
	if g.Point == nil || bits != len(g.Point) {
		return nil, false
	}
	at := 0
	for _, n := range lengths {
		b := log2Ceil(n)
		groups = append(groups, eqGroup(g.Point[at:at+b], n))
		at += b
	}
	return groups, true
}

// Separable is a term with one vector for each axis.
func Separable(coef fr.Element, vecs ...[]fr.Element) Term {
	t := Term{Coef: coef, Groups: make([]Group, len(vecs))}
	for i, v := range vecs {
		t.Groups[i] = Group{Axes: 1, Vec: v}
	}
	return t
}

func (t Term) scaled(c fr.Element) Term {
	t.Coef.Mul(&t.Coef, &c)
	return t
}

// replace returns the term with groups [from, to) replaced.
func (t Term) replace(from, to int, by ...Group) Term {
	groups := append([]Group{}, t.Groups[:from]...)
	groups = append(groups, by...)
	t.Groups = append(groups, t.Groups[to:]...)
	return t
}

// group finds the group that holds an axis and the first axis of that group.
func (t Term) group(axis int) (index, first int) {
	for i, g := range t.Groups {
		if axis < first+g.Axes {
			return i, first
		}
		first += g.Axes
	}
	panic(fmt.Sprintf("BUG: axis %d of a term over %d axes", axis, first))
}

// mapAxis pulls the term back through a linear map of one axis: f sets dst, the weights
// of the input axis, from src, those of the output axis. shape is the output's; dst is zero
// and has the given length.
func (t Term) mapAxis(shape []int, axis, length int, f func(dst, src []fr.Element)) Term {
	i, first := t.group(axis)
	g := t.Groups[i]
	outer := graph.Elements(shape[first:axis])
	inner := graph.Elements(shape[axis+1 : first+g.Axes])
	n := shape[axis]
	out := make([]fr.Element, outer*length*inner)
	if inner == 1 {
		for o := range outer {
			f(out[o*length:][:length], g.Vec[o*n:][:n])
		}
		return t.replace(i, i+1, Group{Axes: g.Axes, Vec: out})
	}
	src, dst := make([]fr.Element, n), make([]fr.Element, length)
	for o := range outer {
		for k := range inner {
			for j := range src {
				src[j] = g.Vec[(o*n+j)*inner+k]
			}
			clear(dst)
			f(dst, src)
			for j := range dst {
				out[(o*length+j)*inner+k] = dst[j]
			}
		}
	}
	return t.replace(i, i+1, Group{Axes: g.Axes, Vec: out})
}

// merge joins the groups that hold axes [from, to) into one.
func (t Term) merge(from, to int) (Term, error) {
	a, _ := t.group(from)
	b, _ := t.group(to - 1)
	if a == b {
		return t, nil
	}
	joint := t.Groups[a]
	for _, g := range t.Groups[a+1 : b+1] {
		if len(joint.Vec)*len(g.Vec) > maxDense {
			return t, fmt.Errorf("axes %d to %d have to be weighed jointly: more than %d cells", from, to-1, maxDense)
		}
		joint = Group{Axes: joint.Axes + g.Axes, Vec: outer(joint.Vec, g.Vec)}
	}
	return t.replace(a, b+1, joint), nil
}

func outer(a, b []fr.Element) []fr.Element {
	out := make([]fr.Element, len(a)*len(b))
	for i := range a {
		vec.Scale(out[i*len(b):][:len(b)], b, &a[i])
	}
	return out
}

// Apply evaluates the term on a tensor of small integers.
func (t Term) Apply(data []int32) fr.Element {
	if t.Ids != nil {
		return t.applyIds(data)
	}
	last := t.Groups[len(t.Groups)-1].Vec
	rows := make([]fr.Element, len(data)/len(last))
	poly.MatVec(rows, last, data, len(last))
	return t.contract(rows)
}

// Apply64 is Apply for wide integers.
func (t Term) Apply64(data []int64) fr.Element {
	last := t.Groups[len(t.Groups)-1].Vec
	rows := make([]fr.Element, len(data)/len(last))
	for i := range rows {
		for j := range last {
			v := poly.FromInt64(data[i*len(last)+j])
			v.Mul(&v, &last[j])
			rows[i].Add(&rows[i], &v)
		}
	}
	return t.contract(rows)
}

// contract applies all groups but the last, already applied to rows.
func (t Term) contract(rows []fr.Element) fr.Element {
	for i := len(t.Groups) - 2; i >= 0; i-- {
		rows = contractLast(rows, t.Groups[i].Vec)
	}
	var v fr.Element
	v.Mul(&t.Coef, &rows[0])
	return v
}

func contractLast(rows, weights []fr.Element) []fr.Element {
	next := make([]fr.Element, len(rows)/len(weights))
	for i := range next {
		next[i] = vec.Inner(rows[i*len(weights):][:len(weights)], weights)
	}
	return next
}

// applyConstant evaluates a separable term on a constant that broadcasts to shape: where
// the constant does not vary, only the sum of the weights matters.
func (t Term) applyConstant(c *graph.Constant, shape []int) fr.Element {
	if len(c.Data) == 0 {
		return fr.Element{}
	}
	varying := Term{Coef: t.Coef}
	for axis, g := range t.Groups {
		if c.Shape[axis] == shape[axis] {
			varying.Groups = append(varying.Groups, g)
			continue
		}
		weights := fr.Vector(g.Vec)
		sum := weights.Sum()
		varying.Coef.Mul(&varying.Coef, &sum)
	}
	if len(varying.Groups) == 0 {
		v := poly.FromInt64(c.Data[0])
		return *v.Mul(&v, &varying.Coef)
	}
	return varying.applyWide(constantCells(c.Data))
}
