package model

import "github.com/weisyn/wes/prover/graph"

// integer adds a rescale of a sum of multiples, whose integers the caller chooses.
func (l *lowering) integer(name string, terms []graph.Term, bias graph.Constant, inputs []int, shift int, f function) (int, error) {
	x := inputs[0]
	acc := graph.Accumulator{Terms: terms, Bias: bias, Channel: l.b.channel[x]}
	return l.integerSum(name, acc, l.b.shapes[x], inputs, shift, f)
}

// integerSum adds a rescale of an accumulator of that shape, which has no convolutions and no
// bounds yet.
func (l *lowering) integerSum(name string, acc graph.Accumulator, shape, inputs []int, shift int, f function) (int, error) {
	bounds := make([]graph.Interval, len(inputs))
	for i, t := range inputs {
		bounds[i] = l.b.bounds[t]
	}
	v, err := acc.Bound(bounds, nil, shape[acc.Channel])
	if err != nil {
		return 0, err
	}
	acc.Lo, acc.Hi = v.Lo, v.Hi
	sum := &linear{name: name, shape: shape, channel: acc.Channel}
	return l.addRescale(sum, &accumulator{acc: acc, inputs: inputs, shift: []int{shift}}, f)
}
