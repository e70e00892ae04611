package model

import (
	"fmt"
	"slices"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/tensor"
)

// Samples cuts tensors with any number of rows (first axis) into samples of the network's
// batch. The last sample is filled up with the first rows again. Tensors are matched to
// inputs by name; one without a name serves a network with one input.
func Samples(fg *float.Graph, tensors []tensor.Tensor) ([][]float.Tensor, error) {
	var samples [][]float.Tensor
	for k, in := range fg.Inputs {
		t, err := named(fg, tensors, in.Name)
		if err != nil {
			return nil, err
		}
		batches, err := cut(t, in.Name, in.Shape)
		if err != nil {
			return nil, err
		}
		if k == 0 {
			samples = make([][]float.Tensor, len(batches))
		}
		if len(batches) != len(samples) {
			return nil, fmt.Errorf("%w: input %q has rows for %d samples, input %q for %d",
				tensor.ErrInput, in.Name, len(batches), fg.Inputs[0].Name, len(samples))
		}
		for i, b := range batches {
			samples[i] = append(samples[i], b)
		}
	}
	return samples, nil
}

func named(fg *float.Graph, tensors []tensor.Tensor, name string) (tensor.Tensor, error) {
	if len(fg.Inputs) == 1 && len(tensors) == 1 && tensors[0].Name == "" {
		return tensors[0], nil
	}
	i := slices.IndexFunc(tensors, func(t tensor.Tensor) bool { return t.Name == name })
	if i < 0 {
		return tensor.Tensor{}, fmt.Errorf("%w: no samples for input %q", tensor.ErrInput, name)
	}
	return tensors[i], nil
}

func cut(t tensor.Tensor, name string, shape []int) ([]float.Tensor, error) {
	if len(t.Shape) != len(shape) || len(shape) > 0 && !slices.Equal(t.Shape[1:], shape[1:]) {
		return nil, fmt.Errorf("%w: samples of input %q have shape %v, want %v with any number of rows", tensor.ErrInput, name, t.Shape, shape)
	}
	if len(t.Data) != graph.Elements(t.Shape) || len(t.Data) == 0 {
		return nil, fmt.Errorf("%w: samples of input %q have %d values for shape %v", tensor.ErrInput, name, len(t.Data), t.Shape)
	}
	size := graph.Elements(shape)
	var batches []float.Tensor
	for first := 0; first < len(t.Data); first += size {
		b := float.NewTensor(shape)
		for i := range b.Data {
			b.Data[i] = float32(t.Data[(first+i)%len(t.Data)])
		}
		batches = append(batches, b)
	}
	return batches, nil
}
