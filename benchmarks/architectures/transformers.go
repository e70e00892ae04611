package architectures

import (
	"fmt"
	"math"

	"github.com/weisyn/wes/prover/model/onnx"
)

// textOpset is the operator version of text models: the first with LayerNormalization.
const textOpset = 17

// Texts lists the text models of the proof benchmark.
func Texts() []Network {
	return []Network{BERT(12, 768, 12, 128), GPT2(12, 768, 12, 64)}
}

// transformer is the size of a text model.
type transformer struct {
	layers, width, heads, inner int
	vocabulary, positions       int
	length                      int // tokens of a sequence
}

// Weights spread as GPT-2's do at first, 0.02 and less in front of residuals; embeddings as wide as
// those of trained models, so that answers do not hang on the last bit.
const (
	spread    = 0.02
	embedding = 0.14
	classes   = 2
)

// BERT has the shapes of bert-base (arXiv 1810.04805) with its pooler and a classifier, for one
// sequence.
func BERT(layers, width, heads, length int) Network {
	t := transformer{layers: layers, width: width, heads: heads, inner: 4 * width, vocabulary: 30522, positions: 512, length: length}
	name := fmt.Sprintf("bert_%dx%d_%d", layers, width, length)
	return Network{name, fmt.Sprintf("BERT, %d layers of %d, %d tokens", layers, width, length), []int{1, length}, int64(t.vocabulary), true, func(seed uint64) *onnx.Model {
		return t.bert(name, seed)
	}}
}

// GPT2 has the shapes of a decoder of gpt2 (Radford et al. 2019) for one sequence, with the scores
// of every next token as its output.
func GPT2(layers, width, heads, length int) Network {
	t := transformer{layers: layers, width: width, heads: heads, inner: 4 * width, vocabulary: 50257, positions: 1024, length: length}
	name := fmt.Sprintf("gpt2_%dx%d_%d", layers, width, length)
	return Network{name, fmt.Sprintf("GPT-2, %d layers of %d, %d tokens", layers, width, length), []int{1, length}, int64(t.vocabulary), true, func(seed uint64) *onnx.Model {
		return t.gpt2(name, seed)
	}}
}

func (t *transformer) builder(name string, seed uint64) *builder {
	b := newBuilder(name, seed)
	ids := value("ids", 1, t.length)
	ids.Type = onnx.Int64
	b.graph.Inputs = []onnx.ValueInfo{ids}
	return b
}

// residual is the spread of what a residual adds.
func (t *transformer) residual() float64 { return spread / math.Sqrt(2*float64(t.layers)) }

func (t *transformer) finish(b *builder, output string, shape ...int) *onnx.Model {
	m := b.finish(output, shape...)
	m.Opsets[0].Version = textOpset
	return m
}

// bert normalises behind every residual.
func (t *transformer) bert(name string, seed uint64) *onnx.Model {
	b := t.builder(name, seed)
	x := b.layerNorm(b.node("Add", nil, b.embed("word", t.vocabulary, t.width), b.positions(t.length, t.width)), t.width)
	for range t.layers {
		x = b.layerNorm(b.node("Add", nil, x, t.attention(b, x, false)), t.width)
		h := b.gelu(b.dense(x, spread, t.width, t.inner))
		x = b.layerNorm(b.node("Add", nil, x, b.dense(h, t.residual(), t.inner, t.width)), t.width)
	}
	first := b.node("Gather", []onnx.Attribute{integer("axis", 1)}, x, b.index("first", 0))
	pooled := b.node("Tanh", nil, b.linear(first, t.width, t.width))
	return t.finish(b, b.linear(pooled, t.width, classes), 1, classes)
}

// gpt2 normalises in front of every layer and reads the next token's scores off the table of
// embeddings.
func (t *transformer) gpt2(name string, seed uint64) *onnx.Model {
	b := t.builder(name, seed)
	x := b.node("Add", nil, b.embed("word", t.vocabulary, t.width), b.positions(t.length, t.width))
	for range t.layers {
		x = b.node("Add", nil, x, t.attention(b, b.layerNorm(x, t.width), true))
		h := b.geluTanh(b.dense(b.layerNorm(x, t.width), spread, t.width, t.inner))
		x = b.node("Add", nil, x, b.dense(h, t.residual(), t.inner, t.width))
	}
	head := b.node("Transpose", []onnx.Attribute{ints("perm", 1, 0)}, "word")
	return t.finish(b, b.node("MatMul", nil, b.layerNorm(x, t.width), head), 1, t.length, t.vocabulary)
}

// attention is self-attention of all heads, without its residual.
func (t *transformer) attention(b *builder, x string, causal bool) string {
	heads := func(perm ...int64) string {
		shape := b.integers("heads", 1, int64(t.length), int64(t.heads), int64(t.width/t.heads))
		return b.node("Transpose", []onnx.Attribute{ints("perm", perm...)}, b.node("Reshape", nil, b.dense(x, spread, t.width, t.width), shape))
	}
	q, k, v := heads(0, 2, 1, 3), heads(0, 2, 3, 1), heads(0, 2, 1, 3)
	root := b.scalar("root", float32(math.Sqrt(float64(t.width/t.heads))))
	scores := b.node("Div", nil, b.node("MatMul", nil, q, k), root)
	if causal {
		scores = b.node("Where", nil, b.causal(t.length), scores, b.scalar("hidden", -1e9))
	}
	mixed := b.node("MatMul", nil, b.node("Softmax", []onnx.Attribute{integer("axis", -1)}, scores), v)
	joined := b.node("Transpose", []onnx.Attribute{ints("perm", 0, 2, 1, 3)}, mixed)
	flat := b.node("Reshape", nil, joined, b.integers("joined", 1, int64(t.length), int64(t.width)))
	return b.dense(flat, t.residual(), t.width, t.width)
}

// dense is a product and a bias, as exporters write a linear layer of sequences.
func (b *builder) dense(x string, std float64, in, out int) string {
	name := fmt.Sprintf("dense%d", b.count+1)
	w := b.normal(name+".weight", std, in, out)
	return b.node("Add", nil, b.node("MatMul", nil, x, w), b.normal(name+".bias", spread, out))
}

func (b *builder) embed(name string, rows, width int) string {
	return b.node("Gather", []onnx.Attribute{integer("axis", 0)}, b.normal(name, embedding, rows, width), "ids")
}

func (b *builder) positions(length, width int) string {
	return b.normal("position", spread, 1, length, width)
}

func (b *builder) layerNorm(x string, width int) string {
	name := fmt.Sprintf("norm%d", b.count+1)
	scale := b.normal(name+".weight", 0.1, width)
	for i := range width {
		b.graph.Initializers[len(b.graph.Initializers)-1].Floats[i]++
	}
	return b.node("LayerNormalization", []onnx.Attribute{integer("axis", -1)}, x, scale, b.normal(name+".bias", 0.1, width))
}

// gelu is x·(1 + erf(x/√2))/2.
func (b *builder) gelu(x string) string {
	e := b.node("Erf", nil, b.node("Div", nil, x, b.scalar("sqrt2", math.Sqrt2)))
	y := b.node("Mul", nil, x, b.node("Add", nil, e, b.scalar("one", 1)))
	return b.node("Mul", nil, y, b.scalar("half", 0.5))
}

// geluTanh is x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2.
func (b *builder) geluTanh(x string) string {
	cube := b.node("Pow", nil, x, b.scalar("three", 3))
	inner := b.node("Add", nil, x, b.node("Mul", nil, cube, b.scalar("cubic", 0.044715)))
	bent := b.node("Tanh", nil, b.node("Mul", nil, inner, b.scalar("root2pi", float32(math.Sqrt(2/math.Pi)))))
	y := b.node("Mul", nil, x, b.scalar("half", 0.5))
	return b.node("Mul", nil, y, b.node("Add", nil, bent, b.scalar("one", 1)))
}

func (b *builder) index(name string, v int64) string {
	b.graph.Initializers = append(b.graph.Initializers, onnx.Tensor{Name: name, Type: onnx.Int64, Ints: []int64{v}})
	return name
}

func (b *builder) integers(name string, values ...int64) string {
	name = fmt.Sprintf("%s%d", name, b.count+1)
	b.graph.Initializers = append(b.graph.Initializers, onnx.Tensor{Name: name, Type: onnx.Int64, Dims: []int64{int64(len(values))}, Ints: values})
	return name
}

// causal is the mask of a square of tokens: each sees those up to itself.
func (b *builder) causal(length int) string {
	name := fmt.Sprintf("causal%d", b.count+1)
	t := onnx.Tensor{Name: name, Type: onnx.Bool, Dims: []int64{1, 1, int64(length), int64(length)}, Ints: make([]int64, length*length)}
	for i := range length {
		for k := range i + 1 {
			t.Ints[i*length+k] = 1
		}
	}
	b.graph.Initializers = append(b.graph.Initializers, t)
	return name
}
