package emit

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/onnx"
)

// value is a tensor of the ONNX graph.
type value struct {
	name   string
	double bool // float64, else float32
	shape  []int
}

func (v value) info() onnx.ValueInfo {
	info := onnx.ValueInfo{Name: v.name, Type: float(v.double), HasShape: true}
	for _, d := range v.shape {
		info.Dims = append(info.Dims, onnx.Dim{Value: int64(d), Known: true})
	}
	return info
}

func float(double bool) onnx.DataType {
	if double {
		return onnx.Float64
	}
	return onnx.Float32
}

// op appends a node with one output.
func (e *emitter) op(op string, double bool, shape []int, inputs []string, attrs ...onnx.Attribute) value {
	v := value{fmt.Sprintf("v%d", len(e.model.Nodes)), double, shape}
	e.model.Nodes = append(e.model.Nodes, onnx.Node{Name: "n" + v.name[1:], Op: op, Inputs: inputs, Outputs: []string{v.name}, Attrs: attrs})
	return v
}

func intAttr(name string, v int) onnx.Attribute {
	return onnx.Attribute{Name: name, Type: onnx.AttrInt, Int: int64(v)}
}

func intsAttr(name string, v []int) onnx.Attribute {
	return onnx.Attribute{Name: name, Type: onnx.AttrInts, Ints: int64s(v)}
}

func int64s(v []int) []int64 {
	out := make([]int64, len(v))
	for i, x := range v {
		out[i] = int64(x)
	}
	return out
}

// constant names a constant; equal ones are one.
func (e *emitter) constant(t onnx.Tensor) string {
	hash := e.hash(&t)
	for _, i := range e.constants[hash] {
		if have := &e.model.Initializers[i]; sameConstant(have, &t) {
			return have.Name
		}
	}
	e.constants[hash] = append(e.constants[hash], len(e.model.Initializers))
	t.Name = fmt.Sprintf("c%d", len(e.model.Initializers))
	e.size += t.Len()*t.Type.Size() + 64
	e.model.Initializers = append(e.model.Initializers, t)
	return t.Name
}

func (e *emitter) hash(t *onnx.Tensor) uint64 {
	var h maphash.Hash
	h.SetSeed(e.seed)
	hashNumbers(&h, t.Dims)
	hashNumbers(&h, t.Floats)
	hashNumbers(&h, t.Doubles)
	hashNumbers(&h, t.Ints)
	return h.Sum64()
}

func hashNumbers[T int64 | float32 | float64](h *maphash.Hash, v []T) {
	var raw [1 << 12]byte
	for part := range slices.Chunk(v, len(raw)/8) {
		n, _ := binary.Encode(raw[:], binary.LittleEndian, part) // raw is long enough
		h.Write(raw[:n])
	}
}

func sameConstant(a, b *onnx.Tensor) bool {
	return a.Type == b.Type && slices.Equal(a.Dims, b.Dims) &&
		slices.Equal(a.Floats, b.Floats) && slices.Equal(a.Doubles, b.Doubles) && slices.Equal(a.Ints, b.Ints)
}

// numbers is a constant of floats; at makes the value of each index.
func (e *emitter) numbers(double bool, shape []int, at func(i int) float64) string {
	t := onnx.Tensor{Type: float(double), Dims: int64s(shape)}
	n := graph.Elements(shape)
	if double {
		t.Doubles = make([]float64, n)
		for i := range t.Doubles {
			t.Doubles[i] = at(i)
		}
		return e.constant(t)
	}
	t.Floats = make([]float32, n)
	for i := range t.Floats {
		t.Floats[i] = float32(at(i))
	}
	return e.constant(t)
}

func (e *emitter) scalar(double bool, v float64) string {
	return e.numbers(double, nil, func(int) float64 { return v })
}

func (e *emitter) indices(v ...int) string {
	return e.constant(onnx.Tensor{Type: onnx.Int64, Dims: []int64{int64(len(v))}, Ints: int64s(v)})
}

func (e *emitter) cast(v value, double bool) value {
	if v.double == double {
		return v
	}
	return e.op("Cast", double, v.shape, []string{v.name}, intAttr("to", int(float(double))))
}

// binary emits an operator of v and a constant that broadcasts to it.
func (e *emitter) binary(op string, v value, constant string) value {
	return e.op(op, v.double, v.shape, []string{v.name, constant})
}

func (e *emitter) add(a, b value) value {
	return e.op("Add", a.double, a.shape, []string{a.name, b.name})
}

func (e *emitter) reshape(v value, shape []int) value {
	if slices.Equal(v.shape, shape) {
		return v
	}
	return e.op("Reshape", v.double, shape, []string{v.name, e.indices(shape...)})
}

// transpose makes axis perm[i] of v axis i.
func (e *emitter) transpose(v value, perm []int) value {
	if slices.IsSorted(perm) {
		return v
	}
	shape := make([]int, len(perm))
	for i, p := range perm {
		shape[i] = v.shape[p]
	}
	return e.op("Transpose", v.double, shape, []string{v.name}, intsAttr("perm", perm))
}

// cut is one axis of a Slice: n cells from start on, step apart; step is positive.
type cut struct{ axis, start, step, n int }

func (e *emitter) slice(v value, cuts ...cut) value {
	shape := slices.Clone(v.shape)
	var starts, ends, axes, steps []int
	for _, c := range cuts {
		if c.start == 0 && c.step == 1 && c.n == v.shape[c.axis] {
			continue
		}
		shape[c.axis] = c.n
		starts, ends = append(starts, c.start), append(ends, c.start+(c.n-1)*c.step+1)
		axes, steps = append(axes, c.axis), append(steps, c.step)
	}
	if len(axes) == 0 {
		return v
	}
	return e.op("Slice", v.double, shape, []string{v.name, e.indices(starts...), e.indices(ends...), e.indices(axes...), e.indices(steps...)})
}

// pad puts zeros around every axis.
func (e *emitter) pad(v value, before, after []int) value {
	shape := slices.Clone(v.shape)
	for a := range shape {
		shape[a] += before[a] + after[a]
	}
	if slices.Equal(shape, v.shape) {
		return v
	}
	return e.op("Pad", v.double, shape, []string{v.name, e.indices(append(slices.Clone(before), after...)...)})
}

func (e *emitter) concat(parts []value, axis int) value {
	if len(parts) == 1 {
		return parts[0]
	}
	shape := slices.Clone(parts[0].shape)
	shape[axis] = 0
	names := make([]string, len(parts))
	for i, p := range parts {
		shape[axis] += p.shape[axis]
		names[i] = p.name
	}
	return e.op("Concat", parts[0].double, shape, names, intAttr("axis", axis))
}
