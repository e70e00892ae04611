package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/town"
)

// Sizes of TestMarketUnderLoad.
const (
	loadClients = 64
	maxBody     = 16 << 20 // gateway.Config.MaxBody
	mayWait     = 256      // gateway.Config.Inferences
	streams     = 64       // gateway.Config.Streams
	maxMemory   = 1<<30 + 512<<20
)

// load is a town with a client whose API everybody uses, as it is shipped.
type load struct {
	*townTest
	url    string
	client *town.Node
	model  *deployed // that is sold
	idle   string    // CID of a model that nobody sells
	body   string    // of an inference, in JSON
	before map[string]float64
	mu     struct {
		sync.Mutex
		seen map[string]int // answers by request and status
		most float64        // resident bytes
	}
}

// TestMarketUnderLoad: 64 clients at once send what they should and what they should not. All get the
// right answer, nothing is left of them, memory stays within its bound, and the node does jobs as it did.
func TestMarketUnderLoad(t *testing.T) {
	l := openLoad(t)
	ctx, stop := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() { l.watchMemory(ctx) })
	var slow sync.WaitGroup
	for range 8 {
		slow.Go(l.sendSlowly)
	}
	l.everything()
	l.largeBodies()
	l.tooManyStreams()
	l.tooManyInferences()
	l.cancelIdle()
	slow.Wait()
	stop()
	watching.Wait()
	for _, what := range slices.Sorted(maps.Keys(l.mu.seen)) {
		t.Logf("%5d %s", l.mu.seen[what], what)
	}
	t.Logf("resident at most %.0f MiB", l.mu.most/(1<<20))
	if l.mu.most > maxMemory {
		t.Errorf("%.0f bytes are resident", l.mu.most)
	}
	l.nothingIsLeft()
}

func openLoad(t *testing.T) *load {
	l := &load{}
	l.mu.seen = map[string]int{}
	l.townTest = openTown(t, town.Config{
		Program: []string{"wes"}, Spacing: 100 * time.Millisecond, Heartbeat: 300 * time.Millisecond, Funds: "1x100",
		Parties: []town.Party{
			{Name: "client"}, {Name: "operator", Settings: []string{"--sell", "--job-mib", "256", "--price-per-unit", "0"}},
		},
	})
	l.client = l.Node("client")
	l.url = l.client.URL()
	l.model = l.deploy(l.client, "iris_mlp", "iris")
	l.idle = l.deploy(l.client, "iris_mlp", "idle").cid
	operator := l.Node("operator")
	if err := os.WriteFile(filepath.Join(operator.Home, "config.toml"), []byte(fmt.Sprintf("serve = [%q]\n", l.model.cid)), 0o600); err != nil {
		t.Fatal(err)
	}
	l.signal(operator, syscall.SIGHUP)
	raw, err := os.ReadFile("../../testdata/models/iris_mlp.input.json")
	if err != nil {
		t.Fatal(err)
	}
	l.body = string(raw)
	l.await("an offer", func() (bool, error) {
		all, err := l.client.Market().Operators(t.Context())
		return err == nil && len(all) == 1 && len(all[0].Prices) == 1, err
	})
	l.infers() // what a first job leaves is no leak
	http.DefaultClient.CloseIdleConnections()
	l.before = l.metrics()
	return l
}

// request is what a client of the load sends, and the statuses that answer it.
type request struct {
	name, method, path, body string
	header                   map[string]string
	status                   []int
	reason                   string // of a refusal; empty: any
	cut                      bool   // the node may close the connection before the body is there: whoever still sends gets no answer
}

// requests lists one of each kind.
func (l *load) requests() []request {
	sold := "/v2/models/" + l.model.cid + "/infer"
	with := func(parameters string) string {
		return strings.Replace(l.body, "{", `{"parameters": {`+parameters+`}, `, 1)
	}
	input := func(change func(map[string]any)) string {
		var q map[string][]map[string]any
		if err := json.Unmarshal([]byte(l.body), &q); err != nil {
			l.Fatal(err)
		}
		change(q["inputs"][0])
		raw, err := json.Marshal(q)
		if err != nil {
			l.Fatal(err)
		}
		return string(raw)
	}
	binary, head := l.binary()
	post := func(name, path, body string, status int, reason string) request {
		return request{name: name, method: "POST", path: path, body: body, status: []int{status}, reason: reason}
	}
	headed := func(r request, name, value string) request { r.header = map[string]string{name: value}; return r }
	return []request{
		// A wallet has so many coins at once: who comes late may find none free.
		{name: "an inference in JSON", method: "POST", path: sold, body: l.body, status: []int{200, 402, 503}},
		{name: "an inference in binary", method: "POST", path: sold, body: binary, header: map[string]string{"Inference-Header-Content-Length": head}, status: []int{200, 402, 503}},
		{name: "a deadline that is over", method: "POST", path: sold, body: with(`"deadline_ms": 1`), status: []int{503, 504}},
		post("a price above the node's", sold, with(`"max_price": "99999999999"`), 402, "price"),
		post("a price below all", sold, with(`"max_price": "1"`), 503, "no_bid"),
		post("no JSON", sold, "{", 400, gateway.ReasonMalformed),
		post("deep JSON", sold, strings.Repeat("[", 100_000), 400, gateway.ReasonMalformed),
		post("no inputs", sold, "{}", 400, gateway.ReasonTensor),
		post("another shape", sold, input(func(t map[string]any) { t["shape"] = []int{4, 16} }), 400, gateway.ReasonTensor),
		post("a huge shape", sold, input(func(t map[string]any) { t["shape"] = []int{1 << 31, 1 << 31} }), 413, gateway.ReasonTooLarge),
		post("another name", sold, input(func(t map[string]any) { t["name"] = "x" }), 400, gateway.ReasonTensor),
		post("another type", sold, input(func(t map[string]any) { t["datatype"] = "INT8" }), 400, gateway.ReasonTensor),
		post("words for numbers", sold, input(func(t map[string]any) { t["data"] = []string{"x"} }), 400, gateway.ReasonTensor),
		post("a verification that does not exist", sold, with(`"verification": "trust"`), 400, gateway.ReasonMalformed),
		post("an unknown model", "/v2/models/nothing/infer", l.body, 404, gateway.ReasonModel),
		headed(post("another media type", sold, l.body, 415, gateway.ReasonUnsupported), "Content-Type", "image/png"),
		headed(post("another encoding", sold, l.body, 415, gateway.ReasonUnsupported), "Content-Encoding", "br"),
		headed(post("a bomb", sold, bomb(l.T), 413, gateway.ReasonTooLarge), "Content-Encoding", "gzip"),
		headed(post("a header that lies", sold, l.body, 400, gateway.ReasonMalformed), "Inference-Header-Content-Length", "1000000"),
		post("a job in words", "/v1/jobs", "please", 400, gateway.ReasonMalformed),
		post("a job with a misspelt price", "/v1/jobs", `{"model": "iris", "maxprice": "1"}`, 400, gateway.ReasonMalformed),
		{name: "an unknown job", method: "GET", path: "/v1/jobs/" + strings.Repeat("0", 64), status: []int{404}, reason: gateway.ReasonNotFound},
		{name: "another method", method: "PUT", path: sold, status: []int{405}, reason: gateway.ReasonMethod},
		{name: "another path", method: "GET", path: "/v2/nothing", status: []int{404}, reason: gateway.ReasonNotFound},
		{name: "the models", method: "GET", path: "/v1/models", status: []int{200, 429}},
		{name: "the market", method: "GET", path: "/v1/market", status: []int{200, 429}},
	}
}

// binary is an inference with binary data, and the length of its JSON.
func (l *load) binary() (body, head string) {
	in := l.model.inputs[0]
	shape, err := json.Marshal(in.Shape)
	if err != nil {
		l.Fatal(err)
	}
	text := fmt.Sprintf(`{"inputs": [{"name": %q, "datatype": "FP32", "shape": %s, "parameters": {"binary_data_size": %d}}]}`, in.Name, shape, len(in.Data))
	return text + string(in.Data), strconv.Itoa(len(text))
}

// bomb is a body that is small as it travels, and too large inflated.
func bomb(t *testing.T) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(make([]byte, maxBody+1))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// note counts an answer.
func (l *load) note(name string, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.seen[fmt.Sprintf("%s: %d", name, status)]++
}

// send sends a request and requires one of its answers. A refusal for now says when to come again.
func (l *load) send(r *request) {
	q, err := http.NewRequestWithContext(l.Context(), r.method, l.url+r.path, strings.NewReader(r.body))
	if err != nil {
		l.Error(err)
		return
	}
	for name, value := range r.header {
		q.Header.Set(name, value)
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		if !r.cut || !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
			l.Errorf("%s: %v", r.name, err)
		}
		l.note(r.name+", cut off", 0)
		return
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		l.Errorf("%s: %v", r.name, err)
	}
	l.note(r.name+" "+a.Header.Get("Wes-Reason"), a.StatusCode)
	if !slices.Contains(append(r.status, http.StatusTooManyRequests), a.StatusCode) {
		l.Errorf("%s: status %d (%s), want %v: %.300s", r.name, a.StatusCode, a.Header.Get("Wes-Reason"), r.status, text)
	}
	if a.StatusCode < 400 {
		return
	}
	var f gateway.Failure
	if err := json.Unmarshal(text, &f); err != nil || f.Error == "" {
		l.Errorf("%s: %v, and no sentence in %.300s", r.name, err, text)
	}
	if a.StatusCode == http.StatusTooManyRequests {
		l.comeAgain(r.name, a)
	} else if got := a.Header.Get("Wes-Reason"); r.reason != "" && got != r.reason {
		l.Errorf("%s: reason %s, want %s: %s", r.name, got, r.reason, f.Error)
	}
}

// comeAgain requires that a refusal says when another try is worth it.
func (l *load) comeAgain(what string, a *http.Response) {
	if n, err := strconv.Atoi(a.Header.Get("Retry-After")); err != nil || n < 1 {
		l.Errorf("%s: status 429 without Retry-After: %v", what, a.Header)
	}
}

// everything has 64 clients send everything, in another order each, and give up some of it.
func (l *load) everything() {
	all := l.requests()
	var done sync.WaitGroup
	for i := range loadClients {
		done.Go(func() {
			for k := range all {
				l.send(&all[(i+k)%len(all)])
			}
			l.abort()
		})
	}
	done.Wait()
}

// abort leaves while an inference is under way.
func (l *load) abort() {
	ctx, stop := context.WithTimeout(l.Context(), 20*time.Millisecond)
	defer stop()
	q, err := http.NewRequestWithContext(ctx, "POST", l.url+"/v2/models/"+l.idle+"/infer", strings.NewReader(l.body))
	if err != nil {
		l.Error(err)
		return
	}
	if a, err := http.DefaultClient.Do(q); err == nil {
		l.note("an inference given up", a.StatusCode)
		_ = a.Body.Close()
	}
}

// sendSlowly begins a body and goes on no more: the node answers 408 and closes the connection.
func (l *load) sendSlowly() {
	c, err := net.Dial("tcp", strings.TrimPrefix(l.url, "http://"))
	if err != nil {
		l.Error(err)
		return
	}
	defer c.Close()
	fmt.Fprintf(c, "POST /v2/models/%s/infer HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n{", l.model.cid)
	a, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		l.Errorf("a slow sender: %v", err)
		return
	}
	defer a.Body.Close()
	l.note("a slow sender", a.StatusCode)
	if a.StatusCode != http.StatusRequestTimeout || a.Header.Get("Wes-Reason") != gateway.ReasonSlow {
		l.Errorf("a slow sender: status %d, %v", a.StatusCode, a.Header)
	}
}

// largeBodies has 64 clients send bodies of the largest size, and of more.
func (l *load) largeBodies() {
	padded := l.body + strings.Repeat(" ", maxBody-len(l.body))
	path := "/v2/models/" + l.model.cid + "/infer"
	var done sync.WaitGroup
	for range loadClients {
		done.Go(func() {
			l.send(&request{name: "a large body", method: "POST", path: path, body: "{" + padded[1:len(padded)-1] + "x", status: []int{400}, cut: true})
			l.send(&request{name: "too large a body", method: "POST", path: path, body: padded + " ", status: []int{413}, reason: gateway.ReasonTooLarge, cut: true})
		})
	}
	done.Wait()
}

// idleJob submits a job that nobody takes for a while.
func (l *load) idleJob() string {
	j, err := l.client.Market().Submit(l.Context(), &gateway.Request{Model: l.idle, Inputs: l.model.inputs, MaxPrice: "20000"})
	if err != nil {
		l.Fatal(err)
	}
	return j.ID
}

// tooManyStreams opens more streams of events than there may be, and reads none of them.
func (l *load) tooManyStreams() {
	id := l.idleJob()
	refused := 0
	var open []io.Closer
	for range streams + 8 {
		q, err := http.NewRequestWithContext(l.Context(), "GET", l.url+"/v1/jobs/"+id+"/events", nil)
		if err != nil {
			l.Fatal(err)
		}
		a, err := http.DefaultClient.Do(q)
		if err != nil {
			l.Fatal(err)
		}
		l.note("a stream", a.StatusCode)
		if open = append(open, a.Body); a.StatusCode == http.StatusTooManyRequests {
			refused++
			l.comeAgain("a stream", a)
		}
	}
	if refused != 8 {
		l.Errorf("%d of %d streams are refused, want 8", refused, streams+8)
	}
	for _, c := range open {
		_ = c.Close()
	}
	if err := l.client.Market().Cancel(l.Context(), id); err != nil {
		l.Error(err)
	}
}

// tooManyInferences has more inferences wait than may. Meanwhile all else is answered.
func (l *load) tooManyInferences() {
	ctx, leave := context.WithCancel(l.Context())
	var done sync.WaitGroup
	answers := make(chan *http.Response, mayWait+32)
	body := strings.Replace(l.body, "{", `{"parameters": {"max_price": "20000"}, `, 1)
	for range mayWait + 32 {
		done.Go(func() {
			q, err := http.NewRequestWithContext(ctx, "POST", l.url+"/v2/models/"+l.idle+"/infer", strings.NewReader(body))
			if err != nil {
				l.Error(err)
				return
			}
			if a, err := http.DefaultClient.Do(q); err == nil {
				_ = a.Body.Close()
				answers <- a
			}
		})
	}
	refused := 0
	for range 32 {
		select {
		case a := <-answers:
			l.note("an inference too many", a.StatusCode)
			if a.StatusCode != http.StatusTooManyRequests {
				l.Errorf("an inference too many: %s", a.Status)
				continue
			}
			refused++
			l.comeAgain("an inference too many", a)
		case <-time.After(time.Minute):
			l.Fatalf("%d inferences are refused, want 32", refused)
		}
	}
	if a, err := http.Get(l.url + "/healthz"); err != nil || a.StatusCode != http.StatusOK {
		l.Errorf("while inferences wait: %v, %v", a, err)
	}
	leave()
	done.Wait()
}

// cancelIdle gives up the jobs that nobody takes: those of clients that have left are looked for still.
func (l *load) cancelIdle() {
	l.await("the end of idle jobs", func() (bool, error) {
		open, _, err := l.client.Market().Jobs(l.Context(), gateway.JobFilter{Open: true, Limit: 1000})
		idle := 0
		for i := range open {
			if j := &open[i]; j.ModelCID == l.idle {
				idle++
				_ = l.client.Market().Cancel(l.Context(), j.ID) // it has ended since, or the next round sees it
			}
		}
		return err == nil && idle == 0, nil // the node may be busy with those that have left
	})
}

// metrics reads the process's own.
func (l *load) metrics() map[string]float64 {
	a, err := http.Get(l.url + "/metrics")
	if err != nil {
		l.Error(err)
		return nil
	}
	defer a.Body.Close()
	all := map[string]float64{}
	for lines := bufio.NewScanner(a.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if n, err := strconv.ParseFloat(value, 64); err == nil {
			all[name] = n
		}
	}
	return all
}

// watchMemory notes the most that is resident.
func (l *load) watchMemory(ctx context.Context) {
	for ctx.Err() == nil {
		n := l.metrics()["process_resident_memory_bytes"]
		l.mu.Lock()
		l.mu.most = max(l.mu.most, n)
		l.mu.Unlock()
		pause(ctx, 100*time.Millisecond)
	}
}

// infers has the node do a job.
func (l *load) infers() {
	l.Helper()
	x, err := l.client.Market().Infer(l.Context(), &gateway.Request{Model: l.model.cid, Inputs: l.model.inputs}, gateway.Binary)
	if err != nil {
		l.Fatal(err)
	}
	if len(x.Outputs) != 1 {
		l.Fatalf("%+v", x)
	}
	l.model.same(l.T, &gateway.Job{ID: x.Parameters.JobID, Outputs: x.Outputs})
}

// nothingIsLeft requires that goroutines, files, requests and jobs are what they were.
func (l *load) nothingIsLeft() {
	http.DefaultClient.CloseIdleConnections()
	l.await("a ready node", func() (bool, error) {
		a, err := http.Get(l.url + "/readyz")
		if err != nil {
			return false, err
		}
		_ = a.Body.Close()
		return a.StatusCode == http.StatusOK, nil
	})
	var after map[string]float64
	l.await("the end of what the load has begun", func() (bool, error) {
		http.DefaultClient.CloseIdleConnections()
		after = l.metrics()
		return after["go_goroutines"] <= l.before["go_goroutines"]+16 && after["process_open_fds"] <= l.before["process_open_fds"]+16, nil
	})
	for name, n := range after {
		if strings.HasPrefix(name, "wes_gateway_in_flight") && n != 0 {
			l.Errorf("%s is %v", name, n)
		}
	}
	for _, name := range []string{"go_goroutines", "process_open_fds"} {
		l.Logf("%s: %v before, %v after", name, l.before[name], after[name])
	}
	all := l.ended(l.client)
	ends := map[string]int{}
	for i := range all {
		ends[all[i].Settlement+" "+all[i].Reason]++
	}
	l.Logf("%d jobs: %v", len(all), ends)
	l.checkBalances(all)
	l.infers()
}
