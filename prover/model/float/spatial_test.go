package float

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestNormsOfChannelsAgreeWithTheirFormulas(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	x := randomTensor(r, 2, 4, 3, 2)
	gamma, beta := randomTensor(r, 4), randomTensor(r, 4)
	for _, c := range []struct {
		op     string
		opset  int
		groups int
	}{{"InstanceNormalization", 17, 4}, {"GroupNormalization", 21, 2}, {"GroupNormalization", 18, 2}} {
		t.Run(fmt.Sprint(c.op, c.opset), func(t *testing.T) {
			scale, bias := slices.Clone(gamma.Data), slices.Clone(beta.Data)
			b := newBuild(c.opset).input("x", 2, 4, 3, 2).output("y")
			if c.opset == 18 { // a number a group
				b.floats("g", []int{2}, scale[0], scale[2]).floats("b", []int{2}, bias[0], bias[2])
				scale[1], scale[3], bias[1], bias[3] = scale[0], scale[2], bias[0], bias[2]
			} else {
				b.floats("g", []int{4}, scale...).floats("b", []int{4}, bias...)
			}
			if c.op == "GroupNormalization" {
				b.node(c.op, "x g b -> y", aInt("num_groups", c.groups))
			} else {
				b.node(c.op, "x g b -> y")
			}
			cells := 24 / c.groups
			unit := slices.Repeat([]float64{1}, cells)
			want := normOracle(x, 1e-5, true, unit, make([]float64, cells))
			for i := range want {
				ch := i / 6 % 4
				want[i] = want[i]*scale[ch] + bias[ch]
			}
			wantTensor(t, outputs(t, b.graph(t, Options{}), x)[0], x.Shape, want)
		})
	}
}

func TestEinsumAgreesWithItsDefinition(t *testing.T) {
	lengths := map[rune]int{'a': 2, 'b': 3, 'c': 4, 'd': 2, 'e': 3}
	shape := func(term string) (s []int) {
		for _, r := range term {
			s = append(s, lengths[r])
		}
		return s
	}
	r := rand.New(rand.NewPCG(5, 6))
	for _, eq := range []string{
		"ab,bc->ac", "ab,cb->ac", "abc,abd->acd", "abcd,aecd->acbe", "abcd,aebd->aecb", "ab,ab->a", "ab,ab->", "a,b->ab",
		"abc,cd->abd", "ab,bc", "ba,bc->ca", "abc->cab", "abc->b", "abc,a->ab", "ab,c->cb",
	} {
		left, out, explicit := strings.Cut(eq, "->")
		if !explicit {
			out = "ac"
		}
		terms := strings.Split(left, ",")
		b := newBuild(17).output("y")
		var in []Tensor
		for i, term := range terms {
			b.input(string(rune('x'+i)), shape(term)...)
			in = append(in, randomTensor(r, shape(term)...))
		}
		wires := "x -> y"
		if len(terms) == 2 {
			b.m.Graph.Inputs[1].Name = "z"
			wires = "x z -> y"
		}
		g := b.node("Einsum", wires, aString("equation", eq)).graph(t, Options{})
		got := outputs(t, g, in...)[0]
		wantTensor(t, got, append([]int{}, shape(out)...), einsumOracle(terms, out, lengths, in))
	}
}

// einsumOracle sums over all letters.
func einsumOracle(terms []string, out string, lengths map[rune]int, in []Tensor) []float32 {
	var letters []rune
	for _, r := range strings.Join(terms, "") {
		if !slices.Contains(letters, r) {
			letters = append(letters, r)
		}
	}
	at := map[rune]int{}
	index := func(term string) int {
		i := 0
		for _, r := range term {
			i = i*lengths[r] + at[r]
		}
		return i
	}
	n := 1
	for _, r := range out {
		n *= lengths[r]
	}
	sums := make([]float64, n)
	var walk func(k int)
	walk = func(k int) {
		if k < len(letters) {
			for i := range lengths[letters[k]] {
				at[letters[k]] = i
				walk(k + 1)
			}
			return
		}
		p := 1.0
		for i, term := range terms {
			p *= float64(in[i].Data[index(term)])
		}
		sums[index(out)] += p
	}
	walk(0)
	data := make([]float32, n)
	for i, s := range sums {
		data[i] = float32(s)
	}
	return data
}

func TestConvTransposeAgreesWithItsDefinition(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	for range 60 {
		group, in, out := 1+r.IntN(2), 1+r.IntN(2), 1+r.IntN(2)
		n, k, s, d := 1+r.IntN(4), 1+r.IntN(3), 1+r.IntN(3), 1+r.IntN(2)
		extra := r.IntN(max(s, d))
		extent := (k-1)*d + 1
		begin, end := r.IntN(extent+1), r.IntN(extent+1)
		length := (n-1)*s + extent - begin - end + extra
		if length < 1 || n*s-s+1-max(begin-extent+1, 0)-max(end-extent+1-extra, 0) < 1 {
			continue
		}
		x, w := randomTensor(r, 1, in*group, n), randomTensor(r, in*group, out, k)
		bias := randomTensor(r, out*group)
		g := newBuild(17).input("x", x.Shape...).floats("w", w.Shape, w.Data...).floats("b", bias.Shape, bias.Data...).
			node("ConvTranspose", "x w b -> y", aInt("group", group), aInts("strides", int64(s)), aInts("dilations", int64(d)),
				aInts("pads", int64(begin), int64(end)), aInts("output_padding", int64(extra))).output("y").graph(t, Options{})
		want := NewTensor([]int{1, out * group, length})
		for i := range want.Data {
			want.Data[i] = bias.Data[i/length]
		}
		for c := range in * group {
			for i := range n {
				for o := range out {
					for j := range k {
						if at := i*s + j*d - begin; at >= 0 && at < length {
							want.Data[(c/in*out+o)*length+at] += x.Data[c*n+i] * w.Data[(c*out+o)*k+j]
						}
					}
				}
			}
		}
		wantTensor(t, outputs(t, g, x)[0], want.Shape, want.Data)
	}
}

func TestResizeAgreesWithHandComputedValues(t *testing.T) {
	x := Tensor{[]int{1, 1, 1, 4}, []float32{1, 2, 3, 4}}
	for _, c := range []struct {
		name  string
		scale float32
		attrs string // mode, coordinates, nearest mode
		want  []float32
	}{
		{"doubled", 2, "nearest asymmetric floor", []float32{1, 1, 2, 2, 3, 3, 4, 4}},
		{"doubled by half pixels", 2, "nearest half_pixel round_prefer_floor", []float32{1, 1, 2, 2, 3, 3, 4, 4}},
		{"doubled by half pixels and floor", 2, "nearest half_pixel floor", []float32{1, 1, 1, 2, 2, 3, 3, 4}},
		{"halved", 0.5, "nearest asymmetric floor", []float32{1, 3}},
		{"halved, upper cells", 0.5, "nearest half_pixel round_prefer_ceil", []float32{2, 4}},
		{"by one and a half", 1.5, "nearest asymmetric ceil", []float32{1, 2, 3, 3, 4, 4}},
		{"linear", 2, "linear half_pixel floor", []float32{1, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4}},
		{"linear with corners", 1.75, "linear align_corners floor", []float32{1, 1.5, 2, 2.5, 3, 3.5, 4}},
		{"linear to one", 0.25, "linear pytorch_half_pixel floor", []float32{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := strings.Fields(c.attrs)
			g := newBuild(17).input("x", x.Shape...).floats("s", []int{4}, 1, 1, 2, c.scale).
				node("Resize", "x _ s -> y", aString("mode", a[0]), aString("coordinate_transformation_mode", a[1]), aString("nearest_mode", a[2])).
				output("y").graph(t, Options{})
			n := len(c.want)
			wantTensor(t, outputs(t, g, x)[0], []int{1, 1, 2, n}, slices.Concat(c.want, c.want))
			sized := newBuild(18).input("x", x.Shape...).ints("z", int64(n)).
				node("Resize", "x _ _ z -> y", aString("mode", a[0]), aString("coordinate_transformation_mode", a[1]), aString("nearest_mode", a[2]), aInts("axes", -1)).
				output("y").graph(t, Options{})
			wantTensor(t, outputs(t, sized, x)[0], []int{1, 1, 1, n}, c.want)
		})
	}
}
