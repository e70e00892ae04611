package model

import (
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
)

// maxPool takes maxima along one spatial axis after the other.
func (l *lowering) maxPool(n *float.Node, op *float.MaxPool) (value, error) {
	t, scale, err := l.tensor(n.Inputs[0])
	if err != nil {
		return value{}, err
	}
	for i := len(op.Kernel) - 1; i >= 0; i-- {
		win := window(&op.Window, i, n.Shape)
		taps := make([]int, win.Kernel)
		for k := range taps {
			taps[k] = l.tap(n.Name, t, win, k)
		}
		t = l.maximum(n.Name, taps)
	}
	return value{tensor: t, scale: scale}, nil
}

func window(w *float.Window, i int, out []int) graph.Window {
	return graph.Window{Axis: i + 2, Kernel: w.Kernel[i], Stride: w.Strides[i], Dilation: w.Dilations[i], Pad: w.PadBegin[i], Out: out[i+2]}
}

// tap is the view of one tap of a window. Where the tap lies outside the axis it reads the
// nearest tap of the same window inside, which a maximum does not notice.
func (l *lowering) tap(name string, t int, w graph.Window, k int) int {
	length := l.b.shapes[t][w.Axis]
	inside := true
	index := make([]int, w.Out)
	for p := range index {
		index[p] = w.Tap(p, nearest(w, p, k, length))
		inside = inside && index[p] == w.Tap(p, k)
	}
	if inside {
		return l.b.slice(name, t, graph.Slice{Axis: w.Axis, Start: index[0], Step: max(1, min(w.Stride, length)), Len: w.Out})
	}
	return l.b.selectAt(name, t, w.Axis, index)
}

// nearest is the tap closest to k that lies inside the axis at position p.
func nearest(w graph.Window, p, k, length int) int {
	for d := range w.Kernel {
		for _, j := range [2]int{k - d, k + d} {
			if v := w.Tap(p, j); j >= 0 && j < w.Kernel && v >= 0 && v < length {
				return j
			}
		}
	}
	panic("BUG: a pooling window lies wholly in the padding")
}

// maximum is a balanced tree of maxima.
func (l *lowering) maximum(name string, t []int) int {
	if len(t) == 1 {
		return t[0]
	}
	half := len(t) / 2
	return l.b.max(name, l.maximum(name, t[:half]), l.maximum(name, t[half:]))
}

// averagePool is a sum over windows whose divisor goes into the gain of the sum.
func (l *lowering) averagePool(n *float.Node, op *float.AveragePool) (value, error) {
	t, scale, err := l.tensor(n.Inputs[0])
	if err != nil {
		return value{}, err
	}
	gain := 1.0
	for i := len(op.Kernel) - 1; i >= 0; i-- {
		length := l.b.shapes[t][i+2]
		t = l.b.sumWindow(n.Name, t, window(&op.Window, i, n.Shape))
		coef, divisor := divisors(op.Counts(i, length))
		if coef != nil {
			shape := make([]int, len(n.Shape))
			for a := range shape {
				shape[a] = 1
			}
			shape[i+2] = len(coef)
			t = l.b.scaleBy(n.Name, t, graph.Constant{Shape: shape, Data: coef})
		}
		gain /= divisor
	}
	return l.pooled(n, t, scale, gain), nil
}

// maxMultiple bounds the exact common multiple of the divisors of a pool.
const maxMultiple = 1 << 12

// divisors states divisions by counts as factors over one common divisor. The factors are
// nil when all counts are equal, and rounded when their common multiple is large.
func divisors(counts []int) (coef []int64, divisor float64) {
	multiple, equal := counts[0], true
	for _, c := range counts {
		equal = equal && c == counts[0]
		if multiple <= maxMultiple {
			multiple = multiple / gcd(multiple, c) * c
		}
	}
	if equal {
		return nil, float64(counts[0])
	}
	multiple = min(multiple, maxMultiple)
	for _, c := range counts {
		coef = append(coef, round(float64(multiple)/float64(c)))
	}
	return coef, float64(multiple)
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func (l *lowering) meanAxes(n *float.Node, op *float.MeanAxes) (value, error) {
	t, scale, err := l.tensor(n.Inputs[0])
	if err != nil {
		return value{}, err
	}
	count := 1
	for _, a := range op.Axes {
		d := l.b.shapes[t][a]
		count *= d
		t = l.b.sumWindow(n.Name, t, graph.Window{Axis: a, Kernel: d, Stride: 1, Dilation: 1, Out: 1})
	}
	return l.pooled(n, t, scale, 1/float64(count)), nil
}

func (l *lowering) pooled(n *float.Node, t int, scale, gain float64) value {
	lin := plain(n.Name, &l.b, t, scale)
	lin.terms[0].gain[0] = gain
	lin.pooled = true
	return value{lin: lin}
}
