//go:build !amd64 || purego

package poly

// exist reports whether the machine has the instructions of the kernels.
func (k kernels) exist() bool { return k == scalar }

func (kernels) lanes(int) int {
	panic("BUG: poly: no vector kernel")
}

func (kernels) accumulate(int, *accumulators, *digits, int, *int32, int, int) {
	panic("BUG: poly: no vector kernel")
}

func (kernels) magnitude(*int32, int) uint32 {
	panic("BUG: poly: no vector kernel")
}

func (kernels) gather(*int32, *int32, int, int) uint32 {
	panic("BUG: poly: no vector kernel")
}
