package model

import (
	"math"

	"github.com/weisyn/wes/prover/model/float"
)

const (
	// normCell is the largest magnitude of cells that a norm reads. They are sums of residuals,
	// which gather the errors of all layers, and a few large ones set their range.
	normCell = 1<<13 - 1
	// scoreCell is that of cells that a softmax reads: exponentials tell differences that large
	// numbers hide.
	scoreCell = 1<<11 - 1
)

// widths is the largest magnitude of every value's cells, the same for a whole class.
func widths(g *float.Graph, classes *classes, top int64) []int64 {
	tops := make([]int64, g.Values())
	for i := range tops {
		tops[i] = top
	}
	for i := range g.Nodes {
		n, id, least := &g.Nodes[i], float.ValueID(0), int64(0)
		switch op := n.Op.(type) {
		case *float.Norm:
			id, least = n.Inputs[0], normCell
		case *float.Softmax:
			id, least = n.Inputs[0], scoreCell
		case *float.Quantized:
			id, least = n.Output, op.Top()
		default:
			continue
		}
		root := classes.root(int(id))
		tops[root] = max(tops[root], least)
	}
	for i := range tops {
		tops[i] = tops[classes.root(i)]
	}
	return tops
}

// faded is how far below the largest cell of its line a cell has an exponential that a softmax
// rounds to zero.
const faded = 16

// lines is what calibration learns of the lines that a norm or a softmax works on.
type lines struct {
	reach   float64 // largest magnitude of cells that count in a softmax
	squares float64 // least mean of squares, about the mean if the norm is centered; 0: none yet
}

// observe looks at a value that a node reads.
func (s *lines) observe(op float.Op, x float.Tensor) {
	switch op := op.(type) {
	case *float.Softmax:
		eachLine(x, op.Axis, func(at func(k int) float64, n int) {
			most := math.Inf(-1)
			for k := range n {
				most = max(most, at(k))
			}
			s.reach = max(s.reach, math.Abs(most), math.Abs(most-faded))
		})
	case *float.Norm:
		eachLine(x, len(x.Shape)-1, func(at func(k int) float64, n int) {
			v := meanSquare(at, n, op.Centered)
			if v > minRange && (s.squares == 0 || v < s.squares) {
				s.squares = v
			}
		})
	}
}

func meanSquare(at func(k int) float64, n int, centered bool) float64 {
	mean, sum := 0.0, 0.0
	for k := 0; k < n && centered; k++ {
		mean += at(k) / float64(n)
	}
	for k := range n {
		d := at(k) - mean
		sum += float64(d * d)
	}
	return sum / float64(n)
}

// eachLine calls f with every line of cells along an axis.
func eachLine(x float.Tensor, axis int, f func(at func(k int) float64, n int)) {
	n, step := x.Shape[axis], 1
	for _, d := range x.Shape[axis+1:] {
		step *= d
	}
	for first := 0; first < len(x.Data); first += n * step {
		for i := range step {
			f(func(k int) float64 { return float64(x.Data[first+i+k*step]) }, n)
		}
	}
}
