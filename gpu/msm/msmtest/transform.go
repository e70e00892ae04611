package msmtest

import (
	"fmt"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	"github.com/consensys/gnark-crypto/utils"

	"github.com/weisyn/wes/gpu/msm"
)

// evaluate is the definition of the forward transforms.
func evaluate(t *testing.T, values []fr.Element, coset bool) []fr.Element {
	t.Helper()
	n := len(values)
	w, err := fft.Generator(uint64(n))
	if err != nil {
		t.Fatal(err)
	}
	x := fr.One()
	if coset {
		x = fft.GeneratorFullMultiplicativeGroup()
	}
	out := make([]fr.Element, n)
	for i := range out {
		for j := n - 1; j >= 0; j-- {
			out[i].Mul(&out[i], &x).Add(&out[i], &values[j])
		}
		x.Mul(&x, &w)
	}
	return out
}

// gnark is the library's transform.
func gnark(d *fft.Domain, values []fr.Element, t msm.Transform) []fr.Element {
	out := append([]fr.Element(nil), values...)
	var options []fft.Option
	if t.Coset {
		options = append(options, fft.OnCoset())
	}
	if t.Inverse {
		d.FFTInverse(out, fft.DIF, options...)
	} else {
		d.FFT(out, fft.DIF, options...)
	}
	utils.BitReverse(out)
	return out
}

func transform(t *testing.T, e msm.Engine, values []fr.Element, tr msm.Transform) []fr.Element {
	t.Helper()
	out := append([]fr.Element(nil), values...)
	if err := e.NTT(t.Context(), out, tr); err != nil {
		t.Fatalf("%s of %d: %v", tr, len(values), err)
	}
	return out
}

func same(t *testing.T, what string, got, want []fr.Element) {
	t.Helper()
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s: value %d is wrong", what, i)
		}
	}
}

func transformsByDefinition(t *testing.T, e msm.Engine) {
	r := source()
	for n := 1; n <= 64; n *= 2 {
		values := narrow(r, n, msm.MaxWidth)
		for _, coset := range []bool{false, true} {
			want := evaluate(t, values, coset)
			what := fmt.Sprintf("%d values, coset %t", n, coset)
			same(t, what, transform(t, e, values, msm.Transform{Coset: coset}), want)
			same(t, what+", inverse", transform(t, e, want, msm.Transform{Coset: coset, Inverse: true}), values)
		}
	}
}

func transforms(t *testing.T, e msm.Engine) {
	r := source()
	for log := 0; log <= 18; log++ {
		if log > 13 && (log < 18 || testing.Short()) && !large() {
			continue
		}
		d := fft.NewDomain(1 << log)
		values := narrow(r, 1<<log, msm.MaxWidth)
		for _, tr := range msm.Transforms() {
			same(t, fmt.Sprintf("%s of 2^%d", tr, log), transform(t, e, values, tr), gnark(d, values, tr))
		}
	}
	// A smaller transform after a larger one.
	values := narrow(r, 16, msm.MaxWidth)
	same(t, "small after large", transform(t, e, values, msm.Transform{}), evaluate(t, values, false))
}
