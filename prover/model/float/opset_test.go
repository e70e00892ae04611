package float

import (
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/model/onnx"
)

// TestOperandsOfOldOpsetsAreAttributes: what later opsets have as operands.
func TestOperandsOfOldOpsetsAreAttributes(t *testing.T) {
	scales := func(v ...float32) onnx.Attribute {
		return onnx.Attribute{Name: "scales", Type: onnx.AttrFloats, Floats: v}
	}
	for _, c := range []struct {
		name  string
		opset int
		add   func(b *build)
		shape []int
		want  []float32
	}{
		{"slice", 9, func(b *build) {
			b.node("Slice", "x -> y", aInts("starts", 1), aInts("ends", 3), aInts("axes", 3))
		}, []int{1, 1, 2, 2}, []float32{2, 3, 5, 6}},
		{"slice of the first axes", 7, func(b *build) {
			b.node("Slice", "x -> y", aInts("starts", 0, 0, -1), aInts("ends", 1, 1, 9))
		}, []int{1, 1, 1, 3}, []float32{4, 5, 6}},
		{"pad", 10, func(b *build) {
			b.node("Pad", "x -> y", aInts("pads", 0, 0, 0, 1, 0, 0, 0, 0))
		}, []int{1, 1, 2, 4}, []float32{0, 1, 2, 3, 0, 4, 5, 6}},
		{"pad by the edge, whose value says nothing", 7, func(b *build) {
			b.node("Pad", "x -> y", aInts("pads", 0, 0, 0, 1, 0, 0, 0, 0), aString("mode", "edge"), aFloat("value", 3))
		}, []int{1, 1, 2, 4}, []float32{1, 1, 2, 3, 4, 4, 5, 6}},
		{"clip", 7, func(b *build) { b.node("Clip", "x -> y", aFloat("min", 2), aFloat("max", 5)) }, []int{1, 1, 2, 3}, []float32{2, 2, 3, 4, 5, 5}},
		{"upsample by an attribute", 7, func(b *build) { b.node("Upsample", "x -> y", scales(1, 1, 1, 2)) }, []int{1, 1, 2, 6}, []float32{1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6}},
		{"upsample by an operand", 9, func(b *build) {
			b.floats("s", []int{4}, 1, 1, 2, 1).node("Upsample", "x s -> y")
		}, []int{1, 1, 4, 3}, []float32{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}},
		{"linear resize, from the corner", 10, func(b *build) {
			b.floats("s", []int{4}, 1, 1, 2, 1).node("Resize", "x s -> y", aString("mode", "linear"))
		}, []int{1, 1, 4, 3}, []float32{1, 2, 3, 2.5, 3.5, 4.5, 4, 5, 6, 4, 5, 6}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBuild(c.opset).input("x", 1, 1, 2, 3).output("y")
			c.add(b)
			wantTensor(t, outputs(t, b.graph(t, Options{}), iota1(1, 1, 2, 3))[0], c.shape, c.want)
		})
	}
}

func TestOldOpsetsAreRefusedWhereTheyDiffer(t *testing.T) {
	for _, c := range []struct {
		want string
		add  func(b *build)
	}{
		{"Pad n_y: padding by a value other than 0 is not supported", func(b *build) {
			b.node("Pad", "x -> y", aInts("pads", 0, 0, 0, 1, 0, 0, 0, 0), aFloat("value", 1))
		}},
		{"Upsample n_y: 0 scales for 4 axes", func(b *build) { b.node("Upsample", "x -> y") }},
		{"BatchNormalization n_y: statistics of every cell are not supported", func(b *build) {
			b.floats("g", []int{1}, 1).node("BatchNormalization", "x g g g g -> y", aInt("spatial", 0))
		}},
	} {
		b := newBuild(7).input("x", 1, 1, 2, 3).output("y")
		c.add(b)
		if got := b.refused(t); !slices.Contains(got, c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestAlignedCornersOfAScale: the length that a scale gives is not rounded, as in the node test
// resize_downsample_scales_linear_align_corners of ONNX.
func TestAlignedCornersOfAScale(t *testing.T) {
	b := newBuild(13).input("x", 1, 1, 2, 4).output("y").floats("s", []int{4}, 1, 1, 0.6, 0.6)
	b.node("Resize", "x _ s -> y", aString("mode", "linear"), aString("coordinate_transformation_mode", "align_corners"))
	wantTensor(t, outputs(t, b.graph(t, Options{}), iota1(1, 1, 2, 4))[0], []int{1, 1, 1, 2}, []float32{1, 3.142857})
}
