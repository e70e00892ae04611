package model

import (
	"fmt"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
)

// causal keeps the cells of a square up to its diagonal.
func causal(n int) float.Tensor {
	t := float.NewTensor([]int{1, 1, n, n})
	for i := range n {
		for k := range i + 1 {
			t.Data[i*n+k] = 1
		}
	}
	return t
}

// affineNorm is a norm with scale and bias.
func (n *network) affineNorm(x float.ValueID, centered bool) float.ValueID {
	width := n.g.ShapeOf(x)[2]
	y := n.add(&float.Norm{Epsilon: 1e-5, Centered: centered}, x)
	return n.add(&float.AddConst{C: n.constant(1, 1, 1, width)}, n.add(&float.MulConst{C: n.constant(1, 1, 1, width)}, y))
}

// block is a transformer's block: attention and two layers, each with a residual and norms.
func (n *network) block(x float.ValueID, mask bool) float.ValueID {
	s := n.g.ShapeOf(x)
	h := n.affineNorm(x, true)
	q, k, v := n.heads(h, 0, 2, 1, 3), n.heads(h, 0, 2, 3, 1), n.heads(h, 0, 2, 1, 3)
	scores := n.add(&float.Product{K: 4}, q, k)
	softmax := &float.Softmax{Axis: 3}
	if mask {
		softmax.Keep = causal(s[1])
	}
	mixed := n.add(&float.Product{K: s[1]}, n.add(softmax, scores), v)
	joined := n.add(&float.Reshape{Shape: []int{s[0], s[1], 8}}, n.add(&float.Transpose{Perm: []int{0, 2, 1, 3}}, mixed))
	x = n.add(&float.Add{}, x, n.matMul(joined, s[2]))
	h = n.add(&float.Gelu{}, n.matMul(n.affineNorm(x, true), 12))
	return n.add(&float.Add{}, x, n.matMul(h, s[2]))
}

func TestTextOperatorsFollowTheFloatNetwork(t *testing.T) {
	for name, test := range map[string]struct {
		shape []int
		build func(n *network) float.ValueID
	}{
		"softmax":             {[]int{2, 3, 7}, func(n *network) float.ValueID { return n.add(&float.Softmax{Axis: 2}, n.matMul(0, 9)) }},
		"softmax of an input": {[]int{2, 5}, func(n *network) float.ValueID { return n.add(&float.Softmax{Axis: 1}, 0) }},
		"softmax of another axis": {[]int{2, 3, 7}, func(n *network) float.ValueID {
			return n.add(&float.Softmax{Axis: 1}, n.matMul(0, 9))
		}},
		"softmax of one cell": {[]int{2, 3}, func(n *network) float.ValueID { return n.add(&float.Softmax{Axis: 1}, n.matMul(0, 1)) }},
		"masked softmax": {[]int{1, 5, 6}, func(n *network) float.ValueID {
			q, k := n.heads(0, 0, 2, 1, 3), n.heads(0, 0, 2, 3, 1)
			return n.add(&float.Softmax{Axis: 3, Keep: causal(5)}, n.add(&float.Product{K: 4}, q, k))
		}},
		"masked softmax of a tensor": {[]int{1, 1, 5, 5}, func(n *network) float.ValueID { return n.add(&float.Softmax{Axis: 3, Keep: causal(5)}, 0) }},
		"layer norm":                 {[]int{1, 4, 32}, func(n *network) float.ValueID { return n.affineNorm(0, true) }},
		"layer norm of a sum":        {[]int{1, 4, 12}, func(n *network) float.ValueID { return n.affineNorm(n.matMul(0, 24), true) }},
		"layer norm of prime length": {[]int{1, 4, 37}, func(n *network) float.ValueID { return n.affineNorm(n.matMul(0, 61), true) }},
		"layer norm of two axes":     {[]int{6, 10}, func(n *network) float.ValueID { return n.add(&float.Norm{Epsilon: 0.1, Centered: true}, 0) }},
		"root mean square norm":      {[]int{1, 4, 20}, func(n *network) float.ValueID { return n.affineNorm(n.matMul(0, 24), false) }},
		"norm that several read": {[]int{1, 4, 20}, func(n *network) float.ValueID {
			h := n.affineNorm(n.matMul(0, 16), true)
			return n.add(&float.Add{}, n.add(&float.Add{}, n.matMul(h, 16), h), n.matMul(n.add(&float.Relu{}, h), 16))
		}},
		"product of cells": {[]int{1, 4, 6}, func(n *network) float.ValueID { return n.add(&float.Mul{}, n.matMul(0, 5), n.matMul(0, 5)) }},
		"product of repeated cells": {[]int{2, 4, 6}, func(n *network) float.ValueID {
			return n.add(&float.Mul{}, n.add(&float.MeanAxes{Axes: []int{1}, KeepDims: true}, n.matMul(0, 5)), n.matMul(0, 5))
		}},
		"larger of two":     {[]int{1, 4, 6}, func(n *network) float.ValueID { return n.add(&float.Maximum{}, n.matMul(0, 5), n.matMul(0, 5)) }},
		"gelu":              {[]int{1, 4, 6}, func(n *network) float.ValueID { return n.matMul(n.add(&float.Gelu{}, n.matMul(0, 15)), 3) }},
		"block":             {[]int{1, 6, 8}, func(n *network) float.ValueID { return n.matMul(n.affineNorm(n.block(0, false), true), 5) }},
		"causal block":      {[]int{1, 6, 8}, func(n *network) float.ValueID { return n.matMul(n.affineNorm(n.block(0, true), true), 5) }},
		"two causal blocks": {[]int{2, 6, 8}, func(n *network) float.ValueID { return n.matMul(n.block(n.block(0, true), true), 5) }},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t, 5, test.shape)
			n.output(test.build(n))
			low := n.lower(Options{})
			n.close(low, 0.12)
			t.Logf("cosine %.5f, largest error %.4f of %.4f", low.Report.Outputs[0].Cosine, low.Report.Outputs[0].MaxAbs, low.Report.Outputs[0].Largest)
		})
	}
}

// TestEmbeddingsAreConvolutionsOverIds lowers token and segment embeddings with positions.
func TestEmbeddingsAreConvolutionsOverIds(t *testing.T) {
	n := newNetwork(t, 6, []int{1, 7}, []int{1, 7})
	for i, rows := range []int64{50, 2} {
		n.g.Inputs[i].Name, n.g.Inputs[i].Type, n.g.Inputs[i].Limit = fmt.Sprint("ids", i), 7, rows
	}
	embed := func(id float.ValueID, rows int) float.ValueID {
		return n.add(&float.Embedding{Rows: rows, Width: 12, Table: n.constant(1, rows, 12).Data}, id)
	}
	x := n.add(&float.Add{}, embed(0, 50), embed(1, 2))
	n.output(n.affineNorm(n.add(&float.AddConst{C: n.constant(1, 1, 7, 12)}, x), true))
	low, err := Lower(t.Context(), &n.g, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ids := 0
	for i := range low.Graph.Nodes {
		for _, c := range graph.Convs(low.Graph.Nodes[i].Op) {
			if c.Ids {
				ids++
			}
		}
	}
	if a := low.Report.Outputs[0]; ids != 2 || a.Cosine < 0.999 {
		t.Errorf("%d embeddings, %+v", ids, a)
	}
}

// TestArgumentsAreClampedWhereTablesWouldBeLarge lowers a tanh of a product that weights allow far
// larger values than calibration sees.
func TestArgumentsAreClampedWhereTablesWouldBeLarge(t *testing.T) {
	n := newNetwork(t, 8, []int{2, 600})
	n.output(n.matMul(n.add(&float.Tanh{}, n.matMul(0, 10)), 3))
	low := n.lower(Options{ActivationBits: 12})
	for _, d := range low.Report.Tables {
		if rows := d.Hi - d.Lo + 1; rows > 1<<17 {
			t.Errorf("a table of %d rows", rows)
		}
	}
	if direct := direct(low); direct != 1 {
		t.Errorf("%d functions of cells as they are, want 1", direct)
	}
	n.close(low, 0.01)
}

// direct counts the rescales without a shift.
func direct(low *Lowered) int {
	n := 0
	for i := range low.Graph.Nodes {
		if op, ok := low.Graph.Nodes[i].Op.(*graph.Rescale); ok && op.MaxShift() == 0 {
			n++
		}
	}
	return n
}

// TestMasksThatAreInputsHideCells masks the last tokens by an input of zeros and ones, as exporters of
// encoders write it: (mask − 1)·10000 is added to the scores.
func TestMasksThatAreInputsHideCells(t *testing.T) {
	const length = 6
	n := newNetwork(t, 9, []int{1, length, 8}, []int{1, length})
	n.g.Inputs[1].Name, n.g.Inputs[1].Type, n.g.Inputs[1].Limit = "mask", 7, 2
	q, k, v := n.heads(0, 0, 2, 1, 3), n.heads(0, 0, 2, 3, 1), n.heads(0, 0, 2, 1, 3)
	m := n.add(&float.AddConst{C: filled(-1, 1, 1)}, 1)
	m = n.add(&float.MulConst{C: filled(10000, 1, 1)}, m)
	m = n.add(&float.Broadcast{Shape: []int{1, 2, length, length}}, n.add(&float.Reshape{Shape: []int{1, 1, 1, length}}, m))
	scores := n.add(&float.Add{}, n.add(&float.Product{K: 4}, q, k), m)
	n.output(n.add(&float.Product{K: length}, n.add(&float.Softmax{Axis: 3}, scores), v))
	var samples [][]float.Tensor
	for i := range 6 {
		mask := filled(1, 1, length)
		for k := length - i%4; k < length; k++ {
			mask.Data[k] = 0
		}
		samples = append(samples, []float.Tensor{n.constant(1, 1, length, 8), mask})
	}
	low, err := Lower(t.Context(), &n.g, samples, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if a := low.Report.Outputs[0]; a.Cosine < 0.9995 {
		t.Errorf("%+v", a)
	}
}
