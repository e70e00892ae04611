package onnx

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
)

// addAttr decodes one AttributeProto of n.
func (p parser) addAttr(f field, n *Node) error {
	if err := f.want(protowire.BytesType); err != nil {
		return err
	}
	var a Attribute
	var declared int64
	var seen [32]bool
	err := eachField(f.bytes, func(f field) error {
		if f.id < 32 {
			seen[f.id] = true
		}
		switch f.id {
		case 1:
			return f.setName(&a.Name, p.NameLength)
		case 20:
			return f.setInt(&declared)
		}
		return p.attrValue(f, &a)
	})
	if err == nil {
		err = a.settle(declared, seen)
	}
	if err != nil {
		return at(fmt.Sprintf("attribute %q", a.Name), err)
	}
	n.Attrs = append(n.Attrs, a)
	return nil
}

func (p parser) attrValue(f field, a *Attribute) error {
	switch f.id {
	case 2:
		return f.setFloat(&a.Float)
	case 3:
		return f.setInt(&a.Int)
	case 4:
		return f.setString(&a.String, p.NameLength)
	case 5:
		if a.Tensor != nil {
			return refuse(ErrInvalid, "more than one tensor")
		}
		t, err := p.tensor(f)
		a.Tensor = t
		return err
	case 7:
		return f.addFloats(&a.Floats, p.ListLength)
	case 8:
		return f.addInts(&a.Ints, p.ListLength)
	case 9:
		var s string
		if err := f.setString(&s, p.NameLength); err != nil {
			return err
		}
		return push(&a.Strings, s, p.ListLength)
	case 6, 11:
		return refuse(ErrForbidden, "sub-graph")
	case 10:
		return refuse(ErrForbidden, "list of tensors")
	case 14, 15:
		return refuse(ErrForbidden, "type value")
	case 21:
		return refuse(ErrForbidden, "reference to a function's attribute")
	case 22, 23:
		return refuse(ErrForbidden, "sparse tensor")
	}
	return nil
}

// valueField returns the protobuf field that holds a value of type t, 0 for a
// type that a Model cannot hold.
func (t AttrType) valueField() protowire.Number {
	switch t {
	case AttrFloat, AttrInt, AttrString, AttrTensor, AttrFloats, AttrInts, AttrStrings:
		return protowire.Number(t) + 1
	}
	return 0
}

// settle checks that only the value of the declared type is present. A file of
// IR version 1 may leave the type out: then the one present value decides.
func (a *Attribute) settle(declared int64, seen [32]bool) error {
	if a.Name == "" {
		return refuse(ErrInvalid, "attribute without a name")
	}
	present := 0
	for _, t := range []AttrType{AttrFloat, AttrInt, AttrString, AttrTensor, AttrFloats, AttrInts, AttrStrings} {
		if !seen[t.valueField()] {
			continue
		}
		if present++; present > 1 || (declared != 0 && declared != int64(t)) {
			return refuse(ErrInvalid, "value of another type than the declared type %d", declared)
		}
		a.Type = t
	}
	if present == 1 {
		return nil
	}
	// Proto3 leaves out zero scalars and empty lists.
	a.Type = AttrType(declared)
	if declared < 0 || declared > int64(AttrStrings) || a.Type.valueField() == 0 || a.Type == AttrTensor {
		return refuse(ErrInvalid, "no value of type %d", declared)
	}
	return nil
}
