package float

import (
	"fmt"
	"slices"
	"strings"
)

// recurrentFunction is a function of gates or states: operators in order, whose result multiplies
// their argument if gated.
type recurrentFunction struct {
	ops   []Op
	gated bool
}

func (f *recurrentFunction) apply(c *call, x *value) (*value, error) {
	v := x
	for _, op := range f.ops {
		var err error
		if v, err = c.emit(op, v); err != nil {
			return nil, err
		}
	}
	if f.gated {
		return c.multiply(x, v)
	}
	return v, nil
}

// recurrentForm is a named function with its parameters.
type recurrentForm struct {
	alpha, beta parameter
	make        func(alpha, beta float32) recurrentFunction
}

// parameter is what a function of gates takes from activation_alpha or activation_beta.
type parameter struct {
	taken, optional bool
	value           float32 // if it is optional
}

func functionOf(ops ...Op) recurrentFunction { return recurrentFunction{ops: ops} }

func perCell(v float32) Tensor { return Tensor{[]int{1, 1, 1}, []float32{v}} }

// recurrentForms are those of the standard, by lower-case names.
var recurrentForms = map[string]recurrentForm{
	"relu":    {make: func(_, _ float32) recurrentFunction { return functionOf(&Relu{}) }},
	"tanh":    {make: func(_, _ float32) recurrentFunction { return functionOf(&Tanh{}) }},
	"sigmoid": {make: func(_, _ float32) recurrentFunction { return functionOf(&Sigmoid{}) }},
	"softsign": {make: func(_, _ float32) recurrentFunction {
		return recurrentFunction{[]Op{&Abs{}, &AddConst{perCell(1)}, &Reciprocal{}}, true}
	}},
	"softplus": {make: func(_, _ float32) recurrentFunction { return functionOf(&Softplus{}) }},
	"leakyrelu": {
		alpha: parameter{true, true, 0.01},
		make:  func(alpha, _ float32) recurrentFunction { return functionOf(&LeakyRelu{alpha}) },
	},
	"thresholdedrelu": { // ONNX Runtime has another default than the operator of that name
		alpha: parameter{taken: true},
		make: func(alpha, _ float32) recurrentFunction {
			return recurrentFunction{[]Op{&Step{Threshold: alpha, OrEqual: true}}, true}
		},
	},
	"elu": {
		alpha: parameter{true, true, 1},
		make:  func(alpha, _ float32) recurrentFunction { return functionOf(&Elu{alpha}) },
	},
	"hardsigmoid": {
		alpha: parameter{true, true, 0.2}, beta: parameter{true, true, 0.5},
		make: func(alpha, beta float32) recurrentFunction { return functionOf(&HardSigmoid{alpha, beta}) },
	},
	"affine": {
		alpha: parameter{taken: true}, beta: parameter{taken: true},
		make: func(alpha, beta float32) recurrentFunction {
			return functionOf(&MulConst{perCell(alpha)}, &AddConst{perCell(beta)})
		},
	},
	"scaledtanh": {
		alpha: parameter{taken: true}, beta: parameter{taken: true},
		make: func(alpha, beta float32) recurrentFunction {
			return functionOf(&MulConst{perCell(beta)}, &Tanh{}, &MulConst{perCell(alpha)})
		},
	},
}

// recurrentFunctions reads the functions of all directions. Each takes its parameters from the front of
// the lists, as ONNX Runtime does.
func (r *recurrent) recurrentFunctions() ([]recurrentFunction, error) {
	names, err := r.attrStrings("activations")
	if err != nil {
		return nil, err
	}
	alphas, err := r.attrFloats("activation_alpha")
	if err != nil {
		return nil, err
	}
	betas, err := r.attrFloats("activation_beta")
	if err != nil {
		return nil, err
	}
	if names == nil {
		names = slices.Repeat(r.functions, r.directions)
	}
	if len(names) != r.directions*len(r.functions) {
		return nil, fmt.Errorf("%d activations, want %d", len(names), r.directions*len(r.functions))
	}
	var list []recurrentFunction
	for _, name := range names {
		form, ok := recurrentForms[strings.ToLower(name)]
		if !ok {
			return nil, fmt.Errorf("activation %q is not supported", name)
		}
		alpha, okAlpha := form.alpha.take(&alphas)
		beta, okBeta := form.beta.take(&betas)
		if !okAlpha || !okBeta {
			return nil, fmt.Errorf("activation %q lacks its alpha or beta", name)
		}
		list = append(list, form.make(alpha, beta))
	}
	if len(alphas) > 0 || len(betas) > 0 {
		return nil, fmt.Errorf("%d values of activation_alpha and %d of activation_beta belong to no activation", len(alphas), len(betas))
	}
	return list, nil
}

// take removes a parameter from a list; false: it is missing.
func (p parameter) take(list *[]float32) (float32, bool) {
	switch {
	case !p.taken:
		return 0, true
	case len(*list) == 0:
		return p.value, p.optional
	}
	v := (*list)[0]
	*list = (*list)[1:]
	return v, true
}
