package main

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestAmountsAreExact(t *testing.T) {
	for text, want := range map[string]uint64{
		"0": 0, "1": 100_000_000, "0.5": 50_000_000, "12.00000001": 1_200_000_001, "007": 700_000_000,
		"184467440737.09551615": math.MaxUint64, "0.10": 10_000_000,
	} {
		if got, err := parseWES(text); err != nil || got != want {
			t.Errorf("%s: %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ".", "1.", ".5", "-1", "+1", "1e3", "0.000000001", "184467440737.09551616", "1,5", "1 ", "0x1", "٣"} {
		if got, err := parseWES(text); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		n := r.Uint64() >> r.IntN(64)
		if got, err := parseWES(wesText(n)); err != nil || got != n {
			t.Fatalf("%d is %s, which is %d, %v", n, wesText(n), got, err)
		}
	}
}

func TestTokensHaveNoDecimals(t *testing.T) {
	for _, text := range []string{"", "1.0", "-1", "+1", "18446744073709551616", "1e3"} {
		if got, err := parseUnits(text); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
	if got, err := parseUnits("18446744073709551615"); err != nil || got != math.MaxUint64 {
		t.Errorf("%d, %v", got, err)
	}
}
