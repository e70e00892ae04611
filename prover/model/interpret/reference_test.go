package interpret

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
)

// reference evaluates one cell at a time from the definitions of package graph, without
// any of the interpreter's code.
type reference struct {
	*graphtest.Case
	inputs [][]int32
	known  []map[int]int64
	sums   []map[int]int64
}

func newReference(c *graphtest.Case) *reference {
	r := &reference{Case: c, inputs: make([][]int32, len(c.Graph.Nodes))}
	for k, t := range c.Graph.Inputs() {
		r.inputs[t] = c.Inputs[k]
	}
	for range c.Graph.Nodes {
		r.known = append(r.known, map[int]int64{})
		r.sums = append(r.sums, map[int]int64{})
	}
	return r
}

// value is the cell of tensor t at an index.
func (r *reference) value(t int, at []int) int64 {
	key := flat(r.Info.Shapes[t], at)
	v, ok := r.known[t][key]
	if !ok {
		v = r.compute(t, at)
		r.known[t][key] = v
	}
	return v
}

func (r *reference) compute(t int, at []int) int64 {
	n := r.Graph.Nodes[t]
	from := func(axis, i int) int64 {
		index := slices.Clone(at)
		index[axis] = i
		return r.value(n.Inputs[0], index)
	}
	shape := func(k int) []int { return r.Info.Shapes[n.Inputs[k]] }
	switch op := n.Op.(type) {
	case *graph.Input:
		return int64(r.inputs[t][flat(op.Shape, at)])
	case *graph.Rescale:
		shift := op.Shift[0]
		if len(op.Shift) > 1 {
			shift = op.Shift[at[op.Acc.Channel]]
		}
		acc := r.accumulator(t, at)
		q := acc + graph.Half(shift)
		floor := q / (1 << shift)
		if q%(1<<shift) < 0 {
			floor--
		}
		return int64(r.Graph.Tables[op.Table].Values()[floor-r.Graph.Tables[op.Table].Lo])
	case *graph.Reveal:
		return r.accumulator(t, at)
	case *graph.Max:
		return max(r.value(n.Inputs[0], at), r.value(n.Inputs[1], at))
	case *graph.Slice:
		return from(op.Axis, op.Start+at[op.Axis]*op.Step)
	case *graph.Pad:
		if i := at[op.Axis] - op.Before; i >= 0 && i < shape(0)[op.Axis] {
			return from(op.Axis, i)
		}
		return 0
	case *graph.Select:
		return from(op.Axis, op.Index[at[op.Axis]])
	case *graph.Broadcast:
		return from(op.Axis, 0)
	case *graph.SumWindow:
		var sum int64
		for k := range op.Window.Kernel {
			i := at[op.Window.Axis]*op.Window.Stride + k*op.Window.Dilation - op.Window.Pad
			if i >= 0 && i < shape(0)[op.Window.Axis] {
				sum += from(op.Window.Axis, i)
			}
		}
		return sum
	case *graph.Scale:
		return constant(op.Coef, at) * r.value(n.Inputs[0], at)
	case *graph.Transpose:
		index := make([]int, len(at))
		for i, p := range op.Perm {
			index[p] = at[i]
		}
		return r.value(n.Inputs[0], index)
	case *graph.Reshape:
		return r.value(n.Inputs[0], unflat(shape(0), flat(op.Shape, at)))
	case *graph.Concat:
		index := slices.Clone(at)
		for k, i := range n.Inputs {
			if index[op.Axis] < shape(k)[op.Axis] {
				return r.value(i, index)
			}
			index[op.Axis] -= shape(k)[op.Axis]
		}
	case *graph.Trees:
		return r.trees(op, n.Inputs[0], at)
	}
	panic("BUG: unknown operator")
}

func (r *reference) accumulator(t int, at []int) int64 {
	n := r.Graph.Nodes[t]
	acc := graph.AccumulatorOf(n.Op)
	sum := constant(acc.Bias, at)
	second := len(acc.Terms)
	for k, term := range acc.Terms {
		if term.Product != nil {
			sum += term.Mult * r.product(term.Product, n.Inputs[k], n.Inputs[second], at)
			second++
			continue
		}
		if term.Conv == nil {
			sum += term.Mult * r.value(n.Inputs[k], at)
			continue
		}
		if term.Conv.Ids {
			ids := slices.Delete(slices.Clone(at), term.Conv.Channel, term.Conv.Channel+1)
			id := int(r.value(n.Inputs[k], ids))
			sum += int64(r.Weights[term.Conv.Weight][at[term.Conv.Channel]*term.Conv.InChannels+id])
			continue
		}
		sum += r.convolution(term.Conv, n.Inputs[k], at)
	}
	r.sums[t][flat(r.Info.Shapes[t], at)] = sum
	return sum
}

func (r *reference) product(p *graph.Product, left, right int, at []int) int64 {
	var sum int64
	for k := range p.Length {
		product := int64(1)
		for _, operand := range []struct {
			tensor int
			axes   []int
		}{{left, p.Left}, {right, p.Right}} {
			index := make([]int, len(operand.axes))
			for i, a := range operand.axes {
				if index[i] = k; a != graph.Contracted {
					index[i] = at[a]
				}
			}
			product *= r.value(operand.tensor, index)
		}
		sum += product
	}
	return sum
}

func (r *reference) convolution(c *graph.Conv, x int, at []int) int64 {
	kernel := []int{}
	for _, s := range c.Spatial {
		kernel = append(kernel, s.Kernel)
	}
	perGroup := c.InChannels / c.Groups
	kernel = append(kernel, perGroup)
	oc := at[c.Channel]
	group := oc / (c.OutChannels / c.Groups)
	var sum int64
	for i := range graph.Elements(kernel) {
		k := unflat(kernel, i)
		index := slices.Clone(at)
		index[c.Channel] = group*perGroup + k[len(k)-1]
		inside := true
		for j, s := range c.Spatial {
			index[s.Axis] = at[s.Axis]*s.Stride + k[j]*s.Dilation - s.Pad
			inside = inside && index[s.Axis] >= 0 && index[s.Axis] < r.Info.Shapes[x][s.Axis]
		}
		if inside {
			sum += int64(r.Weights[c.Weight][oc*graph.Elements(kernel)+i]) * r.value(x, index)
		}
	}
	return sum
}

func constant(c graph.Constant, at []int) int64 {
	if len(c.Data) == 0 {
		return 0
	}
	index := slices.Clone(at)
	for a, d := range c.Shape {
		if d == 1 {
			index[a] = 0
		}
	}
	return c.Data[flat(c.Shape, index)]
}

func flat(shape, at []int) int {
	i := 0
	for a, d := range shape {
		i = i*d + at[a]
	}
	return i
}

func unflat(shape []int, i int) []int {
	at := make([]int, len(shape))
	for a := len(shape) - 1; a >= 0; a-- {
		at[a] = i % shape[a]
		i /= shape[a]
	}
	return at
}

// TestAgreesWithTheDefinitions compares every cell of every tensor of random graphs.
func TestAgreesWithTheDefinitions(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(100) {
		c := graphtest.Random(seed)
		trace, err := Run(context.Background(), c.Graph, c.Info, c.Weights, c.Inputs)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		r := newReference(c)
		for i, n := range c.Graph.Nodes {
			seen[graph.KindName(n.Op)]++
			compare(t, r, trace, i)
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
	}
	t.Log(seen)
	if len(seen) != 13 {
		t.Errorf("only %v were tried", seen)
	}
}

func compare(t *testing.T, r *reference, trace *graph.Trace, i int) {
	t.Helper()
	shape := r.Info.Shapes[i]
	_, revealed := r.Graph.Nodes[i].Op.(*graph.Reveal)
	var cells []int64
	if !revealed {
		var err error
		if cells, err = View(r.Graph, r.Info, trace.Values, i); err != nil {
			t.Fatal(err)
		}
	}
	hasAcc := graph.AccumulatorOf(r.Graph.Nodes[i].Op) != nil
	if hasAcc != (trace.Accs[i] != nil) {
		t.Errorf("tensor %d: accumulators kept: %v", i, trace.Accs[i] != nil)
	}
	for at := range graph.Elements(shape) {
		index := unflat(shape, at)
		want := r.value(i, index)
		if b := r.Info.Bounds[i]; want < b.Lo || want > b.Hi {
			t.Errorf("tensor %d at %v: %d leaves the bounds %v", i, index, want, b)
		}
		if !revealed && cells[at] != want {
			t.Errorf("tensor %d (%s) at %v: %d, want %d", i, graph.KindName(r.Graph.Nodes[i].Op), index, cells[at], want)
			return
		}
		if hasAcc && trace.Accs[i][at] != r.sums[i][at] {
			t.Errorf("accumulator %d at %v: %d, want %d", i, index, trace.Accs[i][at], r.sums[i][at])
			return
		}
	}
}

func TestRefusesInputsThatDoNotFit(t *testing.T) {
	c := graphtest.Random(1)
	lo := c.Graph.Nodes[c.Graph.Inputs()[0]].Op.(*graph.Input).Lo
	for name, inputs := range map[string][][]int32{
		"no inputs":          nil,
		"too short":          append([][]int32{c.Inputs[0][1:]}, c.Inputs[1:]...),
		"outside the domain": append([][]int32{append([]int32{int32(lo) - 1}, c.Inputs[0][1:]...)}, c.Inputs[1:]...),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Run(context.Background(), c.Graph, c.Info, c.Weights, inputs); !errors.Is(err, ErrInput) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestLaterOperatorsReadTamperedCells guards the hook that soundness tests lie with.
func TestLaterOperatorsReadTamperedCells(t *testing.T) {
	g := &graph.Graph{
		Nodes: []graph.Node{
			{Name: "x", Op: &graph.Input{Name: "x", Shape: []int{1, 2}, Lo: -8, Hi: 7, Scale: 1}},
			{Name: "max", Op: &graph.Max{Channel: 1}, Inputs: []int{0, 0}},
			{Name: "y", Op: &graph.Reveal{Acc: graph.Accumulator{Channel: 1, Lo: -80, Hi: 80, Terms: []graph.Term{{Mult: 10}}}}, Inputs: []int{1}},
		},
		Outputs: []graph.Output{{Name: "y", Tensor: 2, Shape: []int{1, 2}, Scale: 1}},
	}
	info, err := g.Check()
	if err != nil {
		t.Fatal(err)
	}
	var seen []int
	lie := func(tensor int, values []int32) {
		seen = append(seen, tensor)
		if tensor == 1 {
			values[0]++
		}
	}
	trace, err := RunWith(context.Background(), g, info, nil, [][]int32{{3, 4}}, Options{After: lie})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(seen, []int{0, 1}) || !slices.Equal(trace.Values[1], []int32{4, 4}) || !slices.Equal(trace.Accs[2], []int64{40, 40}) {
		t.Errorf("hook called on %v, values %v, accumulator %v", seen, trace.Values[1], trace.Accs[2])
	}
}

func TestStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	c := graphtest.Random(1)
	if _, err := Run(ctx, c.Graph, c.Info, c.Weights, c.Inputs); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
