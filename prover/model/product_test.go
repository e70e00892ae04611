package model

import (
	"strings"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/float"
)

// heads cuts a linear layer of x into two heads and moves them before the rows.
func (n *network) heads(x float.ValueID, perm ...int) float.ValueID {
	s := n.g.ShapeOf(x)
	y := n.add(&float.Reshape{Shape: []int{s[0], s[1], 2, 4}}, n.matMul(x, 8))
	return n.add(&float.Transpose{Perm: perm}, y)
}

// attention is attention without its softmax: Q·Kᵀ, scaled, times V.
func (n *network) attention(x float.ValueID) float.ValueID {
	q, k, v := n.heads(x, 0, 2, 1, 3), n.heads(x, 0, 2, 3, 1), n.heads(x, 0, 2, 1, 3)
	scores := n.add(&float.Product{K: 4}, q, k)
	half := float.Tensor{Shape: []int{1, 1, 1, 1}, Data: []float32{0.5}}
	weights := n.add(&float.Sigmoid{}, n.add(&float.MulConst{C: half}, scores))
	s := n.g.ShapeOf(x)
	mixed := n.add(&float.Product{K: s[1]}, weights, v)
	joined := n.add(&float.Reshape{Shape: []int{s[0], s[1], 8}}, n.add(&float.Transpose{Perm: []int{0, 2, 1, 3}}, mixed))
	return n.matMul(joined, 3)
}

func TestProductsOfActivationsBecomeTermsOfSums(t *testing.T) {
	n := newNetwork(t, 1, []int{1, 5, 6})
	n.output(n.attention(0))
	low := n.lower(Options{})
	products := 0
	for i := range low.Graph.Nodes {
		if acc := graph.AccumulatorOf(low.Graph.Nodes[i].Op); acc != nil && acc.Terms[0].Product != nil {
			products++
		}
	}
	if products != 2 {
		t.Errorf("%d products, want 2", products)
	}
	n.close(low, 0.1)
}

func TestProductsJoinOtherTerms(t *testing.T) {
	for name, build := range map[string]func(n *network, a, b float.ValueID) float.ValueID{
		"revealed": func(n *network, a, b float.ValueID) float.ValueID { return n.add(&float.Product{K: 4}, a, b) },
		"bias and function": func(n *network, a, b float.ValueID) float.ValueID {
			y := n.add(&float.AddConst{C: n.constant(1, 1, 3)}, n.add(&float.Product{K: 4}, a, b))
			return n.add(&float.Relu{}, y)
		},
		"residual": func(n *network, a, b float.ValueID) float.ValueID {
			return n.add(&float.Relu{}, n.add(&float.Add{}, n.matMul(a, 3), n.add(&float.Product{K: 4}, a, b)))
		},
		"scaled by column": func(n *network, a, b float.ValueID) float.ValueID {
			return n.add(&float.MulConst{C: n.constant(1, 1, 3)}, n.add(&float.Product{K: 4}, a, b))
		},
		"product of products": func(n *network, a, b float.ValueID) float.ValueID {
			y := n.add(&float.Product{K: 4}, a, b)
			return n.add(&float.Product{K: 3}, y, n.add(&float.Transpose{Perm: []int{1, 0}}, y))
		},
		"convolution of a product": func(n *network, a, b float.ValueID) float.ValueID {
			return n.matMul(n.add(&float.Product{K: 4}, a, b), 2)
		},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNetwork(t, 2, []int{5, 4}, []int{4, 3})
			n.output(build(n, 0, 1))
			n.close(n.lower(Options{}), 0.1)
		})
	}
}

func TestImpreciseProductsAreRefused(t *testing.T) {
	n := newNetwork(t, 3, []int{1, 700}, []int{700, 1})
	n.g.Inputs[0].Name, n.g.Inputs[1].Name = "a", "b"
	y := n.add(&float.Product{K: 700}, 0, 1)
	n.output(n.add(&float.Relu{}, n.add(&float.Add{}, y, n.add(&float.Relu{}, y))))
	_, err := Lower(t.Context(), &n.g, n.samples(3), Options{MaxShift: 2})
	if err == nil || !strings.Contains(err.Error(), "MaxShift") {
		t.Errorf("got %v", err)
	}
}
