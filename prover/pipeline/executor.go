package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/emit"
	"github.com/weisyn/wes/prover/model/interpret"
)

// Runtime starts an accelerated runtime for emitted graphs. Open returns an error wrapping
// ErrNoRuntime when this build or machine has none.
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

// ErrNoRuntime is wrapped by Runtime.Open and by Attach when EngineONNXRuntime is not to
// be had.
var ErrNoRuntime = errors.New("no ONNX Runtime")

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

// smallModel is the multiply-accumulates below which EngineAuto interprets: a process with
// ONNX Runtime takes about a tenth of a second to start, in which the interpreter does as
// many.
const smallModel = 20e6

// Executor executes one program.
type Executor struct {
	Engine  Engine // EngineONNXRuntime or EngineInterpreter
	Why     string // in words, why that engine
	device  Device // nil: the interpreter
	emitted *emit.Program
	session emit.Session
}

// Attach makes ready what executes a program. Close the executor after use.
func (l *Line) Attach(ctx context.Context, p *Program, e Engine) (*Executor, error) {
	switch {
	case e == EngineInterpreter:
		return &Executor{Engine: e, Why: "as asked"}, nil
	case e == EngineONNXRuntime:
		return l.attachRuntime(ctx, p, "as asked")
	case p.Summary.MACs < smallModel:
		return &Executor{Engine: EngineInterpreter, Why: "small model"}, nil
	}
	x, err := l.attachRuntime(ctx, p, "large model")
	if err != nil && ctx.Err() == nil {
		return &Executor{Engine: EngineInterpreter, Why: err.Error()}, nil
	}
	return x, err
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
	return emit.Run(ctx, x.session, x.emitted, inputs)
}

// Close ends what the executor started.
func (x *Executor) Close() error {
	if x.device == nil {
		return nil
	}
	return x.device.Close()
}
