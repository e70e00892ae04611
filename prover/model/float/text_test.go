package float

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx"
)

func (b *build) bools(name string, shape []int, v ...int64) *build {
	b.m.Graph.Initializers = append(b.m.Graph.Initializers,
		onnx.Tensor{Name: name, Type: onnx.Bool, Dims: dims64(shape), Ints: v})
	return b
}

var minusInf = float32(math.Inf(-1))

// softmaxOf is the softmax of those cells of a line that are kept.
func softmaxOf(line []float32, keep ...int) []float32 {
	out, sum := make([]float32, len(line)), 0.0
	for i, v := range line {
		if keep[i] == 1 {
			sum += math.Exp(float64(v))
		}
	}
	for i, v := range line {
		if keep[i] == 1 {
			out[i] = float32(math.Exp(float64(v)) / sum)
		}
	}
	return out
}

func TestConstantMasksInFrontOfASoftmaxKeepCells(t *testing.T) {
	x := Tensor{[]int{2, 3}, []float32{1, 2, 3, -1, 0.5, 2}}
	causal := slices.Concat(softmaxOf(x.Data[:3], 1, 1, 0), softmaxOf(x.Data[3:], 1, 1, 1))
	row := slices.Concat(softmaxOf(x.Data[:3], 1, 0, 1), softmaxOf(x.Data[3:], 1, 0, 1))
	end := func(b *build, name string) { b.node("Softmax", name+" -> p").node("Relu", "p -> y") }
	for _, c := range []struct {
		name string
		edit func(*build)
		ops  string
		want []float32
	}{
		{"addend −∞", func(b *build) {
			b.floats("m", []int{2, 3}, 0, 0, minusInf, 0, 0, 0).node("Add", "x m -> s")
			end(b, "s")
		}, "Softmax Relu", causal},
		{"addend −10⁴ in a row", func(b *build) {
			b.floats("m", []int{3}, 0, -1e4, 0).node("Add", "m x -> s")
			end(b, "s")
		}, "Softmax Relu", row},
		{"subtrahend", func(b *build) {
			b.floats("m", []int{3}, 0, 1e4, 0).node("Sub", "x m -> s")
			end(b, "s")
		}, "Softmax Relu", row},
		{"where keeps", func(b *build) {
			b.bools("c", []int{2, 3}, 1, 1, 0, 1, 1, 1).floats("f", nil, -3.4e38).node("Where", "c x f -> s")
			end(b, "s")
		}, "Softmax Relu", causal},
		{"where masks", func(b *build) {
			b.bools("c", []int{3}, 0, 1, 0).floats("f", nil, minusInf).node("Where", "c f x -> s")
			end(b, "s")
		}, "Softmax Relu", row},
		{"triangle of −∞", func(b *build) {
			b.floats("f", []int{2, 3}, slices.Repeat([]float32{minusInf}, 6)...).scalar("two", 2).node("Trilu", "f two -> m", aInt("upper", 1)).
				node("Add", "x m -> s")
			end(b, "s")
		}, "Softmax Relu", causal},
		{"two masks and a floor", func(b *build) {
			b.floats("m", []int{2, 3}, 0, 0, -1e5, 0, 0, 0).floats("n", []int{3}, 0, -1e4, 0).floats("f", nil, -3.4e38).
				node("Add", "x m -> s").node("Add", "s n -> u").node("Max", "u f -> v")
			end(b, "v")
		}, "Softmax Relu", slices.Concat(softmaxOf(x.Data[:3], 1, 0, 0), softmaxOf(x.Data[3:], 1, 0, 1))},
		{"moved masks and an addend behind", func(b *build) {
			b.floats("m", []int{2, 3}, 0, 0, -1e5, 0, 0, 0).ints("a", 0).ints("z", 2, 3).
				node("Add", "x m -> s").node("Add", "x s -> u").node("Unsqueeze", "u a -> v").node("Reshape", "v z -> w")
			end(b, "w")
		}, "Add Reshape Reshape Softmax Relu", slices.Concat(softmaxOf([]float32{2, 4, 6}, 1, 1, 0), softmaxOf([]float32{-2, 1, 4}, 1, 1, 1))},
		{"masked tail", func(b *build) {
			b.floats("m", []int{3}, 0, -1e4, 0).node("Add", "x m -> s").node("Softmax", "s -> y")
		}, "Softmax", row},
		{"addend of another reader", func(b *build) {
			b.floats("m", []int{3}, 0, -1e4, 0).node("Add", "x m -> s").node("Relu", "s -> y")
		}, "AddConst Relu", []float32{1, 0, 3, 0, 0, 2}},
		{"addend that is no mask", func(b *build) {
			b.floats("m", []int{3}, 0, 1, 0).node("Sub", "x m -> s")
			end(b, "s")
		}, "AddConst Softmax Relu", slices.Concat(softmaxOf([]float32{1, 1, 3}, 1, 1, 1), softmaxOf([]float32{-1, -0.5, 2}, 1, 1, 1))},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuild(17).input("x", 2, 3).output("y")
			c.edit(b)
			g := b.graph(t, Options{})
			if got := kinds(g); got != c.ops {
				t.Errorf("operators %q, want %q", got, c.ops)
			}
			wantTensor(t, outputs(t, g, x)[0], x.Shape, c.want)
		})
	}
}

func TestInfinitiesThatMaskNothingAreRefused(t *testing.T) {
	for name, edit := range map[string]func(*build){
		"added": func(b *build) { b.node("Add", "x m -> y") },
		"added for another reader": func(b *build) {
			b.node("Add", "x m -> s").node("Softmax", "s -> p").node("Relu", "s -> q").node("Add", "p q -> y")
		},
		"multiplied": func(b *build) { b.node("Mul", "x m -> s").node("Softmax", "s -> y") },
		"weights":    func(b *build) { b.ints("s", 3, 1).node("Reshape", "m s -> w").node("MatMul", "x w -> y") },
		"chosen":     func(b *build) { b.bools("c", []int{3}, 1, 0, 1).node("Where", "c x m -> y") },
		"concatenated": func(b *build) {
			b.ints("a", 0).node("Unsqueeze", "m a -> n").node("Add", "n x -> y")
		},
	} {
		b := newBuild(17).input("x", 2, 3).floats("m", []int{3}, 0, minusInf, 0).output("y")
		edit(b)
		if _, err := Import(b.model(t), Options{}); !errors.Is(err, ErrNotFinite) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	b := newBuild(17).input("x", 2, 3).floats("m", []int{2, 1}, 0, minusInf).node("Add", "x m -> s").node("Softmax", "s -> y").output("y")
	if got := b.refused(t); got[0] != "Softmax n_y: a line is masked wholly" {
		t.Errorf("got %q", got)
	}
}

func TestIntegerInputsAreIndicesOrNumbers(t *testing.T) {
	ids, mask := Tensor{[]int{1, 3}, []float32{2, 0, 2}}, Tensor{[]int{1, 3}, []float32{1, 0, 1}}
	for _, c := range []struct {
		name  string
		edit  func(*build)
		ops   string
		shape []int
		want  []float32
	}{
		{"embedding", func(b *build) { b.node("Gather", "t ids -> y") }, "Embedding", []int{1, 3, 2}, []float32{5, 6, 1, 2, 5, 6}},
		{"table of a list", func(b *build) { b.node("Gather", "list ids -> y") }, "Embedding Reshape", []int{1, 3}, []float32{30, 10, 30}},
		{"table of matrices", func(b *build) {
			b.ints("s", 3, 1, 2).node("Reshape", "t s -> u").node("Gather", "u ids -> y")
		}, "Embedding Reshape", []int{1, 3, 1, 2}, []float32{5, 6, 1, 2, 5, 6}},
		{"moved ids", func(b *build) {
			b.ints("s", -1).node("Reshape", "ids s -> r").node("Cast", "r -> i", aInt("to", 6)).node("Gather", "t i -> y")
		}, "Reshape Embedding", []int{3, 2}, []float32{5, 6, 1, 2, 5, 6}},
		{"mask as numbers", func(b *build) {
			b.floats("one", nil, 1).floats("k", nil, -10).node("Cast", "mask -> m", aInt("to", 1)).node("Sub", "one m -> n").node("Mul", "n k -> y")
		}, "MulConst AddConst MulConst", []int{1, 3}, []float32{0, -10, 0}},
		{"truth of a mask", func(b *build) {
			b.node("Cast", "mask -> m", aInt("to", 9)).node("Not", "m -> n").node("Cast", "n -> y", aInt("to", 1))
		}, "Equal MulConst AddConst MulConst AddConst", []int{1, 3}, []float32{0, 1, 0}},
		{"ids that are equal to a number", func(b *build) {
			b.scalar("two", 2).node("Equal", "ids two -> e").node("Cast", "e -> y", aInt("to", 1))
		}, "Equal", []int{1, 3}, []float32{1, 0, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuild(17).typed("ids", onnx.Int64, 1, 3).typed("mask", onnx.Int64, 1, 3).
				floats("t", []int{3, 2}, iota1(6).Data...).floats("list", []int{3}, 10, 20, 30).output("y")
			c.edit(b)
			g := b.graph(t, Options{})
			if got := kinds(g); got != c.ops {
				t.Errorf("operators %q, want %q", got, c.ops)
			}
			wantTensor(t, outputs(t, g, ids, mask)[0], c.shape, c.want)
			limit := int64(0)
			if strings.Contains(c.ops, "Embedding") {
				limit = 3
			}
			if g.Inputs[0].Limit != limit || g.Inputs[1].Limit != 0 {
				t.Errorf("limits %d and %d, want %d and none", g.Inputs[0].Limit, g.Inputs[1].Limit, limit)
			}
		})
	}
	b := newBuild(17).typed("ids", onnx.Int64, 2).floats("t", []int{9, 1}, ones(9)...).floats("u", []int{4, 1}, ones(4)...).
		node("Gather", "t ids -> a").node("Gather", "u ids -> b").node("Add", "a b -> y").output("y")
	if g := b.graph(t, Options{}); g.Inputs[0].Limit != 4 {
		t.Errorf("limit %d of two tables", g.Inputs[0].Limit)
	}
	b = newBuild(17).typed("u", onnx.Uint8, 2).typed("v", onnx.Bool, 2).node("Cast", "u -> a", aInt("to", 1)).node("Cast", "v -> b", aInt("to", 1)).output("a", "b")
	if g := b.graph(t, Options{}); g.Inputs[0].Limit != 256 || g.Inputs[1].Limit != 2 {
		t.Errorf("limits %d and %d of a byte and a truth value", g.Inputs[0].Limit, g.Inputs[1].Limit)
	}
}

// An attention mask that is an input stays arithmetic.
func TestMasksThatAreInputsAreArithmetic(t *testing.T) {
	b := newBuild(17).input("x", 1, 2, 2).typed("mask", onnx.Int64, 1, 2).floats("one", nil, 1).floats("k", nil, -1e4).ints("a", 1).
		node("Unsqueeze", "mask a -> u").node("Cast", "u -> m", aInt("to", 1)).node("Sub", "one m -> n").node("Mul", "n k -> f").
		node("Add", "x f -> s").node("Softmax", "s -> p").node("MatMul", "p x -> y").output("y")
	g := b.graph(t, Options{})
	if got := kinds(g); got != "Reshape MulConst AddConst MulConst Broadcast Add Softmax Product" {
		t.Errorf("operators %q", got)
	}
	x := Tensor{[]int{1, 2, 2}, []float32{1, 2, 3, 4}}
	wantTensor(t, outputs(t, g, x, Tensor{[]int{1, 2}, []float32{1, 0}})[0], x.Shape, []float32{1, 2, 1, 2})

	least := float32(-math.MaxFloat32)
	b.m.Graph.Initializers[1].Floats[0] = least
	if got := b.graph(t, Options{}).Nodes[3].Op.(*MulConst).C.Data[0]; got != masked {
		t.Errorf("factor %v of a mask", got)
	}
	if got := b.output("f").graph(t, Options{}).Nodes[3].Op.(*MulConst).C.Data[0]; got != least {
		t.Errorf("factor %v of a mask that is read elsewhere", got)
	}

	b = newBuild(17).input("x", 1, 2, 2).typed("mask", onnx.Bool, 1, 2).floats("f", nil, minusInf).ints("a", 1).
		node("Unsqueeze", "mask a -> u").node("Where", "u x f -> s").node("Softmax", "s -> p").node("MatMul", "p x -> y").output("y")
	g = b.graph(t, Options{})
	wantTensor(t, outputs(t, g, x, Tensor{[]int{1, 2}, []float32{0, 1}})[0], x.Shape, []float32{3, 4, 3, 4})
}

func TestChoicesByActivations(t *testing.T) {
	x := Tensor{[]int{2, 2}, []float32{-2, -0.5, 1, 7}}
	for _, c := range []struct {
		name string
		edit func(*build)
		want []float32
	}{
		{"greater", func(b *build) { b.node("Greater", "x h -> c").node("Cast", "c -> y", aInt("to", 1)) }, []float32{0, 0, 1, 1}},
		{"less", func(b *build) { b.node("Less", "x h -> c").node("Cast", "c -> y", aInt("to", 1)) }, []float32{1, 1, 0, 0}},
		{"less or equal, mirrored", func(b *build) { b.node("LessOrEqual", "one x -> c").node("Cast", "c -> y", aInt("to", 1)) }, []float32{0, 0, 1, 1}},
		{"greater or equal to a row", func(b *build) { b.node("GreaterOrEqual", "x row -> c").node("Cast", "c -> y", aInt("to", 1)) }, []float32{0, 0, 1, 1}},
		{"two activations", func(b *build) {
			b.node("Relu", "x -> r").node("Equal", "r x -> c").node("Cast", "c -> y", aInt("to", 1))
		}, []float32{0, 0, 1, 1}},
		{"and, or, xor, not", func(b *build) {
			b.bools("t", []int{2}, 1, 0).node("Greater", "x h -> c").node("Less", "x one -> d").node("And", "c d -> e").node("Or", "e t -> f").
				node("Not", "f -> n").node("Xor", "n c -> o").node("Xor", "o t -> z").node("And", "z d -> v").node("Or", "v z -> w").node("Cast", "w -> y", aInt("to", 1))
		}, []float32{1, 1, 0, 0}},
		{"where, condition of activations", func(b *build) { b.node("Greater", "x h -> c").node("Neg", "x -> n").node("Where", "c x n -> y") }, []float32{2, 0.5, 1, 7}},
		{"where, a constant chosen", func(b *build) { b.node("Greater", "x h -> c").node("Where", "c h x -> y") }, []float32{-2, -0.5, 0.5, 0.5}},
		{"where, constant condition", func(b *build) { b.bools("c", []int{2, 1}, 1, 0).node("Neg", "x -> n").node("Where", "c x n -> y") }, []float32{-2, -0.5, -1, -7}},
		{"where, constant condition and side", func(b *build) { b.bools("c", []int{2, 1}, 1, 0).node("Where", "c h x -> y") }, []float32{0.5, 0.5, 1, 7}},
		{"where of constants by an activation", func(b *build) { b.node("Greater", "x h -> c").node("Where", "c h one -> y") }, []float32{1, 1, 0.5, 0.5}},
		{"is NaN", func(b *build) { b.node("IsNaN", "x -> c").node("Where", "c h x -> y") }, x.Data},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuild(17).input("x", 2, 2).floats("h", nil, 0.5).floats("one", nil, 1).floats("row", []int{2}, 1, 1).output("y")
			c.edit(b)
			wantTensor(t, outputs(t, b.graph(t, Options{}), x)[0], x.Shape, c.want)
		})
	}
}
