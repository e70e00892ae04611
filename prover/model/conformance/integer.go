package conformance

import (
	"context"
	"fmt"
	"math"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model"
	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/interpret"
	"github.com/weisyn/wes/prover/model/tensor"
)

// checkInteger lowers the network on values, with activations of so many bits, and holds the integer
// results for them against the float ones, within the bound that the package states.
func checkInteger(ctx context.Context, g *float.Graph, values []float.Tensor, bits int) error {
	low, err := model.Lower(ctx, g, [][]float.Tensor{values}, model.Options{ActivationBits: bits})
	if err != nil {
		return refuse(err)
	}
	cells, rounded, err := quantize(low.Graph, values)
	if err != nil {
		return err
	}
	got, err := execute(ctx, low, cells)
	if err != nil {
		return fmt.Errorf("execute: %w", err)
	}
	want, largest, err := evaluate(ctx, g, rounded)
	if err != nil {
		return err
	}
	unit := largest / float64(int64(1)<<(bits-1)-1)
	bound := float64(1+rescales(low.Graph)) * unit
	for i, t := range got {
		for k, v := range t.Data {
			if d := math.Abs(v - float64(want[i].Data[k])); !(d <= bound+absolute) {
				return fmt.Errorf("integer output %d, %d bits: cell %d is %g instead of %g, bound %g", i, bits, k, v, want[i].Data[k], bound)
			}
		}
	}
	return nil
}

func rescales(g *graph.Graph) int {
	n := 0
	for i := range g.Nodes {
		if _, ok := g.Nodes[i].Op.(*graph.Rescale); ok {
			n++
		}
	}
	return n
}

// quantize is the cells of a network's inputs, and the numbers that they stand for.
func quantize(g *graph.Graph, values []float.Tensor) (cells [][]int32, rounded []float.Tensor, err error) {
	for i, t := range g.Inputs() {
		in := g.Nodes[t].Op.(*graph.Input)
		wide := tensor.Tensor{Name: in.Name, Shape: in.Shape, Data: make([]float64, len(values[i].Data))}
		for k, v := range values[i].Data {
			wide.Data[k] = float64(v)
		}
		q, _, err := tensor.Quantize(in, wide, false)
		if err != nil {
			return nil, nil, fmt.Errorf("quantise: %w", err)
		}
		back := float.NewTensor(values[i].Shape)
		for k, v := range q {
			back.Data[k] = float32(float64(v) * in.Step(k))
		}
		cells, rounded = append(cells, q), append(rounded, back)
	}
	return cells, rounded, nil
}

// execute runs the integer graph and returns its outputs as numbers, tails applied.
func execute(ctx context.Context, low *model.Lowered, cells [][]int32) ([]tensor.Tensor, error) {
	trace, err := interpret.Run(ctx, low.Graph, low.Info, low.Weights, cells)
	if err != nil {
		return nil, err
	}
	out, err := model.OutputCells(low.Graph, low.Info, trace)
	if err != nil {
		return nil, err
	}
	numbers := make([]tensor.Tensor, len(out))
	for i := range out {
		if numbers[i], err = tensor.Dequantize(&low.Graph.Outputs[i], out[i]); err != nil {
			return nil, err
		}
	}
	return numbers, nil
}

// evaluate is the float outputs, and the largest magnitude of any value.
func evaluate(ctx context.Context, g *float.Graph, values []float.Tensor) (out []float.Tensor, largest float64, err error) {
	out = make([]float.Tensor, len(g.Outputs))
	err = float.Walk(ctx, g, values, func(id float.ValueID, t float.Tensor) error {
		for _, v := range t.Data {
			largest = max(largest, math.Abs(float64(v)))
		}
		for i := range g.Outputs {
			if g.Outputs[i].Value == id {
				out[i] = g.Outputs[i].Apply(t)
			}
		}
		return nil
	})
	return out, largest, err
}
