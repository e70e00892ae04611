package model

import (
	"context"
	"fmt"
	"math"
	"math/bits"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/interpret"
	"github.com/weisyn/wes/prover/model/tensor"
)

// Report says how a network was lowered and how the integer graph compares with it on the
// samples.
type Report struct {
	Options     Options
	Calibration Calibration
	Samples     int // that were given; 0: ranges come from pseudo-random inputs
	Clamped     int // input cells of the samples outside the declared range, clamped to it
	Outputs     []Accuracy
	Layers      []Layer
	Tables      []graph.Interval // domains
}

// Accuracy compares one output, before its tail, over all samples.
type Accuracy struct {
	Output  string
	MaxAbs  float64 // largest difference
	MeanAbs float64
	Largest float64 // largest magnitude of the float output
	Cosine  float64 // between all float and all integer values
	Lines   int     // lines along the last axis, or that of the tail
	Top1    int     // lines whose largest cell is the same
}

// Layer is a rescaled or revealed accumulator.
type Layer struct {
	Name               string
	MinShift, MaxShift int
	WeightBits         int // with sign, 0 without a convolution
	Lo, Hi             int64
	Cells              int
}

func (r *Report) describe(low *Lowered) {
	for i := range low.Graph.Tables {
		r.Tables = append(r.Tables, low.Graph.Tables[i].Domain())
	}
	for i := range low.Graph.Nodes {
		n := &low.Graph.Nodes[i]
		acc := graph.AccumulatorOf(n.Op)
		if acc == nil {
			continue
		}
		layer := Layer{Name: n.Name, Lo: acc.Lo, Hi: acc.Hi, Cells: graph.Elements(low.Info.Shapes[i])}
		if op, ok := n.Op.(*graph.Rescale); ok {
			layer.MinShift, layer.MaxShift = op.MinShift(), op.MaxShift()
		}
		for _, c := range graph.Convs(n.Op) {
			for _, v := range low.Weights[c.Weight] {
				layer.WeightBits = max(layer.WeightBits, 1+bits.Len32(uint32(max(v, -v))))
			}
		}
		r.Layers = append(r.Layers, layer)
	}
}

// measure runs the integer graph on the samples; want holds the float outputs.
func (r *Report) measure(ctx context.Context, low *Lowered, samples, want [][]float.Tensor) error {
	sums := make([]comparison, len(low.Graph.Outputs))
	for i, s := range samples {
		got, clamped, err := low.run(ctx, s)
		if err != nil {
			return fmt.Errorf("measure accuracy on sample %d: %w", i, err)
		}
		r.Clamped += clamped
		for k := range sums {
			sums[k].add(&low.Graph.Outputs[k], got[k], want[i][k].Data)
		}
	}
	for k := range sums {
		r.Outputs = append(r.Outputs, sums[k].accuracy(low.Graph.Outputs[k].Name))
	}
	return nil
}

// run executes the integer graph on a sample, clamping its cells.
func (low *Lowered) run(ctx context.Context, sample []float.Tensor) (cells [][]int64, clamped int, err error) {
	trace, clamped, err := low.trace(ctx, sample)
	if err != nil {
		return nil, 0, err
	}
	cells, err = OutputCells(low.Graph, low.Info, trace)
	return cells, clamped, err
}

func (low *Lowered) trace(ctx context.Context, sample []float.Tensor) (trace *graph.Trace, clamped int, err error) {
	var inputs [][]int32
	for k, t := range low.Graph.Inputs() {
		op := low.Graph.Nodes[t].Op.(*graph.Input)
		wide := tensor.Tensor{Name: op.Name, Shape: op.Shape, Data: make([]float64, len(sample[k].Data))}
		for i, v := range sample[k].Data {
			wide.Data[i] = float64(v)
		}
		q, n, err := tensor.Quantize(op, wide, true)
		if err != nil {
			return nil, 0, err
		}
		inputs = append(inputs, q)
		clamped += n
	}
	trace, err = interpret.Run(ctx, low.Graph, low.Info, low.Weights, inputs)
	return trace, clamped, err
}

// OutputCells are the cells of the graph's outputs in an execution.
func OutputCells(g *graph.Graph, info *graph.Info, trace *graph.Trace) ([][]int64, error) {
	cells := make([][]int64, len(g.Outputs))
	for k, o := range g.Outputs {
		if _, revealed := g.Nodes[o.Tensor].Op.(*graph.Reveal); revealed {
			cells[k] = trace.Accs[o.Tensor]
			continue
		}
		var err error
		if cells[k], err = interpret.View(g, info, trace.Values, o.Tensor); err != nil {
			return nil, fmt.Errorf("output %q: %w", o.Name, err)
		}
	}
	return cells, nil
}

// comparison sums over samples what Accuracy needs.
type comparison struct {
	Accuracy
	n                 int
	absolute          float64
	dot, normX, normY float64
}

func (c *comparison) add(o *graph.Output, cells []int64, want []float32) {
	for i, v := range cells {
		x, y := float64(v)*o.Scale, float64(want[i])
		d := math.Abs(float64(x) - y)
		c.MaxAbs = max(c.MaxAbs, d)
		c.Largest = max(c.Largest, math.Abs(y))
		c.absolute += d
		c.dot += float64(x * y)
		c.normX += float64(x * x)
		c.normY += float64(y * y)
	}
	c.n += len(cells)
	axis := len(o.Shape) - 1
	if o.Tail != graph.TailNone {
		axis = o.Axis
	}
	n, step := o.Shape[axis], graph.Elements(o.Shape[axis+1:])
	for first := 0; first < len(cells); first += n * step {
		for i := range step {
			c.Lines++
			if best(n, func(k int) float64 { return float64(cells[first+i+k*step]) }) ==
				best(n, func(k int) float64 { return float64(want[first+i+k*step]) }) {
				c.Top1++
			}
		}
	}
}

// best is the first index of the largest of n values.
func best(n int, at func(int) float64) int {
	b := 0
	for k := 1; k < n; k++ {
		if at(k) > at(b) {
			b = k
		}
	}
	return b
}

func (c *comparison) accuracy(name string) Accuracy {
	a := c.Accuracy
	a.Output = name
	a.MeanAbs = c.absolute / float64(c.n)
	switch n := math.Sqrt(c.normX) * math.Sqrt(c.normY); {
	case n > 0:
		a.Cosine = c.dot / n
	case c.normX == c.normY:
		a.Cosine = 1
	}
	return a
}
