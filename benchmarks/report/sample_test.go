package report

import (
	"fmt"
	"strings"
)

// sample is a report with every kind of result.
func sample() *Report {
	r := &Report{
		Version: Version, Time: "2026-11-27T12:00:00Z", Seed: 7,
		Machine:  Machine{CPU: "<cpu>", Cores: 2, Memory: 8 << 30, System: "linux/amd64", Go: "go1.26"},
		Devices:  []Device{{UUID: "GPU-1", Name: "Accelerator", Driver: "1.2", Memory: 80 << 30, Start: 30, End: 60}},
		Versions: Versions{WES: "abc", Gnark: "v1", GnarkCrypto: "v2"},
		Missing:  []Missing{{Suite: "onnx", Engine: "cuda", Reason: "no device"}},
	}
	add := func(suite, name, series string, parameters map[string]int64, readings ...[]Reading) {
		x := Result{Suite: suite, Case: name, Title: strings.ToUpper(name), Series: series, Engine: "cpu", Parameters: parameters, Input: fmt.Sprintf("%064x", name), Runs: len(readings)}
		for _, run := range readings {
			x.Add(run)
		}
		for i := range x.Metrics {
			x.Metrics[i].Summarise()
		}
		r.Results = append(r.Results, x)
	}
	for log, seconds := range []float64{.001, .002, .004} {
		p := map[string]int64{"points": 1 << log, "values": 1 << log, "batch": 1}
		times := []Reading{{Metric: "time", Unit: Seconds, Value: seconds, Against: "gnark-crypto", Baseline: 2 * seconds}}
		add("msm", string(rune('a'+log)), "8-bit scalars", p, times, times)
		add("ntt", string(rune('a'+log)), "forward", p, times, times)
	}
	job := []Reading{{Metric: "prove", Unit: Seconds, Value: 2, Against: "gnark", Baseline: 1.9}, {Metric: "second_start", Unit: Seconds, Value: .001}}
	add("groth16", "2^16", "groth16", map[string]int64{Constraints: 1 << 16}, job, job)
	add("plonk", "2^16", "plonk", map[string]int64{Constraints: 1 << 16}, job, job)
	proof := func(prove float64) []Reading {
		return []Reading{
			{Metric: "prove", Unit: Seconds, Value: prove},
			{Metric: "verify", Unit: Seconds, Value: .01},
			{Metric: "proof", Unit: Bytes, Value: 1e4},
			{Metric: "float_inference", Unit: Seconds, Value: .1},
		}
	}
	sizes := func(n int64) map[string]int64 {
		return map[string]int64{"macs": 5e6 * n, "activations": 10 * n, "cells": 20 * n, "lookups": 20 * n, "contract.small_products": 10}
	}
	add("inference", "a", "", sizes(1), proof(.5), proof(.4), proof(.6))
	r.Results[len(r.Results)-1].Metrics[0].Goal = 1
	add("inference", "b", ByActivations, sizes(1), proof(.5))
	add("inference", "c", ByActivations, sizes(2), proof(.9))
	add("onnx", "a", "cpu", sizes(1), []Reading{{Metric: "inference", Unit: Seconds, Value: .1}})
	return r
}
