package float

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx"
)

// randomModel grows a model by operators whose operands and attributes need not fit, and keeps those that
// are imported. It returns nil when none is.
func randomModel(t *testing.T, r *rand.Rand, ops []string) (g *Graph) {
	b := newBuild([]int{11, 13, 17, 18, 20, 21}[r.IntN(6)])
	constants, pool := []string{"c", "m", "s", "i", "j", "t", "q", "k", "f"}, []string{"x", "x", "z", "ids", "flag"}
	b.input("x", 2, 3, 4).input("z", 1, 2, 4, 4).typed("ids", onnx.Int64, 2, 3).typed("flag", onnx.Bool, 3, 1).
		floats("c", []int{4}, 1, -2, 3, 0.5).floats("m", []int{3, 4}, 0, minusInf, 0, 0, 0, 0, -1e4, 0, 0, 0, 0, minusInf).
		floats("s", nil, 2).ints("i", int64(r.IntN(4))-1, int64(r.IntN(4))).scalar("j", int64(r.IntN(5))-2).bools("t", []int{4}, 1, 0, 1, 1).
		typedInts("q", onnx.Int8, nil, 3).typedInts("k", onnx.Int8, []int{4, 4}, 1, 2, -3, 4, 5, -6, 7, 8, 9, 0, 1, -128, 127, 4, 5, 6).
		typedInts("f", onnx.Uint8, []int{1}, 128)
	for k := range 60 {
		wires := ""
		operands := 1 + r.IntN(3)
		if r.IntN(4) == 0 {
			operands = 9 // QLinearConv has as many
		}
		for range operands {
			from := pool
			if r.IntN(3) == 0 {
				from = constants
			}
			wires += from[r.IntN(len(from))] + " "
		}
		out := fmt.Sprintf("v%d", k)
		nodes, outputs := b.m.Graph.Nodes, b.m.Graph.Outputs
		b.node(ops[r.IntN(len(ops))], wires+"-> "+out, randomAttrs(r)...).output(out)
		next, err := Import(b.model(t), Options{})
		if err == nil {
			g, pool = next, append(pool, out)
			continue
		}
		var u *UnsupportedError
		if !errors.As(err, &u) && !errors.Is(err, ErrNotFinite) && !errors.Is(err, ErrLimit) && !errors.Is(err, ErrShape) {
			t.Fatal(err)
		}
		if u == nil || len(u.Items) != 1 || u.Items[0].Op != "output" { // constants are no outputs, but may be read
			b.m.Graph.Nodes = nodes
		} else {
			constants = append(constants, out)
		}
		b.m.Graph.Outputs = outputs
	}
	return g
}

func randomAttrs(r *rand.Rand) (attrs []onnx.Attribute) {
	all := []onnx.Attribute{
		aInt("axis", r.IntN(5)-2), aInts("axes", int64(r.IntN(4)-1)), aInt("keepdims", r.IntN(2)), aInts("perm", 0, 2, 1),
		aInt("to", []int{1, 6, 7, 9}[r.IntN(4)]), aInt("blocksize", r.IntN(3)), aString("mode", []string{"linear", "nearest", "CRD"}[r.IntN(3)]),
		aString("equation", []string{"abc,acd->abd", "abc->ca", "a,b->ab", "abc,abc->a"}[r.IntN(4)]), aInt("transA", 1), aInts("kernel_shape", 2, 2),
		aInts("strides", 2, 1), aInt("group", 1+r.IntN(2)), aInts("pads", 1, 0, 2, 0), aInt("num_groups", 2), aFloat("alpha", 0.5), aInt("upper", r.IntN(2)),
	}
	for range r.IntN(5) - 2 {
		a := all[r.IntN(len(all))]
		if !slices.ContainsFunc(attrs, func(b onnx.Attribute) bool { return b.Name == a.Name }) {
			attrs = append(attrs, a)
		}
	}
	return attrs
}

func TestRandomModelsAreRefusedOrEvaluate(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	var ops []string
	for op := range rules {
		if !strings.HasPrefix(op, onnx.DomainML) {
			ops = append(ops, op)
		}
	}
	slices.Sort(ops)
	for range 200 {
		g := randomModel(t, r, ops)
		if g == nil {
			continue
		}
		in := make([]Tensor, len(g.Inputs))
		for i := range in {
			in[i] = NewTensor(g.Inputs[i].Shape)
			for k := range in[i].Data {
				in[i].Data[k] = float32(r.IntN(2))
			}
			if g.Inputs[i].Limit == 1 {
				clear(in[i].Data)
			}
		}
		all, err := Evaluate(context.Background(), g, in)
		if err != nil {
			t.Fatal(err)
		}
		for i := range g.Nodes {
			n := &g.Nodes[i]
			var shapes [][]int
			for _, id := range n.Inputs {
				shapes = append(shapes, g.ShapeOf(id))
			}
			if shape, err := n.Op.InferShape(shapes); err != nil || !slices.Equal(shape, n.Shape) || len(all[n.Output].Data) != size(shape) {
				t.Fatalf("node %d (%s) has shape %v: %v, %v", i, n.Op.Kind(), n.Shape, shape, err)
			}
		}
	}
}
