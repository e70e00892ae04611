package gateway

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// exchange sends the bytes of a request and returns those of the answer, but for its date.
func exchange(t *testing.T, s *site, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	head, body, _ := strings.Cut(request, "\n\n")
	head = strings.ReplaceAll(head, "\n", "\r\n") + "\r\nHost: localhost:8000\r\nConnection: close\r\n\r\n"
	if _, err := io.WriteString(c, head+body); err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	head, body, _ = strings.Cut(string(raw), "\r\n\r\n")
	var kept []string
	for line := range strings.SplitSeq(head, "\r\n") {
		if !strings.HasPrefix(line, "Date: ") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n") + "\n\n" + body
}

const (
	// exampleJSON and exampleBinary are the requests of the examples of inference_rest.md, with as many
	// elements as their shape says, and of extension_binary_data.md.
	exampleJSON = `{
  "id" : "42",
  "inputs" : [
    {
      "name" : "input0",
      "shape" : [ 2, 2 ],
      "datatype" : "UINT32",
      "data" : [ 1, 2, 3, 4 ]
    },
    {
      "name" : "input1",
      "shape" : [ 3 ],
      "datatype" : "BOOL",
      "data" : [ true, false, true ]
    }
  ],
  "outputs" : [
    {
      "name" : "output0"
    }
  ]
}`
	exampleBinary = `{
  "model_name" : "mymodel",
  "inputs" : [
    {
      "name" : "input0",
      "shape" : [ 2, 2 ],
      "datatype" : "UINT32",
      "parameters" : {
        "binary_data_size" : 16
      }
    },
    {
      "name" : "input1",
      "shape" : [ 3 ],
      "datatype" : "BOOL",
      "parameters" : {
        "binary_data_size" : 3
      }
    }
  ],
  "outputs" : [
    {
      "name" : "output0",
      "parameters" : {
        "binary_data" : true
      }
    }
  ]
}`
	exampleData = "\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x04\x00\x00\x00" + "\x01\x00\x01"
	// exampleOutput is 1, 1.1, 2, 2.1, 3, 3.1 in FP32, IEEE 754.
	exampleOutput = "\x00\x00\x80\x3f\xcd\xcc\x8c\x3f\x00\x00\x00\x40\x66\x66\x06\x40\x00\x00\x40\x40\x66\x66\x46\x40"

	answerParameters = `"parameters":{"job_id":"job-1","proof_status":"pending","price":"7","operator":"op"}`
	answerJSON       = `"outputs":[{"name":"output0","datatype":"FP32","shape":[3,2],"data":[1,1.1,2,2.1,3,3.1]}]}`
	answerBinaryJSON = `"outputs":[{"name":"output0","datatype":"FP32","shape":[3,2],"parameters":{"binary_data_size":24}}]}`
)

func post(path, headers, body string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\nContent-Length: %d\n%s\n\n%s", path, len(body), headers, body)
}

// wanted is an answer with the headers that all of them have.
func wanted(kind string, head int, body string) string {
	extra := ""
	if head > 0 {
		extra = fmt.Sprintf("Inference-Header-Content-Length: %d\n", head)
	}
	return fmt.Sprintf("HTTP/1.1 200 OK\nContent-Length: %d\nContent-Type: %s\n%sVary: Accept-Encoding\nWes-Job: job-1\nX-Content-Type-Options: nosniff\nConnection: close\n\n%s", len(body), kind, extra, body)
}

func TestInferenceIsThatOfTheProtocolByteForByte(t *testing.T) {
	const path = "/v2/models/mymodel/infer"
	mixed := strings.Replace(exampleBinary, `"parameters" : {
        "binary_data_size" : 16
      }`, `"data" : [ [ 1, 2 ], [ 3, 4 ] ]`, 1)
	all := strings.Replace(exampleJSON, `"id" : "42",`, `"id" : "42", "parameters" : { "binary_data_output" : true, "priority" : 1 },`, 1)
	overridden := strings.Replace(all, `"name" : "output0"`, `"name" : "output0", "parameters" : { "binary_data" : false }`, 1)
	binaryJSON := `{"model_name":"mymodel",` + answerParameters + "," + answerBinaryJSON
	rawJSON := `{"model_name":"float",` + answerParameters + `,"outputs":[{"name":"y","datatype":"FP32","shape":[6],"parameters":{"binary_data_size":24}}]}`
	named := `{"model_name":"mymodel","id":"42",` + answerParameters + ","
	for _, x := range []struct {
		name, request, want string
	}{
		{
			"JSON both ways", post(path, "Content-Type: application/json", exampleJSON),
			wanted("application/json", 0, named+answerJSON),
		},
		{
			"binary both ways",
			post(path, fmt.Sprintf("Content-Type: application/octet-stream\nInference-Header-Content-Length: %d", len(exampleBinary)), exampleBinary+exampleData),
			wanted("application/octet-stream", len(binaryJSON), binaryJSON+exampleOutput),
		},
		{
			"JSON and binary inputs",
			post(path, fmt.Sprintf("Inference-Header-Content-Length: %d", len(mixed)), mixed+"\x01\x00\x01"),
			wanted("application/octet-stream", len(binaryJSON), binaryJSON+exampleOutput),
		},
		{
			"all outputs binary", post(path, "Content-Type: application/json", all),
			wanted("application/octet-stream", len(named+answerBinaryJSON), named+answerBinaryJSON+exampleOutput),
		},
		{"one output not", post(path, "Content-Type: application/json", overridden), wanted("application/json", 0, named+answerJSON)},
		{
			"gzip", post(path, "Content-Type: application/json\nContent-Encoding: gzip", squeezed("gzip", exampleJSON)),
			wanted("application/json", 0, named+answerJSON),
		},
		{
			"deflate", post(path, "Content-Type: application/json\nContent-Encoding: deflate", squeezed("deflate", exampleJSON)),
			wanted("application/json", 0, named+answerJSON),
		},
		{
			"raw binary request", post("/v2/models/float/infer", "Content-Type: application/octet-stream\nInference-Header-Content-Length: 0", exampleOutput),
			wanted("application/octet-stream", len(rawJSON), rawJSON+exampleOutput),
		},
	} {
		s := serve(t, newFake(), nil)
		if got := exchange(t, s, x.request); got != x.want {
			t.Errorf("%s:\n%q\nwant\n%q", x.name, got, x.want)
		}
	}
}

func squeezed(coding, body string) string {
	var b bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&b)
	if coding == "deflate" {
		w = zlib.NewWriter(&b)
	}
	_, err := io.WriteString(w, body)
	if err := errors.Join(err, w.Close()); err != nil {
		panic("BUG: " + err.Error())
	}
	return b.String()
}

func TestLargeAnswersAreCompressedForWhoTakesThem(t *testing.T) {
	s := serve(t, newFake(), nil)
	body := `{"inputs":[{"name":"x","datatype":"INT32","shape":[5000],"data":[1` + strings.Repeat(",1", 4999) + `]}]}`
	plain := s.ask(t, "POST", "/v2/models/echo/infer", body)
	if a := s.ask(t, "GET", "/v2", "", "Accept-Encoding: gzip"); a.header.Get("Content-Encoding") != "" {
		t.Error("a small answer is compressed")
	}
	for header, coding := range map[string]string{
		"gzip": "gzip", "deflate": "deflate", "br, GZIP;q=0.5, deflate": "gzip", "gzip;q=0, deflate": "deflate", "br": "", "gzip;q=0": "", "identity": "",
	} {
		a := s.ask(t, "POST", "/v2/models/echo/infer", body, "Accept-Encoding: "+header)
		if got := a.header.Get("Content-Encoding"); got != coding {
			t.Errorf("%s: %q, want %q", header, got, coding)
			continue
		}
		opened, p := inflate(strings.NewReader(a.body), coding)
		if p != nil {
			t.Fatal(p)
		}
		raw, err := io.ReadAll(opened)
		if err != nil || len(raw) != len(plain.body) {
			t.Errorf("%s: %d bytes, want %d, %v", header, len(raw), len(plain.body), err)
		}
	}
}

func TestMetadataIsThatOfTheProtocol(t *testing.T) {
	f := newFake()
	s := serve(t, f, nil)
	for path, want := range map[string]string{
		"/v2":                           `{"name":"wes","version":"test","extensions":["binary_tensor_data","model_configuration","parameters"]}`,
		"/v2/health/live":               `{"live":true}`,
		"/v2/health/ready":              `{"ready":true}`,
		"/v2/models/mymodel":            `{"name":"mymodel","platform":"wes","inputs":[{"name":"input0","datatype":"UINT32","shape":[2,2]},{"name":"input1","datatype":"BOOL","shape":[3]}],"outputs":[{"name":"output0","datatype":"FP32","shape":[3,2]}]}`,
		"/v2/models/bafyecho":           `{"name":"echo","platform":"wes","inputs":[{"name":"x","datatype":"INT32","shape":[-1]}],"outputs":[{"name":"y","datatype":"INT32","shape":[-1]}]}`,
		"/v2/models/circuit/versions/2": `{"name":"circuit","versions":["2"],"platform":"wes","inputs":[],"outputs":[]}`,
		"/v2/models/mymodel/ready":      `{"name":"mymodel","ready":true}`,
		"/v2/models/echo/config":        `{"name":"echo","platform":"wes","max_batch_size":0,"input":[{"name":"x","data_type":"TYPE_INT32","dims":[-1]}],"output":[{"name":"y","data_type":"TYPE_INT32","dims":[-1]}]}`,
	} {
		if a := s.ask(t, "GET", path, ""); a.status != http.StatusOK || a.body != want {
			t.Errorf("%s: %s\nwant %s", path, a, want)
		}
	}
	const unready = `{"name":"circuit","version":"2","state":"UNAVAILABLE","reason":"nobody offers it"}`
	if a := s.ask(t, "POST", "/v2/repository/index", ""); !strings.HasSuffix(a.body, unready+"]") {
		t.Error(a)
	}
	if a := s.ask(t, "POST", "/v2/repository/index", `{"ready":true}`); a.status != 200 || strings.Contains(a.body, "circuit") || !strings.Contains(a.body, `{"name":"echo","state":"READY","reason":""}`) {
		t.Error(a)
	}
	if a := s.ask(t, "GET", "/v2/models/circuit/versions/2/ready", ""); a.status != 503 || a.body != `{"error":"model \"circuit\" is not ready: nobody offers it"}` {
		t.Error(a)
	}
	f.why = []string{"no peers", "no money"}
	if a := s.ask(t, "GET", "/v2/health/ready", ""); a.status != 503 || a.body != `{"error":"not ready: no peers; no money"}` {
		t.Error(a)
	}
}

func TestTermsReachTheMarket(t *testing.T) {
	f := newFake()
	s := serve(t, f, nil)
	r := Request{Model: "echo", Inputs: []Tensor{ints("x", -1, 7)}, Outputs: []string{"y"}, Verification: "replicated:3", MaxPrice: "0", DeadlineMS: 60_000}
	for _, e := range []Encoding{Binary, JSON} {
		x, err := s.client.Infer(t.Context(), &r, e)
		if err != nil || len(x.Outputs) != 1 || string(x.Outputs[0].Data) != string(r.Inputs[0].Data) || x.Parameters.ProofStatus != ProofPending {
			t.Fatalf("%+v, %v", x, err)
		}
		got := f.mu.requests[len(f.mu.requests)-1]
		want := r
		want.Kind, want.Model = KindInfer, "bafyecho"
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func TestOutputsWithoutFormInJSONAreRefusedAsJSON(t *testing.T) {
	s := serve(t, newFake(), nil)
	infinite := &Request{Model: "float", Inputs: []Tensor{{"x", "FP32", []int64{1}, []byte{0, 0, 0x80, 0x7f}}}}
	if x, err := s.client.Infer(t.Context(), infinite, Binary); err != nil || string(x.Outputs[0].Data) != "\x00\x00\x80\x7f" {
		t.Errorf("%+v, %v", x, err)
	}
	body := `{"parameters":{"binary_data_output":false},"inputs":[{"name":"x","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}]}`
	a := s.ask(t, "POST", "/v2/models/float/infer", body+"\x00\x00\x80\x7f", fmt.Sprintf("%s: %d", headerLength, len(body)))
	if a.status != http.StatusNotAcceptable || a.header.Get(headerJob) != "job-2" {
		t.Error(a)
	}
	half := &Request{Model: "half", Inputs: []Tensor{{"x", "FP16", []int64{1}, []byte{0, 0x3c}}}}
	if x, err := s.client.Infer(t.Context(), half, Binary); err != nil || string(x.Outputs[0].Data) != "\x00\x3c" {
		t.Errorf("%+v, %v", x, err)
	}
}

func TestJobsThatComeToNothingHaveAStatus(t *testing.T) {
	for reason, status := range map[string]int{
		"price": 402, "no_funds": 402, "bad_input": 422, "deadline": 504, "canceled": 409, "no_bid": 503, "execution_failed": 502, "bad_proof": 502,
	} {
		f := newFake()
		f.held = true
		s := serve(t, f, nil)
		done := make(chan error)
		go func() {
			_, err := s.client.Infer(t.Context(), &Request{Model: "echo", Inputs: []Tensor{ints("x", 1)}}, JSON)
			done <- err
		}()
		f.await(t, "job-1")
		f.change("job-1", func(j *Job) { j.Assignment, j.Execution, j.Reason, j.Text = "closed", "failed", reason, "it is so" })
		var p *Problem
		if err := <-done; !errors.As(err, &p) || p.Status != status || p.Reason != reason || p.Text != "it is so" || p.Job != "job-1" {
			t.Errorf("%s: %+v, want %d", reason, p, status)
		}
	}
}

// await returns once somebody watches a job.
func (f *fake) await(t *testing.T, id string) {
	t.Helper()
	for range time.NewTicker(time.Millisecond).C {
		f.mu.Lock()
		n := len(f.mu.watchers[id])
		f.mu.Unlock()
		if n > 0 {
			return
		}
		if t.Context().Err() != nil {
			t.Fatal("nobody watches")
		}
	}
}

func TestOutputsComeAsSoonAsTheyAreKnown(t *testing.T) {
	f := newFake()
	f.held = true
	s := serve(t, f, nil)
	done := make(chan *Inference)
	go func() {
		x, err := s.client.Infer(t.Context(), &Request{Model: "echo", Inputs: []Tensor{ints("x", 1)}}, JSON)
		if err != nil {
			t.Error(err)
		}
		done <- x
	}()
	f.await(t, "job-1")
	f.change("job-1", func(j *Job) { j.Execution = "running" })
	f.change("job-1", func(j *Job) { j.Execution, j.Outputs, j.EscrowTx = "proving", []Tensor{ints("y", 5)}, "e" })
	if x := <-done; x.Outputs[0].Data[0] != 5 || x.Parameters != (InferParameters{JobID: "job-1", ProofStatus: "pending", Price: "7", Operator: "op", Tx: "e"}) {
		t.Errorf("%+v", x)
	}
}

func TestWaitsEndAtTheirDeadline(t *testing.T) {
	for reason, x := range map[string]struct {
		deadline int64
		wait     time.Duration
	}{ReasonDeadline: {1, time.Hour}, ReasonTimeout: {0, time.Millisecond}} {
		f := newFake()
		f.held = true
		s := serve(t, f, func(c *Config) { c.Wait = x.wait })
		_, err := s.client.Infer(t.Context(), &Request{Model: "echo", Inputs: []Tensor{ints("x", 1)}, DeadlineMS: x.deadline}, JSON)
		var p *Problem
		if !errors.As(err, &p) || p.Status != http.StatusGatewayTimeout || p.Reason != reason || p.Job != "job-1" {
			t.Errorf("%s: %v %+v", reason, err, p)
		}
	}
}
