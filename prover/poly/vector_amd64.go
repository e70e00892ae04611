//go:build !purego

package poly

import "golang.org/x/sys/cpu"

// exist reports whether the machine has the instructions of the kernels.
func (k kernels) exist() bool {
	switch k {
	case avx512:
		return cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL
	case avx2:
		return cpu.X86.HasAVX2
	}
	return k == scalar
}

// lanes is the least number of lanes, n or more, that accumulate accepts.
func (k kernels) lanes(n int) int {
	switch {
	case k == avx2:
		return n
	case n <= 4:
		return 4
	case n <= 8:
		return 8
	}
	return tileLanes
}

// accumulate adds to acc[j][l], for j < lanes and l < 8,
// Σ_{i<n} w[i]_l·data[i·step + j·lane], w[i]_l being digit l. It reads nothing
// else; n > 0.
func (k kernels) accumulate(lanes int, acc *accumulators, w *digits, n int, data *int32, step, lane int) {
	switch {
	case k == avx2:
		accumulateAVX2(lanes, acc, w, n, data, step, lane)
	case lanes == 4:
		accumulate4(acc, w, n, data, step, lane)
	case lanes == 8:
		accumulate8(acc, w, n, data, step, lane)
	default:
		accumulate16(acc, w, n, data, step, lane)
	}
}

// magnitude returns the bitwise or of d^(d>>31) over 16n entries, n > 0:
// |d| <= 2^(bit length of the result).
func (k kernels) magnitude(data *int32, n int) uint32 {
	if k == avx2 {
		return magnitudeAVX2(data, n)
	}
	return magnitude(data, n)
}

// gather copies to dst the 16 entries from each of data[0], data[step], …,
// data[(n-1)·step], n > 0, and returns their magnitude.
func (k kernels) gather(dst, data *int32, n, step int) uint32 {
	if k == avx2 {
		return gatherAVX2(dst, data, n, step)
	}
	return gather(dst, data, n, step)
}

//go:noescape
func accumulate4(acc *accumulators, w *digits, n int, data *int32, step, lane int)

//go:noescape
func accumulate8(acc *accumulators, w *digits, n int, data *int32, step, lane int)

//go:noescape
func accumulate16(acc *accumulators, w *digits, n int, data *int32, step, lane int)

//go:noescape
func magnitude(data *int32, n int) uint32

//go:noescape
func gather(dst, data *int32, n, step int) uint32

//go:noescape
func accumulateAVX2(lanes int, acc *accumulators, w *digits, n int, data *int32, step, lane int)

//go:noescape
func magnitudeAVX2(data *int32, n int) uint32

//go:noescape
func gatherAVX2(dst, data *int32, n, step int) uint32
