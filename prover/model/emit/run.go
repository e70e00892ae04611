package emit

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/weisyn/wes/prover/graph"
)

// ErrInput is returned when inputs do not fit the program: count, size or domain.
var ErrInput = errors.New("input does not fit the program")

// ErrInexact is returned when a runtime's output is not the integers that the program can
// produce.
var ErrInexact = errors.New("runtime is not exact")

// Session executes the model of a Program. inputs and outputs are the little-endian cells
// of Program.Inputs and Program.Outputs.
type Session interface {
	Run(ctx context.Context, inputs [][]byte) (outputs [][]byte, err error)
}

// Run executes a program on integer inputs, in the order of Program.Inputs, and reads the
// trace from its outputs.
func Run(ctx context.Context, s Session, p *Program, inputs [][]int32) (*graph.Trace, error) {
	feeds, err := p.feed(inputs)
	if err != nil {
		return nil, err
	}
	outputs, err := s.Run(ctx, feeds)
	if err != nil {
		return nil, err
	}
	if len(outputs) != len(p.Outputs) {
		return nil, fmt.Errorf("%w: %d outputs, want %d", ErrInexact, len(outputs), len(p.Outputs))
	}
	trace := &graph.Trace{Values: make([][]int32, p.tensors), Accs: make([][]int64, p.tensors)}
	for i, v := range p.given() {
		trace.Values[v.Tensor] = append([]int32(nil), inputs[i]...)
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, v := range p.Outputs {
		group.Go(func() (err error) {
			if v.Acc {
				trace.Accs[v.Tensor], err = decode[int64](v, outputs[i])
			} else {
				trace.Values[v.Tensor], err = decode[int32](v, outputs[i])
			}
			return err
		})
	}
	return trace, group.Wait()
}

// given are the inputs of the program that are inputs of the graph.
func (p *Program) given() []Value {
	return slices.DeleteFunc(slices.Clone(p.Inputs), func(v Value) bool { return v.forest != nil })
}

// feed encodes the inputs, with what is made of them.
func (p *Program) feed(inputs [][]int32) ([][]byte, error) {
	given := p.given()
	if len(inputs) != len(given) {
		return nil, fmt.Errorf("%w: %d inputs, want %d", ErrInput, len(inputs), len(given))
	}
	for i, v := range given {
		if err := v.check(inputs[i]); err != nil {
			return nil, fmt.Errorf("%w: input %d: %w", ErrInput, i, err)
		}
	}
	feeds := make([][]byte, len(p.Inputs))
	next := 0
	for i, v := range p.Inputs {
		if v.forest != nil {
			feeds[i] = encode(v, v.forest.apply(inputs))
			continue
		}
		feeds[i] = encode(v, inputs[next])
		next++
	}
	return feeds, nil
}

// check requires one cell per element, each in the domain.
func (v *Value) check(cells []int32) error {
	if len(cells) != graph.Elements(v.Shape) {
		return fmt.Errorf("%d cells, want %d", len(cells), graph.Elements(v.Shape))
	}
	for j, c := range cells {
		if int64(c) < v.Lo || int64(c) > v.Hi {
			return fmt.Errorf("cell %d is %d, outside [%d, %d]", j, c, v.Lo, v.Hi)
		}
	}
	return nil
}

func encode[T int32 | int64](v Value, cells []T) []byte {
	data := make([]byte, 0, v.Size())
	for _, c := range cells {
		if v.Double {
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(float64(c)))
		} else {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(c)))
		}
	}
	return data
}

// Size is the number of bytes of the value's cells.
func (v *Value) Size() int {
	if v.Double {
		return 8 * graph.Elements(v.Shape)
	}
	return 4 * graph.Elements(v.Shape)
}

// decode reads floats that must be integers in the bounds of a value.
func decode[T int32 | int64](v Value, data []byte) ([]T, error) {
	if len(data) != v.Size() {
		return nil, fmt.Errorf("%w: output %s has %d bytes, want %d", ErrInexact, v.Name, len(data), v.Size())
	}
	cells := make([]T, graph.Elements(v.Shape))
	lo, hi := float64(v.Lo), float64(v.Hi)
	for i := range cells {
		var f float64
		if v.Double {
			f = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
		} else {
			f = float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
		}
		if !(f >= lo && f <= hi) {
			return nil, fmt.Errorf("%w: cell %d of tensor %d is %v, outside [%d, %d]", ErrInexact, i, v.Tensor, f, v.Lo, v.Hi)
		}
		if cells[i] = T(f); float64(cells[i]) != f {
			return nil, fmt.Errorf("%w: cell %d of tensor %d is %v, not an integer", ErrInexact, i, v.Tensor, f)
		}
	}
	return cells, nil
}
