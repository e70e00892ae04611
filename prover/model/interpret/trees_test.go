package interpret

import (
	"fmt"
	"testing"

	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/model/interpret/graphtest"
)

func TestTreesReadRows(t *testing.T) {
	op := &graph.Trees{Targets: 2, Trees: []graph.Tree{{
		{Test: graph.AtMost, Feature: 1, Key: 5, Else: 2}, {Votes: []graph.Vote{{Target: 0, Weight: 7}}}, {Votes: []graph.Vote{{Target: 1, Weight: 9}}},
	}}}
	expect(t, op, []int{3, 2}, []int64{7, 0, 0, 9, 7, 0}, tensor{[]int{3, 2}, []int64{9, 5, 0, 6, 6, -8}})
}

// TestTreesAgreeWithTheDefinition compares every cell of random trees, and of what reads them.
func TestTreesAgreeWithTheDefinition(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			c := graphtest.RandomTrees(seed)
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

// trees follows one row through every tree, by recursion over ranges of nodes.
func (r *reference) trees(op *graph.Trees, table int, at []int) (sum int64) {
	if len(op.Base) > 0 {
		sum = op.Base[at[1]]
	}
	var descend func(t graph.Tree, from, to int) int64
	descend = func(t graph.Tree, from, to int) int64 {
		n := t[from]
		if n.Test == graph.NoTest {
			for _, v := range n.Votes {
				if v.Target == at[1] {
					return v.Weight
				}
			}
			return 0
		}
		cell, key := r.value(table, []int{at[0], n.Feature}), int64(n.Key)
		if cell == key || n.Test == graph.AtMost && cell < key {
			return descend(t, from+1, n.Else)
		}
		return descend(t, n.Else, to)
	}
	for _, t := range op.Trees {
		sum += descend(t, 0, len(t))
	}
	return sum
}
