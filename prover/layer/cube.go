package layer

import "github.com/consensys/gnark-crypto/ecc/bn254/fr"

// cube is an index of several parts, the first one highest, each padded to bits.
type cube struct {
	dims []int // of each part
	bits []int
	vars int
}

func newCube(dims ...int) cube {
	c := cube{dims: dims}
	for _, d := range dims {
		c.bits = append(c.bits, log2Ceil(d))
		c.vars += log2Ceil(d)
	}
	return c
}

// size is the number of values of the padded index.
func (c *cube) size() int { return 1 << c.vars }

// prefix is the length of the index up to the last real one: beyond, everything is zero.
func (c *cube) prefix() int {
	last, shift := 0, c.vars
	for i, d := range c.dims {
		shift -= c.bits[i]
		last += (d - 1) << shift
	}
	return last + 1
}

// visit calls f for every real index, padded and dense (row-major over dims).
func (c *cube) visit(f func(padded, dense int)) {
	var walk func(part, padded, dense int)
	walk = func(part, padded, dense int) {
		if part == len(c.dims) {
			f(padded, dense)
			return
		}
		for i := range c.dims[part] {
			walk(part+1, padded<<c.bits[part]|i, dense*c.dims[part]+i)
		}
	}
	walk(0, 0, 0)
}

// highParts lists the indexes shifted down by low bits of real indexes, in order.
func (c *cube) highParts(low int) []int {
	parts := []int{0}
	shift := c.vars
	for i, d := range c.dims {
		shift -= c.bits[i]
		dropped := min(max(low-shift, 0), c.bits[i])
		var next []int
		for _, p := range parts {
			for v := range (d-1)>>dropped + 1 {
				next = append(next, p<<(c.bits[i]-dropped)|v)
			}
		}
		parts = next
	}
	return parts
}

// parts cuts the suffix of a point that belongs to the index by its parts.
func (c *cube) parts(r []fr.Element) [][]fr.Element {
	r = r[len(r)-c.vars:]
	parts := make([][]fr.Element, len(c.bits))
	for i, b := range c.bits {
		parts[i], r = r[:b], r[b:]
	}
	return parts
}
