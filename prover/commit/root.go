package commit

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"

	"github.com/weisyn/wes/prover/vec"
)

const (
	// rootBlock is the number of square roots that are computed together.
	rootBlock = 64
	// rootWindow is the number of exponent bits that share a product.
	rootWindow = 5
)

// rootExponent is (p+1)/4, lowest word first. As p = 3 mod 4, raising a square to it
// gives a root.
func rootExponent() [fp.Limbs]uint64 {
	return [fp.Limbs]uint64{0x4f082305b61f3f52, 0x65e05aa45a1c72a3, 0x6e14116da0605617, 0x0c19139cb84c680a}
}

// curveRoots finds the points of the curve that have given x-coordinates, all of a
// block in step: the products are element-wise products of vectors.
type curveRoots struct {
	x, y    [rootBlock]fp.Element
	onCurve [rootBlock]bool
	rhs     [rootBlock]fp.Element
	odd     [1 << (rootWindow - 1)][rootBlock]fp.Element // the odd powers of rhs
}

// solve finds a y with y² = x³ + 3 for the first n entries of x, and sets onCurve
// where there is one.
func (c *curveRoots) solve(n int) {
	x, y, rhs := c.x[:n], c.y[:n], c.rhs[:n]
	vec.MulFp(rhs, x, x)
	vec.MulFp(rhs, rhs, x)
	three := fp.NewElement(3)
	for i := range rhs {
		rhs[i].Add(&rhs[i], &three)
	}
	c.power(n)
	squares := c.odd[0][:n]
	vec.MulFp(squares, y, y)
	for i := range squares {
		c.onCurve[i] = squares[i] == rhs[i]
	}
}

// power sets y to rhs^((p+1)/4), by windows that begin and end with a set bit.
func (c *curveRoots) power(n int) {
	y, square := c.y[:n], c.y[:n]
	vec.MulFp(square, c.rhs[:n], c.rhs[:n])
	copy(c.odd[0][:n], c.rhs[:n])
	for i := 1; i < len(c.odd); i++ {
		vec.MulFp(c.odd[i][:n], c.odd[i-1][:n], square)
	}
	exponent := rootExponent()
	bit := func(i int) uint64 { return exponent[i/64] >> (i % 64) & 1 }
	first := true
	for i := fp.Bits - 1; i >= 0; {
		if bit(i) == 0 {
			if !first {
				vec.MulFp(y, y, y)
			}
			i--
			continue
		}
		low := max(i-rootWindow+1, 0)
		for bit(low) == 0 {
			low++
		}
		window := uint64(0)
		for ; i >= low; i-- {
			window = window<<1 | bit(i)
			if !first {
				vec.MulFp(y, y, y)
			}
		}
		power := c.odd[window>>1][:n]
		if first {
			copy(y, power)
			first = false
			continue
		}
		vec.MulFp(y, y, power)
	}
}

// choose returns root i with the lexicographically larger y if large is set, else with
// the smaller one.
func (c *curveRoots) choose(i int, large bool) fp.Element {
	y := c.y[i]
	if y.LexicographicallyLargest() != large {
		y.Neg(&y)
	}
	return y
}
