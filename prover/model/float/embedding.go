package float

import (
	"errors"
	"slices"
)

// Embedding replaces every cell, an index of [0, Rows), by that row of Table. Its input is a graph
// input of integers, or cells moved from some, so that indices are checked before evaluation.
type Embedding struct {
	Rows, Width int
	Table       []float32 // [Rows][Width], row-major
}

var (
	_ Op       = (*Embedding)(nil)
	_ Weighted = (*Embedding)(nil)
)

// Kind returns "Embedding".
func (*Embedding) Kind() string { return "Embedding" }

// InferShape appends Width.
func (e *Embedding) InferShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 1); err != nil {
		return nil, err
	}
	if e.Rows < 1 || e.Width < 1 || len(e.Table) != e.Rows*e.Width {
		return nil, errors.New("the table is empty")
	}
	return append(slices.Clone(in[0]), e.Width), nil
}

// MACs is 0: rows are copied.
func (*Embedding) MACs([]int) int64 { return 0 }

// Params is the size of the table.
func (e *Embedding) Params() int64 { return int64(len(e.Table)) }

func (e *Embedding) eval(in []Tensor, out Tensor) {
	for i, id := range in[0].Data {
		copy(out.Data[i*e.Width:(i+1)*e.Width], e.Table[int(id)*e.Width:])
	}
}
