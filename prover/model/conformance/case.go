package conformance

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/weisyn/wes/prover/model/onnx"
)

const (
	modelFile = "model.onnx"
	dataDir   = "test_data_set_0"
	maxBytes  = 1 << 26 // of one file
	maxValues = 64      // inputs, and outputs, of one case
)

// example is a case as its folder holds it: a model, values of its free inputs in order, and
// the outputs expected for them.
type example struct {
	model   *onnx.Model
	inputs  []*onnx.Tensor
	outputs []*onnx.Tensor
	window  bool // it tests a window function
}

// load reads a case. An *onnx.Error refuses what the file format of this program leaves out.
func load(fsys fs.FS, dir string) (*example, error) {
	data, err := read(fsys, path.Join(dir, modelFile))
	if err != nil {
		return nil, err
	}
	e := &example{window: strings.Contains(path.Base(dir), "window_")}
	if e.model, err = onnx.Parse(data, onnx.Limits{Bytes: maxBytes}); err != nil {
		return nil, err
	}
	if e.inputs, err = tensors(fsys, dir, "input"); err != nil {
		return nil, err
	}
	if e.outputs, err = tensors(fsys, dir, "output"); err != nil {
		return nil, err
	}
	if len(e.outputs) != len(e.model.Graph.Outputs) {
		return nil, fmt.Errorf("%d output files for %d outputs", len(e.outputs), len(e.model.Graph.Outputs))
	}
	return e, e.nameInputs()
}

// nameInputs gives the values the names of the inputs that no initializer sets.
func (e *example) nameInputs() error {
	g := &e.model.Graph
	k := 0
	for _, in := range g.Inputs {
		if slices.ContainsFunc(g.Initializers, func(t onnx.Tensor) bool { return t.Name == in.Name }) {
			continue
		}
		if k < len(e.inputs) {
			e.inputs[k].Name = in.Name
		}
		k++
	}
	if k != len(e.inputs) {
		return fmt.Errorf("%d input files for %d inputs", len(e.inputs), k)
	}
	return nil
}

// tensors reads kind_0.pb, kind_1.pb and so on.
func tensors(fsys fs.FS, dir, kind string) ([]*onnx.Tensor, error) {
	var list []*onnx.Tensor
	for i := range maxValues {
		name := path.Join(dir, dataDir, kind+"_"+strconv.Itoa(i)+".pb")
		data, err := read(fsys, name)
		if errors.Is(err, fs.ErrNotExist) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		t, err := onnx.ParseTensor(data, onnx.Limits{Bytes: maxBytes})
		if err != nil {
			return nil, fmt.Errorf("%s %d: %w", kind, i, err)
		}
		list = append(list, t)
	}
	return nil, fmt.Errorf("more than %d files of the kind %s", maxValues, kind)
}

func read(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > maxBytes {
		return nil, fmt.Errorf("read %s: more than %d bytes", name, maxBytes)
	}
	return data, nil
}

// operator is that of the only node, or Several.
func operator(g *onnx.Graph) string {
	if len(g.Nodes) != 1 {
		return Several
	}
	n := &g.Nodes[0]
	if n.Domain != onnx.DomainDefault {
		return n.Domain + "." + n.Op
	}
	return n.Op
}
