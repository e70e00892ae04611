package float

import "fmt"

// importDepthToSpace moves blocks of channels into the plane.
func importDepthToSpace(c *call) ([]*value, error) {
	mode, err := c.attrString("mode", "DCR")
	if err != nil {
		return nil, err
	}
	b, x, err := c.blocks()
	if err != nil {
		return nil, err
	}
	n, ch, h, w := x.shape[0], x.shape[1], x.shape[2], x.shape[3]
	if ch%(b*b) != 0 {
		return nil, fmt.Errorf("blocks of %d for shape %v", b, x.shape)
	}
	depth := ch / (b * b)
	split, perm := []int{n, b, b, depth, h, w}, []int{0, 3, 4, 1, 5, 2}
	switch mode {
	case "DCR":
	case "CRD":
		split, perm = []int{n, depth, b, b, h, w}, []int{0, 1, 4, 2, 5, 3}
	default:
		return nil, fmt.Errorf("mode %q is not supported", mode)
	}
	return c.shuffled(x, split, perm, []int{n, depth, h * b, w * b})
}

// importSpaceToDepth moves blocks of the plane into channels.
func importSpaceToDepth(c *call) ([]*value, error) {
	b, x, err := c.blocks()
	if err != nil {
		return nil, err
	}
	n, ch, h, w := x.shape[0], x.shape[1], x.shape[2], x.shape[3]
	if h%b != 0 || w%b != 0 {
		return nil, fmt.Errorf("blocks of %d for shape %v", b, x.shape)
	}
	return c.shuffled(x, []int{n, ch, h / b, b, w / b, b}, []int{0, 3, 5, 1, 2, 4}, []int{n, ch * b * b, h / b, w / b})
}

func (c *call) blocks() (int, *value, error) {
	b, err := c.attrInt("blocksize", 0)
	if err != nil {
		return 0, nil, err
	}
	x, err := c.activation(0)
	if err != nil {
		return 0, nil, err
	}
	if b < 1 || b > maxWindow {
		return 0, nil, fmt.Errorf("blocksize %d", b)
	}
	return b, x, wantRank(x.shape, 4)
}

// shuffled permutes the axes of a shape between two reshapes.
func (c *call) shuffled(x *value, split, perm, shape []int) ([]*value, error) {
	for _, op := range []mover{&Reshape{split}, &Transpose{perm}, &Reshape{shape}} {
		var err error
		if x, err = c.apply(op, x); err != nil {
			return nil, err
		}
	}
	return []*value{x}, nil
}
