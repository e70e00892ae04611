package storefront

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/tensor"
)

// plain is a model with one input of cells from -200 to 200, each a half.
func plain(shape ...int) *model {
	return &model{graph: &graph.Graph{Nodes: []graph.Node{{Op: &graph.Input{Name: "x", Shape: shape, Lo: -200, Hi: 200, Scale: 0.5}}}}}
}

// TestInputsOfEveryDatatype: the same numbers become the same cells, however they are written.
func TestInputsOfEveryDatatype(t *testing.T) {
	le := binary.LittleEndian
	bits := func(size int, all ...uint64) (b []byte) {
		for _, v := range all {
			b = append(b, le.AppendUint64(nil, v)[:size]...)
		}
		return b
	}
	neg := func(n int64) uint64 { return uint64(n) }
	f32 := func(f float32) uint64 { return uint64(math.Float32bits(f)) }
	for datatype, c := range map[string]struct {
		data  []byte
		cells []int32
	}{
		"BOOL":   {bits(1, 1, 0), []int32{2, 0}},
		"UINT8":  {bits(1, 3, 100), []int32{6, 200}},
		"UINT16": {bits(2, 3, 100), []int32{6, 200}},
		"UINT32": {bits(4, 3, 100), []int32{6, 200}},
		"UINT64": {bits(8, 3, 100), []int32{6, 200}},
		"INT8":   {bits(1, 3, neg(-100)), []int32{6, -200}},
		"INT16":  {bits(2, 3, neg(-100)), []int32{6, -200}},
		"INT32":  {bits(4, 3, neg(-100)), []int32{6, -200}},
		"INT64":  {bits(8, 3, neg(-100)), []int32{6, -200}},
		"FP16":   {bits(2, 0x3e00, 0xc000), []int32{3, -4}}, // 1.5 and -2
		"BF16":   {bits(2, f32(1.5)>>16, f32(-2)>>16), []int32{3, -4}},
		"FP32":   {bits(4, f32(1.5), f32(-2)), []int32{3, -4}},
		"FP64":   {bits(8, math.Float64bits(1.5), math.Float64bits(-2)), []int32{3, -4}},
	} {
		got, err := plain(1, 2).cellsOf([]gateway.Tensor{{Name: "x", Datatype: datatype, Shape: []int64{1, 2}, Data: c.data}})
		if err != nil {
			t.Errorf("%s: %v", datatype, err)
			continue
		}
		if want := proofs.EncodeInput([][]int32{c.cells}); !slices.Equal(got, want) {
			t.Errorf("%s: %x, want %x", datatype, got, want)
		}
	}
}

func TestInputsThatDoNotFit(t *testing.T) {
	le := binary.LittleEndian
	fp32 := func(f float64) []byte { return le.AppendUint32(nil, math.Float32bits(float32(f))) }
	for name, c := range map[string]struct {
		all  []gateway.Tensor
		want error
	}{
		"none":             {nil, tensor.ErrInput},
		"another name":     {[]gateway.Tensor{{Name: "y", Datatype: "FP32", Shape: []int64{1}, Data: fp32(1)}}, tensor.ErrInput},
		"twice":            {[]gateway.Tensor{{Name: "x", Datatype: "FP32", Shape: []int64{1}, Data: fp32(1)}, {Name: "x", Datatype: "FP32", Shape: []int64{1}, Data: fp32(1)}}, tensor.ErrInput},
		"another shape":    {[]gateway.Tensor{{Name: "x", Datatype: "FP32", Shape: []int64{1, 1}, Data: fp32(1)}}, tensor.ErrInput},
		"another length":   {[]gateway.Tensor{{Name: "x", Datatype: "FP32", Shape: []int64{1}, Data: append(fp32(1), fp32(1)...)}}, tensor.ErrInput},
		"half an element":  {[]gateway.Tensor{{Name: "x", Datatype: "FP32", Shape: []int64{1}, Data: fp32(1)[:3]}}, tensor.ErrInput},
		"no numbers":       {[]gateway.Tensor{{Name: "x", Datatype: "BYTES", Shape: []int64{1}, Data: fp32(1)}}, tensor.ErrInput},
		"out of range":     {[]gateway.Tensor{{Name: "x", Datatype: "FP32", Shape: []int64{1}, Data: fp32(100.3)}}, tensor.ErrRange},
		"infinite":         {[]gateway.Tensor{{Name: "x", Datatype: "FP32", Shape: []int64{1}, Data: fp32(math.Inf(1))}}, tensor.ErrInput},
		"not a number":     {[]gateway.Tensor{{Name: "x", Datatype: "FP32", Shape: []int64{1}, Data: fp32(math.NaN())}}, tensor.ErrInput},
		"half of infinity": {[]gateway.Tensor{{Name: "x", Datatype: "FP16", Shape: []int64{1}, Data: []byte{0, 0x7c}}}, tensor.ErrInput},
	} {
		if got, err := plain(1).cellsOf(c.all); !errors.Is(err, c.want) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
}

// TestOutputsWithTheirTails: what the client computes of a proven output, and how it is described.
func TestOutputsWithTheirTails(t *testing.T) {
	m := &model{graph: &graph.Graph{Outputs: []graph.Output{
		{Name: "plain", Shape: []int{1, 3}, Scale: 0.5},
		{Name: "softmax", Shape: []int{1, 3}, Scale: 1, Tail: graph.TailSoftmax, Axis: 1},
		{Name: "argmax", Shape: []int{2, 3}, Scale: 1, Tail: graph.TailArgMax, Axis: 1},
		{Name: "kept", Shape: []int{2, 3}, Scale: 1, Tail: graph.TailArgMax, Axis: 0, KeepDims: true},
	}}}
	raw := proofs.EncodeOutput([][]int64{{1, -2, 3}, {0, 0, 0}, {1, 5, 2, 9, 0, 9}, {1, 5, 2, 9, 0, 9}})
	all, err := m.outputsOf(raw)
	if err != nil {
		t.Fatal(err)
	}
	const third = float64(float32(1.0 / 3))
	for i, want := range []struct {
		datatype string
		shape    []int64
		data     []float64
	}{
		{"FP32", []int64{1, 3}, []float64{0.5, -1, 1.5}},
		{"FP32", []int64{1, 3}, []float64{third, third, third}},
		{"INT64", []int64{2}, []float64{1, 0}},
		{"INT64", []int64{1, 3}, []float64{1, 0, 1}},
	} {
		got := all[i]
		data, err := got.Numbers()
		if err != nil || got.Datatype != want.datatype || !slices.Equal(got.Shape, want.shape) || !slices.Equal(data, want.data) {
			t.Errorf("%s: %s %v %v, %v", got.Name, got.Datatype, got.Shape, data, err)
		}
		if info := outputInfo(&m.graph.Outputs[i]); info.Datatype != want.datatype || !slices.Equal(info.Shape, want.shape) || info.Name != got.Name {
			t.Errorf("%s is described as %+v", got.Name, info)
		}
	}
	for name, bad := range map[string][]byte{
		"empty": nil, "too few": proofs.EncodeOutput([][]int64{{1, 2, 3}}), "another shape": proofs.EncodeOutput([][]int64{{1}, {0, 0, 0}, {1, 5, 2, 9, 0, 9}, {1, 5, 2, 9, 0, 9}}),
		"more": append(slices.Clone(raw), 0),
	} {
		if got, err := m.outputsOf(bad); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
