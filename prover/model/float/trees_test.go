package float

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx"
)

// listing is a tree ensemble as ONNX has it: lists of nodes, and of weights of leaves.
type listing struct {
	trees, nodes, features, yes, no []int64
	modes                           []string
	values                          []float32
	leafTrees, leafNodes, ids       []int64
	weights                         []float32
}

// leaf and branch append a node.
func (l *listing) leaf(tree, node int64, id int64, w float32) {
	l.add(tree, node, 0, "LEAF", 0, 0, 0)
	l.vote(tree, node, id, w)
}

func (l *listing) vote(tree, node, id int64, w float32) {
	l.leafTrees, l.leafNodes = append(l.leafTrees, tree), append(l.leafNodes, node)
	l.ids, l.weights = append(l.ids, id), append(l.weights, w)
}

func (l *listing) add(tree, node, feature int64, mode string, value float32, yes, no int64) {
	l.trees, l.nodes, l.features = append(l.trees, tree), append(l.nodes, node), append(l.features, feature)
	l.modes, l.values = append(l.modes, mode), append(l.values, value)
	l.yes, l.no = append(l.yes, yes), append(l.no, no)
}

// attrs are the lists as attributes; kind is "class" or "target".
func (l *listing) attrs(kind string, more ...onnx.Attribute) []onnx.Attribute {
	return append([]onnx.Attribute{
		aInts("nodes_treeids", l.trees...), aInts("nodes_nodeids", l.nodes...), aInts("nodes_featureids", l.features...),
		aInts("nodes_truenodeids", l.yes...), aInts("nodes_falsenodeids", l.no...), aFloats("nodes_values", l.values...),
		{Name: "nodes_modes", Type: onnx.AttrStrings, Strings: l.modes},
		aInts(kind+"_treeids", l.leafTrees...), aInts(kind+"_nodeids", l.leafNodes...), aInts(kind+"_ids", l.ids...),
		aFloats(kind+"_weights", l.weights...),
	}, more...)
}

// sums evaluates the lists by their definition, tree by tree in float32.
func (l *listing) sums(row []float32, targets int) []float32 {
	find := func(tree, node int64) int {
		for i := range l.nodes {
			if l.trees[i] == tree && l.nodes[i] == node {
				return i
			}
		}
		panic("no such node")
	}
	out := make([]float32, targets)
	seen := map[int64]bool{}
	for root, tree := range l.trees {
		if seen[tree] {
			continue
		}
		seen[tree] = true
		at := root
		for l.modes[at] != "LEAF" {
			x, v := row[l.features[at]], l.values[at]
			pass := map[string]bool{
				"BRANCH_LEQ": x <= v, "BRANCH_LT": x < v, "BRANCH_GTE": x >= v,
				"BRANCH_GT": x > v, "BRANCH_EQ": x == v, "BRANCH_NEQ": x != v,
			}[l.modes[at]]
			next := l.no[at]
			if pass {
				next = l.yes[at]
			}
			at = find(tree, next)
		}
		for i := range l.weights {
			if l.leafTrees[i] == tree && l.leafNodes[i] == l.nodes[at] {
				out[l.ids[i]] += l.weights[i]
			}
		}
	}
	return out
}

// shape of a random ensemble.
type ensembleShape struct {
	trees, depth, features, targets int
	modes                           []string
	weight                          func(r *rand.Rand) float32
}

var allModes = []string{"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"}

// few are numbers that thresholds and cells are taken of, so that they meet.
var few = []float32{0, float32(math.Copysign(0, -1)), 1, -1, 0.1, 1e-45, -1e-45, 3e38, -3e38, 2.5}

func signed(r *rand.Rand) float32   { return float32(r.NormFloat64()) }
func positive(r *rand.Rand) float32 { return r.Float32() }

// random grows an ensemble whose nodes have any numbers; the root comes first.
func (s ensembleShape) random(r *rand.Rand) *listing {
	l := &listing{}
	for i := range s.trees {
		tree, first, firstVote, next := int64(i*3+5), len(l.nodes), len(l.weights), int64(0)
		name := func() int64 { next++; return next - 1 }
		var grow func(node int64, depth int)
		grow = func(node int64, depth int) {
			if depth == 0 || depth < s.depth && r.IntN(5) == 0 {
				l.add(tree, node, 0, "LEAF", 0, 0, 0)
				for k := range s.targets {
					l.vote(tree, node, int64(k), s.weight(r))
				}
				return
			}
			yes, no := name(), name()
			l.add(tree, node, int64(r.IntN(s.features)), s.modes[r.IntN(len(s.modes))], few[r.IntN(len(few))], yes, no)
			grow(no, depth-1)
			grow(yes, depth-1)
		}
		grow(name(), s.depth)
		names := r.Perm(int(next))
		for _, list := range [][]int64{l.nodes[first:], l.yes[first:], l.no[first:], l.leafNodes[firstVote:]} {
			for k, v := range list {
				list[k] = int64(names[v])
			}
		}
	}
	return l
}

// cells are numbers of which many meet thresholds.
func cells(r *rand.Rand, shape ...int) Tensor {
	t := NewTensor(shape)
	for i := range t.Data {
		t.Data[i] = few[r.IntN(len(few))]
		if r.IntN(4) == 0 {
			t.Data[i] = float32(r.NormFloat64())
		}
	}
	return t
}

func forest(rows, features int) *build {
	b := newBuild(13)
	b.m.Opsets = append(b.m.Opsets, onnx.Opset{Domain: onnx.DomainML, Version: 3})
	return b.input("x", rows, features)
}

const (
	treeRegressor  = "ai.onnx.ml.TreeEnsembleRegressor"
	treeClassifier = "ai.onnx.ml.TreeEnsembleClassifier"
)

// TestRandomTreesAgreeWithTheirLists: to the last bit, whatever the tests, at thresholds and zeros too.
func TestRandomTreesAgreeWithTheirLists(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 1))
		s := ensembleShape{1 + r.IntN(8), r.IntN(6), 1 + r.IntN(5), 1 + r.IntN(3), allModes, signed}
		l, x := s.random(r), cells(r, 9, s.features)
		g := forest(9, s.features).node(treeRegressor, "x -> y", l.attrs("target", aInt("n_targets", s.targets))...).output("y").graph(t, Options{})
		got := outputs(t, g, x)[0].Data
		for i := range 9 {
			want := l.sums(x.Data[i*s.features:][:s.features], s.targets)
			if !slices.Equal(got[i*s.targets:][:s.targets], want) {
				t.Fatalf("seed %d: row %d is %v, want %v", seed, i, got[i*s.targets:][:s.targets], want)
			}
		}
	}
}

// TestScalersBecomeThresholds: what trees make of scaled features they make of the input, to the last bit.
func TestScalersBecomeThresholds(t *testing.T) {
	for seed := range uint64(100) {
		r := rand.New(rand.NewPCG(seed, 2))
		s := ensembleShape{4, 5, 3, 2, allModes[:4], signed}
		l, x := s.random(r), cells(r, 20, 3)
		offset, scale := []float32{signed(r), 1e20, 0.1}, []float32{float32(math.Exp(20 * r.NormFloat64())), -1.7, signed(r)}
		for i := range x.Data { // and cells about the thresholds
			if k := i % 3; r.IntN(2) == 0 {
				x.Data[i] = few[r.IntN(len(few))]/scale[k] + offset[k]
				for range r.IntN(3) {
					x.Data[i] = math.Nextafter32(x.Data[i], 0)
				}
			}
			if x.Data[i]-x.Data[i] != 0 {
				x.Data[i] = 1
			}
		}
		b := forest(20, 3).node("ai.onnx.ml.Scaler", "x -> s", aFloats("offset", offset...), aFloats("scale", scale...))
		if seed%2 == 0 {
			b = forest(20, 3).floats("o", []int{3}, offset...).floats("f", []int{3}, scale...).node("Sub", "x o -> d").node("Mul", "d f -> s")
		}
		g := b.
			node("Cast", "s -> c", aInt("to", 1)).node("Identity", "c -> i").
			node(treeRegressor, "i -> y", l.attrs("target", aInt("n_targets", 2))...).output("y").graph(t, Options{})
		if len(g.Nodes) != 1 || g.Nodes[0].Inputs[0] != 0 {
			t.Fatalf("nodes %v", kinds(g))
		}
		got := outputs(t, g, x)[0].Data
		for i := range 20 {
			row := make([]float32, 3)
			for k := range row {
				row[k] = float32(x.Data[3*i+k]-offset[k]) * scale[k]
			}
			if want := l.sums(row, 2); !slices.Equal(got[2*i:][:2], want) {
				t.Fatalf("seed %d: row %d is %v, want %v", seed, i, got[2*i:][:2], want)
			}
		}
	}
}

// stump is one tree of two leaves: the first for x₀ ≤ 1.
func stump(votes ...func(l *listing)) *listing {
	l := &listing{}
	l.add(0, 0, 0, "BRANCH_LEQ", 1, 1, 2)
	l.add(0, 1, 0, "LEAF", 0, 0, 0)
	l.add(0, 2, 0, "LEAF", 0, 0, 0)
	for _, v := range votes {
		v(l)
	}
	return l
}

func vote(node, id int64, w float32) func(*listing) {
	return func(l *listing) { l.vote(0, node, id, w) }
}

func TestTreeRegressorAveragesAndAddsBaseValues(t *testing.T) {
	l := stump(vote(1, 0, 3), vote(2, 1, 5))
	l.leaf(9, 4, 1, 1)
	for f, want := range map[string][]float32{"SUM": {13, 21, 10, 26}, "AVERAGE": {11.5, 20.5, 10, 23}} {
		g := forest(2, 1).node(treeRegressor, "x -> y", l.attrs("target", aInt("n_targets", 2), aFloats("base_values", 10, 20), aString("aggregate_function", f))...).output("y").graph(t, Options{})
		wantTensor(t, outputs(t, g, Tensor{[]int{2, 1}, []float32{1, 1.5}})[0], []int{2, 2}, want)
	}
}

// TestTreeClassifierGivesLabelsAndProbabilities: of several classes, of two, and of the score of one alone.
func TestTreeClassifierGivesLabelsAndProbabilities(t *testing.T) {
	three := stump(vote(1, 0, 0.5), vote(1, 2, 0.5), vote(2, 1, 1))
	both := stump(vote(1, 0, 0.25), vote(1, 1, 0.75), vote(2, 0, 1))
	share := stump(vote(1, 0, 0.75), vote(2, 0, 0.5))
	score := stump(vote(1, 0, 2), vote(2, 0, -1))
	soft := func(x, of float64) float32 { return float32(math.Exp(x) / of) }
	sum := 2*math.Exp(0.5) + 1
	end := math.E + 2
	for name, c := range map[string]struct {
		l      *listing
		labels []int64
		more   []onnx.Attribute
		want   []float32 // label, then probabilities, of rows 1 and 1.5
	}{
		"three classes":       {three, []int64{4, 5, 6}, nil, []float32{4, 5, 0.5, 0, 0.5, 0, 1, 0}},
		"three, softmax":      {three, []int64{4, 5, 6}, []onnx.Attribute{aString("post_transform", "SOFTMAX")}, []float32{4, 5, soft(0.5, sum), soft(0, sum), soft(0.5, sum), soft(0, end), soft(1, end), soft(0, end)}},
		"three, base values":  {three, []int64{4, 5, 6}, []onnx.Attribute{aFloats("base_values", 0, 0, 1)}, []float32{6, 5, 0.5, 0, 1.5, 0, 1, 1}},
		"two classes":         {both, []int64{0, 1}, nil, []float32{1, 0, 0.25, 0.75, 1, 0}},
		"two, logistic":       {both, []int64{0, 1}, []onnx.Attribute{aString("post_transform", "LOGISTIC")}, []float32{1, 0, float32(sigmoid(0.25)), float32(sigmoid(0.75)), float32(sigmoid(1)), 0.5}},
		"one probability":     {share, []int64{7, 8}, nil, []float32{8, 7, 0.25, 0.75, 0.5, 0.5}},
		"one score":           {score, []int64{7, 8}, []onnx.Attribute{aString("post_transform", "LOGISTIC")}, []float32{8, 7, float32(sigmoid(-2)), float32(sigmoid(2)), float32(sigmoid(1)), float32(sigmoid(-1))}},
		"one score, one base": {score, []int64{7, 8}, []onnx.Attribute{aString("post_transform", "LOGISTIC"), aFloats("base_values", 1.5)}, []float32{8, 8, float32(sigmoid(-3.5)), float32(sigmoid(3.5)), float32(sigmoid(-0.5)), float32(sigmoid(0.5))}},
	} {
		t.Run(name, func(t *testing.T) {
			g := forest(2, 1).node(treeClassifier, "x -> l p", c.l.attrs("class", append(c.more, aInts("classlabels_int64s", c.labels...))...)...).output("l", "p").graph(t, Options{})
			got := outputs(t, g, Tensor{[]int{2, 1}, []float32{1, 1.5}})
			wantTensor(t, got[0], []int{2}, c.want[:2])
			wantTensor(t, got[1], []int{2, len(c.labels)}, c.want[2:])
			if g.Outputs[0].Type != onnx.Int64 || g.Outputs[1].Type != onnx.Float32 {
				t.Errorf("%+v", g.Outputs)
			}
		})
	}
}

// TestTreesThatAreRefused: damaged and hostile lists, and what no tree of a model reads.
func TestTreesThatAreRefused(t *testing.T) {
	ok := func() *listing { return stump(vote(1, 0, 1), vote(2, 0, 2)) }
	spoilt := func(f func(l *listing)) *build {
		l := ok()
		f(l)
		return forest(2, 1).node(treeRegressor, "x -> y", l.attrs("target")...).output("y")
	}
	with := func(a onnx.Attribute) *build {
		return forest(2, 1).node(treeRegressor, "x -> y", ok().attrs("target", a)...).output("y")
	}
	class := func(l *listing, more ...onnx.Attribute) *build {
		return forest(2, 1).node(treeClassifier, "x -> l p", l.attrs("class", append(more, aInts("classlabels_int64s", 0, 1))...)...).output("l", "p")
	}
	chain := func(l *listing) {
		*l = listing{}
		for i := range int64(maxTreeDepth + 1) {
			l.add(0, 2*i, 0, "BRANCH_LEQ", 0, 2*i+1, 2*i+2)
			l.leaf(0, 2*i+1, 0, 1)
		}
		l.leaf(0, 2*maxTreeDepth+2, 0, 1)
	}
	negative := stump(vote(1, 0, 1), vote(2, 0, -1))
	for want, b := range map[string]*build{
		`attribute "nodes_treeids" is empty or missing`:                     spoilt(func(l *listing) { *l = listing{} }),
		`attribute "nodes_nodeids" has 2 entries, want 3`:                   spoilt(func(l *listing) { l.nodes = l.nodes[:2] }),
		`attribute "nodes_featureids" has 2 entries, want 3`:                spoilt(func(l *listing) { l.features = l.features[:2] }),
		`attribute "nodes_modes" has 2 entries, want 3`:                     spoilt(func(l *listing) { l.modes = l.modes[:2] }),
		`attribute "nodes_values" has 4 entries, want 3`:                    spoilt(func(l *listing) { l.values = append(l.values, 1) }),
		`attribute "nodes_truenodeids" has 2 entries, want 3`:               spoilt(func(l *listing) { l.yes = l.yes[:2] }),
		`attribute "nodes_falsenodeids" has 2 entries, want 3`:              spoilt(func(l *listing) { l.no = l.no[:2] }),
		`attribute "target_nodeids" has 1 entries, want 2`:                  spoilt(func(l *listing) { l.leafNodes = l.leafNodes[:1] }),
		`attribute "target_ids" has 1 entries, want 2`:                      spoilt(func(l *listing) { l.ids = l.ids[:1] }),
		`attribute "target_weights" has 1 entries, want 2`:                  spoilt(func(l *listing) { l.weights = l.weights[:1] }),
		`attribute "target_treeids" is empty or missing`:                    spoilt(func(l *listing) { l.leafTrees, l.leafNodes, l.ids, l.weights = nil, nil, nil, nil }),
		`attribute "nodes_hitrates" has 1 entries, want 3`:                  with(aFloats("nodes_hitrates", 1)),
		`attribute "nodes_missing_value_tracks_true" has 1 entries, want 3`: with(aInts("nodes_missing_value_tracks_true", 1)),
		`tree 0 has node 1 twice`:                                           spoilt(func(l *listing) { l.nodes[2] = 1 }),
		`tree 0: node 0 leads to node 7, which there is not`:                spoilt(func(l *listing) { l.yes[0] = 7 }),
		`tree 0: two branches lead to node 2`:                               spoilt(func(l *listing) { l.yes[0] = 2 }),
		`tree 0 has no root: its branches lead round in a circle`:           spoilt(func(l *listing) { l.no[0] = 0; l.add(0, 3, 0, "BRANCH_LEQ", 0, 3, 2) }),
		`tree 0: 4 nodes lead round in a circle`: spoilt(func(l *listing) {
			l.add(0, 3, 0, "BRANCH_LEQ", 0, 4, 5)
			l.leaf(0, 4, 0, 1)
			l.add(0, 5, 0, "BRANCH_LEQ", 0, 3, 6)
			l.leaf(0, 6, 0, 1)
		}),
		`tree 0: no branch leads to node 3, nor to the root`:                             spoilt(func(l *listing) { l.leaf(0, 3, 0, 1) }),
		`tree 0: node 0: feature 1 of 1`:                                                 spoilt(func(l *listing) { l.features[0] = 1 }),
		`tree 0: node 0: feature -1 of 1`:                                                spoilt(func(l *listing) { l.features[0] = -1 }),
		`tree 0: node 0: mode "BRANCH_MEMBER" is not supported`:                          spoilt(func(l *listing) { l.modes[0] = "BRANCH_MEMBER" }),
		`tree 0: weight of node 0, which is no leaf`:                                     spoilt(func(l *listing) { l.leafNodes[0] = 0 }),
		`tree 5: weight of node 1, which is no leaf`:                                     spoilt(func(l *listing) { l.leafTrees[0] = 5 }),
		`tree 0: node 1 has a weight for 1 of 1`:                                         spoilt(func(l *listing) { l.ids[0] = 1 }),
		`tree 0: node 1 has two weights for 0`:                                           spoilt(func(l *listing) { l.vote(0, 1, 0, 1) }),
		`tree 0: more than 64 branches one after the other`:                              spoilt(chain),
		`1073741824 targets, at most 65536`:                                              with(aInt("n_targets", 1<<30)),
		`0 targets, at most 65536`:                                                       with(aInt("n_targets", 0)),
		`2 base values for 1 targets`:                                                    with(aFloats("base_values", 1, 2)),
		`aggregate_function MIN is not supported`:                                        with(aString("aggregate_function", "MIN")),
		`post_transform PROBIT is not supported`:                                         with(aString("post_transform", "PROBIT")),
		`attribute "nodes_values_as_tensor" is not supported`:                            with(aTensor("nodes_values_as_tensor", onnx.Tensor{Type: onnx.Float64, Dims: []int64{1}, Doubles: []float64{1}})),
		`3 base values for 2 classes`:                                                    class(stump(vote(1, 0, 1), vote(2, 1, 1)), aFloats("base_values", 1, 2, 3)),
		`post_transform SOFTMAX_ZERO is not supported`:                                   class(stump(vote(1, 0, 1), vote(2, 1, 1)), aString("post_transform", "SOFTMAX_ZERO")),
		`of two classes only the second has weights`:                                     class(stump(vote(1, 1, 1))),
		`one score without negative weights for two classes and post_transform LOGISTIC`: class(ok(), aString("post_transform", "LOGISTIC")),
		`one score with negative weights for two classes and post_transform NONE`:        class(negative),
		`2 base values for one score`:                                                    class(ok(), aFloats("base_values", 1, 2)),
		`1 classes, want 2 to 65536`:                                                     forest(2, 1).node(treeClassifier, "x -> l p", ok().attrs("class", aInts("classlabels_int64s", 3))...).output("l"),
		`it has no labels`:                                                               forest(2, 1).node(treeClassifier, "x -> l p", ok().attrs("class")...).output("l"),
		`labels are strings: number the classes`:                                         forest(2, 1).node(treeClassifier, "x -> l p", ok().attrs("class", onnx.Attribute{Name: "classlabels_strings", Type: onnx.AttrStrings, Strings: []string{"a"}})...).output("l"),
		`it reads "n_s" (Relu): trees read an input of the model, with features scaled by Scaler, Add, Sub or Mul at most`: forest(2, 1).node("Relu", "x -> s").node(treeRegressor, "s -> y", ok().attrs("target")...).output("y"),
		`feature 0 is scaled by zero`: forest(2, 1).floats("z", []int{1}, 0).node("Mul", "x z -> s").node(treeRegressor, "s -> y", ok().attrs("target")...).output("y"),
		`it reads "n_s" (Div): trees read an input of the model, with features scaled by Scaler, Add, Sub or Mul at most`: forest(2, 1).floats("z", []int{1}, 3).node("Div", "x z -> s").node(treeRegressor, "s -> y", ok().attrs("target")...).output("y"),
		`it reads "n_s" (Add): trees read an input of the model, with features scaled by Scaler, Add, Sub or Mul at most`: forest(2, 1).floats("z", []int{2, 1}, 0, 1).node("Add", "x z -> s").node(treeRegressor, "s -> y", ok().attrs("target")...).output("y"),
		`it reads float64, not float32: put a Cast in front`:                                                              newForest(onnx.Float64).node(treeRegressor, "x -> y", ok().attrs("target")...).output("y"),
		`the input in front of it is float16: trees read float32, and float64 through a Cast alone`:                       newForest(onnx.Float16).node("Cast", "x -> c", aInt("to", 1)).node(treeRegressor, "c -> y", ok().attrs("target")...).output("y"),
		`tree 0: node 0: equality with a scaled feature is not supported`:                                                 forest(2, 1).node("ai.onnx.ml.Scaler", "x -> s", aFloats("offset", 1), aFloats("scale", 2)).node(treeRegressor, "s -> y", equal().attrs("target")...).output("y"),
		`operator is not supported`:                    forest(2, 1).node("ai.onnx.ml.TreeEnsemble", "x -> y").output("y"),
		`it is supported only at the end of the graph`: forest(2, 1).node(treeClassifier, "x -> l p", negative.attrs("class", aString("post_transform", "LOGISTIC"), aInts("classlabels_int64s", 0, 1))...).node("Relu", "p -> q").output("q"),
	} {
		if got := b.refused(t); !slices.ContainsFunc(got, func(s string) bool { return strings.HasSuffix(s, ": "+want) }) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// equal is a tree with a test for equality.
func equal() *listing {
	l := stump(vote(1, 0, 1))
	l.modes[0] = "BRANCH_EQ"
	return l
}

func newForest(typ onnx.DataType) *build {
	b := newBuild(13)
	b.m.Opsets = append(b.m.Opsets, onnx.Opset{Domain: onnx.DomainML, Version: 3})
	return b.typed("x", typ, 2, 1)
}

// TestTreesReadDoublesThroughACast: float64 rounded to float32 is what they compare.
func TestTreesReadDoublesThroughACast(t *testing.T) {
	g := newForest(onnx.Float64).node("Cast", "x -> c", aInt("to", 1)).node(treeRegressor, "c -> y", equal().attrs("target")...).output("y").graph(t, Options{})
	if kinds(g) != "Trees" || g.Inputs[0].Type != onnx.Float64 {
		t.Errorf("%s of %v", kinds(g), g.Inputs[0].Type)
	}
}

// TestScoresOfTreesMayGoOn: without a function at their end they are numbers as others are.
func TestScoresOfTreesMayGoOn(t *testing.T) {
	l := stump(vote(1, 0, 0.25), vote(1, 1, 0.75), vote(2, 0, 1))
	g := forest(2, 1).node(treeClassifier, "x -> l p", l.attrs("class", aInts("classlabels_int64s", 0, 1))...).
		floats("w", []int{2, 1}, 1, 2).node("MatMul", "p w -> y").output("l", "y").graph(t, Options{})
	got := outputs(t, g, Tensor{[]int{2, 1}, []float32{1, 1.5}})
	wantTensor(t, got[1], []int{2, 1}, []float32{1.75, 1})
	if want := int64(2*1 + 2*2); g.MACs() != want || g.Params() != int64(1+3+2+1) {
		t.Errorf("%d multiply-accumulates and %d parameters: %s", g.MACs(), g.Params(), fmt.Sprint(kinds(g)))
	}
}
