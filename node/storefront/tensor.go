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

// outputsOf turns an output attachment into the tensors that a client wants; all without names.
func (m *model) outputsOf(raw []byte, names []string) ([]gateway.Tensor, error) {
	cells, err := proofs.DecodeOutput(raw)
	if err != nil {
		return nil, err
	}
	if len(cells) != len(m.graph.Outputs) {
		return nil, fmt.Errorf("%d outputs, the model has %d", len(cells), len(m.graph.Outputs))
	}
	var out []gateway.Tensor
	for i := range m.graph.Outputs {
		if o := &m.graph.Outputs[i]; len(names) == 0 || contains(names, o.Name) {
			t, err := tensor.Dequantize(o, cells[i])
			if err != nil {
				return nil, err
			}
			out = append(out, written(&t))
		}
	}
	return out, nil
}

func contains(all []string, s string) bool {
	for _, x := range all {
		if x == s {
			return true
		}
	}
	return false
}

// number reads one little-endian element of a datatype.
type number struct {
	size int
	read func(b []byte) float64
}

func numberOf(datatype string) (number, bool) {
	le := binary.LittleEndian
	n, ok := map[string]number{
		"BOOL":   {1, func(b []byte) float64 { return float64(b[0]) }},
		"UINT8":  {1, func(b []byte) float64 { return float64(b[0]) }},
		"UINT16": {2, func(b []byte) float64 { return float64(le.Uint16(b)) }},
		"UINT32": {4, func(b []byte) float64 { return float64(le.Uint32(b)) }},
		"UINT64": {8, func(b []byte) float64 { return float64(le.Uint64(b)) }},
		"INT8":   {1, func(b []byte) float64 { return float64(int8(b[0])) }},
		"INT16":  {2, func(b []byte) float64 { return float64(int16(le.Uint16(b))) }},
		"INT32":  {4, func(b []byte) float64 { return float64(int32(le.Uint32(b))) }},
		"INT64":  {8, func(b []byte) float64 { return float64(int64(le.Uint64(b))) }},
		"FP16":   {2, func(b []byte) float64 { return half(le.Uint16(b)) }},
		"BF16":   {2, func(b []byte) float64 { return float64(math.Float32frombits(uint32(le.Uint16(b)) << 16)) }},
		"FP32":   {4, func(b []byte) float64 { return float64(math.Float32frombits(le.Uint32(b))) }},
		"FP64":   {8, func(b []byte) float64 { return math.Float64frombits(le.Uint64(b)) }},
	}[datatype]
	return n, ok
}

// half is the value of an IEEE 754 binary16.
func half(b uint16) float64 {
	exponent, fraction := int(b>>10&31), float64(b&1023)
	var v float64
	switch exponent {
	case 0:
		v = math.Ldexp(fraction, -24)
	case 31:
		v = math.Inf(1)
		if fraction != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(1024+fraction, exponent-25)
	}
	if b>>15 == 1 {
		return -v
	}
	return v
}

// numbers reads the elements of a tensor.
func numbers(t *gateway.Tensor) (tensor.Tensor, error) {
	n, ok := numberOf(t.Datatype)
	if !ok || len(t.Data)%n.size != 0 {
		return tensor.Tensor{}, fmt.Errorf("%w: input %q: %d bytes of %s", tensor.ErrInput, t.Name, len(t.Data), t.Datatype)
	}
	out := tensor.Tensor{Name: t.Name, Shape: narrow(t.Shape), Datatype: t.Datatype, Data: make([]float64, len(t.Data)/n.size)}
	for i := range out.Data {
		out.Data[i] = n.read(t.Data[i*n.size:])
	}
	return out, nil
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
