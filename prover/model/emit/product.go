package emit

import (
	"slices"

	"github.com/weisyn/wes/prover/graph"
)

// product emits a multiple of a product of two tensors as one MatMul of the layout
// [batches, rows, k] × [batches, k, columns]: in float32 when every sum over k fits it, else
// in float32 pieces of k added in float64, else in float64.
func (e *emitter) product(t *graph.Term, in [2]value, bounds [2]graph.Interval, out []int) (value, error) {
	p := t.Product
	sum, err := p.Bound(bounds[0], bounds[1])
	if err != nil {
		return value{}, err
	}
	chunks := productChunks(p, bounds)
	if chunks == 0 || in[0].double || in[1].double {
		chunks = 1
		in[0], in[1] = e.cast(in[0], true), e.cast(in[1], true)
	}
	l := newProductLayout(p, out)
	left, right := e.gather(in[0], p.Left, l.batches, l.rows, false), e.gather(in[1], p.Right, l.batches, l.columns, true)
	var acc value
	for i := range chunks {
		from, to := i*p.Length/chunks, (i+1)*p.Length/chunks
		x, y := e.slice(left, cut{2, from, 1, to - from}), e.slice(right, cut{1, from, 1, to - from})
		part := e.op("MatMul", x.double, []int{x.shape[0], x.shape[1], y.shape[2]}, []string{x.name, y.name})
		if chunks > 1 {
			part = e.cast(part, true)
		}
		if i > 0 {
			part = e.add(acc, part)
		}
		acc = part
	}
	return e.multiple(t.Mult, l.restore(e, acc, out), sum), nil
}

// productChunks is the number of equal runs of k whose sums fit float32; 0: too many.
func productChunks(p *graph.Product, bounds [2]graph.Interval) int {
	for n := 1; n <= min(p.Length, maxChunks); n++ {
		part := graph.Product{Length: (p.Length + n - 1) / n}
		if b, err := part.Bound(bounds[0], bounds[1]); err == nil && !wide(b) {
			return n
		}
	}
	return 0
}

// productLayout lists the axes of the output that both operands have, that the left one has
// alone, and that the right one has alone.
type productLayout struct{ batches, rows, columns []int }

func newProductLayout(p *graph.Product, out []int) (l productLayout) {
	for a := range out {
		switch left, right := slices.Contains(p.Left, a), slices.Contains(p.Right, a); {
		case left && right:
			l.batches = append(l.batches, a)
		case left:
			l.rows = append(l.rows, a)
		default:
			l.columns = append(l.columns, a)
		}
	}
	return l
}

// gather brings an operand, whose axes run along the given ones of the output, into the
// layout [batches, own, k], or [batches, k, own].
func (e *emitter) gather(x value, axes, batches, own []int, kFirst bool) value {
	k := []int{graph.Contracted}
	order, at := slices.Concat(batches, own, k), len(batches)+len(own)
	if kFirst {
		order, at = slices.Concat(batches, k, own), len(batches)
	}
	perm := make([]int, len(order))
	for i, a := range order {
		perm[i] = slices.Index(axes, a)
	}
	x = e.transpose(x, perm)
	shape := []int{graph.Elements(x.shape[:len(batches)])}
	if !kFirst {
		return e.reshape(x, append(shape, graph.Elements(x.shape[len(batches):at]), x.shape[at]))
	}
	return e.reshape(x, append(shape, x.shape[at], graph.Elements(x.shape[at+1:])))
}

// restore brings a result in the layout [batches, rows, columns] to the output's shape.
func (l *productLayout) restore(e *emitter, y value, out []int) value {
	order := slices.Concat(l.batches, l.rows, l.columns)
	shape, back := make([]int, len(out)), make([]int, len(out))
	for i, a := range order {
		shape[i], back[a] = out[a], i
	}
	return e.transpose(e.reshape(y, shape), back)
}
