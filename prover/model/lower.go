package model

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
)

// Lowered is a network ready to run and prove, and what lowering did to its accuracy.
type Lowered struct {
	Graph   *graph.Graph
	Info    *graph.Info
	Weights graph.Weights
	Report  Report

	net     *float.Graph // as it was lowered
	samples [][]float.Tensor
	inUnits [][]float.Tensor // the samples in units of their features, see tabular
	placed  []placed
}

// placed is a value of the network that has a tensor of its own.
type placed struct {
	value  float.ValueID
	tensor int
	scale  float64
	top    int64
}

// Lower turns a float network into an integer graph. Each sample is one value for every
// input of the network, in order; without samples, pseudo-random ones in the declared
// ranges stand in and the report says so. The result depends on the arguments only. It
// returns ErrOptions, ErrModel, or an error of package float.
func Lower(ctx context.Context, fg *float.Graph, samples [][]float.Tensor, o Options) (*Lowered, error) {
	o, err := o.withDefaults(fg)
	if err != nil {
		return nil, err
	}
	for name := range o.InputRange {
		if !slices.ContainsFunc(fg.Inputs, func(v float.Value) bool { return v.Name == name }) {
			return nil, fmt.Errorf("%w: InputRange of %q, which is no input", ErrOptions, name)
		}
	}
	report := Report{Samples: len(samples), Options: o}
	if len(samples) == 0 {
		samples = syntheticSamples(fg, &o)
	}
	fg, inUnits, units := tabular(hoist(fg), samples, &o)
	classes := newClasses(fg)
	tops := widths(fg, classes, o.top())
	cal, err := calibrate(ctx, fg, inUnits, tops, &o)
	if err != nil {
		return nil, err
	}
	l := &lowering{options: &o, net: fg, units: units, tops: tops, lines: cal.lines, readers: lineReaders(fg), uses: countUses(fg), values: make([]value, fg.Values()), votes: map[float.ValueID]value{}, b: newBuilder()}
	l.scales, l.joined = classes.scales(fg, cal, tops), classes.joined(fg)
	for i, r := range cal.ranges {
		l.own = append(l.own, scaleOf(r, tops[i]))
	}
	outputs, err := l.run()
	if err != nil {
		return nil, err
	}
	report.Calibration = cal.report(fg)
	low := &Lowered{Report: report, net: fg, samples: samples, inUnits: inUnits}
	var number []int
	low.Graph, low.Weights, number = l.b.finish(outputs)
	low.placed = l.placed(number)
	if low.Info, err = low.Graph.Check(); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrModel, err)
	}
	if err := low.Graph.CheckWeights(low.Info, low.Weights); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrModel, err)
	}
	low.Report.describe(low)
	return low, low.Report.measure(ctx, low, samples, cal.outputs)
}

// lowering is the state of Lower over the values of the float network.
type lowering struct {
	options *Options
	net     *float.Graph
	units   [][]float64             // by input: of its features; nil: it has none
	uses    []int                   // by value: its reads
	tops    []int64                 // by value: the largest magnitude of its cells
	lines   []lines                 // by node of the network: see calibration
	readers map[float.ValueID][]int // by value: the norms and softmaxes that read it
	scales  []float64               // by value: the scale it gets as a tensor
	own     []float64               // by value: the scale of its range alone
	joined  []bool                  // by value: a Concat needs exactly that scale
	values  []value
	votes   map[float.ValueID]value // results of trees that outputs and nodes read, as outputs have them
	b       builder
}

// value is a sum while lin is set, else a tensor whose cells stand for scale.
type value struct {
	lin    *linear
	tensor int
	scale  float64
}

// placed lists the values that have tensors, by their numbers in the finished graph, without
// those that are cells of another one moved.
func (l *lowering) placed(number []int) []placed {
	var list []placed
	for i := range l.net.Nodes {
		id := l.net.Nodes[i].Output
		v := &l.values[id]
		if v.lin == nil && number[v.tensor] >= 0 && !movesCells(l.net, id) {
			list = append(list, placed{id, number[v.tensor], v.scale, l.tops[id]})
		}
	}
	return list
}

func (l *lowering) run() ([]graph.Output, error) {
	for i := range l.net.Inputs {
		l.input(float.ValueID(i))
	}
	for i := range l.net.Nodes {
		n := &l.net.Nodes[i]
		if err := l.node(n); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrModel, atNode(n.Name, err))
		}
	}
	var outputs []graph.Output
	for i := range l.net.Outputs {
		o, err := l.output(&l.net.Outputs[i])
		if err != nil {
			return nil, fmt.Errorf("%w: output %q: %w", ErrModel, l.net.Outputs[i].Name, err)
		}
		outputs = append(outputs, o)
	}
	return outputs, nil
}

// nodeError says at which node lowering ended.
type nodeError struct {
	name string
	err  error
}

func (e *nodeError) Error() string { return fmt.Sprintf("node %q: %v", e.name, e.err) }

func (e *nodeError) Unwrap() error { return e.err }

// atNode names the node of an error that names none yet: a sum may fail only when the node
// after it needs its tensor.
func atNode(name string, err error) error {
	if _, named := errors.AsType[*nodeError](err); named || err == nil {
		return err
	}
	return &nodeError{name, err}
}

func (l *lowering) input(id float.ValueID) {
	in := l.net.Inputs[id]
	shape := in.Shape
	if len(shape) == 0 {
		shape = []int{1}
	}
	top := l.tops[id]
	op := &graph.Input{Name: in.Name, Shape: shape, Lo: -top, Hi: top, Scale: l.scales[id]}
	if in.IsInteger() {
		op.Lo, op.Hi, op.Scale = integers(&in, l.scales[id]*float64(top))
	}
	if q := l.givenInput(id); q != nil {
		op.Lo, op.Hi, op.Scale = q.Lo, q.Hi, float64(q.Scale)
	}
	if units := l.units[id]; units != nil {
		top = wideTop
		op.Lo, op.Hi, op.Scale, op.Steps = -top, top, 1/float64(top), units
	}
	if l.readsTrees(id) {
		op = l.keys(&in)
	}
	channel := len(shape) - 1
	if l.spatial(id) {
		channel = 1
	}
	t := l.b.add(graph.Node{Name: in.Name, Op: op}, shape, graph.Interval{Lo: op.Lo, Hi: op.Hi}, channel)
	l.values[id] = value{tensor: t, scale: op.Scale}
}

// integers is the domain of an input of integers: what the model states, or the range that
// calibration saw.
func integers(in *float.Value, reach float64) (lo, hi int64, scale float64) {
	if lo, hi, ok := in.Domain(); ok {
		return lo, hi, 1
	}
	hi = max(1, int64(math.Floor(reach+0.5)))
	return -hi, hi, 1
}

// spatial tells whether axis 1 of an input holds channels.
func (l *lowering) spatial(id float.ValueID) bool {
	if rank := len(l.net.ShapeOf(id)); rank != 3 {
		return rank > 3
	}
	for i := range l.net.Nodes {
		n := &l.net.Nodes[i]
		if n.Inputs[0] != id {
			continue
		}
		switch n.Op.(type) {
		case *float.Conv, *float.MaxPool, *float.AveragePool:
			return true
		}
	}
	return false
}

// node lowers one operator; a sum that several nodes read becomes a tensor at once, unless it only
// scales and shifts one: then each reader takes that up.
func (l *lowering) node(n *float.Node) error {
	v, err := l.apply(n)
	if err != nil {
		return err
	}
	l.values[n.Output] = v
	if v.lin != nil && l.uses[n.Output] > 1 && !l.onlyOutputs(n.Output) && !v.lin.plain() {
		_, _, err = l.tensor(n.Output)
	}
	return err
}

func (l *lowering) onlyOutputs(id float.ValueID) bool {
	n := 0
	for i := range l.net.Outputs {
		if l.net.Outputs[i].Value == id {
			n++
		}
	}
	return n == l.uses[id]
}

func (l *lowering) apply(n *float.Node) (value, error) {
	switch op := n.Op.(type) {
	case *float.Conv:
		return l.conv(n, op)
	case *float.MatMul:
		return l.matMul(n, op)
	case *float.Product:
		return l.product(n, op)
	case *float.Trees:
		return l.trees(n, op)
	case *float.Add:
		return l.addValues(n, op)
	case *float.AddConst:
		return l.addConst(n, op)
	case *float.MulConst:
		return l.mulConst(n, op)
	case *float.MaxPool:
		return l.maxPool(n, op)
	case *float.AveragePool:
		return l.averagePool(n, op)
	case *float.MeanAxes:
		return l.meanAxes(n, op)
	case *float.Reshape, *float.Transpose, *float.Slice, *float.Pad, *float.Broadcast:
		return l.move(n)
	case *float.Concat:
		return l.concat(n, op)
	case *float.Softmax:
		return l.softmax(n, op)
	case *float.Norm:
		return l.norm(n, op, l.lines[producer(l.net, n.Output)])
	case *float.Mul:
		return l.cellProduct(n)
	case *float.Maximum:
		return l.larger(n)
	case *float.Embedding:
		return l.embedding(n, op)
	case *float.Quantized:
		return l.quantized(n, op)
	case float.Scalar:
		return l.function(n, op)
	}
	return value{}, fmt.Errorf("no integer form of this operator")
}

// function appends to the functions of a sum.
func (l *lowering) function(n *float.Node, f float.Scalar) (value, error) {
	lin, err := l.sum(n.Inputs[0], true)
	if err != nil {
		return value{}, err
	}
	if _, clips := f.(*float.Clip); clips && lin.wide {
		if lin, err = l.sum(n.Inputs[0], false); err != nil {
			return value{}, err
		}
	}
	lin.name = n.Name
	if len(lin.funcs) == 0 {
		lin.reach = l.own[n.Inputs[0]] * float64(l.tops[n.Inputs[0]])
	}
	lin.funcs = append(lin.funcs, f)
	return value{lin: lin}, nil
}

// sum is a value as a sum that the caller may change: the one it is, which nobody else
// reads, or one times its tensor. A wide sum or one with functions counts only withFuncs.
func (l *lowering) sum(id float.ValueID, withFuncs bool) (*linear, error) {
	if lin := l.values[id].lin; lin != nil && (withFuncs || len(lin.funcs) == 0 && !lin.wide) {
		if l.uses[id] > 1 {
			return lin.clone(), nil
		}
		return lin, nil
	}
	t, scale, err := l.tensor(id)
	if err != nil {
		return nil, err
	}
	return plain(nameOf(l.net, id), &l.b, t, scale), nil
}

// tensor is a value as a tensor of its own shape, with its scale.
func (l *lowering) tensor(id float.ValueID) (int, float64, error) {
	v := &l.values[id]
	if v.lin != nil {
		scale, rescale := l.scales[id], l.rescaleExactly
		if v.lin.wide {
			scale = l.own[id]
		} else if l.joined[id] && (curved(v.lin.funcs) || !v.lin.hasProduct()) {
			rescale = l.rescale
		}
		t, scale, err := rescale(v.lin, scale, l.tops[id])
		if err != nil {
			return 0, 0, atNode(v.lin.name, err)
		}
		*v = value{tensor: l.b.reshape(nameOf(l.net, id), t, l.net.ShapeOf(id)), scale: scale}
	}
	return v.tensor, v.scale, nil
}

func (l *lowering) output(o *float.Output) (graph.Output, error) {
	out := graph.Output{Name: o.Name, Shape: l.net.ShapeOf(o.Value)}
	switch t := o.Tail.(type) {
	case *float.Softmax:
		out.Tail, out.Axis = graph.TailSoftmax, t.Axis
	case *float.ArgMax:
		out.Tail, out.Axis, out.KeepDims = graph.TailArgMax, t.Axis, t.KeepDims
		out.Labels = t.Labels
	case *float.Logistic:
		out.Tail = graph.TailLogistic
	case *float.OneVsRest:
		out.Tail, out.Axis = graph.TailOneVsRest, t.Axis
	}
	if len(out.Shape) == 0 {
		out.Shape = []int{1}
	}
	if v, ok := l.votes[o.Value]; ok {
		out.Tensor, out.Scale = v.tensor, v.scale
		return out, nil
	}
	v := &l.values[o.Value]
	if v.lin != nil && len(v.lin.funcs) == 0 {
		t, scale, err := l.reveal(v.lin)
		if err != nil {
			return out, atNode(v.lin.name, err)
		}
		*v = value{tensor: t, scale: scale}
	}
	if _, _, err := l.tensor(o.Value); err != nil {
		return out, err
	}
	out.Tensor, out.Scale = v.tensor, v.scale
	if _, ok := l.b.nodes[out.Tensor].Op.(*graph.Reshape); ok {
		out.Tensor = l.b.nodes[out.Tensor].Inputs[0]
	}
	return out, nil
}
