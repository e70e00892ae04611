package architectures

import (
	"fmt"
	"math/rand/v2"

	"github.com/weisyn/wes/prover/model/onnx"
)

// forestClasses is the number of classes that leaves vote for.
const forestClasses = 3

// Forest is a classifier of trees with all branches down to a depth, for a batch of rows, as
// converters from scikit-learn write it: every leaf votes for every class.
func Forest(trees, depth, features, rows int) Network {
	name := fmt.Sprintf("forest_%dx%d_%d", trees, depth, rows)
	title := fmt.Sprintf("Forest, %d trees of depth %d, %d features, %d rows", trees, depth, features, rows)
	return Network{Name: name, Title: title, Input: []int{rows, features}, Integers: true, Make: func(seed uint64) *onnx.Model {
		f := forest{rng: rand.New(rand.NewPCG(seed, 1)), ints: map[string][]int64{}, floats: map[string][]float32{}}
		for t := range trees {
			f.tree(int64(t), depth, features, float32(trees))
		}
		g := onnx.Graph{
			Name: name, Inputs: []onnx.ValueInfo{value("input", rows, features)},
			Outputs: []onnx.ValueInfo{value("label", rows), value("probabilities", rows, forestClasses)},
			Nodes: []onnx.Node{{
				Name: "forest", Op: "TreeEnsembleClassifier", Domain: onnx.DomainML,
				Inputs: []string{"input"}, Outputs: []string{"label", "probabilities"}, Attrs: f.attributes(),
			}},
		}
		g.Outputs[0].Type = onnx.Int64
		opsets := []onnx.Opset{{Version: opset}, {Domain: onnx.DomainML, Version: 3}}
		return &onnx.Model{IRVersion: 8, ProducerName: "wes", Opsets: opsets, Graph: g}
	}}
}

// forest collects the lists of a TreeEnsembleClassifier.
type forest struct {
	rng    *rand.Rand
	modes  []string
	ints   map[string][]int64
	floats map[string][]float32
}

// tree adds one whose node n has the children 2n+1 and 2n+2.
func (f *forest) tree(t int64, depth, features int, trees float32) {
	for n := range int64(2<<depth - 1) {
		leaf := n >= 1<<depth-1
		mode, feature, threshold, then, other := "BRANCH_LEQ", f.rng.IntN(features), f.rng.Float32(), 2*n+1, 2*n+2
		if leaf {
			mode, feature, threshold, then, other = "LEAF", 0, 0, 0, 0
			f.votes(t, n, trees)
		}
		f.modes = append(f.modes, mode)
		f.add("nodes_treeids", t)
		f.add("nodes_nodeids", n)
		f.add("nodes_featureids", int64(feature))
		f.add("nodes_truenodeids", then)
		f.add("nodes_falsenodeids", other)
		f.floats["nodes_values"] = append(f.floats["nodes_values"], threshold)
	}
}

func (f *forest) votes(t, n int64, trees float32) {
	for class := range int64(forestClasses) {
		f.add("class_treeids", t)
		f.add("class_nodeids", n)
		f.add("class_ids", class)
		f.floats["class_weights"] = append(f.floats["class_weights"], f.rng.Float32()/trees)
	}
}

func (f *forest) add(list string, v int64) { f.ints[list] = append(f.ints[list], v) }

func (f *forest) attributes() []onnx.Attribute {
	labels := []int64{0, 1, 2}
	attrs := []onnx.Attribute{
		{Name: "nodes_modes", Type: onnx.AttrStrings, Strings: f.modes},
		ints("classlabels_int64s", labels...),
		{Name: "post_transform", Type: onnx.AttrString, String: "NONE"},
	}
	for _, name := range []string{
		"nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_truenodeids", "nodes_falsenodeids",
		"class_treeids", "class_nodeids", "class_ids",
	} {
		attrs = append(attrs, ints(name, f.ints[name]...))
	}
	for _, name := range []string{"nodes_values", "class_weights"} {
		attrs = append(attrs, onnx.Attribute{Name: name, Type: onnx.AttrFloats, Floats: f.floats[name]})
	}
	return attrs
}
