package gateway

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// The bodies of the Open Inference Protocol, as specification/protocol/inference_rest.md names them.
type (
	// Server is server metadata.
	Server struct {
		Name       string   `json:"name"`
		Version    string   `json:"version"`
		Extensions []string `json:"extensions"`
	}
	// Live is the answer of /v2/health/live.
	Live struct {
		Live bool `json:"live"`
	}
	// Ready is the answer of /v2/health/ready.
	Ready struct {
		Ready bool `json:"ready"`
	}
	// ModelReady is the answer of a model's ready.
	ModelReady struct {
		Name  string `json:"name"`
		Ready bool   `json:"ready"`
	}
	// Metadata is model metadata.
	Metadata struct {
		Name     string       `json:"name"`
		Versions []string     `json:"versions,omitempty"`
		Platform string       `json:"platform"`
		Inputs   []TensorInfo `json:"inputs"`
		Outputs  []TensorInfo `json:"outputs"`
	}
	// ModelConfig is the part of Triton's message ModelConfig that its clients look at, in the JSON of
	// Protocol Buffers.
	ModelConfig struct {
		Name         string         `json:"name"`
		Platform     string         `json:"platform"`
		MaxBatchSize int            `json:"max_batch_size" about:"0: shapes are those of the whole tensors"`
		Input        []ConfigTensor `json:"input"`
		Output       []ConfigTensor `json:"output"`
	}
	// ConfigTensor is an input or output of a ModelConfig.
	ConfigTensor struct {
		Name     string  `json:"name"`
		DataType string  `json:"data_type" about:"TYPE_ and the datatype"`
		Dims     []int64 `json:"dims"`
	}
	// Indexed is a model in the repository index.
	Indexed struct {
		Name    string `json:"name"`
		Version string `json:"version,omitempty"`
		State   string `json:"state" about:"READY or UNAVAILABLE"`
		Reason  string `json:"reason"`
	}
	// IndexRequest asks for the repository index.
	IndexRequest struct {
		Ready bool `json:"ready,omitempty" about:"only what is ready"`
	}
)

const platform = "wes"

func (g *Gateway) server(w *writer, r *http.Request) error {
	return w.json(r, http.StatusOK, Server{platform, g.cfg.Version, []string{"binary_tensor_data", "model_configuration", "parameters"}})
}

func (g *Gateway) live(w *writer, r *http.Request) error { return w.json(r, http.StatusOK, Live{true}) }

func (g *Gateway) ready(w *writer, r *http.Request) error {
	if why := g.market.Ready(); len(why) > 0 {
		return problem(http.StatusServiceUnavailable, ReasonNotReady, "not ready: %s", strings.Join(why, "; "))
	}
	return w.json(r, http.StatusOK, Ready{true})
}

// model finds the model of a path, in its version if it names one.
func (g *Gateway) model(ctx context.Context, r *http.Request) (*Model, error) {
	name, version := r.PathValue("model"), r.PathValue("version")
	if len(name) > maxText {
		return nil, ErrUnknownModel(name)
	}
	m, err := g.market.Model(ctx, name)
	if err != nil {
		return nil, err
	}
	if version != "" && version != m.Version {
		return nil, problem(http.StatusNotFound, ReasonModel, "model %q has no version %q", short(name), short(version))
	}
	return m, nil
}

func (g *Gateway) metadata(ctx context.Context, w *writer, r *http.Request) error {
	m, err := g.model(ctx, r)
	if err != nil {
		return err
	}
	x := Metadata{Name: m.Name, Platform: platform, Inputs: filled(m.Inputs), Outputs: filled(m.Outputs)}
	if m.Version != "" {
		x.Versions = []string{m.Version}
	}
	return w.json(r, http.StatusOK, x)
}

// filled returns a list that JSON writes as [] and not as null.
func filled[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

func (g *Gateway) modelReady(ctx context.Context, w *writer, r *http.Request) error {
	m, err := g.model(ctx, r)
	if err != nil {
		return err
	}
	if !m.Ready {
		return problem(http.StatusServiceUnavailable, ReasonNotReady, "model %q is not ready: %s", m.Name, m.Reason)
	}
	return w.json(r, http.StatusOK, ModelReady{m.Name, true})
}

func (g *Gateway) modelConfig(ctx context.Context, w *writer, r *http.Request) error {
	m, err := g.model(ctx, r)
	if err != nil {
		return err
	}
	return w.json(r, http.StatusOK, ModelConfig{Name: m.Name, Platform: platform, Input: configTensors(m.Inputs), Output: configTensors(m.Outputs)})
}

func configTensors(all []TensorInfo) []ConfigTensor {
	list := []ConfigTensor{}
	for _, t := range all {
		list = append(list, ConfigTensor{t.Name, "TYPE_" + t.Datatype, filled(t.Shape)})
	}
	return list
}

func (g *Gateway) index(ctx context.Context, w *writer, r *http.Request) error {
	raw, h, p := g.body(w, r)
	if p != nil {
		return p
	}
	defer h.release()
	var q IndexRequest
	if len(raw) > 0 {
		if p := unmarshal(raw, &q); p != nil {
			return p
		}
	}
	all, err := g.market.Models(ctx)
	if err != nil {
		return err
	}
	list := []Indexed{}
	for _, m := range all {
		x := Indexed{m.Name, m.Version, "READY", ""}
		if !m.Ready {
			x.State, x.Reason = "UNAVAILABLE", m.Reason
		}
		if m.Ready || !q.Ready {
			list = append(list, x)
		}
	}
	return w.json(r, http.StatusOK, list)
}

// infer serves an inference request.
func (g *Gateway) infer(w *writer, r *http.Request) error {
	name := r.PathValue("model")
	x, j, err := g.start(w, r)
	if err != nil {
		return err
	}
	leave, p := g.slot(laneInference)
	if p != nil {
		p.Job = j.ID
		return p
	}
	defer leave()
	ctx, end := g.within(r.Context(), g.patience(x))
	defer end()
	if j, err = g.outputs(ctx, x, j); err != nil {
		return err
	}
	a, p := newAnswer(x, name, j)
	if p != nil {
		return p
	}
	return a.send(w, r)
}

// start reads the request and submits the job.
func (g *Gateway) start(w *writer, r *http.Request) (*inference, *Job, error) {
	if err := checkKind(r, "application/json", "application/octet-stream", "application/x-www-form-urlencoded"); err != nil {
		return nil, nil, err
	}
	body, h, p := g.body(w, r)
	if p != nil {
		return nil, nil, p
	}
	defer h.release()
	leave, p := g.slot(laneCall)
	if p != nil {
		return nil, nil, p
	}
	defer leave()
	ctx, end := g.within(r.Context(), g.cfg.Timeout)
	defer end()
	m, err := g.model(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	if m.Kind == KindProve {
		return nil, nil, malformed("%q is a circuit: submit it as a job at /v1/jobs", short(m.Name))
	}
	x, p := decodeInference(body, r.Header.Get(headerLength), m, g.cfg.MaxBody)
	if p != nil {
		return nil, nil, p
	}
	j, err := g.market.Submit(ctx, &x.request)
	if err != nil {
		return nil, nil, g.timely(ctx, err, x, "")
	}
	w.Header().Set(headerJob, j.ID)
	return x, j, nil
}

// checkKind refuses bodies of other media types. What command line clients send when nobody told them
// otherwise may be among those taken.
func checkKind(r *http.Request, kinds ...string) error {
	header := r.Header.Get("Content-Type")
	if header == "" {
		return nil
	}
	kind, _, err := mime.ParseMediaType(header)
	for _, k := range kinds {
		if err == nil && k == kind {
			return nil
		}
	}
	return problem(http.StatusUnsupportedMediaType, ReasonUnsupported, "content type %q is none of %s", short(header), strings.Join(kinds[:1], ", "))
}

// patience is how long outputs are waited for.
func (g *Gateway) patience(x *inference) time.Duration {
	if ms := x.request.DeadlineMS; ms > 0 {
		return min(g.cfg.Wait, time.Duration(ms)*time.Millisecond)
	}
	return g.cfg.Wait
}

// outputs waits until the outputs of a job are known.
func (g *Gateway) outputs(ctx context.Context, x *inference, j *Job) (*Job, error) {
	if j.Outputs != nil {
		return j, nil
	}
	changes, err := g.market.Watch(ctx, j.ID)
	if err != nil {
		return nil, g.timely(ctx, err, x, j.ID)
	}
	for latest := range changes {
		if latest.Outputs != nil {
			return &latest, nil
		}
		if latest.Ended || latest.Assignment == "closed" && latest.Execution == "failed" {
			return nil, failed(&latest)
		}
	}
	if ctx.Err() != nil {
		return nil, g.timely(ctx, ctx.Err(), x, j.ID)
	}
	last, err := g.market.Job(ctx, j.ID)
	switch {
	case err != nil:
		return nil, g.timely(ctx, err, x, j.ID)
	case last.Outputs == nil:
		return nil, failed(last)
	}
	return last, nil
}

// timely says why an error came, if it came because a context ended.
func (g *Gateway) timely(ctx context.Context, err error, x *inference, job string) error {
	var closing *Problem
	cause := context.Cause(ctx)
	switch {
	case ctx.Err() == nil:
		return err
	case errors.As(cause, &closing):
		closing.Job = job
		return closing
	case !errors.Is(cause, errTime):
		return err // the client is gone
	}
	p := problem(http.StatusGatewayTimeout, ReasonTimeout, "the outputs did not come within %v; the job goes on", g.cfg.Wait)
	if ms := x.request.DeadlineMS; ms > 0 && g.patience(x) < g.cfg.Wait {
		p = problem(http.StatusGatewayTimeout, ReasonDeadline, "the outputs did not come within deadline_ms, %d", ms)
	}
	if job == "" {
		p = problem(http.StatusGatewayTimeout, ReasonTimeout, "the job could not be submitted within %v", g.cfg.Timeout)
	}
	p.Job = job
	return p
}

// send sends an answer.
func (a *answer) send(w *writer, r *http.Request) error {
	head, all, p := a.measure()
	if p != nil {
		return p
	}
	kind := "application/json"
	if a.anyBinary() {
		kind = "application/octet-stream"
		w.Header().Set(headerLength, itoa(head))
	}
	return w.send(r, http.StatusOK, kind, all, func(out io.Writer) error { return a.write(out) })
}
