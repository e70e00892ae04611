package model

import (
	"math"

	"github.com/weisyn/wes/prover/model/float"
)

// wideCell is the largest magnitude of cells that a norm or a softmax reads: rounded to eight
// bits, a few large ones would leave the others nothing of their differences, and exponentials
// tell differences that large numbers hide.
const wideCell = 1<<11 - 1

// widths is the largest magnitude of every value's cells, the same for a whole class.
func widths(g *float.Graph, classes *classes, top int64) []int64 {
	tops := make([]int64, g.Values())
	for i := range tops {
		tops[i] = top
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		switch op := n.Op.(type) {
		case *float.Norm, *float.Softmax:
			root := classes.root(int(n.Inputs[0]))
			tops[root] = max(tops[root], wideCell)
		case *float.Quantized:
			root := classes.root(int(n.Output))
			tops[root] = max(tops[root], op.Top())
		}
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
