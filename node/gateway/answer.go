package gateway

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
)

// InferParameters is what the market tells with the outputs.
type InferParameters struct {
	JobID       string `json:"job_id,omitempty"`
	ProofStatus string `json:"proof_status,omitempty" about:"none, pending, verified or refused"`
	ProofCID    string `json:"proof_cid,omitempty"`
	Price       string `json:"price,omitempty" about:"base units"`
	Operator    string `json:"operator,omitempty"`
	Tx          string `json:"tx,omitempty" about:"that settles the job, or else binds the money for it"`
}

// answerHead is the inference response object without outputs.
type answerHead struct {
	ModelName    string          `json:"model_name"`
	ModelVersion string          `json:"model_version,omitempty"`
	ID           string          `json:"id,omitempty"`
	Parameters   InferParameters `json:"parameters"`
}

// answerOutput is an output of an answer without the data.
type answerOutput struct {
	Name       string        `json:"name"`
	Datatype   string        `json:"datatype"`
	Shape      []int64       `json:"shape"`
	Parameters *answerBinary `json:"parameters,omitempty"`
}

type answerBinary struct {
	BinaryDataSize int64 `json:"binary_data_size"`
}

// answer is the response to an inference request. It is written twice: to learn the length of its JSON,
// and to the client; so it needs no memory of its own.
type answer struct {
	head    answerHead
	outputs []Tensor
	types   []datatype
	binary  []bool
}

// newAnswer joins what was asked and what came of it.
func newAnswer(x *inference, name string, j *Job) (*answer, *Problem) {
	a := &answer{head: answerHead{name, j.Version, x.id, inferParameters(j)}}
	wanted := x.request.Outputs
	if len(wanted) == 0 {
		for i := range j.Outputs {
			wanted = append(wanted, j.Outputs[i].Name)
		}
	}
	for _, name := range wanted {
		at := slices.IndexFunc(j.Outputs, func(t Tensor) bool { return t.Name == name })
		if at < 0 {
			return nil, &Problem{Status: http.StatusBadGateway, Reason: "bad_result", Text: "output " + short(name) + " is missing from the result", Job: j.ID}
		}
		t := j.Outputs[at]
		if p := t.check(math.MaxInt64); p != nil {
			return nil, &Problem{Status: http.StatusBadGateway, Reason: "bad_result", Text: "result: " + p.Text, Job: j.ID}
		}
		d, _ := findDatatype(t.Datatype) // check has found it
		if d.write == nil && !x.binary(name) {
			return nil, notJSON(j.ID, "output "+name+" is "+t.Datatype)
		}
		a.outputs, a.types, a.binary = append(a.outputs, t), append(a.types, d), append(a.binary, x.binary(name))
	}
	return a, nil
}

func notJSON(job, what string) *Problem {
	p := problem(http.StatusNotAcceptable, ReasonNotJSON, "%s, which JSON cannot express: read the outputs from /v1/jobs/%s, and ask for binary_data next time", what, job)
	p.Job = job
	return p
}

func inferParameters(j *Job) InferParameters {
	tx := j.SettleTx
	if tx == "" {
		tx = j.EscrowTx
	}
	return InferParameters{j.ID, j.ProofStatus, j.ProofCID, j.Price, j.Operator, tx}
}

// anyBinary reports whether binary data follows the JSON.
func (a *answer) anyBinary() bool { return slices.Contains(a.binary, true) }

// measure returns the lengths of the JSON and of the whole, in bytes.
func (a *answer) measure() (head, all int64, _ *Problem) {
	var n counter
	err := a.writeJSON(&n)
	var element *elementError
	if errors.As(err, &element) {
		return 0, 0, notJSON(a.head.Parameters.JobID, element.Error())
	}
	if err != nil {
		return 0, 0, asProblem(err)
	}
	all = int64(n)
	for i := range a.outputs {
		if a.binary[i] {
			all += int64(len(a.outputs[i].Data))
		}
	}
	return int64(n), all, nil
}

// write sends the JSON and the binary data.
func (a *answer) write(w io.Writer) error {
	if err := a.writeJSON(w); err != nil {
		return err
	}
	for i := range a.outputs {
		if a.binary[i] {
			if _, err := w.Write(a.outputs[i].Data); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *answer) writeJSON(w io.Writer) error {
	flush := func(b []byte) ([]byte, error) {
		_, err := w.Write(b)
		return b[:0], err
	}
	b, err := appendOpen(nil, a.head)
	if err != nil {
		return err
	}
	b = append(b, `,"outputs":[`...)
	for i := range a.outputs {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = a.appendOutput(b, i, flush); err != nil {
			return err
		}
	}
	_, err = flush(append(b, "]}"...))
	return err
}

func (a *answer) appendOutput(b []byte, i int, flush func([]byte) ([]byte, error)) ([]byte, error) {
	t := &a.outputs[i]
	o := answerOutput{Name: t.Name, Datatype: t.Datatype, Shape: t.Shape}
	if o.Shape == nil {
		o.Shape = []int64{}
	}
	if a.binary[i] {
		o.Parameters = &answerBinary{int64(len(t.Data))}
	}
	b, err := appendOpen(b, o)
	if err != nil {
		return b, err
	}
	if !a.binary[i] {
		if b, err = t.write(append(b, `,"data":`...), a.types[i], flush); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

// appendOpen appends a JSON object without its last brace.
func appendOpen(b []byte, v any) ([]byte, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return b, err
	}
	return append(b, raw[:len(raw)-1]...), nil
}

// counter counts what is written to it.
type counter int64

// Write implements io.Writer.
func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}
