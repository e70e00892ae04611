package lookup

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/poly"
)

// weights is the table eq(point, y) in two factors,
// inner[y mod len(inner)]·outer[y / len(inner)]. The inner factor is
// multiplied into the tables of a form, the outer one into sums over blocks.
type weights struct {
	inner, outer fr.Vector
	// n is the size of a block: len(inner), or what is left of it once the
	// variables of outer are bound and those of inner are being bound.
	n int
}

// newWeights is for the y of the first round.
func newWeights(point []fr.Element) *weights {
	low := min(len(point), blockVars)
	cut := len(point) - low
	inner := poly.Eq(point[cut:])
	return &weights{inner: inner, outer: poly.Eq(point[:cut]), n: len(inner)}
}

// size is the number of values of y.
func (e *weights) size() int { return e.n * len(e.outer) }

// drop removes the top variable of y: eq(0,·) + eq(1,·) = eq(·). It reports
// whether that was a variable of inner, in which case the tables of a form
// still carry its factor.
func (e *weights) drop() (inner bool) {
	if len(e.outer) == 1 {
		e.n /= 2
		return true
	}
	half := len(e.outer) / 2
	lo := e.outer[:half]
	lo.Add(lo, e.outer[half:])
	e.outer = lo
	return false
}
