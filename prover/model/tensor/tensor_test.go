package tensor

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/weisyn/wes/prover/graph"
)

func TestParseJSONReadsEveryForm(t *testing.T) {
	cases := map[string]string{
		"flat data":      `{"inputs": [{"name": "x", "shape": [2, 3], "datatype": "FP32", "data": [1, -2, 3.5, 4e0, 0, 6]}]}`,
		"nested data":    `{"id": "7", "inputs": [{"name": "x", "shape": [2,3], "datatype": "INT64", "data": [[1,-2,3.5],[4,0,6]]}], "labels": [0]}`,
		"arrays by name": "{\"x\": [[1, -2, 3.5],\n\t[4, 0, 6]]}",
		"a response":     `{"model_name": "m", "outputs": [{"name": "x", "shape": [2,3], "datatype": "FP64", "data": [1,-2,3.5,4,0,6]}]}`,
	}
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := ParseJSON([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != 1 || got[0].Name != "x" || !slices.Equal(got[0].Shape, []int{2, 3}) || !slices.Equal(got[0].Data, []float64{1, -2, 3.5, 4, 0, 6}) {
				t.Errorf("got %+v", got)
			}
		})
	}
}

func TestParseJSONAcceptsAnInputNamedInputs(t *testing.T) {
	got, err := ParseJSON([]byte(`{"inputs": [[1], [2]]}`))
	if err != nil || got[0].Name != "inputs" || !slices.Equal(got[0].Shape, []int{2, 1}) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestParseJSONRefusesWhatItCannotRead(t *testing.T) {
	for name, text := range map[string]string{
		"not an object":         `[1, 2]`,
		"cut":                   `{"x": [1, 2`,
		"more after the object": `{"x": [1]} {}`,
		"field twice":           `{"x": [1], "x": [2]}`,
		"ragged":                `{"x": [[1, 2], [3]]}`,
		"mixed depth":           `{"x": [1, [2]]}`,
		"list below numbers":    `{"x": [[1], 2]}`,
		"empty":                 `{"x": []}`,
		"empty lists":           `{"x": [[], []]}`,
		"text":                  `{"x": ["1"]}`,
		"null":                  `{"x": [null]}`,
		"true":                  `{"x": [true]}`,
		"overflow":              `{"x": [1e999]}`,
		"NaN":                   `{"x": [NaN]}`,
		"too deep":              `{"x": [[[[[[[[[1]]]]]]]]]}`,
		"no tensors":            `{}`,
		"shape and count":       `{"inputs": [{"name": "x", "shape": [2], "datatype": "FP32", "data": [1]}]}`,
		"shape and nesting":     `{"inputs": [{"name": "x", "shape": [2, 1], "datatype": "FP32", "data": [[1, 2]]}]}`,
		"negative dimension":    `{"inputs": [{"name": "x", "shape": [-1], "datatype": "FP32", "data": [1]}]}`,
		"overflowing shape":     `{"inputs": [{"name": "x", "shape": [4294967296, 4294967296], "datatype": "FP32", "data": []}]}`,
		"datatype":              `{"inputs": [{"name": "x", "shape": [1], "datatype": "BYTES", "data": [1]}]}`,
		"no data":               `{"inputs": [{"name": "x", "shape": [1], "datatype": "FP32"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := ParseJSON([]byte(text)); !errors.Is(err, ErrFormat) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestOutputsReadBackAsWritten(t *testing.T) {
	want := []Tensor{{Name: "y", Shape: []int{1, 2}, Datatype: "FP32", Data: []float64{0.1, -3e-30}}, {Name: "i", Shape: []int{1}, Datatype: "INT64", Data: []float64{7}}}
	data, err := FormatJSON("m", want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseJSON(data)
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, %v", got, err)
	}
	if !strings.Contains(string(data), `"model_name":"m"`) || !json.Valid(data) {
		t.Errorf("%s", data)
	}
}

// npy writes an array as NumPy does.
func npy(version byte, header string, body []byte) []byte {
	var b bytes.Buffer
	b.WriteString(npyMagic)
	b.Write([]byte{version, 0})
	pad := 2
	if version == 2 {
		pad = 4
	}
	for (len(npyMagic)+2+pad+len(header)+1)%64 != 0 {
		header += " "
	}
	header += "\n"
	if version == 2 {
		b.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(header))))
	} else {
		b.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(header))))
	}
	b.WriteString(header)
	b.Write(body)
	return b.Bytes()
}

func TestParseNPYReadsEveryType(t *testing.T) {
	bodies := map[string]any{
		"<f4": []float32{1, -2}, "<f8": []float64{1, -2}, "<i4": []int32{1, -2}, "<i8": []int64{1, -2}, "|i1": []int8{1, -2}, "|u1": []uint8{1, 254},
	}
	for descr, body := range bodies {
		for version := byte(1); version <= 2; version++ {
			var b bytes.Buffer
			if err := binary.Write(&b, binary.LittleEndian, body); err != nil {
				t.Fatal(err)
			}
			got, err := ParseNPY(npy(version, "{'descr': '"+descr+"', 'fortran_order': False, 'shape': (1, 2), }", b.Bytes()))
			want := []float64{1, -2}
			if descr == "|u1" {
				want[1] = 254
			}
			if err != nil || !slices.Equal(got.Shape, []int{1, 2}) || !slices.Equal(got.Data, want) {
				t.Errorf("%s version %d: %+v, %v", descr, version, got, err)
			}
		}
	}
}

func TestParseNPYRefusesWhatItCannotRead(t *testing.T) {
	header := func(descr, order, shape string) string {
		return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }"
	}
	four := make([]byte, 4)
	nan := binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(math.NaN())))
	good := npy(1, header("<f4", "False", "(1,)"), four)
	if _, err := ParseNPY(good); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"empty":         nil,
		"magic":         append([]byte("NUMPY!"), good[6:]...),
		"version":       append(append(slices.Clone(good[:6]), 3), good[7:]...),
		"cut header":    good[:40],
		"cut body":      good[:len(good)-1],
		"longer body":   append(slices.Clone(good), 0),
		"big endian":    npy(1, header(">f4", "False", "(1,)"), four),
		"objects":       npy(1, header("|O", "False", "(1,)"), four),
		"fortran":       npy(1, header("<f4", "True", "(1,)"), four),
		"huge shape":    npy(1, header("<f4", "False", "(999999999999, 999999999999)"), four),
		"endless shape": npy(1, header("<f4", "False", "(99999999999999999999,)"), four),
		"zero":          npy(1, header("<f4", "False", "(0,)"), nil),
		"rank":          npy(1, header("<f4", "False", "(1,1,1,1,1,1,1,1,1)"), four),
		"NaN":           npy(1, header("<f4", "False", "(1,)"), nan),
		"no dictionary": npy(1, "import os", four),
		"header length": append([]byte(npyMagic+"\x02\x00\xff\xff\xff\xff"), four...),
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := ParseNPY(data); !errors.Is(err, ErrFormat) {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func input() *graph.Input {
	return &graph.Input{Name: "x", Shape: []int{2, 2}, Lo: -127, Hi: 127, Scale: 0.5}
}

func TestQuantizeRoundsHalvesUp(t *testing.T) {
	x := Tensor{Shape: []int{2, 2}, Data: []float64{0.25, -0.25, 0.2499, -63.7}}
	got, clamped, err := Quantize(input(), x, false)
	if err != nil || clamped != 0 || !slices.Equal(got, []int32{1, 0, 0, -127}) {
		t.Errorf("%v, %d, %v", got, clamped, err)
	}
}

func TestQuantizeNeverSaturatesUnasked(t *testing.T) {
	x := Tensor{Shape: []int{2, 2}, Data: []float64{0, 0, 70, -1e300}}
	_, _, err := Quantize(input(), x, false)
	var r *RangeError
	if !errors.As(err, &r) || !errors.Is(err, ErrRange) || !slices.Equal(r.Cell, []int{1, 0}) || r.Count != 2 || r.Value != 70 {
		t.Errorf("got %v", err)
	}
	got, clamped, err := Quantize(input(), x, true)
	if err != nil || clamped != 2 || !slices.Equal(got, []int32{0, 0, 127, -127}) {
		t.Errorf("%v, %d, %v", got, clamped, err)
	}
}

func TestQuantizeAllSaysWhatItExpected(t *testing.T) {
	g := &graph.Graph{Nodes: []graph.Node{{Op: input()}, {Op: &graph.Input{Name: "z", Shape: []int{1}, Hi: 1, Scale: 1}}}}
	x := Tensor{Name: "x", Shape: []int{2, 2}, Data: make([]float64, 4)}
	z := Tensor{Name: "z", Shape: []int{1}, Data: []float64{1}}
	other, flat, nan := z, x, z
	other.Name, flat.Shape, nan.Data = "w", []int{4}, []float64{math.NaN()}
	if got, _, err := QuantizeAll(g, []Tensor{z, x}, false); err != nil || len(got[0]) != 4 || got[1][0] != 1 {
		t.Errorf("%v, %v", got, err)
	}
	for name, c := range map[string]struct {
		tensors []Tensor
		want    string
	}{
		"missing": {[]Tensor{x}, `"z" of shape [1]`}, "unknown": {[]Tensor{x, z, other}, `no input "w"`},
		"twice": {[]Tensor{x, x, z}, "twice"}, "shape": {[]Tensor{flat, z}, "want [2 2]"}, "NaN": {[]Tensor{x, nan}, "finite"},
	} {
		if _, _, err := QuantizeAll(g, c.tensors, true); !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDequantizeAppliesTails(t *testing.T) {
	o := &graph.Output{Name: "y", Shape: []int{2, 3}, Scale: 0.5, Axis: 1}
	cells := []int64{1, 5, 5, -2, -9, -2}
	got, err := Dequantize(o, cells)
	if err != nil || !slices.Equal(got.Data, []float64{0.5, 2.5, 2.5, -1, -4.5, -1}) {
		t.Errorf("%v, %v", got, err)
	}
	o.Tail = graph.TailArgMax
	if got, _ = Dequantize(o, cells); !slices.Equal(got.Data, []float64{1, 0}) || !slices.Equal(got.Shape, []int{2}) || got.Datatype != "INT64" {
		t.Errorf("argmax %+v", got)
	}
	o.KeepDims, o.Axis = true, 0
	if got, _ = Dequantize(o, cells); !slices.Equal(got.Data, []float64{0, 0, 0}) || !slices.Equal(got.Shape, []int{1, 3}) {
		t.Errorf("argmax of columns %+v", got)
	}
	o.Tail, o.Axis = graph.TailSoftmax, 1
	got, _ = Dequantize(o, cells)
	if s := got.Data[0] + got.Data[1] + got.Data[2]; math.Abs(s-1) > 1e-12 || got.Data[1] != got.Data[2] || math.Abs(got.Data[1]/got.Data[0]-math.Exp(2)) > 1e-9 {
		t.Errorf("softmax %v", got.Data)
	}
	if _, err := Dequantize(o, cells[1:]); err == nil {
		t.Error("five cells for a shape of six")
	}
}

func TestSoftmaxOfLargeCellsIsFinite(t *testing.T) {
	o := &graph.Output{Shape: []int{2}, Scale: 1, Tail: graph.TailSoftmax}
	got, _ := Dequantize(o, []int64{1 << 40, -1 << 40})
	if got.Data[0] != 1 || got.Data[1] != 0 {
		t.Errorf("%v", got.Data)
	}
}

func FuzzParseJSON(f *testing.F) {
	f.Add([]byte(`{"inputs": [{"name": "x", "shape": [2, 1], "datatype": "FP32", "data": [[1], [-2]]}]}`))
	f.Add([]byte(`{"x": [[1, 2], [3, 4]], "y": 5}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := ParseJSON(data)
		if err != nil {
			return
		}
		for _, x := range got {
			if err := x.check(); err != nil {
				t.Error(err)
			}
		}
	})
}

func FuzzParseNPY(f *testing.F) {
	f.Add(npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", make([]byte, 4)))
	f.Add(npy(2, "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2), }", make([]byte, 4)))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := ParseNPY(data)
		if err == nil && x.check() != nil {
			t.Error(x.check())
		}
	})
}

// TestKeysAreQuantisedAsNumbersOfFloat32: doubles are rounded first, zeros are one number, and what float32
// does not hold is out of range.
func TestKeysAreQuantisedAsNumbersOfFloat32(t *testing.T) {
	in := &graph.Input{Name: "x", Shape: []int{4}, Lo: -graph.MaxKey, Hi: graph.MaxKey, Keys: true, Scale: 1}
	x := Tensor{Shape: []int{4}, Data: []float64{0.1, math.Copysign(0, -1), -math.MaxFloat32, 1e-46}}
	cells, clamped, err := Quantize(in, x, false)
	if err != nil || clamped != 0 || !slices.Equal(cells, []int32{graph.Key(float32(0.1)), 0, -graph.MaxKey, 0}) {
		t.Errorf("%v, %d clamped, %v", cells, clamped, err)
	}
	x.Data[3] = 1e39
	var r *RangeError
	if _, _, err := Quantize(in, x, false); !errors.As(err, &r) || r.Hi != math.MaxFloat32 || r.Cell[0] != 3 {
		t.Errorf("got %v", err)
	}
	if cells, clamped, err := Quantize(in, x, true); err != nil || clamped != 1 || cells[3] != graph.MaxKey {
		t.Errorf("%v, %d clamped, %v", cells, clamped, err)
	}
	x.Data[3] = math.NaN()
	if _, _, err := Quantize(in, x, true); !errors.Is(err, ErrInput) {
		t.Errorf("got %v", err)
	}
}
