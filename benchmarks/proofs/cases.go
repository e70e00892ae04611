package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"

	"github.com/weisyn/wes/benchmarks/architectures"
)

// Case is a model to prove, with the goals of the design's table where it has a row there.
type Case struct {
	Name   string
	Title  string
	Series string // cases of one series are plotted against each other
	Input  []int
	ONNX   func() ([]byte, error)
	Goal   *Goal
}

// Goal holds what the design aims at on two cores.
type Goal struct {
	Prove  float64 `json:"prove_s"`
	Verify float64 `json:"verify_s"`
	Proof  int64   `json:"proof_bytes"`
	Peak   int64   `json:"peak_rss_bytes"`
	Best   string  `json:"best_reference"`
}

const seed = 1

// cases are the rows of the design's table, then the series that show what time grows with.
func cases() []Case {
	list := []Case{
		shipped("digits_mlp", "MLP 64-64-32-10", []int{1, 64}, Goal{.015, .003, 15e3, 100e6, "EZKL, a 3→4 MLP: 27.3 s"}),
		shipped("lenet5_28", "LeNet-5, 28×28", []int{1, 1, 28, 28}, Goal{.03, .005, 30e3, 120e6, "zkCNN, one core: 0.56 s"}),
	}
	goals := map[string]Goal{
		"vgg11_32":         {.25, .025, 120e3, 300e6, "zkCNN, one core: 75.9 s"},
		"vgg16_32":         {.4, .04, 160e3, 450e6, "zkPyTorch, one core: 2.2 s"},
		"resnet18_224":     {2.5, .05, 300e3, 1.6e9, "ZKTorch, ResNet-50, 64 threads: 6271 s"},
		"mobilenet_v2_224": {5.5, .06, 400e3, 3e9, "Bionetta, 16 threads: 24.5 s"},
	}
	for _, n := range architectures.Networks() {
		goal := goals[n.Name]
		list = append(list, generated(n, "", &goal))
	}
	for _, size := range []int{32, 64, 128, 256} {
		list = append(list, generated(architectures.ResNet18(size), "activations", nil))
	}
	for _, kernel := range []int{1, 3, 5, 7} {
		list = append(list, generated(architectures.Kernels(kernel), "multiply-accumulates", nil))
	}
	return list
}

func shipped(name, title string, input []int, goal Goal) Case {
	return Case{Name: name, Title: title, Input: input, Goal: &goal, ONNX: func() ([]byte, error) {
		return os.ReadFile("testdata/models/" + name + ".onnx")
	}}
}

func generated(n architectures.Network, series string, goal *Goal) Case {
	return Case{Name: n.Name, Title: n.Title, Series: series, Input: n.Input, Goal: goal, ONNX: func() ([]byte, error) {
		return n.Make(seed).Marshal()
	}}
}

// randomInput is an .npy file of uniform values in [0, 1).
func randomInput(shape []int) []byte {
	dims, n := "", 1
	for _, d := range shape {
		dims += fmt.Sprintf("%d,", d)
		n *= d
	}
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", dims)
	for (10+len(header)+1)%64 != 0 {
		header += " "
	}
	header += "\n"
	var b bytes.Buffer
	b.WriteString("\x93NUMPY\x01\x00")
	b.Write(binary.LittleEndian.AppendUint16(nil, uint16(len(header))))
	b.WriteString(header)
	rng := rand.New(rand.NewPCG(seed, 1))
	for range n {
		b.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(rng.Float32())))
	}
	return b.Bytes()
}
