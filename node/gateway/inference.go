package gateway

import (
	"encoding/json"
	"slices"
	"strconv"
)

// inference is an inference request, decoded.
type inference struct {
	request Request
	id      string
	binary  func(output string) bool // whether an output is wanted as binary data
}

// inferRequest is the inference request object of the protocol.
type inferRequest struct {
	ID         string            `json:"id,omitempty"`
	Parameters parameters        `json:"parameters,omitempty" about:"verification, max_price, deadline_ms, binary_data_output"`
	Inputs     list[inferInput]  `json:"inputs"`
	Outputs    list[inferOutput] `json:"outputs,omitempty"`
}

type inferInput struct {
	Name       string          `json:"name"`
	Shape      list[int64]     `json:"shape"`
	Datatype   string          `json:"datatype"`
	Parameters parameters      `json:"parameters,omitempty" about:"binary_data_size"`
	Data       json.RawMessage `json:"data,omitempty" about:"an array, nested or flat; missing if it follows as binary data"`
}

type inferOutput struct {
	Name       string     `json:"name"`
	Parameters parameters `json:"parameters,omitempty" about:"binary_data"`
}

// decodeInference reads the body of an inference request. length is the header
// Inference-Header-Content-Length; empty if the body is JSON alone. The tensors have at most max bytes
// together, and may share memory with the body.
func decodeInference(body []byte, length string, m *Model, max int64) (*inference, *Problem) {
	head := int64(len(body))
	if length != "" {
		n, err := strconv.ParseUint(length, 10, 63)
		if err != nil || int64(n) > head {
			return nil, malformed("%s %q is no length of a part of the body, which has %d bytes", headerLength, short(length), len(body))
		}
		if head = int64(n); head == 0 {
			return decodeRaw(body, m, max)
		}
	}
	var r inferRequest
	if p := unmarshal(body[:head], &r); p != nil {
		return nil, p
	}
	if len(r.ID) > maxText {
		return nil, malformed("the id is longer than %d bytes", maxText)
	}
	x := &inference{id: r.ID, request: Request{Kind: KindInfer, Model: m.exact(), Version: m.Version}}
	if p := x.terms(r.Parameters); p != nil {
		return nil, p
	}
	if p := x.inputs(r.Inputs, body[head:], max); p != nil {
		return nil, p
	}
	if p := x.outputs(&r, m); p != nil {
		return nil, p
	}
	return x, fits(x.request.Inputs, m)
}

// terms reads the parameters of the market. Others are those of other servers, and mean nothing here.
func (x *inference) terms(p parameters) (bad *Problem) {
	r := &x.request
	if r.Verification, bad = p.text("verification"); bad != nil {
		return bad
	}
	if r.MaxPrice, bad = p.text("max_price"); bad != nil {
		return bad
	}
	if r.DeadlineMS, _, bad = p.size("deadline_ms"); bad != nil {
		return bad
	}
	return r.checkTerms()
}

// inputs reads the tensors. Binary ones follow the JSON in the order of the inputs.
func (x *inference) inputs(all []inferInput, rest []byte, max int64) *Problem {
	left := max
	for i := range all {
		in := &all[i]
		t := Tensor{Name: in.Name, Datatype: in.Datatype, Shape: in.Shape}
		size, binary, p := in.Parameters.size("binary_data_size")
		_, shared := in.Parameters["shared_memory_region"]
		switch {
		case p != nil:
			return p
		case len(t.Name) > maxText:
			return badTensor("the name of an input is longer than %d bytes", maxText)
		case shared:
			return problem(400, ReasonUnsupported, "input %q: shared memory is not served", short(t.Name))
		case binary && in.Data != nil:
			return badTensor("input %q has data in JSON and binary data", short(t.Name))
		case binary && size > int64(len(rest)):
			return badTensor("input %q: binary_data_size is %d, the body has %d bytes left", short(t.Name), size, len(rest))
		case binary:
			t.Data, rest = rest[:size:size], rest[size:]
			p = t.check(left)
		default:
			p = t.fill(in.Data, left)
		}
		if p != nil {
			return p
		}
		left -= int64(len(t.Data))
		x.request.Inputs = append(x.request.Inputs, t)
	}
	if len(rest) > 0 {
		return badTensor("%d bytes of binary data belong to no input", len(rest))
	}
	return nil
}

// outputs reads which outputs are wanted, and how.
func (x *inference) outputs(r *inferRequest, m *Model) *Problem {
	all, _, p := r.Parameters.flag("binary_data_output")
	if p != nil {
		return p
	}
	single := map[string]bool{}
	for _, o := range r.Outputs {
		for _, name := range []string{"classification", "shared_memory_region"} {
			if _, found := o.Parameters[name]; found {
				return problem(400, ReasonUnsupported, "output %q: %s is not served", short(o.Name), name)
			}
		}
		binary, given, p := o.Parameters.flag("binary_data")
		if p != nil {
			return p
		}
		single[o.Name] = binary || !given && all
		x.request.Outputs = append(x.request.Outputs, o.Name)
	}
	x.binary = func(output string) bool {
		if binary, found := single[output]; found {
			return binary
		}
		return all
	}
	return x.writable(m)
}

// writable refuses outputs that do not exist, and those that JSON has no way to write: before anybody
// pays for them.
func (x *inference) writable(m *Model) *Problem {
	if p := x.request.checkOutputs(m); p != nil {
		return p
	}
	for _, o := range m.Outputs {
		wanted := len(x.request.Outputs) == 0 || slices.Contains(x.request.Outputs, o.Name)
		d, p := findDatatype(o.Datatype)
		if wanted && p == nil && d.write == nil && !x.binary(o.Name) {
			return badTensor("output %q is %s, which has no form in JSON: ask for binary_data", o.Name, o.Datatype)
		}
	}
	return nil
}

// decodeRaw reads a body that is the data of the only input: a "Raw Binary Request" of the extension.
func decodeRaw(body []byte, m *Model, max int64) (*inference, *Problem) {
	if len(m.Inputs) != 1 {
		return nil, badTensor("a body without JSON is for models with one input; this one has %d", len(m.Inputs))
	}
	in := m.Inputs[0]
	d, p := findDatatype(in.Datatype)
	if p != nil {
		return nil, p
	}
	t := Tensor{Name: in.Name, Datatype: in.Datatype, Shape: slices.Clone(in.Shape), Data: body}
	known, open := int64(d.size), -1
	for i, n := range t.Shape {
		if n >= 0 {
			known *= n
			continue
		}
		if open >= 0 {
			return nil, badTensor("a body without JSON is for models with at most one variable dimension")
		}
		open = i
	}
	if open >= 0 && known > 0 {
		t.Shape[open] = int64(len(body)) / known
	}
	if p := t.check(max); p != nil {
		return nil, p
	}
	return &inference{
		request: Request{Kind: KindInfer, Model: m.exact(), Version: m.Version, Inputs: []Tensor{t}},
		binary:  func(string) bool { return true },
	}, nil
}

// fits holds tensors against the inputs of a model: each once, with its type and shape.
func fits(all []Tensor, m *Model) *Problem {
	for i := range all {
		t := &all[i]
		at := slices.IndexFunc(m.Inputs, func(in TensorInfo) bool { return in.Name == t.Name })
		if at < 0 {
			return badTensor("the model has no input %q", short(t.Name))
		}
		if slices.ContainsFunc(all[:i], func(other Tensor) bool { return other.Name == t.Name }) {
			return badTensor("input %q is there twice", t.Name)
		}
		want := m.Inputs[at]
		if t.Datatype != want.Datatype {
			return badTensor("input %q is %s, the model wants %s", t.Name, t.Datatype, want.Datatype)
		}
		if !slices.EqualFunc(t.Shape, want.Shape, func(got, want int64) bool { return want < 0 || got == want }) {
			return badTensor("input %q has shape %v, the model wants %v", t.Name, t.Shape, want.Shape)
		}
	}
	for _, in := range m.Inputs {
		if !slices.ContainsFunc(all, func(t Tensor) bool { return t.Name == in.Name }) {
			return badTensor("input %q is missing", in.Name)
		}
	}
	return nil
}
