package float

import (
	"fmt"
	"slices"
)

// poolShape is the shape rule of both pools.
func poolShape(w *Window, in [][]int) ([]int, error) {
	if err := wantInputs(in, 1); err != nil {
		return nil, err
	}
	if err := wantRank(in[0], len(w.Kernel)+2); err != nil {
		return nil, err
	}
	out, err := w.outShape(in[0], in[0][1])
	if err != nil {
		return nil, err
	}
	for i := range w.Kernel {
		if slices.Contains(w.realTaps(i, in[0][i+2]), 0) {
			return nil, fmt.Errorf("a window lies wholly in the padding of axis %d", i+2)
		}
	}
	return out, nil
}

// pool folds the real cells of every window, in row-major order, from zero.
func pool(win *Window, in, out Tensor, zero float64, fold func(acc, x float64) float64) {
	p := win.plane()
	h, w := planar(in.Shape)
	oh, ow := planar(out.Shape)
	parallel(in.Shape[0]*in.Shape[1], 1, func(lo, hi int) {
		for c := lo; c < hi; c++ {
			src, dst := in.Data[c*h*w:(c+1)*h*w], out.Data[c*oh*ow:(c+1)*oh*ow]
			for o := range dst {
				acc := zero
				y0, x0 := o/ow*p.sh-p.ph, o%ow*p.sw-p.pw
				for i := range p.kh {
					y := y0 + i*p.dh
					if y < 0 || y >= h {
						continue
					}
					for j := range p.kw {
						if x := x0 + j*p.dw; x >= 0 && x < w {
							acc = fold(acc, float64(src[y*w+x]))
						}
					}
				}
				dst[o] = float32(acc)
			}
		}
	})
}

// poolWindow reads the geometry of a pool. ceil_mode becomes additional padding
// at the end, extra says how much per axis. As in ONNX Runtime a window must
// start on a real cell or in the padding before them.
func (c *call) poolWindow() (x *value, w Window, extra []int, err error) {
	ceil, err := c.attrBool("ceil_mode", false)
	if err != nil {
		return nil, w, nil, err
	}
	w, auto, err := c.window(nil, nil)
	if err != nil {
		return nil, w, nil, err
	}
	if x, err = c.activation(0); err != nil {
		return nil, w, nil, err
	}
	if err := w.check(x.shape); err != nil {
		return nil, w, nil, err
	}
	if err := w.resolvePads(auto, x.shape); err != nil {
		return nil, w, nil, err
	}
	extra = make([]int, len(w.Kernel))
	for i := range w.Kernel {
		n := x.shape[i+2]
		if w.PadBegin[i] >= w.extent(i) || w.PadEnd[i] >= w.extent(i) {
			return nil, w, nil, fmt.Errorf("pads of axis %d are not smaller than the window", i+2)
		}
		room := n + w.PadBegin[i] + w.PadEnd[i] - w.extent(i)
		if rest := room % w.Strides[i]; ceil && auto == "NOTSET" && room >= 0 && rest != 0 {
			if start := room - rest + w.Strides[i]; start < n+w.PadBegin[i] {
				extra[i] = w.Strides[i] - rest
				w.PadEnd[i] += extra[i]
			}
		}
	}
	return x, w, extra, nil
}

// globalWindow is a window over all spatial axes of a shape.
func globalWindow(in []int) (Window, error) {
	if err := wantRank(in, 3, 4); err != nil {
		return Window{}, err
	}
	n := len(in) - 2
	w := Window{Kernel: slices.Clone(in[2:]), PadBegin: make([]int, n), PadEnd: make([]int, n)}
	w.Strides, w.Dilations = slices.Repeat([]int{1}, n), slices.Repeat([]int{1}, n)
	return w, w.check(in)
}
