package gateway

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Encoding is how tensors travel in an inference.
type Encoding int

const (
	// Binary is the binary tensor extension: all datatypes, exact.
	Binary Encoding = iota
	// JSON is for datatypes that it can write, and for eyes.
	JSON
)

// Inference is the answer to an inference request.
type Inference struct {
	ID           string
	ModelName    string
	ModelVersion string
	Parameters   InferParameters
	Outputs      []Tensor
}

// inferAnswer is the inference response object of the protocol.
type inferAnswer struct {
	ModelName    string             `json:"model_name"`
	ModelVersion string             `json:"model_version,omitempty"`
	ID           string             `json:"id,omitempty"`
	Parameters   InferParameters    `json:"parameters"`
	Outputs      list[answerTensor] `json:"outputs"`
}

type answerTensor struct {
	Name       string          `json:"name"`
	Datatype   string          `json:"datatype"`
	Shape      list[int64]     `json:"shape"`
	Parameters *answerBinary   `json:"parameters,omitempty" about:"there if the data follows as binary data"`
	Data       json.RawMessage `json:"data,omitempty" about:"flat array"`
}

// encodeInference writes the body of an inference request, and the length of its JSON if binary data
// follows.
func encodeInference(r *Request, e Encoding) (body []byte, head int, err error) {
	x := inferRequest{Parameters: parameters{}, Inputs: list[inferInput]{}}
	put := func(name, value string) {
		if value != "" {
			x.Parameters[name], _ = json.Marshal(value) // a string
		}
	}
	put("verification", r.Verification)
	put("max_price", r.MaxPrice)
	if r.DeadlineMS != 0 {
		x.Parameters["deadline_ms"] = strconv.AppendInt(nil, r.DeadlineMS, 10)
	}
	if e == Binary {
		x.Parameters["binary_data_output"] = json.RawMessage("true")
	}
	for _, name := range r.Outputs {
		x.Outputs = append(x.Outputs, inferOutput{Name: name})
	}
	var rest []byte
	for i := range r.Inputs {
		in, data, err := encodeInput(&r.Inputs[i], e)
		if err != nil {
			return nil, 0, err
		}
		x.Inputs, rest = append(x.Inputs, in), append(rest, data...)
	}
	if body, err = json.Marshal(x); e == JSON || err != nil {
		return body, 0, err
	}
	return append(body, rest...), len(body), nil
}

func encodeInput(t *Tensor, e Encoding) (in inferInput, rest []byte, _ error) {
	in = inferInput{Name: t.Name, Datatype: t.Datatype, Shape: filled(t.Shape)}
	if e == Binary {
		in.Parameters = parameters{"binary_data_size": strconv.AppendInt(nil, int64(len(t.Data)), 10)}
		return in, t.Data, nil
	}
	d, p := findDatatype(t.Datatype)
	if p == nil {
		p = t.check(int64(len(t.Data)))
	}
	switch {
	case p != nil:
		return in, nil, p
	case d.write == nil:
		return in, nil, badTensor("tensor %q: %s has no form in JSON", t.Name, t.Datatype)
	}
	var err error
	in.Data, err = t.write(nil, d, func(b []byte) ([]byte, error) { return b, nil })
	return in, nil, err
}

// decodeAnswer reads the body of an inference response. length is the header
// Inference-Header-Content-Length; empty if the body is JSON alone.
func decodeAnswer(body []byte, length string) (*Inference, error) {
	head := len(body)
	if length != "" {
		n, err := strconv.Atoi(length)
		if err != nil || n < 0 || n > head {
			return nil, fmt.Errorf("%w: %s %q, the body has %d bytes", ErrAnswer, headerLength, short(length), len(body))
		}
		head = n
	}
	var a inferAnswer
	if p := unmarshal(body[:head], &a); p != nil {
		return nil, fmt.Errorf("%w: %v", ErrAnswer, p)
	}
	x := &Inference{ID: a.ID, ModelName: a.ModelName, ModelVersion: a.ModelVersion, Parameters: a.Parameters}
	rest := body[head:]
	for i := range a.Outputs {
		o := &a.Outputs[i]
		t := Tensor{Name: o.Name, Datatype: o.Datatype, Shape: filled(o.Shape)}
		var p *Problem
		if o.Parameters != nil {
			n := o.Parameters.BinaryDataSize
			if n < 0 || n > int64(len(rest)) {
				return nil, fmt.Errorf("%w: output %q has %d bytes, the body %d", ErrAnswer, short(o.Name), n, len(rest))
			}
			t.Data, rest = rest[:n:n], rest[n:]
			p = t.check(n)
		} else {
			p = t.fill(o.Data, maxAnswer)
		}
		if p != nil {
			return nil, fmt.Errorf("%w: %v", ErrAnswer, p)
		}
		x.Outputs = append(x.Outputs, t)
	}
	if len(rest) > 0 {
		return nil, fmt.Errorf("%w: %d bytes belong to no output", ErrAnswer, len(rest))
	}
	return x, nil
}
