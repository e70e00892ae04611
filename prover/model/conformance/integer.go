package conformance

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

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
	cells, rounded, err := quantize(g, low.Graph, values)
	if err != nil {
		return err
	}
	got, err := execute(ctx, low, cells)
	if err != nil {
		return fmt.Errorf("execute: %w", err)
	}
	return compareInteger(ctx, g, rounded, got, bits, rescales(low.Graph))
}

// compareInteger holds integer results against those of the float network for the same inputs.
func compareInteger(ctx context.Context, g *float.Graph, inputs []float.Tensor, got []tensor.Tensor, bits, rescales int) error {
	top := float64(int64(1)<<(bits-1) - 1)
	want, largest, err := evaluate(ctx, g, inputs, nil)
	if err != nil {
		return err
	}
	amplified, err := sensitivity(ctx, g, inputs, want, top)
	if err != nil {
		return err
	}
	for i, t := range got {
		bound := float64(1+rescales)*largest/top + amplified[i]
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

// quantize is the cells of a network's inputs, and the numbers that they stand for. Only inputs that the
// network rounds itself are clamped, as it does.
func quantize(net *float.Graph, g *graph.Graph, values []float.Tensor) (cells [][]int32, rounded []float.Tensor, err error) {
	for i, t := range g.Inputs() {
		in := g.Nodes[t].Op.(*graph.Input)
		wide := tensor.Tensor{Name: in.Name, Shape: in.Shape, Data: make([]float64, len(values[i].Data))}
		for k, v := range values[i].Data {
			wide.Data[k] = float64(v)
		}
		q, _, err := tensor.Quantize(in, wide, rounds(net, float.ValueID(i)))
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

// rounds tells whether a network rounds an input to given steps before anything else.
func rounds(net *float.Graph, id float.ValueID) bool {
	for i := range net.Nodes {
		if n := &net.Nodes[i]; slices.Contains(n.Inputs, id) {
			_, ok := n.Op.(*float.Quantized)
			return ok
		}
	}
	return false
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

// evaluate is the float outputs, and the largest magnitude of any value. move may change what
// nodes compute.
func evaluate(ctx context.Context, g *float.Graph, values []float.Tensor, move func(cells []float32)) (out []float.Tensor, largest float64, err error) {
	out = make([]float.Tensor, len(g.Outputs))
	err = float.Walk(ctx, g, values, func(id float.ValueID, t float.Tensor) error {
		if move != nil && int(id) >= len(g.Inputs) {
			move(t.Data)
		}
		largest = max(largest, magnitude(t.Data))
		for i := range g.Outputs {
			if g.Outputs[i].Value == id {
				out[i] = g.Outputs[i].Apply(t)
			}
		}
		return nil
	})
	return out, largest, err
}

func magnitude(cells []float32) float64 {
	most := 0.0
	for _, v := range cells {
		most = max(most, math.Abs(float64(v)))
	}
	return most
}

// trials of sensitivity.
const trials = 4

// sensitivity is, by output, the most that a cell changes when every value of the network is moved
// by up to a step of its own, at random from fixed seeds.
func sensitivity(ctx context.Context, g *float.Graph, inputs, want []float.Tensor, top float64) ([]float64, error) {
	most := make([]float64, len(want))
	for seed := range uint64(trials) {
		r := rand.New(rand.NewPCG(seed, 1))
		moved, _, err := evaluate(ctx, g, inputs, func(cells []float32) {
			step := magnitude(cells) / top
			for i := range cells {
				cells[i] += float32((2*r.Float64() - 1) * step)
			}
		})
		if err != nil {
			return nil, err
		}
		for i := range want {
			for k, v := range want[i].Data {
				// A cell that is not finite any more, as a root of a negative number, says nothing.
				if d := math.Abs(float64(moved[i].Data[k]) - float64(v)); d > most[i] && !math.IsInf(d, 0) {
					most[i] = d
				}
			}
		}
	}
	return most, nil
}
