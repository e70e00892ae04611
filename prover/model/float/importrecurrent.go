package float

import (
	"fmt"
	"slices"
)

// recurrent is an LSTM, a GRU or an RNN that is unrolled: https://onnx.ai/onnx/operators/onnx__LSTM.html and its
// neighbours give the equations. States have the input's axes, with one step.
type recurrent struct {
	*call
	gates     int      // blocks of hidden rows of W and R, in the order of ONNX
	functions []string // of one direction, those of the standard
	step      func(d *direction, t int, s state) state

	coupled bool // LSTM: what is forgotten is what the input replaces
	outside bool // GRU: the reset gate multiplies the product with R and its bias

	time       int // axis of steps: 0, or 1 behind the batch
	steps      int
	batch      int
	directions int
	backward   bool // the first direction
	hidden     int
	clip       float32 // of arguments of functions; 0: none

	w, r, b, p *constant // b and p: nil if omitted
	x          *value    // the input times W plus biases, of all directions: [steps, batch, directions·gates·hidden]
}

func importLSTM(c *call) ([]*value, error) {
	coupled, err := c.attrBool("input_forget", false)
	if err != nil {
		return nil, err
	}
	r := &recurrent{call: c, gates: 4, functions: []string{"Sigmoid", "Tanh", "Tanh"}, step: (*direction).lstm, coupled: coupled}
	return r.unroll()
}

func importGRU(c *call) ([]*value, error) {
	outside, err := c.attrInt("linear_before_reset", 0)
	if err != nil {
		return nil, err
	}
	r := &recurrent{call: c, gates: 3, functions: []string{"Sigmoid", "Tanh"}, step: (*direction).gru, outside: outside != 0}
	return r.unroll()
}

func importRNN(c *call) ([]*value, error) {
	r := &recurrent{call: c, gates: 1, functions: []string{"Tanh"}, step: (*direction).rnn}
	return r.unroll()
}

// operands reads attributes and operands, and returns the input.
func (r *recurrent) operands() (*value, error) {
	if err := r.attributes(); err != nil {
		return nil, err
	}
	if most := []int{1: 6, 3: 6, 4: 8}[r.gates]; len(r.in) > most {
		return nil, fmt.Errorf("%d operands, the operator has %d", len(r.in), most)
	}
	x, err := r.activation(0)
	if err != nil {
		return nil, err
	}
	if err := wantRank(x.shape, 3); err != nil {
		return nil, err
	}
	if slices.Contains(x.shape, 0) { // guessed behind what is unsupported
		return nil, fmt.Errorf("empty shape %v", x.shape)
	}
	r.steps, r.batch = x.shape[r.time], x.shape[1-r.time]
	if err := r.weights(x.shape[2]); err != nil {
		return nil, err
	}
	return x, r.wholeLength()
}

func (r *recurrent) attributes() error {
	layout, err := r.attrBool("layout", false)
	if err != nil {
		return err
	}
	if layout {
		r.time = 1
	}
	name, err := r.attrString("direction", "forward")
	if err != nil {
		return err
	}
	r.directions = 1
	switch name {
	case "forward":
	case "reverse":
		r.backward = true
	case "bidirectional":
		r.directions = 2
	default:
		return fmt.Errorf("direction %q is not supported", name)
	}
	r.read["output_sequence"] = true // of opset 1: readers of the first output tell it
	if r.clip, err = r.attrFloat("clip", 0); err == nil && r.n.Attr("clip") != nil && r.clip <= 0 {
		err = fmt.Errorf("clip is %v", r.clip)
	}
	return err
}

// weights reads W, R, biases and peepholes. R tells the size of the state.
func (r *recurrent) weights(features int) error {
	k, err := r.constant(2)
	if err != nil {
		return err
	}
	if len(k.shape) != 3 || k.size() == 0 {
		return fmt.Errorf("operand 2 has shape %v", k.shape)
	}
	r.hidden = k.shape[2]
	size, err := r.attrInt("hidden_size", r.hidden)
	if err != nil {
		return err
	}
	if size != r.hidden {
		return fmt.Errorf("hidden_size is %d, operand 2 has shape %v", size, k.shape)
	}
	rows := r.gates * r.hidden
	for _, o := range []struct {
		k     **constant
		i     int
		shape []int
	}{
		{&r.w, 1, []int{r.directions, rows, features}},
		{&r.r, 2, []int{r.directions, rows, r.hidden}},
		{&r.b, 3, []int{r.directions, 2 * rows}},
		{&r.p, 7, []int{r.directions, 3 * r.hidden}},
	} {
		if o.i > 2 && r.operand(o.i) == nil {
			continue
		}
		if *o.k, err = r.floats(o.i, o.shape); err != nil {
			return err
		}
	}
	return nil
}

// floats is operand i, a constant of floats of that shape.
func (c *call) floats(i int, shape []int) (*constant, error) {
	k, err := c.constant(i)
	if err != nil {
		return nil, err
	}
	if !k.typ.IsFloat() || !slices.Equal(k.shape, shape) {
		return nil, fmt.Errorf("operand %d is %v of shape %v, want floats of shape %v", i, k.typ, k.shape, shape)
	}
	return k, nil
}

// wholeLength refuses sequences that end before the last step.
func (r *recurrent) wholeLength() error {
	lengths, given, err := r.ints(4)
	if err != nil || !given {
		return err
	}
	if len(lengths) != r.batch || slices.ContainsFunc(lengths, func(n int) bool { return n != r.steps }) {
		return fmt.Errorf("sequences of the lengths %v are not supported, only %d of %d steps", lengths, r.batch, r.steps)
	}
	return nil
}

// initial is the state before the first step of a direction from operand i; nil is zero.
func (r *recurrent) initial(i, direction int) (*value, error) {
	if r.operand(i) == nil {
		return nil, nil
	}
	v, err := r.source(i)
	if err != nil {
		return nil, err
	}
	if v.fixed {
		k, err := r.constant(i)
		if err != nil {
			return nil, err
		}
		if k.typ.IsFloat() && !slices.ContainsFunc(k.floats, func(v float32) bool { return v != 0 }) {
			v = nil // as exporters write what is omitted
		}
	}
	want := []int{r.batch, r.batch, r.hidden}
	want[r.time] = r.directions
	if shape := r.operand(i).shape; !slices.Equal(shape, want) {
		return nil, fmt.Errorf("operand %d has shape %v, want %v", i, shape, want)
	}
	if v == nil || r.directions == 1 {
		return v, nil
	}
	return r.apply(r.at(want, direction), v)
}

// at keeps one place on the axis of steps.
func (r *recurrent) at(shape []int, place int) *Slice {
	s := wholeSlice(shape)
	s.Starts[r.time], s.Sizes[r.time] = place, 1
	return s
}
