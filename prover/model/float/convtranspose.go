package float

import (
	"fmt"
	"slices"

	"github.com/weisyn/wes/prover/model/onnx"
)

// importConvTranspose is a convolution of the input with zeros between its cells by the flipped kernel
// (Dumoulin and Visin, arXiv 1603.07285, section 4).
func importConvTranspose(c *call) ([]*value, error) {
	group, err := c.attrInt("group", 1)
	if err != nil {
		return nil, err
	}
	k, err := c.constant(1)
	if err != nil {
		return nil, err
	}
	if err := wantRank(k.shape, 3, 4); err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	w, auto, err := c.window(k.shape[2:], nil)
	if err != nil {
		return nil, err
	}
	extra, err := c.windowInts("output_padding", len(w.Kernel), 0)
	if err != nil {
		return nil, err
	}
	if auto != "NOTSET" && auto != "VALID" {
		return nil, fmt.Errorf("auto_pad %q is not supported", auto)
	}
	if group < 1 || k.shape[0]%group != 0 || k.size() == 0 || !k.typ.IsFloat() {
		return nil, fmt.Errorf("%d groups of weights %v of %v", group, k.shape, k.typ)
	}
	op := &Conv{In: k.shape[0], Out: k.shape[1] * group, Group: group}
	if op.B, err = c.bias(2, op.Out); err != nil {
		return nil, err
	}
	x, err := c.activation(0)
	if err != nil {
		return nil, err
	}
	if err := w.check(x.shape); err != nil {
		return nil, err
	}
	flipped, err := c.flipped(k, group)
	if err != nil {
		return nil, err
	}
	op.W = flipped.floats
	if x, op.Window, err = c.stuffed(x, w, extra); err != nil {
		return nil, err
	}
	return c.one(op, x)
}

// flipped turns weights [in][out/group][kernel] into [out][in/group][kernel backwards].
func (c *call) flipped(k *constant, group int) (*constant, error) {
	in, out, area := k.shape[0]/group, k.shape[1], size(k.shape[2:])
	w, err := c.newConstant(onnx.Float32, []int{group * out, in, area})
	if err != nil {
		return nil, err
	}
	for g := range group {
		for o := range out {
			for i := range in {
				from := k.floats[((g*in+i)*out+o)*area:]
				to := w.floats[((g*out+o)*in+i)*area:]
				for cell := range area {
					to[area-1-cell] = from[cell]
				}
			}
		}
	}
	return w, nil
}

// stuffed puts Stride−1 zeros between the cells of the spatial axes and returns the window of the convolution.
func (c *call) stuffed(x *value, w Window, extra []int) (*value, Window, error) {
	n := len(w.Kernel)
	conv := Window{
		Kernel: w.Kernel, Strides: slices.Repeat([]int{1}, n), Dilations: w.Dilations,
		PadBegin: make([]int, n), PadEnd: make([]int, n),
	}
	wide, split := slices.Clone(x.shape[:2]), slices.Clone(x.shape[:2])
	for i, s := range w.Strides {
		wide, split = append(wide, x.shape[i+2]*s), append(split, x.shape[i+2], 1)
	}
	pad := &Pad{make([]int, len(split)), make([]int, len(split))}
	for i, s := range w.Strides {
		pad.End[3+2*i] = s - 1
	}
	var err error
	if !slices.Equal(wide, x.shape) {
		for _, op := range []mover{&Reshape{split}, pad, &Reshape{wide}} {
			if x, err = c.apply(op, x); err != nil {
				return nil, conv, err
			}
		}
	}
	cut := wholeSlice(x.shape)
	for i, s := range w.Strides {
		if extra[i] < 0 || extra[i] >= max(s, w.Dilations[i]) {
			return nil, conv, fmt.Errorf("output_padding %v", extra)
		}
		begin, end := w.extent(i)-1-w.PadBegin[i], w.extent(i)-1-w.PadEnd[i]+extra[i]
		conv.PadBegin[i], conv.PadEnd[i] = max(begin, 0), max(end, 0)
		cut.Starts[i+2] = max(-begin, 0)
		cut.Sizes[i+2] -= s - 1 + max(-begin, 0) + max(-end, 0)
		if cut.Sizes[i+2] < 1 {
			return nil, conv, fmt.Errorf("pads of axis %d leave nothing", i+2)
		}
	}
	if !slices.Equal(cut.Sizes, x.shape) {
		x, err = c.apply(cut, x)
	}
	return x, conv, err
}
