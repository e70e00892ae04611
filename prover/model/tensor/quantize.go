package tensor

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/weisyn/wes/prover/graph"
)

// ErrRange marks an input value outside the range that a model was calibrated for.
var ErrRange = errors.New("input out of the model's range")

// RangeError names the first cell of an input that leaves the model's range.
type RangeError struct {
	Input  string
	Cell   []int
	Value  float64
	Lo, Hi float64 // the range that the model accepts
	Count  int     // cells out of range
}

// Error states the cell, its value and the range.
func (e *RangeError) Error() string {
	return fmt.Sprintf("input %q: cell %v is %g, outside [%g, %g] (%d such cells)", e.Input, e.Cell, e.Value, e.Lo, e.Hi, e.Count)
}

// Unwrap returns ErrRange.
func (e *RangeError) Unwrap() error { return ErrRange }

// Quantize turns an input tensor into cells: floor(x/Step + 1/2), or the key of x rounded to
// float32 where cells are keys. A cell outside the input's domain is a *RangeError, unless clamp
// is set: then it becomes the nearest cell of the domain. clamped counts such cells.
func Quantize(in *graph.Input, t Tensor, clamp bool) (cells []int32, clamped int, err error) {
	if !slices.Equal(t.Shape, in.Shape) {
		return nil, 0, fmt.Errorf("%w: input %q has shape %v, want %v", ErrInput, in.Name, t.Shape, in.Shape)
	}
	if err := t.check(); err != nil {
		return nil, 0, fmt.Errorf("%w: %v", ErrInput, err)
	}
	first := -1
	cells = make([]int32, len(t.Data))
	lo, hi := float64(in.Lo), float64(in.Hi)
	for i, x := range t.Data {
		q := math.Floor(float64(x/in.Step(i)) + 0.5)
		if in.Keys {
			q = float64(graph.Key(float32(x)))
		}
		if q < lo || q > hi {
			if clamped++; first < 0 {
				first = i
			}
			q = min(max(q, lo), hi)
		}
		cells[i] = int32(q)
	}
	if clamped > 0 && !clamp {
		return nil, clamped, &RangeError{
			Input: in.Name, Cell: position(t.Shape, first), Value: t.Data[first],
			Lo: number(in, in.Lo, first), Hi: number(in, in.Hi, first), Count: clamped,
		}
	}
	return cells, clamped, nil
}

// number is what a value of a cell stands for.
func number(in *graph.Input, v int64, cell int) float64 {
	if in.Keys {
		return float64(graph.KeyValue(int32(v)))
	}
	return float64(v) * in.Step(cell)
}

// QuantizeAll matches tensors to the inputs of a graph by name and quantises them, in the
// order of g.Inputs(). One tensor without a name serves a graph with one input.
func QuantizeAll(g *graph.Graph, tensors []Tensor, clamp bool) (cells [][]int32, clamped int, err error) {
	var inputs []*graph.Input
	for _, i := range g.Inputs() {
		inputs = append(inputs, g.Nodes[i].Op.(*graph.Input))
	}
	ordered, err := match(inputs, tensors)
	if err != nil {
		return nil, 0, err
	}
	for i, in := range inputs {
		c, n, err := Quantize(in, ordered[i], clamp)
		if err != nil {
			return nil, n, err
		}
		cells = append(cells, c)
		clamped += n
	}
	return cells, clamped, nil
}

func match(inputs []*graph.Input, tensors []Tensor) ([]Tensor, error) {
	if len(inputs) == 1 && len(tensors) == 1 && tensors[0].Name == "" {
		return tensors, nil
	}
	byName := map[string]Tensor{}
	for _, t := range tensors {
		if _, twice := byName[t.Name]; twice {
			return nil, fmt.Errorf("%w: input %q occurs twice", ErrInput, t.Name)
		}
		byName[t.Name] = t
	}
	var ordered []Tensor
	for _, in := range inputs {
		t, ok := byName[in.Name]
		if !ok {
			return nil, fmt.Errorf("%w: no input %q; the model wants %s", ErrInput, in.Name, describe(inputs))
		}
		delete(byName, in.Name)
		ordered = append(ordered, t)
	}
	for _, t := range tensors {
		if _, left := byName[t.Name]; left {
			return nil, fmt.Errorf("%w: the model has no input %q; it wants %s", ErrInput, t.Name, describe(inputs))
		}
	}
	return ordered, nil
}

func describe(inputs []*graph.Input) string {
	parts := make([]string, len(inputs))
	for i, in := range inputs {
		parts[i] = fmt.Sprintf("%q of shape %v", in.Name, in.Shape)
	}
	return strings.Join(parts, ", ")
}
