package float

import (
	"errors"
	"fmt"

	"github.com/weisyn/wes/prover/model/onnx"
)

// acceptsIntegers tells the operators that read activations of integer types:
// those that move cells, compare them, look them up or make numbers of them.
// Integer arithmetic wraps and truncates, which floats do not.
func acceptsIntegers(op string) bool {
	switch op {
	case "Identity", "Dropout", "Cast", "Shape", "Size", "IsNaN",
		"Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Concat", "Slice", "Split", "Expand", "Tile",
		"Gather", "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Not", "And", "Or", "Xor", "Where":
		return true
	}
	return false
}

// typeLimit is the Limit of an input that its type states, 0 for none.
func typeLimit(t onnx.DataType) int64 {
	switch t {
	case onnx.Bool:
		return 2
	case onnx.Uint8:
		return 256
	}
	return 0
}

// boundIndices states that a value is an index of n rows: it must be moved from
// integer inputs, whose domain is set.
func (im *importer) boundIndices(id ValueID, n int) error {
	first := len(im.g.Inputs)
	needed := make([]bool, id+1)
	needed[id] = true
	for i := int(id); i >= 0; i-- {
		switch {
		case !needed[i]:
		case i >= first:
			node := &im.g.Nodes[i-first]
			if _, moves := node.Op.(mover); !moves {
				return errors.New("indices are computed: only an integer input may be one")
			}
			for _, in := range node.Inputs {
				needed[in] = true
			}
		default:
			in := &im.g.Inputs[i]
			if in.Type != onnx.Int64 && in.Type != onnx.Int32 {
				return fmt.Errorf("indices are %v", in.Type)
			}
			if in.Limit == 0 || in.Limit > int64(n) {
				in.Limit = int64(n)
			}
		}
	}
	return nil
}
