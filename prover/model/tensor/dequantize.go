package tensor

import (
	"fmt"
	"math"
	"slices"

	"github.com/weisyn/wes/prover/graph"
)

// Dequantize turns the cells of an output into numbers, cell·Scale, and applies its tail.
// An ArgMax is computed on the cells themselves; of equal cells the lowest index wins.
func Dequantize(o *graph.Output, cells []int64) (Tensor, error) {
	if n := graph.Elements(o.Shape); n != len(cells) {
		return Tensor{}, fmt.Errorf("output %q has %d cells, want %d", o.Name, len(cells), n)
	}
	t := Tensor{Name: o.Name, Shape: o.Shape, Datatype: "FP32", Data: make([]float64, len(cells))}
	for i, v := range cells {
		t.Data[i] = float64(v) * o.Scale
	}
	switch o.Tail {
	case graph.TailSoftmax:
		softmax(t.Data, o.Shape, o.Axis)
	case graph.TailLogistic:
		logistic(t.Data)
	case graph.TailOneVsRest:
		logistic(t.Data)
		shares(t.Data, o.Shape, o.Axis)
	case graph.TailArgMax:
		return argMax(o, cells), nil
	}
	return t, nil
}

func softmax(data []float64, shape []int, axis int) {
	lines(shape, axis, func(_, base, step, n int) {
		top := math.Inf(-1)
		for k := range n {
			top = max(top, data[base+k*step])
		}
		var sum float64
		for k := range n {
			i := base + k*step
			data[i] = math.Exp(data[i] - top)
			sum += data[i]
		}
		for k := range n {
			data[base+k*step] /= sum
		}
	})
}

func logistic(data []float64) {
	for i, v := range data {
		data[i] = 1 / (1 + math.Exp(-v))
	}
}

// shares divides the cells of each line by their sum; where that is zero they are.
func shares(data []float64, shape []int, axis int) {
	lines(shape, axis, func(_, base, step, n int) {
		var sum float64
		for k := range n {
			sum += data[base+k*step]
		}
		for k := range n {
			if sum > 0 {
				data[base+k*step] /= sum
			}
		}
	})
}

func argMax(o *graph.Output, cells []int64) Tensor {
	t := Tensor{Name: o.Name, Shape: slices.Clone(o.Shape), Datatype: "INT64", Data: make([]float64, len(cells)/o.Shape[o.Axis])}
	t.Shape[o.Axis] = 1
	if !o.KeepDims {
		t.Shape = slices.Delete(t.Shape, o.Axis, o.Axis+1)
	}
	lines(o.Shape, o.Axis, func(line, base, step, n int) {
		best := 0
		for k := range n {
			if cells[base+k*step] > cells[base+best*step] {
				best = k
			}
		}
		t.Data[line] = float64(best)
		if len(o.Labels) > 0 {
			t.Data[line] = float64(o.Labels[best])
		}
	})
	return t
}

// lines calls f for every line of n cells along an axis: its number in row-major order of
// the other axes, its first cell, and the distance between its cells.
func lines(shape []int, axis int, f func(line, base, step, n int)) {
	n, step := shape[axis], graph.Elements(shape[axis+1:])
	for o := range graph.Elements(shape[:axis]) {
		for i := range step {
			f(o*step+i, o*n*step+i, step, n)
		}
	}
}
