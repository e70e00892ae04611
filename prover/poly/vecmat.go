package poly

import "github.com/consensys/gnark-crypto/ecc/bn254/fr"

// VecMat adds to dst a row vector times a matrix of small integers:
// dst[j] += Σ_i weights[i]·data[i·stride+j] for j < len(dst) <= stride. Row i
// belongs to weights[i]; data may end anywhere, what is missing is 0. Large
// products use all cores.
func VecMat(dst []fr.Element, weights []fr.Element, data []int32, stride int) {
	if len(dst) > stride {
		panic("BUG: poly.VecMat: more columns than the stride")
	}
	p := product{weights: weights, data: data, step: stride, lane: 1, kernels: fastest()}
	p.addTo(dst)
}

// MatVec sets dst[i] = Σ_j weights[j]·data[i·stride+j] for
// j < len(weights) <= stride. Data may end anywhere, what is missing is 0.
// Large products use all cores.
func MatVec(dst []fr.Element, weights []fr.Element, data []int32, stride int) {
	if len(weights) > stride {
		panic("BUG: poly.MatVec: more columns than the stride")
	}
	clear(dst)
	p := product{weights: weights, data: data, step: 1, lane: stride, kernels: fastest()}
	p.addTo(dst)
}

// Dot returns Σ_j weights[j]·row[j] over the shorter of the two lengths.
func Dot(weights []fr.Element, row []int32) fr.Element {
	var dst [1]fr.Element
	n := min(len(weights), len(row))
	MatVec(dst[:], weights[:n], row[:n], n)
	return dst[0]
}
