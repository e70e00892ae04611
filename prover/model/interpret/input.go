package interpret

import (
	"fmt"

	"github.com/weisyn/wes/prover/graph"
)

// checkInput requires one cell per element, each in the input's domain.
func checkInput(op *graph.Input, cells []int32) error {
	if n := graph.Elements(op.Shape); len(cells) != n {
		return fmt.Errorf("%w: input %q has %d cells, want %d", ErrInput, op.Name, len(cells), n)
	}
	for i, v := range cells {
		if int64(v) < op.Lo || int64(v) > op.Hi {
			return fmt.Errorf("%w: input %q: cell %d is %d, outside [%d, %d]", ErrInput, op.Name, i, v, op.Lo, op.Hi)
		}
	}
	return nil
}
