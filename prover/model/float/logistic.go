package float

import "math"

// Logistic is 1/(1+exp(−x)) of each cell. It occurs only as an Output's Tail: inside of a graph it is a
// Sigmoid.
type Logistic struct{}

var _ Op = (*Logistic)(nil)

// Kind returns "Logistic".
func (*Logistic) Kind() string { return "Logistic" }

// InferShape returns the input's shape.
func (*Logistic) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 1); err != nil {
		return nil, err
	}
	return in[0], nil
}

func (*Logistic) eval(in []Tensor, out Tensor) {
	for i, x := range in[0].Data {
		out.Data[i] = float32(1 / (1 + math.Exp(-float64(x))))
	}
}

// OneVsRest is the logistic function of each cell, divided by the sum of those along one axis: the
// probabilities of classifiers that were trained for one class each. It occurs only as an Output's Tail.
type OneVsRest struct{ Axis int }

var _ Op = (*OneVsRest)(nil)

// Kind returns "OneVsRest".
func (*OneVsRest) Kind() string { return "OneVsRest" }

// InferShape returns the input's shape.
func (o *OneVsRest) InferShape(in [][]int) ([]int, error) {
	return (&Softmax{Axis: o.Axis}).InferShape(in)
}

func (o *OneVsRest) eval(in []Tensor, out Tensor) {
	(&Logistic{}).eval(in, out)
	walkLines(in[0].Shape, o.Axis, func(_, base, step, n int) {
		var sum float64
		for k := range n {
			sum += float64(out.Data[base+k*step])
		}
		for k := range n {
			if i := base + k*step; sum > 0 {
				out.Data[i] = float32(float64(out.Data[i]) / sum)
			}
		}
	})
}
