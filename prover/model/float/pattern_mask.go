package float

// boundMasks raises the factors of attention masks that are inputs, (1 − mask)·k, to what masks a cell:
// exporters write the least float32, next to which no score has a range of its own.
func (g *Graph) boundMasks() {
	only := g.onlySoftmax()
	for i := range g.Nodes {
		n := &g.Nodes[i]
		op, ok := n.Op.(*MulConst)
		if !ok || !only[n.Output] || !g.isTruth(n.Inputs[0]) {
			continue
		}
		if k, same := uniform(op.C); same && k < masked {
			c := NewTensor(op.C.Shape)
			for j := range c.Data {
				c.Data[j] = masked
			}
			n.Op = &MulConst{c}
		}
	}
}

// onlySoftmax tells the values on which nothing depends but softmaxes, by addition.
func (g *Graph) onlySoftmax() []bool {
	only, read := make([]bool, g.Values()), make([]bool, g.Values())
	for i := range only {
		only[i] = true
	}
	for _, o := range g.Outputs {
		only[o.Value] = false
	}
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		n := &g.Nodes[i]
		passes := false
		switch op := n.Op.(type) {
		case *Softmax:
			passes = true
		case *Add:
			passes = !op.Subtract && only[n.Output] && read[n.Output]
		case mover:
			passes = only[n.Output] && read[n.Output]
		}
		for _, id := range n.Inputs {
			only[id], read[id] = only[id] && passes, true
		}
	}
	for i := range only {
		only[i] = only[i] && read[i]
	}
	return only
}

// isTruth reports whether a value is that of an integer input, or a comparison, but for moves, factors
// and addends.
func (g *Graph) isTruth(id ValueID) bool {
	for range 2 * maxSteps {
		if int(id) < len(g.Inputs) {
			return g.Inputs[id].IsInteger()
		}
		n := g.node(id)
		switch n.Op.(type) {
		case *Step, *Equal:
			return true
		case *Concat:
			return false
		case mover, *MulConst, *AddConst:
			id = n.Inputs[0]
		default:
			return false
		}
	}
	return false
}
