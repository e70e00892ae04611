package pipeline

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/weisyn/wes/prover/model/float"
	"github.com/weisyn/wes/prover/model/onnx"
)

// Inspection describes a model file.
type Inspection struct {
	Name     string      `json:"name"`
	Producer string      `json:"producer"`
	Opset    int         `json:"opset"`
	Inputs   []Operand   `json:"inputs"`
	Outputs  []Operand   `json:"outputs"`
	Ops      []Operators `json:"operators"` // as the file has them
	// What follows is of the normalised network, empty when something is unsupported.
	Layers      []Layer       `json:"layers"`
	MACs        int64         `json:"macs"`
	Params      int64         `json:"params"`
	Cells       int64         `json:"cells"` // estimated, that a proof commits to
	Unsupported []Unsupported `json:"unsupported"`
}

// Unsupported is a float.Unsupported.
type Unsupported struct {
	Node   string `json:"node"`
	Op     string `json:"op"`
	Reason string `json:"reason"`
}

// Refusal is the error that Prepare would return for what is unsupported, nil if nothing is.
func (i *Inspection) Refusal() error {
	if len(i.Unsupported) == 0 {
		return nil
	}
	var e float.UnsupportedError
	for _, u := range i.Unsupported {
		e.Items = append(e.Items, float.Unsupported(u))
	}
	return &e
}

// Operand is an input or output. A dimension that the file leaves open is its name, or "?".
type Operand struct {
	Name  string   `json:"name"`
	Type  string   `json:"type"`
	Shape []string `json:"shape"`
}

// Operators counts the nodes of one operator.
type Operators struct {
	Op    string `json:"op"`
	Count int    `json:"count"`
}

// Layer is a node of the normalised network.
type Layer struct {
	Name   string `json:"name"`
	Op     string `json:"op"`
	Shape  []int  `json:"shape"`
	MACs   int64  `json:"macs"`
	Params int64  `json:"params"`
}

// Inspect reads a model file. A batch that the file leaves open is the given one. What the
// program cannot prove is listed, not an error.
func Inspect(data []byte, batch int) (*Inspection, error) {
	m, err := onnx.Parse(data, onnx.Limits{})
	if err != nil {
		return nil, err
	}
	i := describe(m)
	fg, err := float.Import(m, float.Options{Batch: batch})
	var unsupported *float.UnsupportedError
	switch {
	case errors.As(err, &unsupported):
		for _, u := range unsupported.Items {
			i.Unsupported = append(i.Unsupported, Unsupported(u))
		}
		return i, nil
	case err != nil:
		return nil, err
	}
	i.MACs, i.Params, i.Cells = fg.MACs(), fg.Params(), committed(fg)
	for k := range fg.Nodes {
		i.Layers = append(i.Layers, layerOf(&fg.Nodes[k]))
	}
	return i, nil
}

func describe(m *onnx.Model) *Inspection {
	i := &Inspection{
		Name: m.Graph.Name, Producer: strings.TrimSpace(m.ProducerName + " " + m.ProducerVersion), Opset: m.Opset(onnx.DomainDefault),
		Layers: []Layer{}, Unsupported: []Unsupported{},
	}
	free := freeInputs(m)
	for _, v := range m.Graph.Inputs {
		if slices.Contains(free, v.Name) {
			i.Inputs = append(i.Inputs, operand(v))
		}
	}
	for _, v := range m.Graph.Outputs {
		i.Outputs = append(i.Outputs, operand(v))
	}
	counts := map[string]int{}
	for k := range m.Graph.Nodes {
		counts[m.Graph.Nodes[k].Op]++
	}
	for op, n := range counts {
		i.Ops = append(i.Ops, Operators{op, n})
	}
	slices.SortFunc(i.Ops, func(a, b Operators) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Op, b.Op))
	})
	return i
}

func operand(v onnx.ValueInfo) Operand {
	o := Operand{Name: v.Name, Type: v.Type.String(), Shape: []string{}}
	for _, d := range v.Dims {
		o.Shape = append(o.Shape, dimension(d))
	}
	return o
}

func layerOf(n *float.Node) Layer {
	l := Layer{Name: n.Name, Op: n.Op.Kind(), Shape: n.Shape}
	if op, ok := n.Op.(interface{ MACs(out []int) int64 }); ok {
		l.MACs = op.MACs(n.Shape)
	}
	if op, ok := n.Op.(interface{ Params() int64 }); ok {
		l.Params = op.Params()
	}
	return l
}

func dimension(d onnx.Dim) string {
	switch {
	case d.Param != "":
		return d.Param
	case d.Known:
		return strconv.FormatInt(d.Value, 10)
	}
	return "?"
}
