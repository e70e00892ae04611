package interpret

import (
	"fmt"
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
)

func TestProductSumsOverTheContractedAxis(t *testing.T) {
	const k = graph.Contracted
	a := tensor{[]int{2, 3}, []int64{1, 2, 3, 4, 5, 6}}
	b := tensor{[]int{3, 2}, []int64{1, 10, 2, 20, 3, 30}}
	bT := tensor{[]int{2, 3}, []int64{1, 2, 3, 10, 20, 30}}
	aT := tensor{[]int{3, 2}, []int64{1, 4, 2, 5, 3, 6}}
	for _, test := range []struct {
		name        string
		p           graph.Product
		mult        int64
		left, right tensor
		shape       []int
		want        []int64
	}{
		{"A·B", graph.Product{Left: []int{0, k}, Right: []int{k, 1}, Length: 3}, 1, a, b, []int{2, 2}, []int64{14, 140, 32, 320}},
		{"A·Bᵀ", graph.Product{Left: []int{0, k}, Right: []int{1, k}, Length: 3}, 1, a, bT, []int{2, 2}, []int64{14, 140, 32, 320}},
		{"Aᵀ·B", graph.Product{Left: []int{k, 0}, Right: []int{k, 1}, Length: 3}, -2, aT, b, []int{2, 2}, []int64{-28, -280, -64, -640}},
		{"(A·B)ᵀ", graph.Product{Left: []int{1, k}, Right: []int{k, 0}, Length: 3}, 1, a, b, []int{2, 2}, []int64{14, 32, 140, 320}},
		{"batches", graph.Product{Left: []int{0, k}, Right: []int{0, k}, Length: 3}, 1, a, bT, []int{2}, []int64{14, 320}},
		{"one cell", graph.Product{Left: []int{0, k}, Right: []int{k, 1}, Length: 1}, 3, tensor{[]int{1, 1}, []int64{5}}, tensor{[]int{1, 1}, []int64{-7}}, []int{1, 1}, []int64{-105}},
	} {
		acc := slices.Repeat([]int64{100}, len(test.want))
		multiply(acc, &test.p, test.mult, test.left, test.right, test.shape)
		for i := range acc {
			acc[i] -= 100
		}
		if !slices.Equal(acc, test.want) {
			t.Errorf("%s: %v, want %v", test.name, acc, test.want)
		}
	}
}

// TestProductsAgreeWithTheDefinition compares every cell of random products.
func TestProductsAgreeWithTheDefinition(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			c := graphtest.RandomProduct(seed)
			trace, err := Run(t.Context(), c.Graph, c.Info, c.Weights, c.Inputs)
			if err != nil {
				t.Fatal(err)
			}
			r := newReference(c)
			for i := range c.Graph.Nodes {
				compare(t, r, trace, i)
			}
		})
	}
}
