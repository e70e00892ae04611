package benchmarks

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"github.com/weisyn/wes/benchmarks/architectures"
	"github.com/weisyn/wes/benchmarks/report"
)

// model is a network to run or prove, with the goals of the design where it has a row there.
type model struct {
	name      string
	title     string
	series    string
	input     []int
	ids       int64 // the input's cells are ids below, 0: they are numbers
	samples   int   // inputs to take ranges from and to compare with the float model, 0: the one that is proved
	integers  bool  // input or first output is of integers
	onnx      func() ([]byte, error)
	goals     map[string]float64 // by metric
	elsewhere string             // the best figure that is published for it
}

// textSamples is the number of sequences that text models are compared on.
const textSamples = 8

// goal is a row of the design's table: what to reach on two cores.
func goal(prove, verify, proof, peak float64) map[string]float64 {
	return map[string]float64{"prove": prove, "verify": verify, "proof": proof, "peak_memory": peak}
}

// accurate adds what integers may lose.
func accurate(goals map[string]float64) map[string]float64 {
	goals["other_top_answers"], goals["cosine_distance"] = .01, .005
	return goals
}

// provedModels are the rows of the design's table, then the series.
func provedModels(o *Options) []model {
	list := []model{
		shipped(o, "digits_mlp", "MLP 64-64-32-10", 1, 64).aims(goal(.015, .003, 15e3, 100e6), "EZKL, a 3→4 MLP: 27.3 s"),
		shipped(o, "lenet5_28", "LeNet-5, 28×28", 1, 1, 28, 28).aims(goal(.03, .005, 30e3, 120e6), "zkCNN, one core: 0.56 s"),
	}
	if o.Quick {
		return list
	}
	goals := map[string]map[string]float64{
		"vgg11_32":         goal(.25, .025, 120e3, 300e6),
		"vgg16_32":         goal(.4, .04, 160e3, 450e6),
		"resnet18_224":     goal(2.5, .05, 300e3, 1.6e9),
		"mobilenet_v2_224": goal(5.5, .06, 400e3, 3e9),
		"bert_12x768_128":  accurate(goal(25, .15, 1.5e6, 16e9)),
		"gpt2_12x768_64":   accurate(goal(25, .15, 1.5e6, 16e9)),
		"forest_100x8_64":  accurate(map[string]float64{"prove": .3}),
	}
	elsewhere := map[string]string{
		"vgg11_32":         "zkCNN, one core: 75.9 s",
		"vgg16_32":         "zkPyTorch, one core: 2.2 s",
		"resnet18_224":     "ZKTorch, ResNet-50, 64 threads: 6271 s",
		"mobilenet_v2_224": "Bionetta, 16 threads: 24.5 s",
		"gpt2_12x768_64":   "GPT-2, 16 tokens, laptop: 14.9 s",
	}
	for _, n := range slices.Concat(architectures.Networks(), []architectures.Network{architectures.Forest(100, 8, 30, 64), architectures.LSTM(2, 256, 64)}, architectures.Texts()) {
		list = append(list, generated(o, n, "").aims(goals[n.Name], elsewhere[n.Name]))
	}
	for _, size := range []int{32, 64, 128, 256} {
		list = append(list, generated(o, architectures.ResNet18(size), report.ByActivations))
	}
	for _, kernel := range []int{1, 3, 5, 7} {
		list = append(list, generated(o, architectures.Kernels(kernel), report.ByMACs))
	}
	return list
}

func shipped(o *Options, name, title string, input ...int) model {
	return model{name: name, title: title, input: input, onnx: func() ([]byte, error) {
		return os.ReadFile(filepath.Join(o.Models, name+".onnx"))
	}}
}

func generated(o *Options, n architectures.Network, series string) model {
	samples := 0
	if n.Ids > 0 {
		samples = textSamples
	}
	return model{name: n.Name, title: n.Title, series: series, input: n.Input, ids: n.Ids, samples: samples, integers: n.Integers, onnx: func() ([]byte, error) {
		return n.Make(o.Seed).Marshal()
	}}
}

func (m model) aims(goals map[string]float64, elsewhere string) model {
	m.goals, m.elsewhere = goals, elsewhere
	return m
}

func inferenceCases(o *Options) []Case {
	var cases []Case
	for _, m := range provedModels(o) {
		r := report.Result{Case: m.name, Title: m.title, Series: m.series, Engine: "auto", Elsewhere: m.elsewhere}
		cases = append(cases, Case{result: r, goals: m.goals, open: func(ctx context.Context, r *report.Result) (*trial, error) {
			return openInference(ctx, o, m, r)
		}})
	}
	return cases
}
