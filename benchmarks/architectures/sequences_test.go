package architectures

import "testing"

// TestStepsOfASequenceReadTheSameWeights counts two layers' matrices and biases, and a classifier.
func TestStepsOfASequenceReadTheSameWeights(t *testing.T) {
	const units = 16
	want := int64(2*(2*4*units*units+4*units) + units*labels)
	for _, steps := range []int{5, 9} {
		g := imported(t, LSTM(2, units, steps))
		if got := g.Params(); got < want || got > want+want/4 { // constants of gates come on top
			t.Errorf("%d steps: %d parameters, want %d", steps, got, want)
		}
	}
}
