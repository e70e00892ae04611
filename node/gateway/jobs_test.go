package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

// TestEveryRouteAnswersAsDescribed asks every operation of the document once; the client of the test
// holds the answers against it.
func TestEveryRouteAnswersAsDescribed(t *testing.T) {
	f := newFake()
	s := serve(t, f, nil)
	const infer = `{"inputs":[{"name":"x","datatype":"INT32","shape":[1],"data":[1]}]}`
	const submit = `{"model":"echo","inputs":[{"name":"x","datatype":"INT32","shape":[1],"data":"AQAAAA=="}]}`
	bodies := map[string]string{"infer": infer, "inferVersion": infer, "submit": submit, "repositoryIndex": "{}"}
	s.ask(t, "POST", "/v1/jobs", submit)
	f.change("job-1", func(j *Job) { j.ProofStatus, j.Ended = ProofVerified, true })
	f.held = true
	s.ask(t, "POST", "/v1/jobs", submit)
	f.held = false
	for _, x := range routes() {
		path := strings.NewReplacer("{id}", "job-1", "{model}", "versioned", "{version}", "3").Replace(x.path)
		if x.name == "cancel" {
			path = "/v1/jobs/job-2"
		}
		if a := s.ask(t, x.method, path, bodies[x.name]); a.status != x.status {
			t.Errorf("%s %s: %s, want %d", x.method, path, a, x.status)
		}
	}
}

func TestDocumentIsValidAndNamesEveryRoute(t *testing.T) {
	s := serve(t, newFake(), nil)
	doc, err := openapi3.NewLoader().LoadFromData([]byte(s.ask(t, "GET", "/v1/openapi.json", "").body))
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	n := 0
	for _, item := range doc.Paths.Map() {
		n += len(item.Operations())
	}
	if n != len(routes()) {
		t.Errorf("%d operations, %d routes", n, len(routes()))
	}
}

func TestErrorsHaveStatusAndReason(t *testing.T) {
	for _, x := range []struct {
		method, path, body string
		status             int
		reason             string
	}{
		{"GET", "/v1/nothing", "", 404, ReasonNotFound},
		{"GET", "/", "", 404, ReasonNotFound},
		{"PUT", "/v1/jobs", "", 405, ReasonMethod},
		{"GET", "/v2/models/echo/infer", "", 405, ReasonMethod},
		{"GET", "/v1/jobs?limit=0", "", 400, ReasonMalformed},
		{"GET", "/v1/jobs?limit=1001", "", 400, ReasonMalformed},
		{"GET", "/v1/jobs?open=perhaps", "", 400, ReasonMalformed},
		{"GET", "/v1/jobs?cursor=" + strings.Repeat("x", 300), "", 400, ReasonMalformed},
		{"GET", "/v1/jobs/x", "", 404, ReasonNotFound},
		{"GET", "/v1/jobs/x/events", "", 404, ReasonNotFound},
		{"GET", "/v1/jobs/x/explain", "", 404, ReasonNotFound},
		{"GET", "/v1/jobs/x/bids", "", 404, ReasonNotFound},
		{"GET", "/v1/jobs/x/proof", "", 404, ReasonNotFound},
		{"DELETE", "/v1/jobs/x", "", 404, ReasonNotFound},
		{"GET", "/v1/models/x", "", 404, ReasonModel},
		{"POST", "/v1/jobs", "", 400, ReasonMalformed},
		{"POST", "/v1/jobs", "{} {}", 400, ReasonMalformed},
		{"POST", "/v1/jobs", "{}", 404, ReasonModel},
		{"POST", "/v1/jobs", `{"model":"echo","maxprice":"1"}`, 400, ReasonMalformed},
		{"POST", "/v1/jobs", strings.Repeat("[", 99), 400, ReasonMalformed},
		{"POST", "/v1/jobs", `{"model":"echo"}`, 400, ReasonTensor},
		{"POST", "/v1/jobs", `{"model":"echo","inputs":[{"name":"x","datatype":"INT32","shape":[1],"data":"AQAA"}]}`, 400, ReasonTensor},
		{"POST", "/v1/jobs", `{"model":"echo","inputs":[{"name":"x","datatype":"INT32","shape":[1],"data":"*"}]}`, 400, ReasonMalformed},
		{"POST", "/v1/jobs", `{"model":"echo","inputs":[` + strings.Repeat("{},", maxTensors) + `{}]}`, 400, ReasonMalformed},
		{"POST", "/v1/jobs", `{"model":"echo","outputs":["z"]}`, 400, ReasonTensor},
		{"POST", "/v1/jobs", `{"model":"echo","kind":"dream"}`, 400, ReasonMalformed},
		{"POST", "/v1/jobs", `{"model":"echo","kind":"prove"}`, 400, ReasonMalformed},
		{"POST", "/v1/jobs", `{"model":"echo","witness":"AA=="}`, 400, ReasonMalformed},
		{"POST", "/v1/jobs", `{"model":"circuit","kind":"prove"}`, 400, ReasonMalformed},
		{"POST", "/v1/jobs", `{"model":"circuit","kind":"prove","witness":"AA==","outputs":["y"]}`, 400, ReasonMalformed},
		{"POST", "/v1/jobs", `{"model":"circuit","kind":"prove","witness":"AA==","version":"1"}`, 404, ReasonModel},
		{"POST", "/v1/jobs", `{"model":"circuit","kind":"prove","witness":"AA==","version":"2"}`, 201, ""},
	} {
		s := serve(t, newFake(), nil)
		a := s.ask(t, x.method, x.path, x.body)
		var f Failure
		err := json.Unmarshal([]byte(a.body), &f)
		if a.status != x.status || a.header.Get(headerReason) != x.reason || err != nil || (f.Error == "") != (x.reason == "") {
			t.Errorf("%s %s %.60s: %s, want %d %s", x.method, x.path, x.body, a, x.status, x.reason)
		}
		if strings.HasPrefix(x.path, "/v2") != (f.Reason == "") && x.reason != "" {
			t.Errorf("%s %s: %s", x.method, x.path, a.body)
		}
	}
}

func TestRefusalsOfTheMarketReachTheClient(t *testing.T) {
	f := newFake()
	s := serve(t, f, nil)
	r := &Request{Model: "echo", Inputs: []Tensor{ints("x", 1)}}
	for _, want := range []*Problem{
		{Status: 402, Reason: "price", Text: "the least price is 9"},
		{Status: 503, Reason: "no_bid", Text: "nobody bid", RetryAfter: 1500 * time.Millisecond},
		{Status: 422, Reason: "terms", Text: "no"},
	} {
		f.refuse = fmt.Errorf("submit: %w", want)
		for name, err := range map[string]error{
			"infer": second(s.client.Infer(t.Context(), r, Binary)), "submit": second(s.client.Submit(t.Context(), r)),
		} {
			var p *Problem
			if !errors.As(err, &p) || p.Status != want.Status || p.Reason != want.Reason || p.Text != want.Text {
				t.Errorf("%s: %v", name, err)
			}
			if whole := (want.RetryAfter + 999*time.Millisecond).Truncate(time.Second); p.RetryAfter != whole {
				t.Errorf("%s: again after %v, want %v", name, p.RetryAfter, whole)
			}
		}
	}
	f.refuse = errors.New("the disk is full")
	a := s.ask(t, "POST", "/v1/jobs", `{"model":"echo","inputs":[{"name":"x","datatype":"INT32","shape":[0],"data":""}]}`)
	if a.status != 500 || strings.Contains(a.body, "disk") {
		t.Error("faults are told:", a)
	}
}

func second[T any](_ T, err error) error { return err }

func TestJobGoesFromSubmissionToItsProof(t *testing.T) {
	f := newFake()
	f.held = true
	s := serve(t, f, nil)
	ctx := t.Context()
	j, err := s.client.Submit(ctx, &Request{Model: "echo", Inputs: []Tensor{ints("x", 3)}})
	if err != nil || j.ID != "job-1" || j.Outputs != nil {
		t.Fatalf("%+v, %v", j, err)
	}
	var p *Problem
	if _, err := s.client.Proof(ctx, j.ID); !errors.As(err, &p) || p.Status != http.StatusNotFound {
		t.Error(err)
	}
	steps := []func(*Job){
		func(j *Job) { j.Assignment, j.Execution, j.Total = "assigned", "running", 2 },
		func(j *Job) { j.Execution, j.Outputs = "proving", []Tensor{ints("y", 3)} },
		func(j *Job) { j.Execution, j.ProofStatus, j.Ended = "done", ProofVerified, true },
	}
	var seen []string
	for j, err := range s.client.Watch(ctx, j.ID) {
		if err != nil || j.Outputs != nil {
			t.Fatal(err, j.Outputs)
		}
		seen = append(seen, j.Execution)
		if len(steps) > 0 {
			f.change(j.ID, steps[0])
			steps = steps[1:]
		}
	}
	if want := "[idle running proving done]"; fmt.Sprint(seen) != want {
		t.Errorf("%v, want %v", seen, want)
	}
	if j, err = s.client.Job(ctx, j.ID); err != nil || len(j.Outputs) != 1 || j.Outputs[0].Data[0] != 3 {
		t.Errorf("%+v, %v", j, err)
	}
	if raw, err := s.client.Proof(ctx, j.ID); err != nil || string(raw) != "\x00\x01\x02\xff" {
		t.Errorf("%x, %v", raw, err)
	}
	if e, err := s.client.Explain(ctx, j.ID); err != nil || e.Reasons[0] != (ReasonCount{"busy", 2}) {
		t.Errorf("%+v, %v", e, err)
	}
	if b, err := s.client.Bids(ctx, j.ID); err != nil || b == nil || len(b) > 0 {
		t.Errorf("%+v, %v", b, err)
	}
	if err := s.client.Cancel(ctx, j.ID); !errors.As(err, &p) || p.Status != http.StatusConflict {
		t.Error(err)
	}
}

func TestPagesOfJobsFollowTheCursor(t *testing.T) {
	s := serve(t, newFake(), nil)
	for range 5 {
		if _, err := s.client.Submit(t.Context(), &Request{Model: "echo", Inputs: []Tensor{ints("x", 3)}}); err != nil {
			t.Fatal(err)
		}
	}
	var seen []string
	f := JobFilter{Limit: 2, Open: true}
	for pages := 1; ; pages++ {
		all, next, err := s.client.Jobs(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		for _, j := range all {
			seen = append(seen, j.ID)
		}
		if f.Cursor = next; next == "" {
			if fmt.Sprint(seen) != "[job-5 job-4 job-3 job-2 job-1]" || pages != 3 {
				t.Error(pages, seen)
			}
			return
		}
	}
}

func TestListsComeBack(t *testing.T) {
	s := serve(t, newFake(), nil)
	ctx := t.Context()
	if all, err := s.client.Models(ctx); err != nil || len(all) != len(testModels()) || all[1].Price != "5" {
		t.Error(all, err)
	}
	if m, err := s.client.Model(ctx, "bafymy"); err != nil || m.Name != "mymodel" || m.Inputs[0].Shape[1] != 2 {
		t.Error(m, err)
	}
	if all, err := s.client.Operators(ctx); err != nil || len(all) != 1 || all[0].Prices[0] != (Offered{"bafymy", "5"}) {
		t.Error(all, err)
	}
	if key, err := s.client.Key(ctx, "mymodel"); err != nil || string(key) != "key of mymodel" {
		t.Errorf("key: %q, %v", key, err)
	}
	for _, on := range []bool{true, false} {
		if x, err := s.client.Cordon(ctx, on); err != nil || x.Cordoned != on {
			t.Errorf("cordon %v: %+v, %v", on, x, err)
		}
	}
	if x, err := s.client.Status(ctx); err != nil || x.Key != "aa" || x.Devices == nil {
		t.Errorf("status: %+v, %v", x, err)
	}
	if all, err := s.client.Devices(ctx); err != nil || all == nil || len(all) > 0 {
		t.Error(all, err)
	}
	if err := s.client.Ready(ctx); err != nil {
		t.Error(err)
	}
}
