//go:build cgo

package onnx

import (
	"errors"
	"fmt"
	"runtime"

	ort "github.com/yalue/onnxruntime_go"
)

// linked says whether this build can load the library.
const linked = true

// native is ONNX Runtime in this process, of which there can be one.
type native struct{ setup setup }

var _ engine = (*native)(nil)

func newEngine(s setup) (engine, error) {
	ort.SetSharedLibraryPath(s.Library)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return nil, fmt.Errorf("load %s: %w", s.Library, err)
	}
	n := &native{s}
	o, err := n.options()
	if err != nil {
		return nil, err
	}
	return n, o.Destroy()
}

func (n *native) version() string { return ort.GetVersion() }

// options are the same for every session. The format is stated, for the default takes
// files of ONNX Runtime's own format too.
func (n *native) options() (*ort.SessionOptions, error) {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	entries := [][2]string{{"session.load_model_format", "ONNX"}, {"session.force_spinning_stop", "1"}}
	for _, e := range entries {
		if err == nil {
			err = o.AddSessionConfigEntry(e[0], e[1])
		}
	}
	if err == nil {
		err = o.SetIntraOpNumThreads(n.setup.Threads)
	}
	if err == nil {
		err = o.SetInterOpNumThreads(1)
	}
	if err == nil && n.setup.Provider == CUDA {
		err = appendCUDA(o)
	}
	if err != nil {
		o.Destroy()
		return nil, fmt.Errorf("session options for provider %s: %w", n.setup.Provider, err)
	}
	return o, nil
}

// appendCUDA turns TF32 off, which keeps 10 bits of a factor.
func appendCUDA(o *ort.SessionOptions) error {
	cuda, err := ort.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer cuda.Destroy()
	if err := cuda.Update(map[string]string{"device_id": "0", "use_tf32": "0"}); err != nil {
		return err
	}
	return o.AppendExecutionProviderCUDA(cuda)
}

// session owns the memory that its tensors point to: pin keeps it in place while native
// code knows it.
type session struct {
	session *ort.DynamicAdvancedSession
	in, out []ort.Value
	inData  [][]byte
	outData [][]byte
	pin     runtime.Pinner
}

var _ loaded = (*session)(nil)

func (n *native) load(model []byte, spec modelSpec) (loaded, error) {
	if len(model) == 0 {
		return nil, errors.New("empty model")
	}
	o, err := n.options()
	if err != nil {
		return nil, err
	}
	defer o.Destroy()
	s := &session{}
	if s.in, s.inData, err = s.tensors(spec.Inputs); err != nil {
		s.free()
		return nil, err
	}
	if s.out, s.outData, err = s.tensors(spec.Outputs); err != nil {
		s.free()
		return nil, err
	}
	if s.session, err = ort.NewDynamicAdvancedSessionWithONNXData(model, names(spec.Inputs), names(spec.Outputs), o); err != nil {
		s.free()
		return nil, err
	}
	return s, nil
}

func names(values []Value) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = v.Name
	}
	return out
}

// tensors allocates the memory of values. Blocks of 16 bytes and more are aligned for
// float64.
func (s *session) tensors(values []Value) (tensors []ort.Value, data [][]byte, err error) {
	for _, v := range values {
		shape := ort.Shape{}
		for _, d := range v.Shape {
			shape = append(shape, int64(d))
		}
		size := v.size()
		cells := make([]byte, max(size, 16))[:size]
		s.pin.Pin(&cells[0])
		kind := ort.TensorElementDataType(ort.TensorElementDataTypeFloat)
		if v.Double {
			kind = ort.TensorElementDataTypeDouble
		}
		t, err := ort.NewCustomDataTensor(shape, cells, kind)
		if err != nil {
			return tensors, data, fmt.Errorf("value %q: %w", v.Name, err)
		}
		tensors, data = append(tensors, t), append(data, cells)
	}
	return tensors, data, nil
}

func (s *session) inputs() [][]byte  { return s.inData }
func (s *session) outputs() [][]byte { return s.outData }
func (s *session) run() error        { return s.session.Run(s.in, s.out) }

func (s *session) free() {
	if s.session != nil {
		s.session.Destroy()
	}
	for _, t := range append(s.in, s.out...) {
		t.Destroy()
	}
	s.pin.Unpin()
}
