package benchmarks

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/weisyn/wes/benchmarks/report"
	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/town"
	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/model/tensor"
	"github.com/weisyn/wes/prover/pipeline"
)

// The metrics of the market.
const (
	addedTime = "added"  // by the market to the bare prover
	cpuShare  = "cpu"    // of one core that an idle node takes
	residents = "memory" // resident set of an idle node
)

// proverAlone is the baseline of jobs: the same proof in this process, verified.
const proverAlone = "prover alone"

// Goals of the design for the time that the market adds, in seconds.
const (
	goalPosted = 0.05
	goalSealed = bidWindow + 0.05
	bidWindow  = 0.5
)

// marketModel is what jobs are about: a small one, since the market's own time is of interest.
const marketModel = "digits_mlp"

// marketCases run a market of processes over sockets of loopback.
func marketCases(o *Options) []Case {
	jobs := 20
	if o.Quick {
		jobs = 2
	}
	return []Case{
		jobCase(o, "posted price", "One job at a posted price, to a proof verified at the client", jobs, goalPosted, "--posted"),
		jobCase(o, "sealed bids", "One job with sealed bids, to a proof verified at the client", jobs, goalSealed),
		paymentCase(o, jobs),
		throughputCase(o, "throughput", "Jobs at a posted price with escrows, %d under way", jobs, nil),
		throughputCase(o, "channel", "Jobs at a posted price through a channel, %d under way", 5*jobs, []string{"--channel-cap", channelCap}),
		idleCase(o),
	}
}

// stall is a market with one operator and one client, and a model that the operator offers.
type stall struct {
	town    *town.Town
	client  *town.Node
	request gateway.Request
	alone   func(context.Context) error
}

// openStall starts the processes with settings of the client and the operator.
func openStall(ctx context.Context, o *Options, r *report.Result, client []string, operator ...string) (s *stall, err error) {
	r.Engine = "cpu"
	s = &stall{}
	s.town, err = town.Open(ctx, town.Config{
		Program: o.Command, Spacing: time.Second, Heartbeat: time.Minute, Funds: "100x20",
		Parties: []town.Party{{Name: "client", Settings: client}, {Name: "operator", Settings: append([]string{"--sell"}, operator...)}},
	})
	if err != nil {
		return nil, err
	}
	s.client = s.town.Node("client")
	if err := s.deploy(ctx, o, r); err != nil {
		return nil, errors.Join(err, s.town.Close())
	}
	return s, nil
}

// deploy announces the model, has the operator fetch it, and prepares the same proof in this process.
func (s *stall) deploy(ctx context.Context, o *Options, r *report.Result) error {
	file := filepath.Join(o.Models, marketModel)
	source, err := readSource(file)
	if err != nil {
		return err
	}
	r.Input = newDigest().bytes(source.ONNX).String()
	out, err := s.client.Run(ctx, "ai", "deploy", file+".onnx", "--name", marketModel, "--input", file+".input.json", "--wait", "--json")
	if err != nil {
		return err
	}
	var d struct{ CID string }
	if err := json.Unmarshal(out, &d); err != nil {
		return err
	}
	s.request = gateway.Request{Model: d.CID}
	for i := range source.Inputs {
		s.request.Inputs = append(s.request.Inputs, single(&source.Inputs[i]))
	}
	if s.alone, err = proveAlone(ctx, source); err != nil {
		return err
	}
	if err := s.town.Operators(ctx, s.client, 1, 0); err != nil {
		return err
	}
	if _, err := s.job(ctx); err != nil { // who is asked fetches the model
		return err
	}
	return s.town.Operators(ctx, s.client, 1, 1)
}

// readSource reads a shipped model with its input.
func readSource(file string) (s pipeline.Source, err error) {
	if s.ONNX, err = os.ReadFile(file + ".onnx"); err != nil {
		return s, err
	}
	raw, err := os.ReadFile(file + ".input.json")
	if err == nil {
		s.Inputs, err = tensor.ParseJSON(raw)
	}
	return s, err
}

// single is a tensor as requests hold it.
func single(t *tensor.Tensor) gateway.Tensor {
	out := gateway.Tensor{Name: t.Name, Datatype: "FP32"}
	for _, n := range t.Shape {
		out.Shape = append(out.Shape, int64(n))
	}
	for _, v := range t.Data {
		out.Data = binary.LittleEndian.AppendUint32(out.Data, math.Float32bits(float32(v)))
	}
	return out
}

// proveAlone returns a function that proves and verifies as the operator and its client do, without them.
func proveAlone(ctx context.Context, source pipeline.Source) (func(context.Context) error, error) {
	line := &pipeline.Line{}
	p, err := line.Prepare(ctx, source)
	if err != nil {
		return nil, err
	}
	x, err := line.Attach(ctx, p, pipeline.EngineInterpreter)
	if err != nil {
		return nil, err
	}
	cells, _, err := tensor.QuantizeAll(p.Model.Graph, source.Inputs, false)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		_, err := line.ProveCells(ctx, p, x, cells, prover.Job{ID: "alone"})
		return err
	}, nil
}

// job is one job, to a proof that the client's node has verified; it returns the id.
func (s *stall) job(ctx context.Context) (string, error) {
	return s.follow(ctx, func(j *gateway.Job) bool { return j.ProofStatus == gateway.ProofVerified })
}

func (s *stall) follow(ctx context.Context, done func(*gateway.Job) bool) (string, error) {
	ctx, stop := context.WithTimeout(ctx, waitTime)
	defer stop()
	client := s.client.Market()
	j, err := client.Submit(ctx, &s.request)
	if err != nil {
		return "", err
	}
	for x, err := range client.Watch(ctx, j.ID) {
		if err != nil {
			return "", err
		}
		if done(&x) {
			return j.ID, nil
		}
		if x.Ended {
			e, err := client.Explain(ctx, j.ID)
			if err != nil {
				return "", err
			}
			return "", fmt.Errorf("job %s came to nothing (%s): %s: %+v", j.ID, x.Reason, e.Text, e.Declines)
		}
	}
	return "", errors.New("no more news of a job")
}

// jobCase is the time of jobs one after the other, and what of it the market has added.
func jobCase(o *Options, name, title string, jobs int, goal float64, settings ...string) Case {
	r := report.Result{Case: name, Title: title, Series: "market", Engine: "cpu", Parameters: map[string]int64{report.Jobs: int64(jobs)}}
	return Case{result: r, goals: map[string]float64{addedTime: goal}, open: func(ctx context.Context, r *report.Result) (*trial, error) {
		s, err := openStall(ctx, o, r, nil, settings...)
		if err != nil {
			return nil, err
		}
		job := func(ctx context.Context) error { _, err := s.job(ctx); return err }
		p := &pair{metric: perTransaction, against: proverAlone, subject: job, baseline: s.alone, repeat: jobs}
		return &trial{close: s.town.Close, run: func(ctx context.Context, i int) ([]report.Reading, error) {
			all, err := p.run(ctx, i)
			if err != nil {
				return nil, err
			}
			added := report.Reading{Metric: addedTime, Unit: report.Seconds, Value: max(all[0].Value-all[0].Baseline, 0)}
			return append(all, added), nil
		}}, nil
	}}
}

// paymentCase is the time to a block with the payment.
func paymentCase(o *Options, jobs int) Case {
	r := report.Result{
		Case: "payment", Title: "One job at a posted price, to its payment in a block", Series: "market", Engine: "cpu",
		Parameters: map[string]int64{report.Jobs: int64(min(jobs, 5))},
	}
	return Case{result: r, open: func(ctx context.Context, r *report.Result) (*trial, error) {
		s, err := openStall(ctx, o, r, nil, "--posted")
		if err != nil {
			return nil, err
		}
		return &trial{close: s.town.Close, run: func(ctx context.Context, _ int) ([]report.Reading, error) {
			t, err := repeated(ctx, int(r.Parameters[report.Jobs]), func(ctx context.Context) error {
				_, err := s.follow(ctx, func(j *gateway.Job) bool { return j.Height > 0 })
				return err
			})
			return []report.Reading{{Metric: perTransaction, Unit: report.Seconds, Value: t}}, err
		}}, nil
	}}
}

// inFlight is how many jobs of one client are under way at once.
const inFlight = 8

// What a channel holds, and the price of a job in it, in base units.
const (
	channelCap = "50000000"
	smallPrice = "10000"
)

// throughputCase is the time of a job where several are under way.
func throughputCase(o *Options, name, title string, jobs int, client []string) Case {
	jobs *= 2
	r := report.Result{
		Case: name, Title: fmt.Sprintf(title, inFlight), Series: "market", Engine: "cpu", Parameters: map[string]int64{report.Jobs: int64(jobs)},
	}
	return Case{result: r, open: func(ctx context.Context, r *report.Result) (*trial, error) {
		s, err := openStall(ctx, o, r, client, "--posted", "--price-minimum", smallPrice, "--price-per-unit", "0")
		if err != nil {
			return nil, err
		}
		if client != nil {
			if err := s.channel(ctx); err != nil {
				return nil, errors.Join(err, s.town.Close())
			}
		}
		return &trial{close: s.town.Close, run: func(ctx context.Context, _ int) ([]report.Reading, error) {
			start := time.Now()
			err := s.many(ctx, jobs)
			return []report.Reading{{Metric: perTransaction, Unit: report.Seconds, Value: time.Since(start).Seconds() / float64(jobs)}}, err
		}}, nil
	}}
}

// channel does a job, with which a channel is opened, and waits for that.
func (s *stall) channel(ctx context.Context) error {
	if _, err := s.job(ctx); err != nil {
		return err
	}
	return town.Await(ctx, "an open channel", func() (bool, error) {
		all, err := s.client.Market().Channels(ctx)
		return slices.ContainsFunc(all, func(c gateway.Channel) bool { return c.State == "open" }), err
	})
}

// many does jobs, several at a time.
func (s *stall) many(ctx context.Context, jobs int) error {
	var all sync.WaitGroup
	errs := make([]error, inFlight)
	for i := range inFlight {
		all.Go(func() {
			for k := i; k < jobs && errs[i] == nil; k += inFlight {
				_, errs[i] = s.job(ctx)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
