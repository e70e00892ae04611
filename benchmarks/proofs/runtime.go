package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	runtime "github.com/weisyn/wes/gpu/onnx"
	"github.com/weisyn/wes/prover/model/onnx"
)

// inference is the time that ONNX Runtime takes for one float inference on the same cores,
// 0 where it is not installed.
func (b *bench) inference(ctx context.Context, data []byte, input []int) (float64, error) {
	m, err := onnx.Parse(data, onnx.Limits{})
	if err != nil {
		return 0, err
	}
	client, err := runtime.Open(ctx, runtime.Options{Command: []string{b.wes, "worker"}})
	if errors.Is(err, runtime.ErrUnavailable) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer client.Close()
	out := m.Graph.Outputs[0]
	session, err := client.Load(ctx, data, []runtime.Value{{Name: m.Graph.Inputs[0].Name, Shape: input}}, []runtime.Value{{Name: out.Name, Shape: bound(out.Dims, input[0])}})
	if err != nil {
		return 0, fmt.Errorf("float inference: %w", err)
	}
	cells := randomInput(input)
	n := 4
	for _, d := range input {
		n *= d
	}
	var times []float64
	for range b.runs + 2 { // the first two warm up
		start := time.Now()
		if _, err := session.Run(ctx, [][]byte{cells[len(cells)-n:]}); err != nil {
			return 0, fmt.Errorf("float inference: %w", err)
		}
		times = append(times, time.Since(start).Seconds())
	}
	times = times[2:]
	slices.Sort(times)
	return times[len(times)/2], nil
}

// bound is a declared shape with its symbolic dimensions set to the batch.
func bound(dims []onnx.Dim, batch int) []int {
	shape := make([]int, len(dims))
	for i, d := range dims {
		shape[i] = batch
		if d.Known {
			shape[i] = int(d.Value)
		}
	}
	return shape
}
