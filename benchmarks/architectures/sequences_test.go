package architectures

import "testing"

// TestStepsOfASequenceReadTheSameWeights counts two matrices and their biases for each of two layers, and those of a
// classifier.
func TestStepsOfASequenceReadTheSameWeights(t *testing.T) {
	const units = 16
	want := int64(2*2*(4*units*units+4*units) + units*labels + labels)
	for _, steps := range []int{5, 9} {
		g := imported(t, LSTM(2, units, steps))
		if got := g.Params(); got != want {
			t.Errorf("%d steps: %d parameters, want %d", steps, got, want)
		}
	}
}
