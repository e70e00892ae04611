package interpret

// maximum is the elementwise maximum; committed cells fit 32 bits.
func maximum(a, b []int64) []int32 {
	out := make([]int32, len(a))
	for i := range out {
		out[i] = int32(max(a[i], b[i]))
	}
	return out
}
