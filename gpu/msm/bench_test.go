//go:build unix

package msm_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	"github.com/consensys/gnark-crypto/utils"

	"github.com/weisyn/wes/gpu/msm"
	"github.com/weisyn/wes/prover/commit"
)

// paired runs two ways in turns and reports how many times faster ours is: by processor
// time of all threads, which other load of the machine disturbs least, and by the median of
// the ratios of wall time.
func paired(b *testing.B, ours, theirs func() error) {
	b.Helper()
	own, other := new(meter), new(meter)
	own.run(b, ours)
	other.run(b, theirs)
	*own, *other = meter{}, meter{}
	for b.Loop() {
		if len(own.walls)%2 == 0 {
			own.run(b, ours)
			other.run(b, theirs)
		} else {
			other.run(b, theirs)
			own.run(b, ours)
		}
	}
	ratios := make([]float64, len(own.walls))
	for i := range ratios {
		ratios[i] = other.walls[i] / own.walls[i]
	}
	slices.Sort(ratios)
	n := float64(len(ratios))
	b.ReportMetric(own.processor/n*1e3, "cpu-ms/ours")
	b.ReportMetric(other.processor/n*1e3, "cpu-ms/gnark-crypto")
	b.ReportMetric(other.processor/own.processor, "ratio-cpu")
	b.ReportMetric(ratios[len(ratios)/2], "ratio-wall")
}

// meter adds up times in seconds.
type meter struct {
	walls     []float64 // of each run
	processor float64
}

func (m *meter) run(b *testing.B, f func() error) {
	start, used := time.Now(), processorTime(b)
	if err := f(); err != nil {
		b.Fatal(err)
	}
	m.walls = append(m.walls, time.Since(start).Seconds())
	m.processor += processorTime(b) - used
}

func processorTime(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

func BenchmarkMSMAgainstGnarkCrypto(b *testing.B) {
	for _, c := range []struct{ batch, n, width int }{
		{64, 1 << 10, 8},
		{256, 1 << 11, 8},
		{2048, 1 << 12, 8},
		{64, 1 << 10, 16},
		{64, 1 << 10, 31},
		{64, 1 << 10, 64},
		{64, 1 << 10, 254},
		{4, 1 << 14, 254},
		{1000, 16, 254},
		{1, 1 << 16, 8},
		{1, 1 << 16, 16},
		{1, 1 << 16, 31},
		{1, 1 << 8, 254},
		{1, 1 << 10, 254},
		{1, 1 << 12, 254},
		{1, 1 << 14, 254},
		{1, 1 << 16, 254},
		{1, 1 << 18, 254},
	} {
		b.Run(fmt.Sprintf("%dx%d/%d", c.batch, c.n, c.width), func(b *testing.B) { benchmarkMSM(b, c.batch, c.n, c.width) })
	}
}

func benchmarkMSM(b *testing.B, batch, n, width int) {
	points := generators(b, n)
	scalars := random(batch*n, width)
	e := msm.NewCPU()
	bases, err := e.Load(b.Context(), points)
	if err != nil {
		b.Fatal(err)
	}
	paired(b, func() error {
		_, err := bases.MSM(b.Context(), scalars, width)
		return err
	}, func() error {
		for i := range batch {
			if _, err := new(bn254.G1Affine).MultiExp(points, scalars[i*n:(i+1)*n], ecc.MultiExpConfig{}); err != nil {
				return err
			}
		}
		return nil
	})
}

// generators repeats those of the largest key.
func generators(b *testing.B, n int) []bn254.G1Affine {
	b.Helper()
	key, err := commit.NewKey(min(n, commit.MaxGenerators))
	if err != nil {
		b.Fatal(err)
	}
	points := make([]bn254.G1Affine, n)
	for i := 0; i < n; i += copy(points[i:], key.Generators()) {
	}
	return points
}

func random(n, width int) []fr.Element {
	r := rand.New(rand.NewPCG(3, 4))
	scalars := make([]fr.Element, n)
	for i := range scalars {
		switch {
		case width <= 64:
			scalars[i].SetUint64(r.Uint64() >> (64 - width))
		default:
			scalars[i] = fr.Element{r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64() >> 3}
		}
	}
	return scalars
}

func BenchmarkNTTAgainstGnarkCrypto(b *testing.B) {
	for _, log := range []int{10, 14, 16, 18} {
		for _, t := range msm.Transforms() {
			b.Run(fmt.Sprintf("2^%d/%s", log, t), func(b *testing.B) { benchmarkNTT(b, log, t) })
		}
	}
}

func benchmarkNTT(b *testing.B, log int, t msm.Transform) {
	e, d, values := msm.NewCPU(), fft.NewDomain(1<<log), random(1<<log, msm.MaxWidth)
	var options []fft.Option
	if t.Coset {
		options = append(options, fft.OnCoset())
	}
	if err := e.NTT(b.Context(), values, t); err != nil { // makes the tables
		b.Fatal(err)
	}
	paired(b, func() error { return e.NTT(b.Context(), values, t) }, func() error {
		if t.Inverse {
			d.FFTInverse(values, fft.DIF, options...)
		} else {
			d.FFT(values, fft.DIF, options...)
		}
		utils.BitReverse(values)
		return nil
	})
}
