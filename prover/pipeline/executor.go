package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/emit"
	"github.com/weisyn/wes/prover/model/interpret"
)

// Runtime starts an accelerated runtime for emitted graphs. Open's error is a *Fault when
// there is one that should work.
type Runtime interface {
	Open(ctx context.Context) (Device, error)
}

// Device is a runtime that was found to be exact.
type Device interface {
	Name() string     // for reports
	NativeConv() bool // whether its convolution is exact
	Load(ctx context.Context, p *emit.Program) (emit.Session, error)
	Close() error
}

// ErrNoRuntime is returned by Attach for EngineONNXRuntime on a Line without a Runtime.
var ErrNoRuntime = errors.New("this program has no ONNX Runtime")

// Engine says what executes.
type Engine string

// The engines. Auto takes ONNX Runtime if there is one and the model is large enough for
// its start to pay, else the interpreter. All give the same bits.
const (
	EngineAuto        Engine = "auto"
	EngineONNXRuntime Engine = "onnxruntime"
	EngineInterpreter Engine = "interpreter"
)

// ParseEngine returns the engine of a name.
func ParseEngine(name string) (Engine, error) {
	switch e := Engine(name); e {
	case EngineAuto, EngineONNXRuntime, EngineInterpreter:
		return e, nil
	}
	return "", fmt.Errorf("engine %q is unknown: it is %s, %s or %s", name, EngineAuto, EngineONNXRuntime, EngineInterpreter)
}

// What starting ONNX Runtime costs, in multiply-accumulates that the interpreter does in the
// same time: a process, and the way of each parameter into it. Measured on two cores: 0.14 s
// and 50 ns, at 1.8·10^9 multiply-accumulates a second.
const (
	startMACs     = 250e6
	parameterMACs = 100
)

// startPays tells whether one run on ONNX Runtime, with its start, is faster than the
// interpreter.
func (s *Summary) startPays() bool { return s.MACs > startMACs+parameterMACs*s.Params }

// Executor executes one program.
type Executor struct {
	Engine  Engine // EngineONNXRuntime or EngineInterpreter
	Why     string // in words, why that engine
	device  Device // nil: the interpreter
	emitted *emit.Program
	session emit.Session
	auto    bool // interpret when the runtime fails
}

// Attach makes ready what executes a program. Close the executor after use.
func (l *Line) Attach(ctx context.Context, p *Program, e Engine) (*Executor, error) {
	switch {
	case e == EngineInterpreter:
		return &Executor{Engine: e, Why: "as asked"}, nil
	case !multiplies(p.Model.Graph):
		return &Executor{Engine: EngineInterpreter, Why: "no part of it is work for ONNX Runtime"}, nil
	case e == EngineONNXRuntime:
		return l.attachRuntime(ctx, p, "as asked")
	case !p.Summary.startPays():
		return &Executor{Engine: EngineInterpreter, Why: "sooner done than ONNX Runtime started"}, nil
	}
	x, err := l.attachRuntime(ctx, p, "large model")
	switch {
	case err == nil:
		x.auto = true
		return x, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	}
	return &Executor{Engine: EngineInterpreter, Why: err.Error()}, nil
}

// multiplies tells whether a graph computes more than views and public values: an emitted program has
// outputs then.
func multiplies(g *graph.Graph) bool {
	return slices.ContainsFunc(g.Nodes, func(n graph.Node) bool {
		switch n.Op.(type) {
		case *graph.Rescale, *graph.Reveal, *graph.Max:
			return true
		}
		return false
	})
}

func (l *Line) attachRuntime(ctx context.Context, p *Program, why string) (*Executor, error) {
	if l.Runtime == nil {
		return nil, ErrNoRuntime
	}
	d, err := l.Runtime.Open(ctx)
	if err != nil {
		return nil, err
	}
	x := &Executor{Engine: EngineONNXRuntime, Why: why + ", " + d.Name(), device: d}
	if err := x.load(ctx, p); err != nil {
		d.Close()
		return nil, &Fault{StageExecute, err}
	}
	return x, nil
}

func (x *Executor) load(ctx context.Context, p *Program) (err error) {
	mode := emit.PatchConv
	if x.device.NativeConv() {
		mode = emit.NativeConv
	}
	if x.emitted, err = emit.Emit(p.Model.Graph, p.Model.System().Info, p.Weights, mode); err != nil {
		return fmt.Errorf("emit graph: %w", err)
	}
	if x.session, err = x.device.Load(ctx, x.emitted); err != nil {
		return fmt.Errorf("load emitted graph: %w", err)
	}
	// The runtime has its copy.
	x.emitted.Model = nil
	return nil
}

// run executes the program.
func (x *Executor) run(ctx context.Context, p *Program, inputs [][]int32) (*graph.Trace, error) {
	if x.device == nil {
		return interpret.Run(ctx, p.Model.Graph, p.Model.System().Info, p.Weights, inputs)
	}
	trace, err := emit.Run(ctx, x.session, x.emitted, inputs)
	if err == nil || !x.auto || ctx.Err() != nil {
		return trace, err
	}
	x.Engine, x.Why = EngineInterpreter, err.Error()
	return interpret.Run(ctx, p.Model.Graph, p.Model.System().Info, p.Weights, inputs)
}

// Close ends what the executor started.
func (x *Executor) Close() error {
	if x.device == nil {
		return nil
	}
	return x.device.Close()
}
