package poly

import (
	"strconv"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

func BenchmarkVecMat(b *testing.B) {
	const cols = 4096
	r := newRand(b, 100)
	for name, kernels := range paths() {
		for _, rows := range []int{16, 128, 1024} {
			weights := randomElements(r, rows)
			data := randomData(r, rows*cols, fills()["int17"])
			b.Run(name+"/"+strconv.Itoa(rows), func(b *testing.B) {
				dst := make([]fr.Element, cols)
				for b.Loop() {
					product{weights: weights, data: data, step: cols, lane: 1, kernels: kernels}.addTo(dst)
				}
				perTerm(b, rows*cols)
			})
		}
	}
}

func BenchmarkMatVec(b *testing.B) {
	const cols = 4096
	r := newRand(b, 101)
	for name, kernels := range paths() {
		for _, rows := range []int{1, 4, 8, 16, 1024} {
			weights := randomElements(r, cols)
			data := randomData(r, rows*cols, fills()["int17"])
			b.Run(name+"/"+strconv.Itoa(rows), func(b *testing.B) {
				dst := make([]fr.Element, rows)
				for b.Loop() {
					product{weights: weights, data: data, step: 1, lane: cols, kernels: kernels}.addTo(dst)
				}
				perTerm(b, rows*cols)
			})
		}
	}
}

func BenchmarkEq(b *testing.B) {
	r := newRand(b, 102)
	point := randomElements(r, 20)
	dst := make([]fr.Element, 1<<20)
	for b.Loop() {
		EqScaled(dst, point, point[0])
	}
	perTerm(b, len(dst))
}

func perTerm(b *testing.B, terms int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(terms), "ns/term")
}
