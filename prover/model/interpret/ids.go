package interpret

import "github.com/weisyn/wes/prover/graph"

// lookUp adds to acc, whose shape is shape, the weights of the id at every position.
func lookUp(acc []int64, c *graph.Conv, ids tensor, w []int32, shape []int) {
	_, channels, inner := tensor{shape: shape}.split(c.Channel)
	for i, id := range ids.cells {
		first := i/inner*channels*inner + i%inner
		for oc := range channels {
			acc[first+oc*inner] += int64(w[int64(oc*c.InChannels)+id])
		}
	}
}
