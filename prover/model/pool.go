package model

import (
	"fmt"
	"slices"

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

// averagePool sums over windows along one axis after the other. Divisors that vary along an
// axis become factors of the cells.
func (l *lowering) averagePool(n *float.Node, op *float.AveragePool) (value, error) {
	t, scale, err := l.tensor(n.Inputs[0])
	if err != nil {
		return value{}, err
	}
	m := &mean{l: l, name: n.Name, tensor: t, scale: scale, gain: 1}
	for i := len(op.Kernel) - 1; i >= 0; i-- {
		counts := op.Counts(i, l.b.shapes[t][i+2])
		if err := m.add(window(&op.Window, i, n.Shape)); err != nil {
			return value{}, err
		}
		if slices.Min(counts) == slices.Max(counts) {
			m.gain /= float64(counts[0])
			continue
		}
		c := perChannel(make([]float64, len(counts)), len(n.Shape), i+2)
		for p, count := range counts {
			c.data[p] = 1 / float64(count)
		}
		m.scaleBy(c)
	}
	return value{lin: m.linear()}, nil
}

func (l *lowering) meanAxes(n *float.Node, op *float.MeanAxes) (value, error) {
	t, scale, err := l.tensor(n.Inputs[0])
	if err != nil {
		return value{}, err
	}
	m := &mean{l: l, name: n.Name, tensor: t, scale: scale, gain: 1}
	for _, a := range op.Axes {
		d := l.b.shapes[t][a]
		m.gain /= float64(d)
		for k := 0; d > 1; d = (d + k - 1) / k {
			k = min(d, 1<<l.options.MaxShift)
			if err := m.add(graph.Window{Axis: a, Kernel: k, Stride: k, Dilation: 1, Out: (d + k - 1) / k}); err != nil {
				return value{}, err
			}
		}
	}
	return value{lin: m.linear()}, nil
}

// mean is gain · cells · the sum over windows of a tensor, taken along one axis after the
// other.
type mean struct {
	l      *lowering
	name   string
	tensor int
	scale  float64
	gain   float64
	cells  *constant // nil: ones
	taps   int       // cells that a cell of the tensor sums
}

// add sums over a window. A sum of more cells than the shift can divide by is rounded
// before: a rounding error shrinks with the sum over it.
func (m *mean) add(w graph.Window) error {
	most := 1 << m.l.options.MaxShift
	if w.Kernel > most {
		return fmt.Errorf("a mean over %d cells of an axis needs more than the %d bits of MaxShift", w.Kernel, m.l.options.MaxShift)
	}
	if m.taps > 1 && m.taps > most/w.Kernel {
		v := m.l.b.bounds[m.tensor]
		top := max(m.l.options.top(), max(v.Hi, -v.Lo)/int64(m.taps))
		t, scale, err := m.l.rescaleExactly(m.partial(), m.scale, top)
		if err != nil {
			return atNode(m.name, err)
		}
		m.gain *= float64(m.taps)
		m.tensor, m.scale, m.taps = t, scale, 0
	}
	m.tensor = m.l.b.sumWindow(m.name, m.tensor, w)
	m.taps = max(m.taps, 1) * w.Kernel
	return nil
}

func (m *mean) scaleBy(c constant) {
	if m.cells != nil {
		c = combine(*m.cells, c, func(x, y float64) float64 { return x * y })
	}
	m.cells = &c
}

// partial is the sum over its own number of cells.
func (m *mean) partial() *linear {
	lin := plain(m.name, &m.l.b, m.tensor, m.scale)
	lin.terms[0].gain[0] = 1 / float64(max(m.taps, 1))
	lin.pooled = true
	v := m.l.b.bounds[m.tensor]
	lin.wide = max(v.Hi, -v.Lo) > 1<<m.l.options.MaxShift
	return lin
}

func (m *mean) linear() *linear {
	lin := m.partial()
	lin.terms[0].gain[0], lin.terms[0].cells = m.gain, m.cells
	return lin
}
