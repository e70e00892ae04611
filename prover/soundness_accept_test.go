package prover

import (
	"fmt"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/interpret"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

// accept proves honestly, carries the proof through its file, and verifies it.
func accept(t *testing.T, c *graphtest.Case, kind transcript.Kind) {
	t.Helper()
	p := prepare(t, c, kind)
	r, err := Prove(t.Context(), p, Job{ID: "job", Payee: "payee", Chain: "chain"}, execute(t, c), Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := verify.DecodeModel(p.Model.Encode())
	if err != nil {
		t.Fatal(err)
	}
	f, err := verify.DecodeFile(verify.NewFile(r.Statement, r.Proof).Encode(), m)
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Statement(c.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	if err := verify.Verify(m, s, f.Proof); err != nil {
		t.Fatal(err)
	}
}

// TestHonestProofsOfExtremeInputsAreAccepted proves every operator on inputs of zeros, of
// ones, and of the ends of the domain, with both kinds of transcript.
func TestHonestProofsOfExtremeInputsAreAccepted(t *testing.T) {
	for i, s := range scenes() {
		for _, v := range []int32{0, 1, -50, 50} {
			t.Run(fmt.Sprint(s.name, "/", v), func(t *testing.T) {
				c := s.makePublic(t)
				for k, t := range c.Graph.Inputs() {
					domain := c.Info.Bounds[t]
					for i := range c.Inputs[k] {
						c.Inputs[k][i] = int32(min(max(int64(v), domain.Lo), domain.Hi))
					}
				}
				kind := transcript.SHA256
				if (i+int(v))%2 == 0 {
					kind = transcript.Poseidon2
				}
				accept(t, c, kind)
			})
		}
	}
}

// TestHonestProofsOfExtremeGraphsAreAccepted proves graphs that lack a whole part of the
// argument, or have it in an unusual form.
func TestHonestProofsOfExtremeGraphsAreAccepted(t *testing.T) {
	for name, build := range map[string]func(n *net) []int{
		"input as output": func(n *net) []int { return []int{n.input(2, 3)} },
		"trees only":      func(n *net) []int { return []int{n.trees(n.input(2, 3), 2)} },
		"view of trees": func(n *net) []int {
			return []int{n.add(&graph.Transpose{Perm: []int{1, 0}}, n.trees(n.input(2, 3), 2))}
		},
		"view of an input":        func(n *net) []int { return []int{n.add(&graph.Transpose{Perm: []int{1, 0}}, n.input(2, 3))} },
		"revealed only":           func(n *net) []int { return []int{n.reveal(n.input(2, 3))} },
		"revealed one cell":       func(n *net) []int { return []int{n.revealMultiple(n.input(1), 3)} },
		"revealed without convs":  func(n *net) []int { return []int{n.revealMultiple(n.input(2, 3), -7)} },
		"revealed twice":          func(n *net) []int { r := n.reveal(n.input(2, 3)); return []int{r, r} },
		"two revealed":            func(n *net) []int { x := n.input(2, 3); return []int{n.reveal(x), n.revealMultiple(x, 2)} },
		"maximum only":            func(n *net) []int { return []int{n.add(&graph.Max{}, n.input(3), n.input(3))} },
		"maximum of one cell":     func(n *net) []int { return []int{n.add(&graph.Max{}, n.input(1), n.input(1))} },
		"rescale without convs":   func(n *net) []int { return []int{n.commit(n.input(5))} },
		"unread input":            func(n *net) []int { n.input(7); return []int{n.commit(n.input(5))} },
		"unread layer":            func(n *net) []int { x := n.input(2, 5); n.commit(x); return []int{n.reveal(x)} },
		"one tensor, two outputs": func(n *net) []int { a := n.commit(n.input(2, 5)); return []int{a, a} },
		"many outputs": func(n *net) []int {
			x := n.input(2, 5)
			a := n.commit(x)
			v := n.add(&graph.Reshape{Shape: []int{5, 2}}, a)
			return []int{v, a, x, n.reveal(v), n.add(&graph.Max{}, a, a)}
		},
		"batch": func(n *net) []int {
			a := n.commit(n.input(7, 3, 4))
			return []int{n.reveal(n.linear(n.conv(a, 1, 5, 1, window(2, 3, 1, 1, 1, 4)), 1, 3, a))}
		},
		"random sparse weights": func(n *net) []int {
			x := n.input(3, 13)
			term := n.matmul(x, 11)
			for i := range n.c.Weights[0] {
				if n.rng.IntN(10) > 0 {
					n.c.Weights[0][i] = 0
				}
			}
			return []int{n.linear(term, 1, 0, x)}
		},
		"zero weights": func(n *net) []int {
			x := n.input(3, 5)
			term := n.matmul(x, 5)
			clear(n.c.Weights[0])
			return []int{n.linear(term, 1, 0, x), n.reveal(x)}
		},
		"kernel beyond the input": func(n *net) []int {
			x := n.input(1, 2, 2)
			return []int{n.linear(n.conv(x, 1, 3, 1, window(2, 5, 3, 2, 6, 3)), 1, 2, x)}
		},
		"rank eight": func(n *net) []int {
			x := n.input(1, 2, 1, 3, 1, 1, 2, 1)
			return []int{n.reveal(n.commit(n.add(&graph.Transpose{Perm: []int{7, 6, 5, 4, 3, 2, 1, 0}}, x)))}
		},
		"function of one cell": func(n *net) []int {
			return []int{n.linear(graph.Term{Mult: 1}, 1, 0, n.input(1, 1))}
		},
		"function of a view": func(n *net) []int {
			v := n.add(&graph.Transpose{Perm: []int{1, 0}}, n.input(2, 3))
			return []int{n.linear(graph.Term{Mult: 1}, 0, 0, v)}
		},
		"all numbers of digits": func(n *net) []int {
			a := n.linear(graph.Term{Mult: 1}, 1, 0, n.input(2, 3))
			b := n.linear(graph.Term{Mult: 3}, 1, 2, a)
			return []int{n.reveal(n.linear(graph.Term{Mult: 3 << 14}, 1, 15, b)), n.add(&graph.Max{}, a, b)}
		},
		"largest shift": func(n *net) []int {
			x := n.input(2, 3)
			return []int{n.linear(graph.Term{Mult: 1 << 20}, 1, graph.MaxShift, x)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, kind := range []transcript.Kind{transcript.SHA256, transcript.Poseidon2} {
				n := newNet(t)
				accept(t, n.outputs(build(n)...), kind)
			}
		})
	}
}

// revealMultiple makes mult times a tensor public.
func (n *net) revealMultiple(x int, mult int64) int {
	n.tb.Helper()
	acc := n.accumulator([]graph.Term{{Mult: mult}}, graph.Constant{}, 0, []int{x})
	return n.add(&graph.Reveal{Acc: acc}, x)
}

// TestLyingTraceIsAnErrorOfTheProver guards that an honest prover never sends a proof that
// fails: a cell that the graph does not define is an error.
func TestLyingTraceIsAnErrorOfTheProver(t *testing.T) {
	for _, s := range scenes() {
		c, target := s.make(t)
		trace, err := interpret.RunWith(t.Context(), c.Graph, c.Info, c.Weights, c.Inputs, interpret.Options{After: in(target, func(v []int32) { v[0]++ })})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Prove(t.Context(), prepare(t, c, transcript.SHA256), Job{}, trace, Options{}); err == nil {
			t.Errorf("%s: proof of a lie", s.name)
		}
	}
}
