package float

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/weisyn/wes/prover/model/onnx"
)

// recurrentCase is an LSTM, a GRU or an RNN with what its model writes. Weights are random.
type recurrentCase struct {
	op                           string
	steps, batch, inputs, hidden int
	direction                    string
	operands                     string // of "b": biases, "h" and "c": initial states, "p": peepholes
	batchFirst, coupled, outside bool
	clip                         float64
	activations                  []string // nil: the standard's
	alpha, beta                  []float32
	parameters                   [][2]float64 // alpha and beta by activation
}

func (k *recurrentCase) gates() int { return map[string]int{"LSTM": 4, "GRU": 3, "RNN": 1}[k.op] }

func (k *recurrentCase) directions() int {
	if k.direction == "bidirectional" {
		return 2
	}
	return 1
}

// random is constant operands of a case by name, in the order of ONNX.
func (k *recurrentCase) random(r *rand.Rand) (names []string, tensors map[string]Tensor) {
	d, rows := k.directions(), k.gates()*k.hidden
	shapes := map[string][]int{"w": {d, rows, k.inputs}, "r": {d, rows, k.hidden}, "b": {d, 2 * rows}, "h": {d, k.batch, k.hidden}, "c": {d, k.batch, k.hidden}, "p": {d, 3 * k.hidden}}
	if k.batchFirst {
		shapes["h"], shapes["c"] = []int{k.batch, d, k.hidden}, []int{k.batch, d, k.hidden}
	}
	tensors = map[string]Tensor{}
	for _, name := range []string{"w", "r", "b", "", "h", "c", "p"} {
		if name == "w" || name == "r" || name != "" && strings.Contains(k.operands, name) {
			tensors[name] = gaussian(r, 0.7, shapes[name]...)
		} else {
			name = "_"
		}
		names = append(names, name)
	}
	for names[len(names)-1] == "_" {
		names = names[:len(names)-1]
	}
	return names, tensors
}

func gaussian(r *rand.Rand, scale float64, shape ...int) Tensor {
	t := NewTensor(shape)
	for i := range t.Data {
		t.Data[i] = float32(r.NormFloat64() * scale)
	}
	return t
}

func (k *recurrentCase) attrs() []onnx.Attribute {
	list := []onnx.Attribute{aInt("hidden_size", k.hidden)}
	if k.direction != "" {
		list = append(list, aString("direction", k.direction))
	}
	for _, f := range []struct {
		name string
		set  bool
	}{{"layout", k.batchFirst}, {"input_forget", k.coupled}, {"linear_before_reset", k.outside}} {
		if f.set {
			list = append(list, aInt(f.name, 1))
		}
	}
	if k.clip > 0 {
		list = append(list, aFloat("clip", float32(k.clip)))
	}
	if k.activations != nil {
		list = append(list, aStrings("activations", k.activations...))
	}
	if k.alpha != nil {
		list = append(list, aFloats("activation_alpha", k.alpha...))
	}
	if k.beta != nil {
		list = append(list, aFloats("activation_beta", k.beta...))
	}
	return list
}

func aStrings(name string, v ...string) onnx.Attribute {
	return onnx.Attribute{Name: name, Type: onnx.AttrStrings, Strings: v}
}

func (k *recurrentCase) outputs() []string {
	if k.op == "LSTM" {
		return []string{"y", "yh", "yc"}
	}
	return []string{"y", "yh"}
}

func (k *recurrentCase) shape(steps int) []int {
	if k.batchFirst {
		return []int{k.batch, steps, k.inputs}
	}
	return []int{steps, k.batch, k.inputs}
}

func (k *recurrentCase) build(names []string, tensors map[string]Tensor) *build {
	b := newBuild(14).input("x", k.shape(k.steps)...)
	for _, name := range slices.Sorted(maps.Keys(tensors)) {
		b.floats(name, tensors[name].Shape, tensors[name].Data...)
	}
	return b.node(k.op, "x "+strings.Join(names, " ")+" -> "+strings.Join(k.outputs(), " "), k.attrs()...).output(k.outputs()...)
}

// oracle evaluates the equations of the standard, cell by cell.
type oracle struct {
	*recurrentCase
	x          Tensor
	tensors    map[string]Tensor
	dir, batch int
}

func (o *oracle) at(name string, index ...int) float64 {
	t, ok := o.tensors[name]
	if !ok {
		return 0
	}
	if o.batchFirst && (name == "h" || name == "c") {
		index[0], index[1] = index[1], index[0]
	}
	return float64(t.Data[flat(t.Shape, index)])
}

func flat(shape, index []int) int {
	i := 0
	for d, n := range shape {
		i = i*n + index[d]
	}
	return i
}

func (o *oracle) function(k int, x float64) float64 {
	defaults := []string{"Sigmoid", "Tanh", "Tanh"}
	if o.op == "RNN" {
		defaults = defaults[1:]
	}
	name, alpha, beta := defaults[k], 0.0, 0.0
	if o.activations != nil {
		at := o.dir*len(o.activations)/o.directions() + k
		name = o.activations[at]
		if o.parameters != nil {
			alpha, beta = o.parameters[at][0], o.parameters[at][1]
		}
	}
	if o.clip > 0 && k < 2 {
		x = max(-o.clip, min(o.clip, x))
	}
	switch strings.ToLower(name) {
	case "sigmoid":
		return 1 / (1 + math.Exp(-x))
	case "tanh":
		return math.Tanh(x)
	case "relu":
		return max(x, 0)
	case "leakyrelu":
		return max(x, 0) + alpha*min(x, 0)
	case "hardsigmoid":
		return max(0, min(1, alpha*x+beta))
	case "elu":
		return max(x, 0) + alpha*min(math.Exp(x)-1, 0)
	case "affine":
		return alpha*x + beta
	case "scaledtanh":
		return alpha * math.Tanh(beta*x)
	case "softplus":
		return math.Log(1 + math.Exp(x))
	case "softsign":
		return x / (1 + math.Abs(x))
	case "thresholdedrelu":
		if x >= alpha {
			return x
		}
		return 0
	}
	panic("BUG: " + name)
}

// parts are the products with W and R of a row, with their biases.
func (o *oracle) parts(t, row int, h []float64) (wx, rh float64) {
	rows := o.gates() * o.hidden
	wx, rh = o.at("b", o.dir, row), o.at("b", o.dir, rows+row)
	for i := range o.inputs {
		at := []int{t, o.batch, i}
		if o.batchFirst {
			at[0], at[1] = at[1], at[0]
		}
		wx += o.at("w", o.dir, row, i) * float64(o.x.Data[flat(o.x.Shape, at)])
	}
	for j, v := range h {
		rh += o.at("r", o.dir, row, j) * v
	}
	return wx, rh
}

func (o *oracle) step(t int, h, c []float64) (nextH, nextC []float64) {
	sum := func(gate, j int, h []float64) float64 {
		wx, rh := o.parts(t, gate*o.hidden+j, h)
		return wx + rh
	}
	nextH, nextC = make([]float64, o.hidden), make([]float64, o.hidden)
	reset := make([]float64, o.hidden)
	if o.op == "GRU" {
		for j := range reset {
			reset[j] = o.function(0, sum(1, j, h)) * h[j]
		}
	}
	for j := range o.hidden {
		switch o.op {
		case "RNN":
			nextH[j] = o.function(0, sum(0, j, h))
		case "GRU":
			z := o.function(0, sum(0, j, h))
			n := o.function(1, sum(2, j, reset))
			if o.outside {
				wx, rh := o.parts(t, 2*o.hidden+j, h)
				n = o.function(1, wx+o.function(0, sum(1, j, h))*rh)
			}
			nextH[j] = (1-z)*n + z*h[j]
		case "LSTM":
			i := o.function(0, sum(0, j, h)+o.at("p", o.dir, j)*c[j])
			f := o.function(0, sum(2, j, h)+o.at("p", o.dir, 2*o.hidden+j)*c[j])
			if o.coupled {
				f = 1 - i
			}
			nextC[j] = f*c[j] + i*o.function(1, sum(3, j, h))
			nextH[j] = o.function(0, sum(1, j, h)+o.at("p", o.dir, o.hidden+j)*nextC[j]) * o.function(2, nextC[j])
		}
	}
	return nextH, nextC
}

// run returns Y, Y_h and Y_c.
func (o *oracle) run() []Tensor {
	d := o.directions()
	y, yh, yc := NewTensor([]int{o.steps, d, o.recurrentCase.batch, o.hidden}), NewTensor([]int{d, o.recurrentCase.batch, o.hidden}), NewTensor([]int{d, o.recurrentCase.batch, o.hidden})
	if o.batchFirst {
		y, yh = NewTensor([]int{o.recurrentCase.batch, o.steps, d, o.hidden}), NewTensor([]int{o.recurrentCase.batch, d, o.hidden})
		yc = NewTensor(yh.Shape)
	}
	for o.dir = range d {
		for o.batch = range o.recurrentCase.batch {
			h, c := make([]float64, o.hidden), make([]float64, o.hidden)
			for j := range h {
				h[j], c[j] = o.at("h", o.dir, o.batch, j), o.at("c", o.dir, o.batch, j)
			}
			for i := range o.steps {
				t := i
				if o.dir == 1 || o.direction == "reverse" {
					t = o.steps - 1 - i
				}
				h, c = o.step(t, h, c)
				for j := range h {
					at, end := []int{t, o.dir, o.batch, j}, []int{o.dir, o.batch, j}
					if o.batchFirst {
						at, end = []int{o.batch, t, o.dir, j}, []int{o.batch, o.dir, j}
					}
					y.Data[flat(y.Shape, at)] = float32(h[j])
					yh.Data[flat(yh.Shape, end)], yc.Data[flat(yc.Shape, end)] = float32(h[j]), float32(c[j])
				}
			}
		}
	}
	return []Tensor{y, yh, yc}[:len(o.outputs())]
}
