package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// The lists of /v1. They are objects, so that there is room for more.
type (
	// JobList is a page of jobs.
	JobList struct {
		Jobs []Job  `json:"jobs" about:"newest first, without outputs"`
		Next string `json:"next,omitempty" about:"cursor of the next page; missing at the end"`
	}
	// BidList is the bids for a job.
	BidList struct {
		Bids []Bid `json:"bids"`
	}
	// ModelList is the models that can be asked for.
	ModelList struct {
		Models []Model `json:"models"`
	}
	// ChannelList is the payment channels of a node.
	ChannelList struct {
		Channels []Channel `json:"channels"`
	}
	// OperatorList is the operators that a node has heard of.
	OperatorList struct {
		Operators []Operator `json:"operators"`
	}
	// DeviceList is the devices of a node.
	DeviceList struct {
		Devices []Device `json:"devices"`
	}
)

// jobRequest is a Request with bounds on the lengths of its lists.
type jobRequest struct {
	Request
	Inputs  list[jobTensor] `json:"inputs"`
	Outputs list[string]    `json:"outputs"`
}

type jobTensor struct {
	Tensor
	Shape list[int64] `json:"shape"`
}

// decodeJob reads the body of a submission. The tensors have at most max bytes together, as the body
// has. What it does not know it refuses: a highest price that is misspelt would be none.
func decodeJob(raw []byte, max int64) (*Request, *Problem) {
	if deep(raw) {
		return nil, malformed("the JSON nests deeper than %d", maxDepth)
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	var read jobRequest
	if err := d.Decode(&read); err != nil {
		return nil, malformed("the JSON is malformed: %.200v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, malformed("something follows the JSON")
	}
	r := &read.Request
	r.Outputs = read.Outputs
	for i := range read.Inputs {
		t := read.Inputs[i].Tensor
		t.Shape = read.Inputs[i].Shape
		if len(t.Name) > maxText {
			return nil, badTensor("the name of an input is longer than %d bytes", maxText)
		}
		if p := t.check(max); p != nil {
			return nil, p
		}
		max -= int64(len(t.Data))
		r.Inputs = append(r.Inputs, t)
	}
	return r, r.checkTerms()
}

// checkAgainst holds a request against the model that it names.
func (r *Request) checkAgainst(m *Model) *Problem {
	if r.Kind == "" {
		r.Kind = KindInfer
	}
	switch {
	case r.Kind != KindInfer && r.Kind != KindProve:
		return malformed("kind %q is none of infer, prove", short(r.Kind))
	case r.Kind != m.Kind:
		return malformed("%q is for jobs of kind %s, not %s", m.Name, m.Kind, r.Kind)
	case r.Kind == KindInfer && len(r.Witness) > 0:
		return malformed("a witness is for jobs of kind prove")
	case r.Kind == KindInfer:
		if p := r.checkOutputs(m); p != nil {
			return p
		}
		return fits(r.Inputs, m)
	case len(r.Inputs) > 0 || len(r.Outputs) > 0:
		return malformed("a job of kind prove has a witness, no inputs and outputs")
	case len(r.Witness) == 0:
		return malformed("the witness is missing")
	}
	return nil
}

// checkOutputs holds the names of the outputs wanted against those of the model.
func (r *Request) checkOutputs(m *Model) *Problem {
	for i, name := range r.Outputs {
		if slices.Contains(r.Outputs[:i], name) {
			return badTensor("output %q is asked for twice", short(name))
		}
		if !slices.ContainsFunc(m.Outputs, func(o TensorInfo) bool { return o.Name == name }) {
			return badTensor("the model has no output %q", short(name))
		}
	}
	return nil
}

func (g *Gateway) submitJob(w *writer, r *http.Request) error {
	if err := checkKind(r, mediaJSON); err != nil {
		return err
	}
	body, h, p := g.body(w, r)
	if p != nil {
		return p
	}
	defer h.release()
	x, p := decodeJob(body, g.cfg.MaxBody)
	if p != nil {
		return p
	}
	j, err := call(g, r, func(ctx context.Context) (*Job, error) {
		m, err := g.find(ctx, x.Model, x.Version)
		if err != nil {
			return nil, err
		}
		if p := x.checkAgainst(&m); p != nil {
			return nil, p
		}
		x.Model, x.Version = m.exact(), m.Version
		return g.market.Submit(ctx, x)
	})
	if err != nil {
		return err
	}
	h.release()
	w.Header().Set("Location", "/v1/jobs/"+url.PathEscape(j.ID))
	w.Header().Set(headerJob, j.ID)
	return w.json(r, http.StatusCreated, j.brief())
}

// job answers with a job and its outputs, for whose JSON it takes memory.
func (g *Gateway) job(w *writer, r *http.Request) error {
	j, err := call(g, r, func(ctx context.Context) (*Job, error) { return g.market.Job(ctx, r.PathValue("id")) })
	if err != nil {
		return err
	}
	h := &held{from: &g.budget}
	defer h.release()
	for i := range j.Outputs {
		if !h.take(weight * int64(len(j.Outputs[i].Data))) {
			return busy("large answers")
		}
	}
	return w.json(r, http.StatusOK, j.filled())
}

func (g *Gateway) jobs(ctx context.Context, r *http.Request) (JobList, error) {
	f, p := parseFilter(r.URL.Query())
	if p != nil {
		return JobList{}, p
	}
	all, next, err := g.market.Jobs(ctx, f)
	l := JobList{Jobs: make([]Job, 0, len(all)), Next: next}
	for i := range all {
		l.Jobs = append(l.Jobs, all[i].brief())
	}
	return l, err
}

// The pages of lists.
const (
	defaultPage = 100
	maxPage     = 1000
)

func parseFilter(q url.Values) (JobFilter, *Problem) {
	f := JobFilter{Limit: defaultPage, Cursor: q.Get("cursor")}
	var err error
	if s := q.Get("limit"); s != "" {
		if f.Limit, err = strconv.Atoi(s); err != nil || f.Limit < 1 || f.Limit > maxPage {
			return f, malformed("limit: a number from 1 to %d", maxPage)
		}
	}
	if s := q.Get("open"); s != "" {
		if f.Open, err = strconv.ParseBool(s); err != nil {
			return f, malformed("open: true or false")
		}
	}
	if len(f.Cursor) > maxText {
		return f, malformed("the cursor is longer than %d bytes", maxText)
	}
	return f, nil
}

func (g *Gateway) cancel(w *writer, r *http.Request) error {
	_, err := call(g, r, func(ctx context.Context) (none struct{}, _ error) {
		return none, g.market.Cancel(ctx, r.PathValue("id"))
	})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (g *Gateway) proof(w *writer, r *http.Request) error {
	raw, err := call(g, r, func(ctx context.Context) ([]byte, error) { return g.market.Proof(ctx, r.PathValue("id")) })
	if err != nil {
		return err
	}
	return w.bytes(r, raw)
}

func (g *Gateway) explain(ctx context.Context, r *http.Request) (Explanation, error) {
	e, err := g.market.Explain(ctx, r.PathValue("id"))
	if err != nil {
		return Explanation{}, err
	}
	return *e, nil
}

func (g *Gateway) bids(ctx context.Context, r *http.Request) (BidList, error) {
	all, err := g.market.Bids(ctx, r.PathValue("id"))
	return BidList{filled(all)}, err
}

func (g *Gateway) models(ctx context.Context, _ *http.Request) (ModelList, error) {
	all, err := g.market.Models(ctx)
	l := ModelList{make([]Model, 0, len(all))}
	for i := range all {
		l.Models = append(l.Models, all[i].filled())
	}
	return l, err
}

func (g *Gateway) channels(ctx context.Context, _ *http.Request) (ChannelList, error) {
	all, err := g.market.Channels(ctx)
	return ChannelList{filled(all)}, err
}

func (g *Gateway) operators(ctx context.Context, _ *http.Request) (OperatorList, error) {
	all, err := g.market.Operators(ctx)
	return OperatorList{filled(all)}, err
}

func (g *Gateway) devices(ctx context.Context, _ *http.Request) (DeviceList, error) {
	all, err := g.market.Devices(ctx)
	return DeviceList{filled(all)}, err
}

func (g *Gateway) document(w *writer, r *http.Request) error {
	return w.send(r, http.StatusOK, mediaJSON, int64(len(g.openapi)), func(out io.Writer) error {
		_, err := out.Write(g.openapi)
		return err
	})
}
