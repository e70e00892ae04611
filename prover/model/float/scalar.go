package float

// Scalar is an Op that maps each cell by one function.
type Scalar interface {
	Op
	// Apply is the function.
	Apply(x float64) float64
}

func sameShape(in [][]int) ([]int, error) {
	if err := wantInputs(in, 1); err != nil {
		return nil, err
	}
	return in[0], nil
}

func mapCells(op Scalar, in, out Tensor) {
	parallel(len(in.Data), 1<<14, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			out.Data[i] = float32(op.Apply(float64(in.Data[i])))
		}
	})
}
