package storefront

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/prover/model/tensor"
)

// cellsOf quantises the tensors of a request.
func (m *model) cellsOf(all []gateway.Tensor) ([]byte, error) {
	var inputs []tensor.Tensor
	for i := range all {
		t, err := numbers(&all[i])
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, t)
	}
	cells, _, err := tensor.QuantizeAll(m.graph, inputs, false)
	if err != nil {
		return nil, err
	}
	return proofs.EncodeInput(cells), nil
}

// outputsOf turns an output attachment into tensors.
func (m *model) outputsOf(raw []byte) ([]gateway.Tensor, error) {
	cells, err := proofs.DecodeOutput(raw)
	if err != nil {
		return nil, err
	}
	if len(cells) != len(m.graph.Outputs) {
		return nil, fmt.Errorf("%d outputs, the model has %d", len(cells), len(m.graph.Outputs))
	}
	var out []gateway.Tensor
	for i := range m.graph.Outputs {
		t, err := tensor.Dequantize(&m.graph.Outputs[i], cells[i])
		if err != nil {
			return nil, err
		}
		out = append(out, written(&t))
	}
	return out, nil
}

// numbers reads the elements of a tensor.
func numbers(t *gateway.Tensor) (tensor.Tensor, error) {
	data, err := t.Numbers()
	if err != nil {
		return tensor.Tensor{}, fmt.Errorf("%w: input %w", tensor.ErrInput, err)
	}
	return tensor.Tensor{Name: t.Name, Shape: narrow(t.Shape), Datatype: t.Datatype, Data: data}, nil
}

// written writes the elements of an output: FP32, or INT64 of indices.
func written(t *tensor.Tensor) gateway.Tensor {
	out := gateway.Tensor{Name: t.Name, Datatype: t.Datatype, Shape: wide(t.Shape)}
	for _, v := range t.Data {
		if t.Datatype == "INT64" {
			out.Data = binary.LittleEndian.AppendUint64(out.Data, uint64(int64(v)))
		} else {
			out.Data = binary.LittleEndian.AppendUint32(out.Data, math.Float32bits(float32(v)))
		}
	}
	return out
}
