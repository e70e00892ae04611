package float

import (
	"context"
	"errors"
	"testing"
)

// normalised adds a batch normalisation a -> name with eps 0: 2·(a−3)/2 + 1 on
// channel 0, (a−1)/4·4 − 1 on channel 1, that is a − 2 on both.
func (b *build) normalised(from, to string) *build {
	return b.node("BatchNormalization", from+" gamma beta mean var -> "+to, aFloat("epsilon", 0))
}

func batchNormBuild(in ...int) *build {
	return newBuild(15).input("x", in...).floats("gamma", []int{2}, 2, 4).floats("beta", []int{2}, 1, -1).
		floats("mean", []int{2}, 3, 1).floats("var", []int{2}, 4, 16)
}

func TestBatchNormFoldsIntoTheLayerBefore(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []int
		edit func(*build)
		ops  string
		want []float32 // for the input 1, 2, …
	}{
		{"conv", []int{1, 2, 1, 1}, func(b *build) {
			b.floats("w", []int{2, 2, 1, 1}, 1, 1, 0, 10).node("Conv", "x w -> a").normalised("a", "y")
		}, "Conv", []float32{1, 18}},
		{"gemm", []int{1, 2}, func(b *build) {
			b.floats("w", []int{2, 2}, 1, 0, 1, 10).floats("c", []int{2}, 5, 6).node("Gemm", "x w c -> a").normalised("a", "y")
		}, "MatMul", []float32{6, 24}},
		{"matmul and bias", []int{1, 2}, func(b *build) {
			b.floats("w", []int{2, 2}, 1, 0, 1, 10).floats("c", []int{2}, 5, 6).
				node("MatMul", "x w -> m").node("Add", "c m -> a").normalised("a", "y")
		}, "MatMul", []float32{6, 24}},
		{"shared weights stay", []int{1, 2}, func(b *build) {
			b.floats("w", []int{2, 2}, 1, 0, 0, 1).node("MatMul", "x w -> m").normalised("m", "n").node("MatMul", "n w -> y")
		}, "MatMul MatMul", []float32{-1, 0}},
		{"alone", []int{1, 2}, func(b *build) { b.normalised("x", "y") }, "MulConst AddConst", []float32{-1, 0}},
		{"after a relu", []int{1, 2}, func(b *build) { b.node("Relu", "x -> r").normalised("r", "y") }, "Relu MulConst AddConst", []float32{-1, 0}},
		{"second reader", []int{1, 2}, func(b *build) {
			b.floats("w", []int{2, 2}, 1, 0, 0, 1).node("MatMul", "x w -> m").normalised("m", "n").node("Add", "m n -> y")
		}, "MatMul MulConst AddConst Add", []float32{0, 2}},
		{"graph output between", []int{1, 2}, func(b *build) {
			b.floats("w", []int{2, 2}, 1, 0, 0, 1).node("MatMul", "x w -> m").normalised("m", "y").output("m")
		}, "MatMul MulConst AddConst", []float32{-1, 0}},
		{"constant varies along another axis", []int{2, 1}, func(b *build) {
			b.floats("w", []int{1, 1}, 1).floats("c", []int{2, 1}, 5, 6).node("MatMul", "x w -> m").node("Add", "m c -> y")
		}, "MatMul AddConst", []float32{6, 8}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := batchNormBuild(c.in...).output("y")
			c.edit(b)
			g := b.graph(t, Options{})
			if got := kinds(g); got != c.ops {
				t.Errorf("operators %q, want %q", got, c.ops)
			}
			out := outputs(t, g, iota1(c.in...))[0]
			wantTensor(t, out, out.Shape, c.want)
		})
	}
}

func TestDeadNodesAreRemoved(t *testing.T) {
	g := newBuild(13).input("x", 2).node("Relu", "x -> a").node("Tanh", "a -> b").node("Sigmoid", "x -> y").output("y").graph(t, Options{})
	if kinds(g) != "Sigmoid" || g.Values() != 2 || g.Nodes[0].Name != "n_y" {
		t.Fatalf("%+v", g)
	}
}

func TestBatchNormIsChecked(t *testing.T) {
	for want, edit := range map[string]func(*build){
		"BatchNormalization n_y: training mode is not supported": func(b *build) {
			b.node("BatchNormalization", "x gamma beta mean var -> y", aInt("training_mode", 1))
		},
		"BatchNormalization n_y: 2 parameters for 3 channels": func(b *build) {
			b.floats("w", []int{2, 3}, ones(6)...).node("MatMul", "x w -> m").normalised("m", "y")
		},
		"BatchNormalization n_y: operand 4 is missing": func(b *build) { b.node("BatchNormalization", "x gamma beta mean -> y") },
	} {
		b := batchNormBuild(1, 2).output("y")
		edit(b)
		if got := b.refused(t); got[0] != want {
			t.Errorf("got  %q\nwant %q", got[0], want)
		}
	}
	b := batchNormBuild(1, 2).floats("bad", []int{2}, -1, -1).node("BatchNormalization", "x gamma beta mean bad -> y").output("y")
	if _, err := Import(b.model(t), Options{}); !errors.Is(err, ErrNotFinite) {
		t.Errorf("negative variance: got %v", err)
	}
}

func TestEvaluateChecksItsInputs(t *testing.T) {
	g := newBuild(13).input("x", 2).node("Relu", "x -> y").output("y").graph(t, Options{})
	for name, in := range map[string][]Tensor{
		"none":  nil,
		"shape": {NewTensor([]int{1, 2})},
		"data":  {{Shape: []int{2}, Data: []float32{1}}},
	} {
		if _, err := Evaluate(context.Background(), g, in); !errors.Is(err, ErrShape) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Evaluate(ctx, g, []Tensor{NewTensor([]int{2})}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestWalkVisitsEveryValueInOrder(t *testing.T) {
	g := newBuild(13).input("x", 2).node("Relu", "x -> a").node("Neg", "a -> b").node("Add", "a b -> y").output("y").graph(t, Options{})
	in := []Tensor{iota1(2)}
	all, err := Evaluate(context.Background(), g, in)
	if err != nil {
		t.Fatal(err)
	}
	next := ValueID(0)
	err = Walk(context.Background(), g, in, func(id ValueID, v Tensor) error {
		if id != next {
			t.Errorf("value %d instead of %d", id, next)
		}
		next++
		wantTensor(t, v, g.ShapeOf(id), all[id].Data)
		return nil
	})
	if err != nil || int(next) != g.Values() {
		t.Fatalf("%d values, %v", next, err)
	}
	stop := errors.New("stop")
	if err := Walk(context.Background(), g, in, func(ValueID, Tensor) error { return stop }); !errors.Is(err, stop) {
		t.Fatalf("got %v", err)
	}
}
