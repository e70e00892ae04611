package msmtest

import (
	"fmt"
	"testing"

	"github.com/weisyn/wes/gpu/msm"
)

// Benchmark times an engine on what provers ask of it. Bases are loaded before.
func Benchmark(b *testing.B, e msm.Engine) {
	for _, c := range []struct{ batch, n, width int }{
		{1, 1 << 16, msm.MaxWidth}, {1, 1 << 18, msm.MaxWidth}, {1, 1 << 16, 8}, {64, 1 << 10, 8}, {2048, 1 << 12, 8},
	} {
		b.Run(fmt.Sprintf("msm/%dx%d/%d", c.batch, c.n, c.width), func(b *testing.B) {
			r := source()
			bases, err := e.Load(b.Context(), newSystem(r, c.n).points)
			if err != nil {
				b.Fatal(err)
			}
			defer bases.Close()
			scalars := narrow(r, c.batch*c.n, c.width)
			for b.Loop() {
				if _, err := bases.MSM(b.Context(), scalars, c.width); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for _, log := range []int{16, 18, 20} {
		b.Run(fmt.Sprintf("ntt/2^%d", log), func(b *testing.B) {
			values := narrow(source(), 1<<log, msm.MaxWidth)
			for b.Loop() {
				if err := e.NTT(b.Context(), values, msm.Transform{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
