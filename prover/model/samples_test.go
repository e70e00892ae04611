package model

import (
	"errors"
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/tensor"
)

func TestSamplesFillTheLastBatchWithTheFirstRows(t *testing.T) {
	g := &float.Graph{Inputs: []float.Value{{Name: "x", Shape: []int{2, 1}}}}
	got, err := Samples(g, []tensor.Tensor{{Shape: []int{3, 1}, Data: []float64{1, 2, 3}}})
	if err != nil || len(got) != 2 || !slices.Equal(got[1][0].Data, []float32{3, 1}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestSamplesMustFitTheInputs(t *testing.T) {
	g := &float.Graph{Inputs: []float.Value{{Name: "x", Shape: []int{2, 1}}, {Name: "y", Shape: []int{1, 2}}}}
	x := tensor.Tensor{Name: "x", Shape: []int{2, 1}, Data: []float64{1, 2}}
	for name, y := range map[string]tensor.Tensor{
		"missing": {Name: "z", Shape: []int{1, 2}, Data: []float64{1, 2}},
		"shape":   {Name: "y", Shape: []int{1, 3}, Data: []float64{1, 2, 3}},
		"rank":    {Name: "y", Shape: []int{2}, Data: []float64{1, 2}},
		"rows":    {Name: "y", Shape: []int{2, 2}, Data: []float64{1, 2, 3, 4}},
		"data":    {Name: "y", Shape: []int{1, 2}, Data: []float64{1}},
	} {
		if _, err := Samples(g, []tensor.Tensor{x, y}); !errors.Is(err, tensor.ErrInput) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
