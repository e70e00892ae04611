package tensor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/weisyn/wes/prover/graph"
)

// maxTensors bounds the tensors of one file.
const maxTensors = 1 << 10

// ParseJSON reads inputs in one of two forms: the body of an Open Inference Protocol v2
// request, {"inputs": [{"name", "shape", "datatype", "data"}]} with flat or nested data, or
// an object of nested arrays by input name. A v2 response with "outputs" is read alike.
func ParseJSON(data []byte) ([]Tensor, error) {
	fields, order, err := object(data)
	if err != nil {
		return nil, err
	}
	for _, key := range []string{"inputs", "outputs"} {
		if raw, ok := fields[key]; ok && isList(raw) && len(raw) > 1 && bytes.HasPrefix(bytes.TrimSpace(raw[1:]), []byte("{")) {
			return protocol(key, raw)
		}
	}
	var tensors []Tensor
	for _, name := range order {
		t := Tensor{Name: name, Datatype: "FP32"}
		if t.Data, t.Shape, err = numbers(fields[name]); err != nil {
			return nil, fmt.Errorf("%w: tensor %q: %v", ErrFormat, name, err)
		}
		if err := t.check(); err != nil {
			return nil, fmt.Errorf("%w: %v", ErrFormat, err)
		}
		tensors = append(tensors, t)
	}
	if len(tensors) == 0 {
		return nil, fmt.Errorf(`%w: no tensors; want {"inputs": [{"name", "shape", "datatype", "data"}]} or {"name": nested arrays}`, ErrFormat)
	}
	return tensors, nil
}

// object splits a JSON object into its fields, refusing repeated ones and whatever
// follows it.
func object(data []byte) (fields map[string]json.RawMessage, order []string, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, nil, fmt.Errorf("%w: not a JSON object", ErrFormat)
	}
	fields = map[string]json.RawMessage{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %v", ErrFormat, err)
		}
		name := key.(string)
		if _, twice := fields[name]; twice || len(order) == maxTensors {
			return nil, nil, fmt.Errorf("%w: field %q occurs twice, or there are more than %d", ErrFormat, name, maxTensors)
		}
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return nil, nil, fmt.Errorf("%w: field %q: %v", ErrFormat, name, err)
		}
		fields[name] = raw
		order = append(order, name)
	}
	if _, err := d.Token(); err != nil {
		return nil, nil, fmt.Errorf("%w: %v", ErrFormat, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, nil, fmt.Errorf("%w: bytes after the object", ErrFormat)
	}
	return fields, order, nil
}

func isList(raw json.RawMessage) bool { return len(raw) > 0 && raw[0] == '[' }

func protocol(key string, raw json.RawMessage) ([]Tensor, error) {
	var list []struct {
		Name     string          `json:"name"`
		Shape    []int           `json:"shape"`
		Datatype string          `json:"datatype"`
		Data     json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("%w: %q: %v", ErrFormat, key, err)
	}
	if len(list) > maxTensors {
		return nil, fmt.Errorf("%w: %d tensors exceed %d", ErrFormat, len(list), maxTensors)
	}
	tensors := make([]Tensor, len(list))
	for i, e := range list {
		data, nested, err := numbers(e.Data)
		if err != nil {
			return nil, fmt.Errorf("%w: tensor %q: %v", ErrFormat, e.Name, err)
		}
		if len(nested) > 1 && !slices.Equal(nested, e.Shape) {
			return nil, fmt.Errorf("%w: tensor %q states shape %v, its data is nested as %v", ErrFormat, e.Name, e.Shape, nested)
		}
		if !slices.Contains(datatypes(), e.Datatype) {
			return nil, fmt.Errorf("%w: tensor %q has datatype %q, want one of %v", ErrFormat, e.Name, e.Datatype, datatypes())
		}
		tensors[i] = Tensor{Name: e.Name, Shape: e.Shape, Datatype: e.Datatype, Data: data}
		if err := tensors[i].check(); err != nil {
			return nil, fmt.Errorf("%w: %v", ErrFormat, err)
		}
	}
	return tensors, nil
}

// datatypes lists the numeric types of the Open Inference Protocol.
func datatypes() []string {
	return []string{"FP32", "FP64", "FP16", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"}
}

// numbers reads nested arrays of numbers and their shape; ragged nesting is refused. A
// lone number has no dimensions.
func numbers(raw json.RawMessage) (data []float64, shape []int, err error) {
	p := &nesting{in: raw}
	if err := p.value(0); err != nil {
		return nil, nil, err
	}
	return p.data, p.shape, nil
}

// nesting walks JSON that was found valid. shape holds the lengths of the first list of
// each depth, 0 while that list is open.
type nesting struct {
	in    []byte
	at    int
	data  []float64
	shape []int
	leaf  int // depth of numbers, plus one; 0 while unknown
}

func (p *nesting) value(depth int) error {
	p.space()
	if p.at == len(p.in) {
		return fmt.Errorf("no data")
	}
	if p.in[p.at] != '[' {
		return p.number(depth)
	}
	if depth == graph.MaxRank || p.leaf > 0 && depth >= p.leaf-1 {
		return fmt.Errorf("list at depth %d", depth)
	}
	first := len(p.shape) == depth
	if first {
		p.shape = append(p.shape, 0)
	}
	n, err := p.list(depth)
	if err != nil {
		return err
	}
	if first {
		p.shape[depth] = n
	}
	if n != p.shape[depth] {
		return fmt.Errorf("ragged lists of %d and %d entries at depth %d", p.shape[depth], n, depth)
	}
	return nil
}

// list reads the entries of a list up to its end.
func (p *nesting) list(depth int) (n int, err error) {
	p.at++
	for {
		p.space()
		if p.at == len(p.in) {
			return n, fmt.Errorf("list without end")
		}
		switch p.in[p.at] {
		case ']':
			p.at++
			return n, nil
		case ',':
			p.at++
		}
		p.space()
		if p.at < len(p.in) && p.in[p.at] == ']' {
			continue
		}
		if err := p.value(depth + 1); err != nil {
			return n, err
		}
		n++
	}
}

func (p *nesting) space() {
	for p.at < len(p.in) && (p.in[p.at] == ' ' || p.in[p.at] == '\n' || p.in[p.at] == '\t' || p.in[p.at] == '\r') {
		p.at++
	}
}

func (p *nesting) number(depth int) error {
	start := p.at
	for p.at < len(p.in) && !bytes.ContainsRune([]byte(",] \n\t\r"), rune(p.in[p.at])) {
		p.at++
	}
	text := string(p.in[start:p.at])
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Errorf("value %.20q is not a finite number", text)
	}
	if p.leaf == 0 {
		p.leaf = depth + 1
	}
	if p.leaf != depth+1 {
		return fmt.Errorf("number at depth %d, others at %d", depth, p.leaf-1)
	}
	p.data = append(p.data, v)
	return nil
}

// response is the layout of a v2 response.
type response struct {
	Model   string        `json:"model_name,omitempty"`
	Outputs []outputField `json:"outputs"`
}

type outputField struct {
	Name     string    `json:"name"`
	Shape    []int     `json:"shape"`
	Datatype string    `json:"datatype"`
	Data     []float64 `json:"data"`
}

// FormatJSON writes outputs as the body of an Open Inference Protocol v2 response.
func FormatJSON(model string, outputs []Tensor) ([]byte, error) {
	r := response{Model: model, Outputs: make([]outputField, len(outputs))}
	for i, t := range outputs {
		r.Outputs[i] = outputField{Name: t.Name, Shape: append([]int{}, t.Shape...), Datatype: t.Datatype, Data: t.Data}
	}
	return json.Marshal(r)
}
