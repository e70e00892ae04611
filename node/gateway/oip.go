package gateway

import (
	"context"
	"net/http"
	"strings"
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

func (g *Gateway) server(context.Context, *http.Request) (Server, error) {
	return Server{platform, g.cfg.Version, []string{"binary_tensor_data", "model_configuration", "parameters"}}, nil
}

func (g *Gateway) live(context.Context, *http.Request) (Live, error) { return Live{true}, nil }

func (g *Gateway) ready(context.Context, *http.Request) (Ready, error) {
	if why := g.market.Ready(); len(why) > 0 {
		return Ready{}, problem(http.StatusServiceUnavailable, ReasonNotReady, "not ready: %s", strings.Join(why, "; "))
	}
	return Ready{true}, nil
}

// model finds the model of a path, in its version if it names one.
func (g *Gateway) model(ctx context.Context, r *http.Request) (Model, error) {
	return g.find(ctx, r.PathValue("model"), r.PathValue("version"))
}

func (g *Gateway) find(ctx context.Context, name, version string) (Model, error) {
	if name == "" || len(name) > maxText {
		return Model{}, ErrUnknownModel(name)
	}
	m, err := g.market.Model(ctx, name)
	if err != nil {
		return Model{}, err
	}
	if version != "" && version != m.Version {
		return Model{}, problem(http.StatusNotFound, ReasonModel, "model %q has no version %q", short(name), short(version))
	}
	return m.filled(), nil
}

func (g *Gateway) metadata(ctx context.Context, r *http.Request) (Metadata, error) {
	m, err := g.model(ctx, r)
	if err != nil {
		return Metadata{}, err
	}
	x := Metadata{Name: m.Name, Platform: platform, Inputs: m.Inputs, Outputs: m.Outputs}
	if m.Version != "" {
		x.Versions = []string{m.Version}
	}
	return x, nil
}

func (g *Gateway) modelReady(ctx context.Context, r *http.Request) (ModelReady, error) {
	m, err := g.model(ctx, r)
	if err == nil && !m.Ready {
		err = problem(http.StatusServiceUnavailable, ReasonNotReady, "model %q is not ready: %s", m.Name, m.Reason)
	}
	return ModelReady{m.Name, m.Ready}, err
}

func (g *Gateway) modelConfig(ctx context.Context, r *http.Request) (ModelConfig, error) {
	m, err := g.model(ctx, r)
	return ModelConfig{Name: m.Name, Platform: platform, Input: configTensors(m.Inputs), Output: configTensors(m.Outputs)}, err
}

func configTensors(all []TensorInfo) []ConfigTensor {
	list := []ConfigTensor{}
	for _, t := range all {
		list = append(list, ConfigTensor{t.Name, "TYPE_" + t.Datatype, t.Shape})
	}
	return list
}

func (g *Gateway) index(w *writer, r *http.Request) error {
	raw, h, p := g.body(w, r)
	if p != nil {
		return p
	}
	var q IndexRequest
	if len(raw) > 0 {
		p = unmarshal(raw, &q)
	}
	h.release()
	if p != nil {
		return p
	}
	all, err := call(g, r, g.market.Models)
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
