package gateway

import (
	"context"
	"errors"
	"net/http"
)

// lane is a kind of requests with a bound of its own.
type lane string

const (
	laneCall      lane = "call"      // work of the market for one request
	laneInference lane = "inference" // waits for outputs
	laneStream    lane = "stream"    // streams of events
)

// route is an operation: what serves it, and what the OpenAPI document says of it.
type route struct {
	method, path string
	name         string // operationId
	about        string
	query        []query
	body         any      // JSON that it takes; nil: none
	answer       any      // JSON that it gives; nil: none
	media        []string // that it gives beside, or instead of, JSON
	status       int      // of success
	fails        []int    // other statuses; 500 and 503 are any route's
	serve        func(g *Gateway, w *writer, r *http.Request) error
}

// query is a parameter of a URL.
type query struct {
	name, kind, about string
}

const (
	mediaJSON   = "application/json"
	mediaBinary = "application/octet-stream"
	mediaEvents = "text/event-stream"
)

// routes lists all operations.
func routes() []route {
	return append(append(inferenceRoutes(), jobRoutes()...), marketRoutes()...)
}

func inferenceRoutes() []route {
	live := get("/v2/health/live", "serverLive", "Whether the server answers.", (*Gateway).live)
	ready := get("/v2/health/ready", "serverReady", "Whether jobs can be submitted now.", (*Gateway).ready)
	index := route{
		method: http.MethodPost, path: "/v2/repository/index", name: "repositoryIndex", about: "The models, as Triton lists them.",
		body: IndexRequest{}, answer: []Indexed{}, status: http.StatusOK, fails: []int{400, 408, 413, 415, 429}, serve: (*Gateway).index,
	}
	all := []route{get("/v2", "serverMetadata", "Server metadata.", (*Gateway).server), live, ready, index}
	for _, v := range []struct{ path, name string }{{"", ""}, {"/versions/{version}", "Version"}} {
		path := "/v2/models/{model}" + v.path
		all = append(
			all,
			get(path, "modelMetadata"+v.name, "Model metadata.", (*Gateway).metadata, 404),
			get(path+"/ready", "modelReady"+v.name, "Whether an operator offers the model.", (*Gateway).modelReady, 404),
			get(path+"/config", "modelConfig"+v.name, "Model configuration, as Triton has it.", (*Gateway).modelConfig, 404),
			route{
				method: http.MethodPost, path: path + "/infer", name: "infer" + v.name,
				about: "Run a model. The outputs come as soon as they are known; the proof may still be pending.",
				body:  inferRequest{}, answer: inferAnswer{}, media: []string{mediaBinary}, status: http.StatusOK,
				fails: []int{400, 402, 404, 406, 408, 409, 413, 415, 422, 429, 502, 504}, serve: (*Gateway).infer,
			},
		)
	}
	return all
}

func jobRoutes() []route {
	const job = "/v1/jobs/{id}"
	pages := []query{
		{"limit", "integer", "Jobs on a page, 1 to 1,000; default 100."},
		{"cursor", "string", "Of the page before."},
		{"open", "boolean", "Only what has not ended."},
	}
	list := get("/v1/jobs", "jobs", "Jobs without their outputs, the newest first.", (*Gateway).jobs, 400)
	list.query = pages
	return []route{
		{
			method: http.MethodPost, path: "/v1/jobs", name: "submit", about: "Submit a job. The header Location says where it is.",
			body: Request{}, answer: Job{}, status: http.StatusCreated,
			fails: []int{400, 402, 404, 408, 413, 415, 422, 429, 504}, serve: (*Gateway).submitJob,
		},
		list,
		{
			method: http.MethodGet, path: job, name: "job", about: "A job with its outputs, once they are known.",
			answer: Job{}, status: http.StatusOK, fails: []int{404, 429, 504}, serve: (*Gateway).job,
		},
		{
			method: http.MethodDelete, path: job, name: "cancel", about: "Give a job up.",
			status: http.StatusNoContent, fails: []int{404, 409, 429, 504}, serve: (*Gateway).cancel,
		},
		{
			method: http.MethodGet, path: job + "/events", name: "events", media: []string{mediaEvents}, status: http.StatusOK,
			about: "Server-sent events: \"job\" with the job as it is and after every change, without outputs; \"end\" once nothing changes any more.",
			fails: []int{404, 429}, serve: (*Gateway).events,
		},
		{
			method: http.MethodGet, path: job + "/proof", name: "proof", about: "The proof of a job.", media: []string{mediaBinary},
			status: http.StatusOK, fails: []int{404, 429, 504}, serve: (*Gateway).proof,
		},
		get(job+"/explain", "explain", "Why a job has the operator that it has, or none.", (*Gateway).explain, 404),
		get(job+"/bids", "bids", "The bids for a job.", (*Gateway).bids, 404),
	}
}

func marketRoutes() []route {
	return []route{
		get("/v1/models", "models", "The models and circuits that jobs can be submitted for.", (*Gateway).models),
		get("/v1/models/{model}", "model", "A model or circuit.", (*Gateway).model, 404),
		{
			method: http.MethodGet, path: "/v1/models/{model}/key", name: "key", about: "The verifying key of a model or circuit, as the ledger has it.",
			media: []string{mediaBinary}, status: http.StatusOK, fails: []int{404, 429, 504}, serve: (*Gateway).key,
		},
		get("/v1/market", "market", "The node's part in the market.", (*Gateway).status),
		{
			method: http.MethodPost, path: "/v1/market/drain", name: "drain", about: "Take no new work; what was taken on is finished.",
			answer: Status{}, status: http.StatusOK, fails: []int{409, 429, 504}, serve: (*Gateway).drain,
		},
		{
			method: http.MethodPost, path: "/v1/market/resume", name: "resume", about: "Take new work again.",
			answer: Status{}, status: http.StatusOK, fails: []int{409, 429, 504}, serve: (*Gateway).resume,
		},
		get("/v1/operators", "operators", "The operators that this node has heard of.", (*Gateway).operators),
		get("/v1/channels", "channels", "The payment channels of this node.", (*Gateway).channels),
		get("/v1/devices", "devices", "The devices of this node.", (*Gateway).devices),
		{
			method: http.MethodGet, path: "/v1/openapi.json", name: "openapi", about: "This document.", answer: map[string]any{},
			status: http.StatusOK, serve: (*Gateway).document,
		},
	}
}

// get describes a call without a body, whose answer is the value of a function.
func get[T any](path, name, about string, f func(*Gateway, context.Context, *http.Request) (T, error), fails ...int) route {
	var answer T
	return route{
		method: http.MethodGet, path: path, name: name, about: about, answer: answer, status: http.StatusOK, fails: append(fails, 429, 504),
		serve: func(g *Gateway, w *writer, r *http.Request) error {
			v, err := call(g, r, func(ctx context.Context) (T, error) { return f(g, ctx, r) })
			if err != nil {
				return err
			}
			return w.json(r, http.StatusOK, v)
		},
	}
}

// call does work of the market, within its bounds. The answer is sent when the lane is free again:
// slow readers do not hold it.
func call[T any](g *Gateway, r *http.Request, f func(context.Context) (T, error)) (T, error) {
	var none T
	leave, p := g.slot(laneCall)
	if p != nil {
		return none, p
	}
	defer leave()
	ctx, end := g.within(r.Context(), g.cfg.Timeout)
	defer end()
	v, err := f(ctx)
	var closing *Problem
	if err != nil && ctx.Err() != nil && errors.As(context.Cause(ctx), &closing) {
		return none, closing
	}
	return v, err
}
