package float

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx"
)

// recurrentCases are what exporters write, and what else the standard allows.
func recurrentCases() map[string]recurrentCase {
	return map[string]recurrentCase{
		"LSTM":                          {op: "LSTM", steps: 5, batch: 2, inputs: 3, hidden: 4},
		"LSTM of one step":              {op: "LSTM", steps: 1, batch: 1, inputs: 3, hidden: 2, operands: "b"},
		"LSTM with biases":              {op: "LSTM", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "b"},
		"LSTM with states":              {op: "LSTM", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "bhc"},
		"LSTM with one state":           {op: "LSTM", steps: 3, batch: 2, inputs: 3, hidden: 4, operands: "bc"},
		"LSTM with peepholes":           {op: "LSTM", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "bp"},
		"LSTM with all":                 {op: "LSTM", steps: 4, batch: 2, inputs: 3, hidden: 4, operands: "bhcp", direction: "bidirectional"},
		"LSTM in reverse":               {op: "LSTM", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "b", direction: "reverse"},
		"LSTM both ways":                {op: "LSTM", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "bhc", direction: "bidirectional"},
		"LSTM, coupled":                 {op: "LSTM", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "b", coupled: true},
		"LSTM, coupled, with states":    {op: "LSTM", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "bhc", coupled: true},
		"LSTM, coupled, with peepholes": {op: "LSTM", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "bhcp", coupled: true},
		"LSTM, clipped":                 {op: "LSTM", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "bhc", clip: 0.3},
		"LSTM, clipped, with peepholes": {op: "LSTM", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "bhcp", clip: 0.3},
		"LSTM of other functions": {
			op: "LSTM", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "b", activations: []string{"HardSigmoid", "Softsign", "relu"},
			parameters: [][2]float64{{0.2, 0.5}, {}, {}},
		},
		"LSTM, functions by direction": {
			op: "LSTM", steps: 3, batch: 2, inputs: 3, hidden: 4, operands: "b", direction: "bidirectional",
			activations: []string{"HardSigmoid", "Tanh", "ScaledTanh", "Sigmoid", "LeakyRelu", "Affine"},
			alpha:       []float32{0.25, 1.5, 0.125, 0.75}, beta: []float32{0.375, 0.5, -0.25},
			parameters: [][2]float64{{0.25, 0.375}, {}, {1.5, 0.5}, {}, {0.125}, {0.75, -0.25}},
		},
		"GRU":                                {op: "GRU", steps: 5, batch: 2, inputs: 3, hidden: 4},
		"GRU with biases":                    {op: "GRU", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "b"},
		"GRU with a state":                   {op: "GRU", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "bh"},
		"GRU, reset outside":                 {op: "GRU", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "b", outside: true},
		"GRU, reset outside, without biases": {op: "GRU", steps: 5, batch: 2, inputs: 3, hidden: 4, outside: true},
		"GRU, reset outside, both ways":      {op: "GRU", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "bh", outside: true, direction: "bidirectional"},
		"GRU both ways":                      {op: "GRU", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "bh", direction: "bidirectional"},
		"GRU, clipped":                       {op: "GRU", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "bh", clip: 0.3},
		"GRU of other functions": {
			op: "GRU", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "b", activations: []string{"HardSigmoid", "LeakyRelu"},
			parameters: [][2]float64{{0.2, 0.5}, {0.01}},
		},
		"RNN":               {op: "RNN", steps: 5, batch: 2, inputs: 3, hidden: 4},
		"RNN with all":      {op: "RNN", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "bh", direction: "bidirectional"},
		"RNN of rectifiers": {op: "RNN", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "b", activations: []string{"Relu"}},
		"RNN of softplus":   {op: "RNN", steps: 4, batch: 2, inputs: 3, hidden: 4, operands: "b", activations: []string{"Softplus"}},
		"RNN of thresholds": {op: "RNN", steps: 4, batch: 2, inputs: 3, hidden: 4, operands: "b", activations: []string{"ThresholdedRelu"}, alpha: []float32{0.25}, parameters: [][2]float64{{0.25}}},
		"RNN of Elu":        {op: "RNN", steps: 4, batch: 2, inputs: 3, hidden: 4, operands: "b", activations: []string{"Elu"}, parameters: [][2]float64{{1}}},
		"RNN, clipped":      {op: "RNN", steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "bh", clip: 0.3},
	}
}

func closeTensors(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d cells, want %d", what, len(got), len(want))
	}
	for i := range got {
		if d := math.Abs(float64(got[i] - want[i])); !(d <= 2e-5) {
			t.Fatalf("%s: cell %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

func TestRecurrentOperatorsFollowTheEquations(t *testing.T) {
	for name, k := range recurrentCases() {
		for _, batchFirst := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", batch first ", batchFirst), func(t *testing.T) {
				k.batchFirst = batchFirst
				r := rand.New(rand.NewPCG(3, 9))
				names, tensors := k.random(r)
				x := gaussian(r, 1, k.shape(k.steps)...)
				g := k.build(names, tensors).graph(t, Options{})
				o := oracle{recurrentCase: &k, x: x, tensors: tensors}
				for i, want := range o.run() {
					got := outputs(t, g, x)[i]
					if !slices.Equal(got.Shape, want.Shape) {
						t.Fatalf("output %d has shape %v, want %v", i, got.Shape, want.Shape)
					}
					closeTensors(t, k.outputs()[i], got.Data, want.Data)
				}
			})
		}
	}
}

// TestONNXRuntimeAgreesAboutRecurrentOperators: it has no batches first.
func TestONNXRuntimeAgreesAboutRecurrentOperators(t *testing.T) {
	c := openRuntime(t)
	for name, k := range recurrentCases() {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(4, 9))
			names, tensors := k.random(r)
			x := gaussian(r, 1, k.shape(k.steps)...)
			b := k.build(names, tensors)
			got := outputs(t, b.graph(t, Options{}), x)
			shapes := make([][]int, len(got))
			for i := range got {
				shapes[i] = got[i].Shape
			}
			for i, want := range onRuntime(t, c, &b.m, x, shapes...) {
				closeTensors(t, k.outputs()[i], got[i].Data, want)
			}
		})
	}
}

// smallLSTM is one of 3 steps, with attributes and operands behind the weights as a test wants them.
func smallLSTM(wires string, attrs ...onnx.Attribute) *build {
	return newBuild(14).input("x", 3, 1, 2).input("s", 1, 1, 2).floats("w", []int{1, 8, 2}, ones(16)...).floats("r", []int{1, 8, 2}, ones(16)...).
		floats("zero", []int{1, 1, 2}, 0, 0).floats("p", []int{1, 6}, ones(6)...).ints("three", 3).ints("two", 2).
		node("LSTM", wires, attrs...)
}

func TestRecurrentOperatorsAreRefusedWithAReason(t *testing.T) {
	const plain = "x w r -> y h c"
	for _, c := range []struct {
		want string
		b    *build
	}{
		{"operand 1 must be constant", smallLSTM("x s r -> y")},
		{"operand 0 is constant", smallLSTM("w w r -> y")},
		{"rank 2 is not one of [3]", newBuild(14).input("x", 3, 2).node("LSTM", "x x x -> y")},
		{"operand 2 has shape [1 6]", smallLSTM("x w p -> y")},
		{"operand 1 is float32 of shape [1 1 2], want floats of shape [1 8 2]", smallLSTM("x zero r -> y")},
		{"operand 3 is float32 of shape [1 6], want floats of shape [1 16]", smallLSTM("x w r p -> y")},
		{"operand 7 is float32 of shape [1 1 2], want floats of shape [1 6]", smallLSTM("x w r _ _ _ _ zero -> y")},
		{"operand 5 has shape [1 6], want [1 1 2]", smallLSTM("x w r _ _ p -> y")},
		{"operand 4 must be constant", smallLSTM("x w r _ s -> y")},
		{"sequences of the lengths [2] are not supported, only 1 of 3 steps", smallLSTM("x w r _ two -> y")},
		{"9 operands, the operator has 8", smallLSTM("x w r _ _ _ _ _ x -> y")},
		{"hidden_size is 3, operand 2 has shape [1 8 2]", smallLSTM(plain, aInt("hidden_size", 3))},
		{"operand 1 is float32 of shape [1 8 2], want floats of shape [2 8 2]", smallLSTM(plain, aString("direction", "bidirectional"))},
		{`direction "both" is not supported`, smallLSTM(plain, aString("direction", "both"))},
		{`attribute "layout" is 2`, smallLSTM(plain, aInt("layout", 2))},
		{`attribute "input_forget" is 3`, smallLSTM(plain, aInt("input_forget", 3))},
		{`attribute "linear_before_reset" is not supported`, smallLSTM(plain, aInt("linear_before_reset", 1))},
		{"clip is 0", smallLSTM(plain, aFloat("clip", 0))},
		{"clip is -1", smallLSTM(plain, aFloat("clip", -1))},
		{"1 activations, want 3", smallLSTM(plain, aStrings("activations", "Tanh"))},
		{`activation "Sin" is not supported`, smallLSTM(plain, aStrings("activations", "Sin", "Tanh", "Tanh"))},
		{`activation "Affine" lacks its alpha or beta`, smallLSTM(plain, aStrings("activations", "Affine", "Tanh", "Tanh"), aFloats("activation_alpha", 1))},
		{`activation "ThresholdedRelu" lacks its alpha or beta`, smallLSTM(plain, aStrings("activations", "Tanh", "Tanh", "ThresholdedRelu"))},
		{"1 values of activation_alpha and 0 of activation_beta belong to no activation", smallLSTM(plain, aFloats("activation_alpha", 1))},
		{`output "z" is not supported`, smallLSTM("x w r -> y h c z").output("z")},
	} {
		c.b.output("y")
		if got, want := c.b.refused(t)[0], "LSTM n_y: "+c.want; got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}

// TestShapesThatAreGuessedAreChecked: what is unsupported in front of a recurrent operator leaves it a shape.
func TestShapesThatAreGuessedAreChecked(t *testing.T) {
	b := newBuild(14).input("x", 3, 1, 2).floats("w", []int{1, 2, 2}, ones(4)...).ints("none").
		node("Hardmax", "x -> a").node("Gather", "a none -> b").node("RNN", "b w w -> c").node("RNN", "a w w -> d").node("Acos", "d -> y").output("c", "y")
	want := []string{"Hardmax n_a: operator is not supported", "Gather n_b: no indices", "RNN n_c: empty shape [0 1 2]", "Acos n_y: operator is not supported"}
	if got := b.refused(t); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestStatesOfZerosAreNone(t *testing.T) {
	plain := smallLSTM("x w r -> y h c").output("y", "h", "c").graph(t, Options{})
	zeros := smallLSTM("x w r _ three zero zero -> y h c").output("y", "h", "c").graph(t, Options{})
	if kinds(plain) != kinds(zeros) {
		t.Errorf("got  %s\nwant %s", kinds(zeros), kinds(plain))
	}
}

// TestStatesMayBeInputs: the last state of a call is the first of the next one.
func TestStatesMayBeInputs(t *testing.T) {
	k := recurrentCase{op: "GRU", steps: 6, batch: 2, inputs: 3, hidden: 4, operands: "b"}
	r := rand.New(rand.NewPCG(5, 9))
	names, tensors := k.random(r)
	x := gaussian(r, 1, 6, 2, 3)
	want := outputs(t, k.build(names, tensors).graph(t, Options{}), x)[1]
	k.steps = 3
	b := k.build(append(names, "_", "s"), tensors).input("s", 1, 2, 4)
	g := b.graph(t, Options{})
	first := outputs(t, g, Tensor{[]int{3, 2, 3}, x.Data[:18]}, NewTensor([]int{1, 2, 4}))
	second := outputs(t, g, Tensor{[]int{3, 2, 3}, x.Data[18:]}, first[1])
	wantTensor(t, second[1], want.Shape, want.Data)
}

// TestInputsAreMultipliedOnce: W is behind one product, whatever the number of steps and directions.
func TestInputsAreMultipliedOnce(t *testing.T) {
	for _, c := range []struct {
		k            recurrentCase
		first, later int // products of a direction with R at a step
	}{
		{recurrentCase{op: "LSTM", direction: "bidirectional", operands: "b"}, 0, 2},
		{recurrentCase{op: "LSTM", operands: "bp"}, 0, 4},
		{recurrentCase{op: "GRU", operands: "b", outside: true}, 0, 2},
		{recurrentCase{op: "RNN", operands: "bh"}, 0, 1},
	} {
		k := c.k
		k.steps, k.batch, k.inputs, k.hidden = 7, 2, 3, 4
		g := k.build(k.random(rand.New(rand.NewPCG(6, 9)))).graph(t, Options{})
		if got, want := strings.Count(kinds(g), "MatMul"), 1+6*c.later*k.directions(); got != want {
			t.Errorf("%s: %d products, want %d", k.op, got, want)
		}
	}
}

// TestOutputsThatNothingReadsAreNotMade, and may have no name.
func TestOutputsThatNothingReadsAreNotMade(t *testing.T) {
	for wires, want := range map[string]bool{"x w r -> y h c": false, "x w r -> _ h": false, "x w r -> h": true} {
		g := smallLSTM(wires).node("Relu", "h _ -> z").output("z").graph(t, Options{})
		if got := strings.Contains(kinds(g), "Concat"); got != want {
			t.Errorf("%s: %s", wires, kinds(g))
		}
	}
}

// TestStepsAreBounded before anything of their number is allocated.
func TestStepsAreBounded(t *testing.T) {
	long := func(steps, hidden int) *build {
		return newBuild(14).input("x", steps, 1, 1).floats("w", []int{1, hidden, 1}, ones(hidden)...).
			floats("r", []int{1, hidden, hidden}, ones(hidden*hidden)...).node("RNN", "x w r -> y").output("y")
	}
	for _, c := range []struct {
		b    *build
		opt  Options
		want string
	}{
		{long(1<<27, 1), Options{}, `node "n_y" (RNN): 134217728 steps need more than 16384 nodes: limit exceeded`},
		{long(100, 8), Options{Limits: Limits{Nodes: 290}}, `node "n_y" (RNN): 100 steps need more than 290 nodes: limit exceeded`},
		{long(100, 8), Options{Limits: Limits{Params: 6000}}, `node "n_y" (RNN): weights of 100 steps: 6336 constants, 6408 so far: limit exceeded`},
		{long(100, 8), Options{Limits: Limits{MACs: 3000}}, `node "n_y" (RNN): 3008 multiply-accumulates so far: limit exceeded`},
	} {
		if _, err := Import(c.b.model(t), c.opt); !errors.Is(err, ErrLimit) || !strings.HasSuffix(err.Error(), c.want) {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
	if _, err := Import(long(100, 8).model(t), Options{}); err != nil {
		t.Error(err)
	}
}

// TestStepsHaveTheSameRoles, but for the first one, which starts from no state.
func TestStepsHaveTheSameRoles(t *testing.T) {
	for _, op := range []string{"LSTM", "GRU", "RNN"} {
		k := recurrentCase{op: op, steps: 5, batch: 2, inputs: 3, hidden: 4, operands: "b"}
		g := k.build(k.random(rand.New(rand.NewPCG(7, 9)))).graph(t, Options{})
		counts, states := map[int]int{}, 0
		for i := range g.Nodes {
			if role := g.Nodes[i].Role; role != 0 {
				counts[role]++
			}
			if c, ok := g.Nodes[i].Op.(*Concat); ok && c.Axis == 0 {
				roles := map[int]bool{}
				for _, id := range g.Nodes[i].Inputs {
					roles[g.Nodes[int(id)-1].Role] = true
				}
				if states++; len(roles) != 1 || roles[0] {
					t.Errorf("%s: states have roles %v", op, roles)
				}
			}
		}
		for role, n := range counts {
			if n != 5 && n != 4 && n != 1 {
				t.Errorf("%s: role %d is had by %d nodes", op, role, n)
			}
		}
		if states != 1 || len(counts) == 0 {
			t.Errorf("%s: %d concatenations, %d roles", op, states, len(counts))
		}
	}
}
