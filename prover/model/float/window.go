package float

import (
	"fmt"
	"slices"
)

// maxWindow bounds every number of a window, so that no product of a few of
// them overflows.
const maxWindow = 1 << 16

// Window is the geometry of a convolution or pool over the trailing one or two
// axes, one entry per spatial axis. All entries are explicit: auto_pad and
// ceil_mode are resolved at import.
type Window struct {
	Kernel    []int // ≥ 1
	Strides   []int // ≥ 1
	Dilations []int // ≥ 1
	PadBegin  []int // ≥ 0
	PadEnd    []int // ≥ 0
}

// extent is the number of input cells that the window spans along axis i.
func (w *Window) extent(i int) int { return (w.Kernel[i]-1)*w.Dilations[i] + 1 }

// Positions returns the number of window positions along spatial axis i of an input
// of length n; it is not positive when the window does not fit.
func (w *Window) Positions(i, n int) int {
	room := n + w.PadBegin[i] + w.PadEnd[i] - w.extent(i)
	if room < 0 {
		return 0
	}
	return room/w.Strides[i] + 1
}

// outShape returns [N, channels, out...] for an input [N, C, spatial...].
func (w *Window) outShape(in []int, channels int) ([]int, error) {
	if err := wantRank(in, len(w.Kernel)+2); err != nil {
		return nil, err
	}
	out := []int{in[0], channels}
	for i := range w.Kernel {
		o := w.Positions(i, in[i+2])
		if o < 1 {
			return nil, fmt.Errorf("the window does not fit into axis %d of length %d", i+2, in[i+2])
		}
		out = append(out, o)
	}
	return out, nil
}

// taps returns the number of kernel cells that fall into [0, n) along spatial
// axis i when the window starts at cell start, which may be negative.
func (w *Window) taps(i, start, n int) int {
	d := w.Dilations[i]
	first := 0
	if start < 0 {
		first = (-start + d - 1) / d
	}
	if start >= n {
		return 0
	}
	last := min((n-1-start)/d, w.Kernel[i]-1)
	return max(last-first+1, 0)
}

// realTaps returns the kernel cells on real input cells at each position along
// spatial axis i of an input of length n.
func (w *Window) realTaps(i, n int) []int {
	counts := make([]int, w.Positions(i, n))
	for o := range counts {
		counts[o] = w.taps(i, o*w.Strides[i]-w.PadBegin[i], n)
	}
	return counts
}

// plane is the two-dimensional view of a window: a 1-D window gets a height of 1.
type plane struct{ kh, kw, sh, sw, dh, dw, ph, pw int }

func (w *Window) plane() plane {
	if len(w.Kernel) == 1 {
		return plane{1, w.Kernel[0], 1, w.Strides[0], 1, w.Dilations[0], 0, w.PadBegin[0]}
	}
	return plane{
		w.Kernel[0], w.Kernel[1], w.Strides[0], w.Strides[1],
		w.Dilations[0], w.Dilations[1], w.PadBegin[0], w.PadBegin[1],
	}
}

// planar returns height and width of a shape [N, C, W] or [N, C, H, W].
func planar(shape []int) (h, w int) {
	if len(shape) == 3 {
		return 1, shape[2]
	}
	return shape[2], shape[3]
}

// window reads the geometry attributes of a node over an input shape, nil if
// the shape is not known. kernel is nil when the attribute must give it.
func (c *call) window(kernel, in []int) (w Window, autoPad string, err error) {
	if autoPad, err = c.attrString("auto_pad", "NOTSET"); err != nil {
		return w, "", err
	}
	own, ok, err := c.attrInts("kernel_shape")
	switch {
	case err != nil:
		return w, "", err
	case ok && kernel != nil && !slices.Equal(own, kernel):
		return w, "", fmt.Errorf("kernel_shape %v, the weights have %v", own, kernel)
	case ok:
		kernel = own
	case kernel == nil:
		return w, "", fmt.Errorf("no kernel_shape")
	}
	n := len(kernel)
	if n < 1 || n > 2 {
		return w, "", fmt.Errorf("%d spatial axes, 1 and 2 are supported", n)
	}
	w.Kernel = kernel
	if w.Strides, err = c.windowInts("strides", n, 1); err != nil {
		return w, "", err
	}
	if w.Dilations, err = c.windowInts("dilations", n, 1); err != nil {
		return w, "", err
	}
	pads, err := c.windowInts("pads", 2*n, 0)
	if err != nil {
		return w, "", err
	}
	w.PadBegin, w.PadEnd = pads[:n:n], pads[n:]
	return w, autoPad, w.check(in)
}

func (c *call) windowInts(name string, n, def int) ([]int, error) {
	v, ok, err := c.attrInts(name)
	if err != nil {
		return nil, err
	}
	if ok && len(v) != n {
		return nil, fmt.Errorf("%d %s instead of %d", len(v), name, n)
	}
	for i := 0; !ok && i < n; i++ {
		v = append(v, def)
	}
	return v, nil
}

func (w *Window) check(in []int) error {
	for _, f := range []struct {
		name  string
		v     []int
		least int
	}{
		{"kernel_shape", w.Kernel, 1},
		{"strides", w.Strides, 1},
		{"dilations", w.Dilations, 1},
		{"pads", w.PadBegin, 0},
		{"pads", w.PadEnd, 0},
	} {
		for _, v := range f.v {
			if v < f.least || v > maxWindow {
				return fmt.Errorf("%s has %d, outside [%d, %d]", f.name, v, f.least, maxWindow)
			}
		}
	}
	if in != nil {
		return wantRank(in, len(w.Kernel)+2)
	}
	return nil
}

// resolvePads applies auto_pad.
func (w *Window) resolvePads(mode string, in []int) error {
	if mode == "NOTSET" {
		return nil
	}
	for i := range w.Kernel {
		total := 0
		switch mode {
		case "VALID":
		case "SAME_UPPER", "SAME_LOWER":
			out := (in[i+2] + w.Strides[i] - 1) / w.Strides[i]
			total = max((out-1)*w.Strides[i]+w.extent(i)-in[i+2], 0)
		default:
			return fmt.Errorf("auto_pad %q is not supported", mode)
		}
		w.PadBegin[i] = total / 2
		if mode == "SAME_LOWER" {
			w.PadBegin[i] = total - total/2
		}
		w.PadEnd[i] = total - w.PadBegin[i]
	}
	return nil
}
