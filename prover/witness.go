package prover

import (
	"context"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/layer"
	"github.com/weisyn/wes/prover/model/interpret"
	"golang.org/x/sync/errgroup"
)

// witness is an execution laid out for a proof.
type witness struct {
	sys    *layer.System
	trace  *graph.Trace
	cells  []int32    // the committed vector
	keys   []uint32   // by leaf: the row of its table that is looked up
	counts [][]uint32 // by table and row: how often it is looked up
}

// newWitness lays an execution out and checks it on the way: every remainder, quotient
// and maximum must be what the graph defines.
func newWitness(ctx context.Context, sys *layer.System, trace *graph.Trace) (*witness, error) {
	w := &witness{sys: sys, trace: trace, cells: make([]int32, sys.CellCount), keys: make([]uint32, sys.LeafCount)}
	for _, t := range sys.Tables {
		w.counts = append(w.counts, make([]uint32, 1<<t.Vars))
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers())
	for i := range sys.Columns {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return w.fillColumn(i)
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return w, w.fillCounts()
}

func (w *witness) fillColumn(i int) error {
	c := &w.sys.Columns[i]
	n := &w.sys.Graph.Nodes[c.Tensor]
	if op, ok := n.Op.(*graph.Rescale); ok {
		if err := w.fillRescale(i, c, op); err != nil {
			return fmt.Errorf("node %q: execution is not what the graph defines: %w", n.Name, err)
		}
		return nil
	}
	if err := w.fillMax(i, c, n.Inputs); err != nil {
		return fmt.Errorf("node %q: execution is not what the graph defines: %w", n.Name, err)
	}
	return nil
}

func (w *witness) slot(kind layer.SlotKind, source int) []int32 {
	s := w.sys.Slot(kind, source)
	return w.cells[s.Offset:][:1<<s.Vars]
}

func (w *witness) leaf(kind layer.LeafKind, column int) (keys, counts []uint32) {
	l := w.sys.Leaf(kind, column)
	return w.keys[l.Offset:][:1<<l.Vars], w.counts[l.Table]
}

func (w *witness) fillRescale(i int, c *layer.Column, op *graph.Rescale) error {
	values, accs := w.trace.Values[c.Tensor], w.trace.Accs[c.Tensor]
	if n := graph.Elements(c.Shape); len(values) != n || len(accs) != n {
		return fmt.Errorf("%d values and %d accumulators, want %d", len(values), len(accs), n)
	}
	table := &w.sys.Graph.Tables[op.Table]
	function, domain := table.Values(), table.Domain()
	value, rest := w.slot(layer.SlotValue, i), w.remainders(i, op)
	quotients, quotientCounts := w.leaf(layer.LeafFunction, i)

	// Padding is a quotient of zero, with remainder zero.
	zero := uint32(-domain.Lo)
	for k := range value {
		value[k], quotients[k] = function[zero], zero
	}
	stride := c.ChannelStride()
	var failed error
	c.Runs(func(cell, store int) {
		for l := range 1 << c.Low {
			at := cell + l*stride
			s := op.Shift[0]
			if len(op.Shift) > 1 {
				s = op.Shift[at/stride%c.Shape[c.Channel]]
			}
			q := graph.ShiftRight(accs[at], s)
			if q < domain.Lo || q > domain.Hi || function[q-domain.Lo] != values[at] {
				failed = fmt.Errorf("cell %d: accumulator %d, output %d", at, accs[at], values[at])
				return
			}
			value[store+l], quotients[store+l] = values[at], uint32(q-domain.Lo)
			rest.set(store+l, accs[at]+graph.Half(s)-q<<s, s)
		}
	})
	if layer.Digits(op) > 0 {
		excess := w.slot(layer.SlotExcess, i)
		for k := range excess {
			excess[k] = int32(domain.Lo+int64(quotients[k])) - value[k]
		}
	}
	rest.count()
	count(quotientCounts, quotients)
	return failed
}

func (w *witness) fillMax(i int, c *layer.Column, inputs []int) error {
	values := w.trace.Values[c.Tensor]
	a, err := w.view(inputs[0])
	if err != nil {
		return err
	}
	b, err := w.view(inputs[1])
	if err != nil {
		return err
	}
	if n := graph.Elements(c.Shape); len(values) != n || len(a) != n || len(b) != n {
		return fmt.Errorf("%d values of %d and %d, want %d", len(values), len(a), len(b), n)
	}
	value := w.slot(layer.SlotValue, i)
	keys, counts := w.leaf(layer.LeafMaximum, i)
	width := uint32(w.sys.Tables[w.sys.Leaf(layer.LeafMaximum, i).Table].Size-1) / 2
	stride := c.ChannelStride()
	var failed error
	c.Runs(func(cell, store int) {
		for l := range 1 << c.Low {
			at := cell + l*stride
			y := values[at]
			if y != max(a[at], b[at]) {
				failed = fmt.Errorf("cell %d: maximum of %d and %d, output %d", at, a[at], b[at], y)
				return
			}
			value[store+l] = y
			keys[store+l] = uint32(y - b[at])
			if y != a[at] {
				keys[store+l] = width + uint32(y-a[at])
			}
		}
	})
	count(counts, keys)
	return failed
}

// view is a tensor's cells, computed if the tensor is virtual.
func (w *witness) view(tensor int) ([]int32, error) {
	if v := w.trace.Values[tensor]; v != nil {
		return v, nil
	}
	wide, err := interpret.View(w.sys.Graph, w.sys.Info, w.trace.Values, tensor)
	if err != nil {
		return nil, err
	}
	cells := make([]int32, len(wide))
	for i, v := range wide {
		if v < math.MinInt32 || v > math.MaxInt32 {
			return nil, fmt.Errorf("cell %d of %q is %d: more than 32 bits", i, w.sys.Graph.Nodes[tensor].Name, v)
		}
		cells[i] = int32(v)
	}
	return cells, nil
}

// count adds the keys to the counts, which other columns add to as well.
func count(counts, keys []uint32) {
	if len(keys) < len(counts)/4 {
		for _, k := range keys {
			atomic.AddUint32(&counts[k], 1)
		}
		return
	}
	local := make([]uint32, len(counts))
	for _, k := range keys {
		local[k]++
	}
	for k, n := range local {
		if n > 0 {
			atomic.AddUint32(&counts[k], n)
		}
	}
}

func (w *witness) fillCounts() error {
	for i, counts := range w.counts {
		cells := w.slot(layer.SlotCount, i)
		for k, n := range counts {
			if n > math.MaxInt32 {
				return fmt.Errorf("row %d of table %d is looked up %d times", k, i, n)
			}
			cells[k] = int32(n)
		}
	}
	return nil
}
