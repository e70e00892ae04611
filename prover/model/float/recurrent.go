package float

import (
	"fmt"
	"slices"
)

// unroll makes nodes of every step, and the outputs Y, Y_h and Y_c that are read.
func (r *recurrent) unroll() ([]*value, error) {
	x, err := r.operands()
	if err != nil {
		return nil, err
	}
	functions, err := r.recurrentFunctions()
	if err != nil {
		return nil, err
	}
	if err := r.checkSize(); err != nil {
		return nil, err
	}
	if err := r.project(x); err != nil {
		return nil, err
	}
	all := make([]*direction, r.directions)
	for i := range all {
		n := len(r.functions)
		all[i] = &direction{recurrent: r, index: i, functions: functions[i*n : (i+1)*n], parts: map[int]*value{}, roles: map[place]int{}}
		if err := all[i].run(); err != nil {
			return nil, err
		}
	}
	return r.outputs(all)
}

// checkSize bounds what all steps will make: three nodes for every gate at least, and weights, which lowering
// holds for each step before equal ones become one.
func (r *recurrent) checkSize() error {
	more := r.directions * (r.steps - 1)
	if len(r.g.Nodes)+3*r.gates*more > r.limits.Nodes {
		return fmt.Errorf("%d steps need more than %d nodes: %w", r.steps, r.limits.Nodes, ErrLimit)
	}
	if err := r.countParams(int64(r.r.size()/r.directions) * int64(more)); err != nil {
		return fmt.Errorf("weights of %d steps: %w", r.steps, err)
	}
	return nil
}

// project multiplies the input by W, for all steps and directions, and adds the biases.
func (r *recurrent) project(x *value) error {
	w, err := r.columns(r.w, 0, r.directions*r.gates*r.hidden)
	if err != nil {
		return err
	}
	if r.x, err = r.times(x, w); err != nil || r.b == nil {
		return err
	}
	k, err := r.newConstant(r.b.typ, []int{r.directions * r.gates * r.hidden})
	if err != nil {
		return err
	}
	rows := r.gates * r.hidden
	for i := range k.floats {
		of := r.b.floats[i/rows*2*rows:]
		k.floats[i] = of[i%rows]
		if !r.outside || i%rows < 2*r.hidden {
			k.floats[i] += of[rows+i%rows]
		}
	}
	r.x, err = r.plus(r.x, k.value())
	return err
}

// columns is n rows of a constant, counted over all axes but the last, as the columns of a matrix.
func (c *call) columns(k *constant, first, n int) (*value, error) {
	width := k.shape[len(k.shape)-1]
	out, err := c.newConstant(k.typ, []int{width, n})
	if err != nil {
		return nil, err
	}
	for i := range n {
		for j, v := range k.floats[(first+i)*width:][:width] {
			out.floats[j*n+i] = v
		}
	}
	return out.value(), nil
}

// state is what a step leaves to the next one. nil is zero, and what is not a direction's.
type state struct{ h, c *value }

// direction is one pass over the steps.
type direction struct {
	*recurrent
	index     int
	functions []recurrentFunction
	parts     map[int]*value // recurrent weights, by their first gate
	states    []*value       // h by step
	last      state
	roles     map[place]int // of nodes
	values    int           // that the step has asked for
	first     int           // node of the step
	nodes     int           // of the graph before the next value
	err       error         // the first one, after which values mean nothing
}

// place tells a node from the others of a step: the value that it was made for, and how many nodes for
// that value follow it.
type place struct{ value, after int }

// run makes the steps. Names of their nodes do not depend on how many there are.
func (d *direction) run() error {
	reverse := d.backward || d.index == 1
	d.begin("forward")
	if reverse {
		d.begin("reverse")
	}
	var err error
	if d.last.h, err = d.initial(5, d.index); err != nil {
		return err
	}
	if d.last.c, err = d.initial(6, d.index); err != nil {
		return err
	}
	d.states = make([]*value, d.steps)
	for i := range d.steps {
		t := i
		if reverse {
			t = d.steps - 1 - i
		}
		d.values, d.first, d.nodes = 0, len(d.g.Nodes), len(d.g.Nodes)
		if d.last = d.step(d, t, d.last); d.err != nil {
			return d.err
		}
		d.states[t] = d.last.h
	}
	return nil
}

// outputs joins steps and directions, where something reads them.
func (r *recurrent) outputs(all []*direction) ([]*value, error) {
	most := 2
	if r.gates == 4 {
		most = 3
	}
	r.begin("output")
	out := make([]*value, min(len(r.n.Outputs), most))
	for i := range out {
		if len(r.readers[r.n.Outputs[i]]) == 0 {
			continue
		}
		axis, parts := r.time, make([]*value, len(all))
		for k, d := range all {
			parts[k] = d.last.h
			if i == 2 {
				parts[k] = d.last.c
			}
			if i == 0 {
				var err error
				if parts[k], err = r.sequence(d.states); err != nil {
					return nil, err
				}
			}
		}
		if i == 0 {
			axis++
		}
		var err error
		if out[i], err = r.joined(axis, parts); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sequence joins the states of all steps, with an axis of one direction behind the steps.
func (r *recurrent) sequence(states []*value) (*value, error) {
	v, err := r.joined(r.time, states)
	if err != nil {
		return nil, err
	}
	return r.apply(&Reshape{slices.Insert(slices.Clone(v.shape), r.time+1, 1)}, v)
}

func (c *call) joined(axis int, parts []*value) (*value, error) {
	if len(parts) == 1 {
		return parts[0], nil
	}
	return c.emit(&Concat{axis}, parts...)
}
