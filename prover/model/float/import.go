package float

import (
	"errors"
	"fmt"
	"slices"

	"github.com/weisyn/wes/prover/model/onnx"
)

// Options bind what a model leaves open.
type Options struct {
	// Batch binds a symbolic first dimension of the inputs; 0 means 1. A batch
	// above 1 is refused for an input whose first dimension is fixed otherwise.
	Batch int
	// Shapes gives whole shapes by input name, for inputs with other symbolic
	// dimensions. They must agree with the dimensions the model fixes.
	Shapes map[string][]int
	Limits Limits
}

// Import normalises a parsed model. It returns *UnsupportedError with the
// complete list of what the float graph cannot express, or an error wrapping
// ErrLimit, ErrShape or ErrNotFinite. The graph may share weights with m.
func Import(m *onnx.Model, opt Options) (*Graph, error) {
	im := newImporter(m, opt)
	if err := im.run(&m.Graph); err != nil {
		return nil, fmt.Errorf("import model: %w", err)
	}
	if len(im.items) > 0 {
		return nil, &UnsupportedError{im.items}
	}
	im.g.fusePatterns()
	im.g.boundMasks()
	if err := im.g.fuse(); err != nil {
		return nil, fmt.Errorf("import model: %w", err)
	}
	if err := im.g.fuseBefore(); err != nil {
		return nil, fmt.Errorf("import model: %w", err)
	}
	im.g.prune()
	return im.g, nil
}

type importer struct {
	opset   int
	opt     Options
	limits  Limits
	g       *Graph
	values  map[string]*value
	readers map[string][]*onnx.Node // that read an ONNX value, nil for a graph output
	masks   map[*onnx.Node]bool     // whether only softmaxes depend on a node, where that was asked
	names   map[string]bool         // of graph nodes
	origins map[ValueID]string      // operators that made the values of nodes
	items   []Unsupported

	roles     int          // given to nodes of the graph
	quantized []*Quantized // by node of the graph: the steps that its values lie on, nil if none are known

	macs, params, total int64 // so far, against limits
}

func newImporter(m *onnx.Model, opt Options) *importer {
	im := &importer{
		opset:   m.Opset(onnx.DomainDefault),
		opt:     opt,
		limits:  opt.Limits.withDefaults(),
		g:       &Graph{Name: m.Graph.Name},
		values:  map[string]*value{},
		readers: map[string][]*onnx.Node{},
		masks:   map[*onnx.Node]bool{},
		names:   map[string]bool{},
		origins: map[ValueID]string{},
	}
	for i := range m.Graph.Nodes {
		n := &m.Graph.Nodes[i]
		for _, in := range n.Inputs {
			if in != "" {
				im.readers[in] = append(im.readers[in], n)
			}
		}
	}
	for _, o := range m.Graph.Outputs {
		im.readers[o.Name] = append(im.readers[o.Name], nil)
	}
	return im
}

func (im *importer) run(g *onnx.Graph) error {
	if len(g.Nodes) > im.limits.Nodes {
		return fmt.Errorf("%d nodes: %w", len(g.Nodes), ErrLimit)
	}
	for i := range g.Initializers {
		t := &g.Initializers[i]
		if err := im.countParams(int64(t.Len())); err != nil {
			return fmt.Errorf("initializer %q: %w", t.Name, err)
		}
		c, err := constantOf(t)
		if err != nil {
			return fmt.Errorf("initializer %q: %w", t.Name, err)
		}
		im.values[t.Name] = c.value()
	}
	if err := im.bindInputs(g.Inputs); err != nil {
		return err
	}
	for i := range g.Nodes {
		if err := im.node(&g.Nodes[i]); err != nil {
			return fmt.Errorf("node %q (%s): %w", g.Nodes[i].Label(), g.Nodes[i].Op, err)
		}
	}
	return im.bindOutputs(g.Outputs)
}

func (im *importer) report(node, op, format string, args ...any) {
	im.items = append(im.items, Unsupported{node, op, fmt.Sprintf(format, args...)})
}

// bindInputs declares the graph inputs; an input with an initializer is that
// constant.
func (im *importer) bindInputs(inputs []onnx.ValueInfo) error {
	free := map[string]bool{}
	for i := range inputs {
		in := &inputs[i]
		if im.values[in.Name] != nil {
			continue
		}
		free[in.Name] = true
		shape, err := im.bindShape(in)
		if err != nil {
			return fmt.Errorf("input %q: %w", in.Name, err)
		}
		im.values[in.Name] = &value{id: ValueID(len(im.g.Inputs)), typ: in.Type, shape: shape, known: true}
		im.g.Inputs = append(im.g.Inputs, Value{Name: in.Name, Shape: shape, Type: in.Type, Limit: typeLimit(in.Type)})
	}
	for name := range im.opt.Shapes {
		if !free[name] {
			return fmt.Errorf("shape given for %q, which is not an input: %w", name, ErrShape)
		}
	}
	return nil
}

// bindShape resolves the symbolic dimensions of an input.
func (im *importer) bindShape(in *onnx.ValueInfo) ([]int, error) {
	shape, given := im.opt.Shapes[in.Name]
	switch {
	case !given && !in.HasShape:
		return nil, fmt.Errorf("the model gives no shape: %w", ErrShape)
	case given && in.HasShape && len(shape) != len(in.Dims):
		return nil, fmt.Errorf("rank %d is given, the model has %d: %w", len(shape), len(in.Dims), ErrShape)
	case !given:
		shape = make([]int, len(in.Dims))
	}
	shape = slices.Clone(shape)
	for i, d := range in.Dims {
		switch {
		case d.Known && given && shape[i] != int(d.Value):
			return nil, fmt.Errorf("dimension %d is %d, not %d: %w", i, d.Value, shape[i], ErrShape)
		case d.Known && i == 0 && !given && im.opt.Batch > 1 && int(d.Value) != im.opt.Batch:
			return nil, fmt.Errorf("batch %d is wanted, the model fixes %d: %w", im.opt.Batch, d.Value, ErrShape)
		case d.Known:
			shape[i] = int(d.Value)
		case !given && i == 0:
			shape[i] = max(im.opt.Batch, 1)
		case !given:
			return nil, fmt.Errorf("dimension %d (%q) is not bound: %w", i, d.Param, ErrShape)
		}
	}
	return shape, im.countActivation(shape)
}

func (im *importer) bindOutputs(outputs []onnx.ValueInfo) error {
	for _, o := range outputs {
		v := im.values[o.Name]
		if v.grid != nil && !v.fixed {
			var err error
			if v, err = im.integersOf(o.Name, v); err != nil {
				return fmt.Errorf("output %q: %w", o.Name, err)
			}
		}
		switch {
		case v.fixed:
			im.report(o.Name, "output", "it does not depend on any input")
		case v.lost() && len(im.items) == 0:
			im.report(o.Name, "output", "it is not computed")
		case !v.lost():
			im.g.Outputs = append(im.g.Outputs, Output{o.Name, v.id, v.tail, v.shape, v.typ})
		}
	}
	return nil
}

// node imports one node: its outputs get values, lost ones when the node is
// unsupported. The error is for what ends the import at once.
func (im *importer) node(n *onnx.Node) error {
	c := &call{importer: im, n: n, op: n.Op, read: map[string]bool{}}
	if n.Domain != onnx.DomainDefault {
		c.op = n.Domain + "." + n.Op
	}
	for _, name := range n.Inputs {
		c.in = append(c.in, im.values[name]) // nil for an omitted operand
	}
	out, err := c.run()
	switch {
	case errors.Is(err, ErrLimit) || errors.Is(err, ErrNotFinite):
		return err
	case err == nil:
	case !errors.Is(err, errLost):
		im.report(n.Label(), c.op, "%v", err)
		fallthrough
	default:
		out = nil
	}
	for i, name := range n.Outputs {
		switch {
		case name == "":
		case i < len(out):
			im.values[name] = out[i]
		default:
			im.values[name] = c.lostOutput(i)
		}
	}
	return nil
}

// countParams, countActivation and countMACs refuse a model before what they
// count is allocated or run.
func (im *importer) countParams(n int64) error {
	if im.params += n; n > im.limits.Elements || im.params > im.limits.Params {
		return fmt.Errorf("%d constants, %d so far: %w", n, im.params, ErrLimit)
	}
	return nil
}

func (im *importer) countActivation(shape []int) error {
	n, err := im.elements(shape)
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("empty shape %v: %w", shape, ErrShape)
	}
	if im.total += n; im.total > im.limits.Total {
		return fmt.Errorf("%d activation cells so far: %w", im.total, ErrLimit)
	}
	return nil
}

// elements returns the product of a shape within Limits.Elements.
func (im *importer) elements(shape []int) (int64, error) {
	if len(shape) > im.limits.Rank {
		return 0, fmt.Errorf("rank %d: %w", len(shape), ErrLimit)
	}
	n := int64(1)
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("negative dimension in %v: %w", shape, ErrShape)
		}
		if d > 0 && int64(d) > im.limits.Elements/n {
			return 0, fmt.Errorf("shape %v: %w", shape, ErrLimit)
		}
		n *= int64(max(d, 1))
	}
	if slices.Contains(shape, 0) {
		return 0, nil
	}
	return n, nil
}

func (im *importer) countMACs(n int64) error {
	if im.macs += n; n > im.limits.MACs || im.macs > im.limits.MACs {
		return fmt.Errorf("%d multiply-accumulates so far: %w", im.macs, ErrLimit)
	}
	return nil
}
