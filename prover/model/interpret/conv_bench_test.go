package interpret

import (
	"math/rand/v2"
	"testing"

	"github.com/weisyn/wes/prover/graph"
)

func BenchmarkConvolve(b *testing.B) {
	for _, c := range []struct {
		name              string
		in, out, hw, k, n int
	}{
		{"3x3 64→64 on 56", 64, 64, 56, 3, 1},
		{"3x3 512→512 on 7", 512, 512, 7, 3, 1},
		{"matrix 4096→512", 4096, 512, 1, 1, 1},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := graph.Window{Kernel: c.k, Stride: 1, Dilation: 1, Pad: c.k / 2, Out: c.hw}
			wh, ww := w, w
			wh.Axis, ww.Axis = 2, 3
			conv := &graph.Conv{Channel: 1, InChannels: c.in, OutChannels: c.out, Groups: 1, Spatial: []graph.Window{wh, ww}}
			x := tensor{[]int{c.n, c.in, c.hw, c.hw}, make([]int64, c.n*c.in*c.hw*c.hw)}
			for i := range x.cells {
				x.cells[i] = int64(rand.IntN(256) - 128)
			}
			weights := make([]int32, conv.WeightCount())
			shape := []int{c.n, c.out, c.hw, c.hw}
			acc := make([]int64, graph.Elements(shape))
			b.ResetTimer()
			for b.Loop() {
				convolve(acc, conv, x, weights, shape)
			}
			b.ReportMetric(float64(len(weights)*c.n*c.hw*c.hw)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
		})
	}
}
