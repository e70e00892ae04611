package onnx

import "fmt"

// check refuses models whose parts are well-formed but do not fit together.
func (m *Model) check() error {
	if err := m.checkOpsets(); err != nil {
		return err
	}
	g := &m.Graph
	names := map[string]bool{}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Domain != DomainDefault && n.Domain != DomainML {
			return at(n.where(), refuse(ErrForbidden, "operator of domain %q", n.Domain))
		}
		if m.Opset(n.Domain) == 0 {
			return at(n.where(), refuse(ErrInvalid, "no opset imported for domain %q", n.Domain))
		}
		if n.Name != "" && names[n.Name] {
			return at(n.where(), refuse(ErrInvalid, "duplicate node name"))
		}
		names[n.Name] = true
		if err := n.checkAttrs(); err != nil {
			return err
		}
	}
	return g.checkValues()
}

func (m *Model) checkOpsets() error {
	seen := map[string]bool{}
	for _, o := range m.Opsets {
		if seen[o.Domain] {
			return refuse(ErrInvalid, "opset of domain %q imported twice", o.Domain)
		}
		seen[o.Domain] = true
		if o.Domain == DomainDefault && (o.Version < MinOpset || o.Version > MaxOpset) {
			return refuse(ErrForbidden, "opset %d, accepted are %d to %d", o.Version, MinOpset, MaxOpset)
		}
		if o.Version < 1 || o.Version > 1<<16 {
			return refuse(ErrInvalid, "opset %d of domain %q", o.Version, o.Domain)
		}
	}
	return nil
}

func (n *Node) checkAttrs() error {
	seen := map[string]bool{}
	for _, a := range n.Attrs {
		if seen[a.Name] {
			return at(n.where(), refuse(ErrInvalid, "duplicate attribute %q", a.Name))
		}
		seen[a.Name] = true
	}
	return nil
}

// checkValues demands single assignment and definition before use, which
// excludes cycles. An initializer may give an input its value.
func (g *Graph) checkValues() error {
	defined := map[string]bool{}
	define := func(where, name string) error {
		if name == "" {
			return at(where, refuse(ErrInvalid, "no name"))
		}
		if defined[name] {
			return at(where, refuse(ErrInvalid, "duplicate value name %q", name))
		}
		defined[name] = true
		return nil
	}
	for _, v := range g.Inputs {
		if err := define("input", v.Name); err != nil {
			return err
		}
	}
	inits := map[string]bool{}
	for i := range g.Initializers {
		name := g.Initializers[i].Name
		if name == "" || inits[name] {
			return at(fmt.Sprintf("initializer %q", name), refuse(ErrInvalid, "missing or duplicate name"))
		}
		inits[name], defined[name] = true, true
	}
	for i := range g.Nodes {
		if err := g.checkNode(i, defined, define); err != nil {
			return err
		}
	}
	return g.checkOutputs(defined)
}

func (g *Graph) checkNode(i int, defined map[string]bool, define func(where, name string) error) error {
	n := &g.Nodes[i]
	for _, in := range n.Inputs {
		if in == "" || defined[in] {
			continue
		}
		for k := i; k < len(g.Nodes); k++ {
			for _, o := range g.Nodes[k].Outputs {
				if o == in {
					return at(n.where(), refuse(ErrInvalid,
						"input %q is the output of this or a later node: the graph is cyclic or not in topological order", in))
				}
			}
		}
		return at(n.where(), refuse(ErrInvalid, "undefined input %q", in))
	}
	for _, o := range n.Outputs {
		if o == "" {
			continue
		}
		if err := define(n.where(), o); err != nil {
			return err
		}
	}
	return nil
}

func (g *Graph) checkOutputs(defined map[string]bool) error {
	seen := map[string]bool{}
	for _, v := range g.Outputs {
		where := fmt.Sprintf("output %q", v.Name)
		if !defined[v.Name] {
			return at(where, refuse(ErrInvalid, "undefined"))
		}
		if seen[v.Name] {
			return at(where, refuse(ErrInvalid, "duplicate graph output"))
		}
		seen[v.Name] = true
	}
	if len(g.Outputs) == 0 {
		return refuse(ErrInvalid, "graph without outputs")
	}
	return nil
}
