package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/weisyn/wes/gpu/onnx"
	"github.com/weisyn/wes/prover/model/emit"
	"github.com/weisyn/wes/prover/pipeline"
)

// runtimes offers package onnx to the pipeline.
type runtimes struct{}

var _ pipeline.Runtime = runtimes{}

// Open takes the CUDA provider when it lies beside the library and works, else the CPU.
func (runtimes) Open(ctx context.Context) (pipeline.Device, error) {
	library, err := onnx.Locate()
	if err != nil {
		return nil, err
	}
	if _, err := onnx.CUDAProvider(library); err == nil {
		if c, err := onnx.Open(ctx, onnx.Options{Library: library, Provider: onnx.CUDA}); err == nil {
			return device{c}, nil
		}
	}
	c, err := onnx.Open(ctx, onnx.Options{Library: library})
	switch {
	case errors.Is(err, onnx.ErrUnavailable):
		return nil, err
	case err != nil:
		return nil, &pipeline.Fault{Stage: pipeline.StageExecute, Err: err}
	}
	return device{c}, nil
}

// device is one child process.
type device struct{ client *onnx.Client }

var _ pipeline.Device = device{}

func (d device) Name() string {
	return fmt.Sprintf("ONNX Runtime %s on %s", d.client.Version(), d.client.Provider())
}

func (d device) NativeConv() bool { return d.client.NativeConv() }
func (d device) Close() error     { return d.client.Close() }

func (d device) Load(ctx context.Context, p *emit.Program) (emit.Session, error) {
	return d.client.Load(ctx, p.Model, values(p.Inputs), values(p.Outputs))
}

func values(in []emit.Value) []onnx.Value {
	out := make([]onnx.Value, len(in))
	for i, v := range in {
		out[i] = onnx.Value{Name: v.Name, Double: v.Double, Shape: v.Shape}
	}
	return out
}
