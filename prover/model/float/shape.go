package float

import "fmt"

// size returns the number of elements of a shape whose product is known not to
// overflow.
func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// strides returns the row-major element strides of a shape.
func strides(shape []int) []int {
	s := make([]int, len(shape))
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		s[i] = step
		step *= shape[i]
	}
	return s
}

func wantRank(shape []int, ranks ...int) error {
	for _, r := range ranks {
		if len(shape) == r {
			return nil
		}
	}
	return fmt.Errorf("rank %d is not one of %v", len(shape), ranks)
}

func wantInputs(in [][]int, n int) error {
	if len(in) != n {
		return fmt.Errorf("%d inputs instead of %d", len(in), n)
	}
	return nil
}

func errAxis(axis, rank int) error {
	return fmt.Errorf("axis %d for rank %d", axis, rank)
}

// walkStrided calls f(i, j) for every cell of shape in row-major order, i its
// flat index and j = base + Σ index[d]·step[d].
func walkStrided(shape []int, base int, step []int, f func(i, j int)) {
	if len(shape) == 0 {
		f(0, base)
		return
	}
	idx := make([]int, len(shape))
	last := len(shape) - 1
	for i, n := 0, size(shape); i < n; {
		j := base
		for d := range last {
			j += idx[d] * step[d]
		}
		for range shape[last] {
			f(i, j)
			i++
			j += step[last]
		}
		for d := last - 1; d >= 0; d-- {
			if idx[d]++; idx[d] < shape[d] {
				break
			}
			idx[d] = 0
		}
	}
}

// broadcast returns the common shape by the ONNX rule.
func broadcast(a, b []int) ([]int, error) {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := append([]int(nil), a...)
	for i := range b {
		d := &out[len(a)-len(b)+i]
		switch {
		case *d == b[i] || b[i] == 1:
		case *d == 1:
			*d = b[i]
		default:
			return nil, fmt.Errorf("shapes %v and %v do not broadcast", a, b)
		}
	}
	return out, nil
}
