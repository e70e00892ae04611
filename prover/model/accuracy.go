package model

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/interpret"
)

// TensorAccuracy compares the values of one node of the network with the cells of its tensor,
// over all samples.
type TensorAccuracy struct {
	Name    string  `json:"name"`
	Op      string  `json:"operator"`
	Cells   int     `json:"cells"`
	Bits    int     `json:"bits"`    // width of a cell, with sign
	Step    float64 `json:"step"`    // what one in a cell stands for
	Largest float64 `json:"largest"` // magnitude of the float values
	Error   float64 `json:"error"`   // root of the mean squared difference over that of the mean square
	Clipped float64 `json:"clipped"` // fraction of cells at the ends of their range
	Cosine  float64 `json:"cosine"`
}

// Tensors compares, node by node, on the samples that the network was lowered with. The worst
// come first.
func (low *Lowered) Tensors(ctx context.Context) ([]TensorAccuracy, error) {
	sums := make([]tensorSums, len(low.placed))
	for i := range low.samples {
		if err := low.compare(ctx, i, sums); err != nil {
			return nil, fmt.Errorf("compare sample %d: %w", i, err)
		}
	}
	list := make([]TensorAccuracy, len(sums))
	for i := range sums {
		list[i] = sums[i].accuracy(low, &low.placed[i])
	}
	slices.SortStableFunc(list, func(a, b TensorAccuracy) int { return cmp.Compare(b.Error, a.Error) })
	return list, nil
}

// compare runs both networks on a sample.
func (low *Lowered) compare(ctx context.Context, sample int, sums []tensorSums) error {
	trace, _, err := low.trace(ctx, low.samples[sample])
	if err != nil {
		return err
	}
	at := map[float.ValueID][]int{}
	for i, p := range low.placed {
		at[p.value] = append(at[p.value], i)
	}
	return float.Walk(ctx, low.net, low.inUnits[sample], func(id float.ValueID, want float.Tensor) error {
		for _, i := range at[id] {
			p := &low.placed[i]
			cells := trace.Accs[p.tensor]
			if cells == nil || trace.Values[p.tensor] != nil {
				if cells, err = interpret.View(low.Graph, low.Info, trace.Values, p.tensor); err != nil {
					return err
				}
			}
			sums[i].add(cells, p, want.Data)
		}
		return nil
	})
}

// tensorSums adds up what TensorAccuracy states.
type tensorSums struct {
	n, clipped             int
	largest                float64
	square, cells, product float64
	difference             float64
}

func (s *tensorSums) add(cells []int64, p *placed, want []float32) {
	for i, v := range cells {
		x, y := float64(v)*p.scale, float64(want[i])
		d := float64(x) - y
		s.difference += float64(d * d)
		s.square += float64(y * y)
		s.cells += float64(x * x)
		s.product += float64(x * y)
		s.largest = max(s.largest, math.Abs(y))
		if max(v, -v) >= p.top {
			s.clipped++
		}
	}
	s.n += len(cells)
}

func (s *tensorSums) accuracy(low *Lowered, p *placed) TensorAccuracy {
	n := &low.net.Nodes[producer(low.net, p.value)]
	b := low.Info.Bounds[p.tensor]
	a := TensorAccuracy{
		Name: n.Name, Op: n.Op.Kind(), Cells: graph.Elements(n.Shape), Bits: 1 + bits.Len64(uint64(max(b.Hi, -b.Lo))),
		Step: p.scale, Largest: s.largest, Clipped: float64(s.clipped) / float64(s.n), Cosine: 1,
	}
	if s.square > 0 {
		a.Error = math.Sqrt(s.difference / s.square)
	}
	if k := math.Sqrt(s.square) * math.Sqrt(s.cells); k > 0 {
		a.Cosine = s.product / k
	}
	return a
}
