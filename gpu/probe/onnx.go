package probe

import (
	"context"
	"errors"
	"fmt"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/onnx"
)

// The subjects of findings about ONNX Runtime.
const (
	subjectONNX = "ONNX Runtime"
	subjectCPU  = "ONNX Runtime on CPU"
	subjectCUDA = "ONNX Runtime on CUDA"
)

// ONNX looks for ONNX Runtime and tries its providers: a provider counts as found when a
// session opens on it and its self-test is exact.
type ONNX struct {
	Linked bool // this build can load the library
	Locate func() (library string, err error)
	Try    func(ctx context.Context, library, provider string) (version string, err error)
}

var _ gpu.Prober = ONNX{}

// NewONNX looks for the library that package onnx uses.
func NewONNX() ONNX { return ONNX{onnx.Linked(), onnx.Locate, try} }

func try(ctx context.Context, library, provider string) (string, error) {
	c, err := onnx.Open(ctx, onnx.Options{Library: library, Provider: provider})
	if err != nil {
		return "", err
	}
	return c.Version(), c.Close()
}

// Probe finds no devices, only what runs on them. The error is ctx's.
func (o ONNX) Probe(ctx context.Context) (gpu.Inventory, error) {
	library, err := o.Locate()
	switch {
	case !o.Linked:
		return finding(subjectONNX, gpu.Missing, "this build has no cgo; models run on the interpreter, to the same bits", "install a C compiler and build again")
	case err != nil:
		return finding(subjectONNX, gpu.Missing, err.Error()+"; models run on the interpreter, to the same bits", "run `wes deps`, or set "+onnx.LibraryVariable)
	}
	i := gpu.Inventory{Findings: []gpu.Finding{
		{Subject: subjectONNX, Status: gpu.Found, Why: library},
		o.provider(ctx, subjectCPU, library, onnx.CPU),
	}}
	if path, err := onnx.CUDAProvider(library); err != nil {
		i.Findings = append(i.Findings, gpu.Finding{
			Subject: subjectCUDA, Status: gpu.Missing, Why: "no file " + path,
			Do: "to run models on an NVIDIA GPU: set " + onnx.LibraryVariable + " to a GPU build of ONNX Runtime that has this file beside it",
		})
	} else {
		i.Findings = append(i.Findings, o.provider(ctx, subjectCUDA, library, onnx.CUDA))
	}
	if ctx.Err() != nil {
		return gpu.Inventory{}, fmt.Errorf("probe ONNX Runtime: %w", ctx.Err())
	}
	return i, nil
}

func finding(subject string, s gpu.Status, why, do string) (gpu.Inventory, error) {
	return gpu.Inventory{Findings: []gpu.Finding{{Subject: subject, Status: s, Why: why, Do: do}}}, nil
}

func (o ONNX) provider(ctx context.Context, subject, library, provider string) gpu.Finding {
	version, err := o.Try(ctx, library, provider)
	if err == nil {
		return gpu.Finding{Subject: subject, Status: gpu.Found, Why: "version " + version + ", the self-test is exact"}
	}
	f := gpu.Finding{Subject: subject, Status: gpu.Broken, Why: clip(err.Error()), Do: "use the version that `wes deps` installs, " + onnx.Version}
	switch {
	case errors.Is(err, onnx.ErrInexact):
		f.Do = "use another version of ONNX Runtime: this one rounds where it must not"
	case provider == onnx.CUDA:
		f.Do = "install the CUDA and cuDNN versions that this ONNX Runtime was built for, and an NVIDIA driver for them"
	}
	return f
}
