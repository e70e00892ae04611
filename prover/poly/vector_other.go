//go:build !amd64 || purego

package poly

// haveVector reports whether accumulate, magnitude and gather exist.
func haveVector() bool { return false }

func accumulate(int, *accumulators, *digits, int, *int32, int, int) {
	panic("BUG: poly: no vector kernel")
}

func magnitude(*int32, int) uint32 {
	panic("BUG: poly: no vector kernel")
}

func gather(*int32, *int32, int, int) uint32 {
	panic("BUG: poly: no vector kernel")
}
