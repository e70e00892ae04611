package conformance

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/weisyn/wes/prover/model"
	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/onnx"
)

// refusal is why a case cannot be proved.
type refusal struct{ reason string }

func (r *refusal) Error() string { return r.reason }

// limits keep a case within seconds.
func limits() float.Limits {
	return float.Limits{MACs: 1 << 28, Params: 1 << 22, Elements: 1 << 22, Total: 1 << 24}
}

// check runs a case in one form.
func (e *example) check(ctx context.Context, f form) error {
	m, inputs := e.bound(f)
	values := make([]float.Tensor, len(inputs))
	for i, t := range inputs {
		values[i] = narrow(t)
		if !finite(values[i].Data) {
			return &refusal{"an input is not finite"}
		}
	}
	g, err := float.Import(m, float.Options{Limits: limits(), Shapes: openShapes(m, inputs)})
	if err != nil {
		return refuse(err)
	}
	if len(g.Inputs) != len(inputs) || len(g.Outputs) != len(e.outputs) {
		return fmt.Errorf("the network has %d inputs and %d outputs, want %d and %d", len(g.Inputs), len(g.Outputs), len(inputs), len(e.outputs))
	}
	got, err := float.Outputs(ctx, g, values)
	if err != nil {
		return refuse(err)
	}
	for i := range got {
		if err := e.compare(got[i], e.outputs[i]); err != nil {
			return fmt.Errorf("float output %d: %w", i, err)
		}
	}
	for _, bits := range []int{8, 12} {
		if err := checkInteger(ctx, g, values, bits); err != nil {
			return err
		}
	}
	return nil
}

// refuse tells refusals from other errors.
func refuse(err error) error {
	if list, ok := errors.AsType[*float.UnsupportedError](err); ok {
		return &refusal{list.Items[0].Reason}
	}
	for _, known := range []error{float.ErrLimit, float.ErrShape, float.ErrNotFinite, float.ErrDomain, model.ErrModel} {
		if errors.Is(err, known) {
			return &refusal{err.Error()}
		}
	}
	return err
}

// openShapes are the shapes of inputs whose model leaves dimensions open.
func openShapes(m *onnx.Model, inputs []*onnx.Tensor) map[string][]int {
	shapes := map[string][]int{}
	for _, t := range inputs {
		i := slices.IndexFunc(m.Graph.Inputs, func(v onnx.ValueInfo) bool { return v.Name == t.Name })
		in := &m.Graph.Inputs[i]
		if !in.HasShape || slices.ContainsFunc(in.Dims, func(d onnx.Dim) bool { return !d.Known }) {
			shapes[t.Name] = narrow(t).Shape
		}
	}
	return shapes
}

// narrow is a file's tensor in float32.
func narrow(t *onnx.Tensor) float.Tensor {
	out := float.Tensor{Shape: make([]int, len(t.Dims)), Data: slices.Clone(t.Floats)}
	for i, d := range t.Dims {
		out.Shape[i] = int(d)
	}
	for _, v := range t.Doubles {
		out.Data = append(out.Data, float32(v))
	}
	for _, v := range t.Ints {
		out.Data = append(out.Data, float32(v))
	}
	return out
}

func finite(data []float32) bool {
	return !slices.ContainsFunc(data, func(v float32) bool { return v-v != 0 })
}

// Tolerances of float results.
const (
	relative       = 1e-4
	absolute       = 1e-5
	relativeHalf   = 2e-3 // of float16
	relativeWindow = 1e-3 // of window functions, whose expected outputs were made with π = 3.1415
)

// compare holds a result of the float network against the expected one.
func (e *example) compare(got float.Tensor, want *onnx.Tensor) error {
	w := narrow(want)
	if !slices.Equal(got.Shape, w.Shape) {
		return fmt.Errorf("shape %v instead of %v", got.Shape, w.Shape)
	}
	rel, abs := relative, absolute
	switch {
	case !want.Type.IsFloat():
		rel, abs = 0, 0
	case want.Type == onnx.Float16:
		rel = relativeHalf
	case e.window:
		rel = relativeWindow
	}
	for i, x := range got.Data {
		y := float64(w.Data[i])
		if float64(x) == y || math.IsNaN(float64(x)) && math.IsNaN(y) {
			continue
		}
		if d := math.Abs(float64(x) - y); !(d <= abs+rel*math.Abs(y)) {
			return fmt.Errorf("cell %d is %g instead of %g", i, x, y)
		}
	}
	return nil
}
