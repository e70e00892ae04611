package float

import (
	"fmt"
	"slices"
)

// Maximum is the larger cell of two activations of one shape.
type Maximum struct{}

var _ Op = (*Maximum)(nil)

// Kind returns "Maximum".
func (*Maximum) Kind() string { return "Maximum" }

// InferShape returns the common shape of both inputs.
func (*Maximum) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 2); err != nil {
		return nil, err
	}
	if !slices.Equal(in[0], in[1]) {
		return nil, fmt.Errorf("activations of different shapes %v and %v", in[0], in[1])
	}
	return in[0], nil
}

func (*Maximum) eval(in []Tensor, out Tensor) {
	for i, x := range in[0].Data {
		out.Data[i] = max(x, in[1].Data[i])
	}
}
