package gateway

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync"
)

// fake is a market in memory. Outputs are known at once unless it is held.
type fake struct {
	refuse  error         // of Submit
	why     []string      // of Ready
	held    bool          // jobs stay without outputs until change
	entered chan struct{} // calls of Models come here first, and then wait for another
	mu      struct {
		sync.Mutex
		jobs     []Job
		watchers map[string][]chan Job
		requests []Request
		cordoned bool
	}
}

var _ Market = (*fake)(nil)

func newFake() *fake {
	f := &fake{}
	f.mu.watchers = map[string][]chan Job{}
	return f
}

// mymodel is that of the examples of both specifications.
func testModels() []Model {
	one := func(name, cid, datatype string) Model {
		return Model{
			Name: name, CID: cid, Kind: KindInfer, Ready: true,
			Inputs: []TensorInfo{{"x", datatype, []int64{-1}}}, Outputs: []TensorInfo{{"y", datatype, []int64{-1}}},
		}
	}
	versioned := one("versioned", "bafyversioned", "INT32")
	versioned.Version = "3"
	return []Model{
		versioned,
		{
			Name: "mymodel", CID: "bafymy", Kind: KindInfer, Ready: true, Price: "5",
			Inputs:  []TensorInfo{{"input0", "UINT32", []int64{2, 2}}, {"input1", "BOOL", []int64{3}}},
			Outputs: []TensorInfo{{"output0", "FP32", []int64{3, 2}}},
		},
		one("echo", "bafyecho", "INT32"), one("half", "bafyhalf", "FP16"), one("float", "bafyfloat", "FP32"),
		{Name: "circuit", CID: "bafycircuit", Version: "2", Kind: KindProve, Reason: "nobody offers it"},
	}
}

func (f *fake) Models(ctx context.Context) ([]Model, error) {
	if f.entered != nil {
		for range 2 {
			select {
			case f.entered <- struct{}{}:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	}
	return testModels(), nil
}

func (f *fake) Model(_ context.Context, name string) (*Model, error) {
	for _, m := range testModels() {
		if name == m.Name || name == m.CID {
			return &m, nil
		}
	}
	return nil, ErrUnknownModel(name)
}

func (f *fake) Submit(_ context.Context, r *Request) (*Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		return nil, f.refuse
	}
	f.mu.requests = append(f.mu.requests, *r)
	j := Job{
		ID: "job-" + strconv.Itoa(len(f.mu.jobs)+1), Kind: r.Kind, Level: "zk", Model: r.Model, ModelCID: r.Model, Assignment: "announced",
		Execution: "idle", Settlement: "unfunded", ProofStatus: ProofPending, Price: "7", Operator: "op", Times: Times{Submitted: 1},
	}
	if !f.held {
		j.Outputs = run(r)
	}
	f.mu.jobs = append(f.mu.jobs, j)
	return &j, nil
}

// run computes the outputs: those of the example, or the input again.
func run(r *Request) []Tensor {
	if len(r.Inputs) != 1 {
		return []Tensor{floats("output0", []int64{3, 2}, 1, 1.1, 2, 2.1, 3, 3.1)}
	}
	t := r.Inputs[0]
	t.Name = "y"
	return []Tensor{t}
}

func (f *fake) Job(_ context.Context, id string) (*Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.find(id)
}

func (f *fake) find(id string) (*Job, error) {
	for _, j := range f.mu.jobs {
		if j.ID == id {
			return &j, nil
		}
	}
	return nil, problem(http.StatusNotFound, ReasonNotFound, "no job %q", id)
}

func (f *fake) Jobs(_ context.Context, filter JobFilter) ([]Job, string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := slices.Clone(f.mu.jobs)
	slices.Reverse(all)
	all = slices.DeleteFunc(all, func(j Job) bool { return j.Ended && filter.Open })
	from, _ := strconv.Atoi(filter.Cursor)
	all = all[min(from, len(all)):]
	if len(all) > filter.Limit {
		return all[:filter.Limit], strconv.Itoa(from + filter.Limit), nil
	}
	return all, "", nil
}

func (f *fake) Watch(ctx context.Context, id string) (<-chan Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	j, err := f.find(id)
	if err != nil {
		return nil, err
	}
	c := make(chan Job, 1)
	c <- *j
	if j.Ended {
		close(c)
		return c, nil
	}
	f.mu.watchers[id] = append(f.mu.watchers[id], c)
	context.AfterFunc(ctx, func() { f.leave(id, c) })
	return c, nil
}

func (f *fake) leave(id string, c chan Job) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.Index(f.mu.watchers[id], c); i >= 0 {
		f.mu.watchers[id] = slices.Delete(f.mu.watchers[id], i, i+1)
		close(c)
	}
}

// change changes a job and tells those who watch; the latest wins.
func (f *fake) change(id string, how func(*Job)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.mu.jobs, func(j Job) bool { return j.ID == id })
	how(&f.mu.jobs[i])
	for _, c := range f.mu.watchers[id] {
		select {
		case <-c:
		default:
		}
		c <- f.mu.jobs[i]
		if f.mu.jobs[i].Ended {
			close(c)
		}
	}
	if f.mu.jobs[i].Ended {
		delete(f.mu.watchers, id)
	}
}

func (f *fake) Cancel(_ context.Context, id string) error {
	j, err := f.Job(context.Background(), id)
	if err != nil {
		return err
	}
	if j.Outputs != nil {
		return problem(http.StatusConflict, "too_late", "the job is done")
	}
	f.change(id, func(j *Job) { j.Assignment, j.Execution, j.Reason, j.Ended = "closed", "failed", "canceled", true })
	return nil
}

func (f *fake) Explain(_ context.Context, id string) (*Explanation, error) {
	if _, err := f.Job(context.Background(), id); err != nil {
		return nil, err
	}
	return &Explanation{Job: id, Text: "nobody bid", Reasons: []ReasonCount{{"busy", 2}}}, nil
}

func (f *fake) Proof(_ context.Context, id string) ([]byte, error) {
	j, err := f.Job(context.Background(), id)
	if err != nil {
		return nil, err
	}
	if j.ProofStatus != ProofVerified {
		return nil, problem(http.StatusNotFound, ReasonNotFound, "no proof yet")
	}
	return []byte{0, 1, 2, 255}, nil
}

func (f *fake) Operators(context.Context) ([]Operator, error) {
	return []Operator{{ID: "op", Prices: []Offered{{"bafymy", "5"}}}}, nil
}

func (f *fake) Key(_ context.Context, name string) ([]byte, error) {
	if _, err := f.Model(context.Background(), name); err != nil {
		return nil, err
	}
	return []byte("key of " + name), nil
}

func (f *fake) Status(context.Context) (*Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return &Status{Key: "aa", Selling: true, Cordoned: f.mu.cordoned}, nil
}

func (f *fake) Cordon(_ context.Context, on bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mu.cordoned = on
	return nil
}

func (f *fake) Channels(context.Context) ([]Channel, error) {
	return []Channel{{ID: "channel", Role: "client", Other: "op", State: "open", Cap: "500", Paid: "100", Room: "390", Jobs: 1, ExpiresMS: 1, Funding: "tx:0"}}, nil
}

func (f *fake) Devices(context.Context) ([]Device, error) { return nil, nil }

func (f *fake) Bids(_ context.Context, id string) ([]Bid, error) {
	_, err := f.Job(context.Background(), id)
	return nil, err
}

func (f *fake) Ready() []string { return f.why }
