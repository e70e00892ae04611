package onnx

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// Parse decodes and checks a model file. Every refusal is an *Error. The result
// does not refer to data.
//
// The field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
func Parse(data []byte, limits Limits) (*Model, error) {
	p := parser{limits.withDefaults()}
	if len(data) > p.Bytes {
		return nil, refuse(ErrLimit, "file of %d bytes, limit %d", len(data), p.Bytes)
	}
	m, err := p.model(data)
	if err != nil {
		return nil, err
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	return m, nil
}

type parser struct{ Limits }

func (p parser) model(msg []byte) (*Model, error) {
	m := &Model{}
	graphs := 0
	err := eachField(msg, func(f field) error {
		switch f.id {
		case 1:
			return f.setInt(&m.IRVersion)
		case 2:
			return f.setName(&m.ProducerName, p.NameLength)
		case 3:
			return f.setName(&m.ProducerVersion, p.NameLength)
		case 4:
			return f.setName(&m.Domain, p.NameLength)
		case 5:
			return f.setInt(&m.ModelVersion)
		case 6:
			return f.setName(&m.DocString, p.NameLength)
		case 7:
			if graphs++; graphs > 1 {
				return refuse(ErrInvalid, "more than one graph")
			}
			return p.graph(f, &m.Graph)
		case 8:
			return p.opset(f, m)
		case 20:
			return refuse(ErrForbidden, "training information")
		case 25:
			return refuse(ErrForbidden, "local functions")
		}
		return nil
	})
	if err == nil && graphs == 0 {
		err = refuse(ErrMalformed, "no graph")
	}
	return m, err
}

func (p parser) opset(f field, m *Model) error {
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	var o Opset
	err := eachField(f.bytes, func(f field) error {
		switch f.id {
		case 1:
			return f.setName(&o.Domain, p.NameLength)
		case 2:
			return f.setInt(&o.Version)
		}
		return nil
	})
	if err != nil {
		return err
	}
	o.Domain = canonicalDomain(o.Domain)
	return push(&m.Opsets, o, p.Operands)
}

// canonicalDomain gives the default domain its one name.
func canonicalDomain(d string) string {
	if d == "ai.onnx" {
		return DomainDefault
	}
	return d
}

func (p parser) graph(f field, g *Graph) error {
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	return eachField(f.bytes, func(f field) error {
		switch f.id {
		case 1:
			return p.addNode(f, g)
		case 2:
			return f.setName(&g.Name, p.NameLength)
		case 5:
			if len(g.Initializers) >= p.Initializers {
				return refuse(ErrLimit, "more than %d initializers", p.Initializers)
			}
			t, err := p.tensor(f)
			if err != nil {
				return err
			}
			g.Initializers = append(g.Initializers, *t)
		case 11:
			return p.addValue(f, &g.Inputs, "input")
		case 12:
			return p.addValue(f, &g.Outputs, "output")
		case 15:
			return refuse(ErrForbidden, "sparse initializer")
		}
		return nil
	})
}

func (p parser) addNode(f field, g *Graph) error {
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	if len(g.Nodes) >= p.Nodes {
		return refuse(ErrLimit, "more than %d nodes", p.Nodes)
	}
	var n Node
	var attrs []field
	err := eachField(f.bytes, func(f field) error {
		switch f.id {
		case 1:
			return f.addName(&n.Inputs, p.Operands, p.NameLength)
		case 2:
			return f.addName(&n.Outputs, p.Operands, p.NameLength)
		case 3:
			return f.setName(&n.Name, p.NameLength)
		case 4:
			return f.setName(&n.Op, p.NameLength)
		case 5:
			return push(&attrs, f, p.Operands)
		case 7:
			return f.setName(&n.Domain, p.NameLength)
		}
		return nil
	})
	n.Domain = canonicalDomain(n.Domain)
	// Attributes come last, so that their errors can name the node.
	for i := 0; err == nil && i < len(attrs); i++ {
		err = p.addAttr(attrs[i], &n)
	}
	if err == nil && n.Op == "" {
		err = refuse(ErrInvalid, "no operator")
	}
	if err != nil {
		return at(n.where(), err)
	}
	g.Nodes = append(g.Nodes, n)
	return nil
}

func (n *Node) where() string { return fmt.Sprintf("node %q (%s)", n.Label(), n.Op) }

func (p parser) addValue(f field, dst *[]ValueInfo, what string) error {
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	if len(*dst) >= p.Values {
		return refuse(ErrLimit, "more than %d graph %ss", p.Values, what)
	}
	var v ValueInfo
	types := 0
	err := eachField(f.bytes, func(f field) error {
		switch f.id {
		case 1:
			return f.setName(&v.Name, p.NameLength)
		case 2:
			types++
			return p.valueType(f, &v)
		}
		return nil
	})
	if err == nil && types != 1 {
		err = refuse(ErrInvalid, "%d types", types)
	}
	if err != nil {
		return at(fmt.Sprintf("%s %q", what, v.Name), err)
	}
	*dst = append(*dst, v)
	return nil
}

func (p parser) valueType(f field, v *ValueInfo) error {
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	tensors := 0
	err := eachField(f.bytes, func(f field) error {
		switch f.id {
		case 1:
			tensors++
			return p.tensorType(f, v)
		case 4, 5, 7, 8, 9:
			return refuse(ErrForbidden, "a sequence, map, sparse, optional or opaque value instead of a tensor")
		}
		return nil
	})
	if err == nil && tensors != 1 {
		err = refuse(ErrInvalid, "%d tensor types", tensors)
	}
	return err
}

func (p parser) tensorType(f field, v *ValueInfo) error {
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	return eachField(f.bytes, func(f field) error {
		switch f.id {
		case 1:
			v.Type = DataType(f.num)
			if err := f.want(protowire.VarintType); err != nil {
				return err
			}
			return checkType(f.num)
		case 2:
			if err := f.want(protowire.BytesType); err != nil {
				return err
			}
			if v.HasShape {
				return refuse(ErrInvalid, "more than one shape")
			}
			v.HasShape = true
			return eachField(f.bytes, func(f field) error { return p.addDim(f, v) })
		}
		return nil
	})
}

func (p parser) addDim(f field, v *ValueInfo) error {
	if f.id != 1 {
		return nil
	}
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	var d Dim
	err := eachField(f.bytes, func(f field) error {
		switch f.id {
		case 1:
			d.Known, d.Param = true, ""
			return f.setInt(&d.Value)
		case 2:
			d.Known, d.Value = false, 0
			return f.setName(&d.Param, p.NameLength)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if d.Known && (d.Value < 0 || d.Value > int64(p.Elements)) {
		return refuse(ErrLimit, "dimension %d, limit %d", d.Value, p.Elements)
	}
	if len(v.Dims) >= p.Rank {
		return refuse(ErrLimit, "rank above %d", p.Rank)
	}
	v.Dims = append(v.Dims, d)
	return nil
}

// checkType refuses element types that a Model cannot hold.
func checkType(n uint64) error {
	switch {
	case n > 1<<16:
		return refuse(ErrInvalid, "element type %d", n)
	case n == 8:
		return refuse(ErrForbidden, "string elements")
	case DataType(n).Size() == 0:
		return refuse(ErrForbidden, "elements of %v", DataType(n))
	}
	return nil
}
