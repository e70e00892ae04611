//go:build !purego

package poly

import "golang.org/x/sys/cpu"

// haveVector reports whether accumulate, magnitude and gather exist.
func haveVector() bool {
	return cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL
}

// accumulate adds to acc[k][l], for k < lanes in {4, 8, 16} and l < 8,
// Σ_{i<n} w[i]_l·data[i·step + k·lane], w[i]_l being digit l. It reads nothing
// else; n > 0.
func accumulate(lanes int, acc *accumulators, w *digits, n int, data *int32, step, lane int) {
	switch lanes {
	case 4:
		accumulate4(acc, w, n, data, step, lane)
	case 8:
		accumulate8(acc, w, n, data, step, lane)
	default:
		accumulate16(acc, w, n, data, step, lane)
	}
}

//go:noescape
func accumulate4(acc *accumulators, w *digits, n int, data *int32, step, lane int)

//go:noescape
func accumulate8(acc *accumulators, w *digits, n int, data *int32, step, lane int)

//go:noescape
func accumulate16(acc *accumulators, w *digits, n int, data *int32, step, lane int)

// magnitude returns the bitwise or of d^(d>>31) over 16n entries, n > 0:
// |d| <= 2^(bit length of the result).
//
//go:noescape
func magnitude(data *int32, n int) uint32

// gather copies to dst the 16 entries from each of data[0], data[step], …,
// data[(n-1)·step], n > 0, and returns their magnitude.
//
//go:noescape
func gather(dst, data *int32, n, step int) uint32
