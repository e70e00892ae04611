package gateway

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func floats(name string, shape []int64, all ...float32) Tensor {
	t := Tensor{Name: name, Datatype: "FP32", Shape: shape}
	for _, v := range all {
		t.Data = binary.LittleEndian.AppendUint32(t.Data, math.Float32bits(v))
	}
	return t
}

func ints(name string, all ...int32) Tensor {
	t := Tensor{Name: name, Datatype: "INT32", Shape: []int64{int64(len(all))}}
	for _, v := range all {
		t.Data = binary.LittleEndian.AppendUint32(t.Data, uint32(v))
	}
	return t
}

// TestElementsAreThoseOfEncodingJSON holds both directions against the standard library.
func TestElementsAreThoseOfEncodingJSON(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, d := range datatypes() {
		if d.write == nil {
			continue
		}
		x := Tensor{Name: "x", Datatype: d.name, Shape: []int64{100}}
		values := make([]any, 100)
		for i := range values {
			var element []byte
			element, values[i] = draw(rnd, d)
			x.Data = append(x.Data, element...)
		}
		got, err := x.write(nil, d, func(b []byte) ([]byte, error) { return b, nil })
		if err != nil {
			t.Fatal(d.name, err)
		}
		want, err := json.Marshal(values)
		if err != nil {
			t.Fatal(err)
		}
		if !sameNumbers(t, got, want) {
			t.Errorf("%s: %s\nwant %s", d.name, got, want)
		}
		y := Tensor{Name: "x", Datatype: d.name, Shape: []int64{100}}
		if p := y.fill(got, 1<<20); p != nil || string(y.Data) != string(x.Data) {
			t.Errorf("%s does not come back: %v", d.name, p)
		}
	}
}

// draw returns an element and the same as a Go value.
func draw(rnd *rand.Rand, d datatype) ([]byte, any) {
	v := rnd.Uint64() >> rnd.IntN(64)
	element := appendBits(nil, v, d.size)
	v = bits(element)
	switch d.name {
	case "BOOL":
		return []byte{byte(v & 1)}, v&1 == 1
	case "FP32":
		f := float32(rnd.NormFloat64() * math.Pow(10, float64(rnd.IntN(60)-30)))
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(f)), f
	case "FP64":
		f := rnd.NormFloat64() * math.Pow(10, float64(rnd.IntN(400)-200))
		return binary.LittleEndian.AppendUint64(nil, math.Float64bits(f)), f
	case "INT8":
		return element, int8(v)
	case "INT16":
		return element, int16(v)
	case "INT32":
		return element, int32(v)
	case "INT64":
		return element, int64(v)
	}
	return element, v
}

// sameNumbers compares arrays of JSON, where 1e21 may also be written as 1e+21.
func sameNumbers(t *testing.T, a, b []byte) bool {
	t.Helper()
	clean := strings.NewReplacer("e+", "e", "e-0", "e-", "e0", "e")
	return clean.Replace(string(a)) == clean.Replace(string(b))
}

func TestTensorsAreHeldAgainstTheirShape(t *testing.T) {
	for _, x := range []struct {
		name, datatype, data string
		shape                []int64
		reason               string // empty: it is taken
	}{
		{"flat", "INT8", "[1,2,3,4]", []int64{2, 2}, ""},
		{"nested", "INT8", " [[1,2],[3,4]]", []int64{2, 2}, ReasonTensor}, // RawMessage has no spaces before
		{"nested well", "INT8", "[[1,2],\n[ 3 , 4]]", []int64{2, 2}, ""},
		{"scalar", "FP32", "[1.5]", nil, ""},
		{"empty", "FP32", "[]", []int64{0}, ""},
		{"empty dimension", "FP32", "[[],[]]", []int64{2, 0}, ""},
		{"exponent", "FP64", "[1e3]", []int64{1}, ""},
		{"too few", "INT8", "[1,2,3]", []int64{2, 2}, ReasonTensor},
		{"too many", "INT8", "[1,2,3,4,5]", []int64{2, 2}, ReasonTensor},
		{"no array", "INT8", "1", []int64{1}, ReasonTensor},
		{"missing", "INT8", "", []int64{1}, ReasonTensor},
		{"null", "INT8", "[null]", []int64{1}, ReasonTensor},
		{"text", "INT8", `["1"]`, []int64{1}, ReasonTensor},
		{"text with commas", "INT8", `["1,2"]`, []int64{1}, ReasonTensor},
		{"object", "INT8", `[{"a":1}]`, []int64{1}, ReasonTensor},
		{"above", "INT8", "[128]", []int64{1}, ReasonTensor},
		{"below", "UINT8", "[-1]", []int64{1}, ReasonTensor},
		{"fraction", "INT32", "[1.5]", []int64{1}, ReasonTensor},
		{"infinite", "FP32", "[1e39]", []int64{1}, ReasonTensor},
		{"number for BOOL", "BOOL", "[1]", []int64{1}, ReasonTensor},
		{"FP16", "FP16", "[1]", []int64{1}, ReasonTensor},
		{"BYTES", "BYTES", `["a"]`, []int64{1}, ReasonTensor},
		{"negative", "INT8", "[1]", []int64{-1}, ReasonTensor},
		{"overflow", "INT8", "[1]", []int64{1 << 32, 1 << 32, 1 << 32}, ReasonTooLarge},
		{"huge", "INT8", "[1]", []int64{1 << 40}, ReasonTooLarge},
		{"large", "INT8", "[1]", []int64{1 << 19}, ReasonTensor},
		{"rank", "INT8", "[1]", make([]int64, maxRank+1), ReasonTensor},
	} {
		y := Tensor{Name: "x", Datatype: x.datatype, Shape: x.shape}
		reason := ""
		if p := y.fill([]byte(x.data), 1<<20); p != nil {
			reason = p.Reason
		}
		if reason != x.reason {
			t.Errorf("%s: %q, want %q", x.name, reason, x.reason)
		}
	}
}

func TestLargeShapeAllocatesNothing(t *testing.T) {
	n := testing.AllocsPerRun(10, func() {
		y := Tensor{Name: "x", Datatype: "INT8", Shape: []int64{1 << 20}}
		if y.fill([]byte("[1]"), 1<<30) == nil || cap(y.Data) > 0 {
			t.Error("it is taken")
		}
	})
	if n > 100 {
		t.Errorf("%v allocations", n)
	}
}

func TestNumbersWithoutFormInJSONAreNotWritten(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		x := floats("x", []int64{1}, float32(v))
		d, _ := findDatatype("FP32")
		if _, err := x.write(nil, d, nil); err == nil {
			t.Errorf("%v is written", v)
		}
	}
}
