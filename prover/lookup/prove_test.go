package lookup

import (
	"fmt"
	"math/rand"
	"reflect"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"pgregory.net/rapid"
)

// sizes are pairs of leaf counts: odd ones, powers of two and their
// neighbours, and both orders of the sides.
var sizes = [][2]int{
	{1, 1},
	{2, 1},
	{1, 2},
	{2, 2},
	{3, 2},
	{2, 3},
	{3, 5},
	{4, 4},
	{5, 3},
	{7, 8},
	{8, 9},
	{9, 7},
	{15, 16},
	{16, 300},
	{17, 1},
	{1, 17},
	{31, 64},
	{33, 2},
	{63, 255},
	{64, 64},
	{65, 257},
	{127, 5},
	{255, 128},
	{257, 256},
}

// bigSizes reach beyond one block per layer, so that several workers, partial
// blocks and the seam between stored and implied nodes are exercised.
var bigSizes = [][2]int{
	{1<<13 + 1, 300}, {1 << 13, 1<<12 + 1}, {1<<14 - 1, 1 << 9}, {700, 1<<13 + 777}, {12345, 4097},
}

func TestProverMatchesReferenceRoundByRound(t *testing.T) {
	for i, n := range append(sizes, bigSizes...) {
		t.Run(fmt.Sprintf("%d-%d", n[0], n[1]), func(t *testing.T) {
			rng := rand.New(rand.NewSource(int64(i)))
			left, right := lookups(rng, n[0], n[1])
			checkAgainstReference(t, left, right)
		})
	}
}

func TestProverMatchesReferenceOnRandomFractions(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(rt, "left")
		m := rapid.IntRange(1, 300).Draw(rt, "right")
		rng := rand.New(rand.NewSource(rapid.Int64().Draw(rt, "seed")))
		left, right := lookups(rng, n, m)
		for i := range right.Num {
			right.Num[i] = randomElement(rng)
			right.Den[i] = randomElement(rng)
		}
		checkAgainstReference(t, left, right)
	})
}

func checkAgainstReference(t *testing.T, left, right Side) {
	t.Helper()
	want, wantLeft, wantRight := referenceProve(newTranscript(t), left, right)
	got, gotLeft, gotRight := Prove(newTranscript(t), units(left), clone(right))
	if got.Left != want.Left || got.Right != want.Right {
		t.Fatal("roots differ from the reference")
	}
	for k := range want.Layers {
		for j := range want.Layers[k].Rounds {
			if got.Layers[k].Rounds[j] != want.Layers[k].Rounds[j] {
				t.Fatalf("sizes %d, %d: layer %d, round %d differs from the reference", len(left.Den), len(right.Den), k, j)
			}
		}
		if !reflect.DeepEqual(got.Layers[k].Ends, want.Layers[k].Ends) {
			t.Fatalf("sizes %d, %d: ends of layer %d differ from the reference", len(left.Den), len(right.Den), k)
		}
	}
	if !reflect.DeepEqual(gotLeft, wantLeft) || !reflect.DeepEqual(gotRight, wantRight) {
		t.Fatal("claims differ from the reference")
	}
}

func TestHonestProofVerifiesAndClaimsHold(t *testing.T) {
	for i, n := range append(sizes, bigSizes...) {
		t.Run(fmt.Sprintf("%d-%d", n[0], n[1]), func(t *testing.T) {
			rng := rand.New(rand.NewSource(int64(i)))
			left, right := lookups(rng, n[0], n[1])
			p, _, _ := Prove(newTranscript(t), units(left), clone(right))
			l, r, err := Verify(newTranscript(t), left.Vars, n[0], right.Vars, p)
			if err != nil {
				t.Fatal(err)
			}
			checkClaim(t, "left", left, l)
			checkClaim(t, "right", right, r)
		})
	}
}

func checkClaim(t *testing.T, name string, s Side, c Claim) {
	t.Helper()
	if len(c.Point) != s.Vars {
		t.Fatalf("%s point has %d variables, want %d", name, len(c.Point), s.Vars)
	}
	num, den := evaluate(s, c.Point)
	if c.Num != num || c.Den != den {
		t.Fatalf("%s claim does not hold", name)
	}
}

func TestProveRefusesMalformedSides(t *testing.T) {
	one := []fr.Element{fr.One()}
	left, right := Units{Vars: 1, Len: 1}, Side{Vars: 1, Num: one, Den: one}
	for name, sides := range map[string]struct {
		left  Units
		right Side
	}{
		"no leaves":                      {Units{Vars: 1}, right},
		"no rows":                        {left, Side{Vars: 1}},
		"no numerators":                  {left, Side{Vars: 1, Den: one}},
		"too many variables":             {Units{Vars: 2, Len: 1}, right},
		"too many variables of the rows": {left, Side{Vars: 2, Num: one, Den: one}},
		"lengths differ":                 {left, Side{Vars: 1, Num: []fr.Element{one[0], one[0]}, Den: one}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			Prove(newTranscript(t), sides.left, sides.right)
		})
	}
}

func BenchmarkProve(b *testing.B) {
	for _, vars := range []int{8, 12, 16, 20, 22} {
		b.Run(fmt.Sprintf("left=2^%d", vars), func(b *testing.B) {
			benchmarkProve(b, 1<<vars, 1<<min(vars-2, 8))
		})
	}
	b.Run("left=192,right=2500", func(b *testing.B) { benchmarkProve(b, 192, 2500) })
	b.Run("left=28600,right=5400", func(b *testing.B) { benchmarkProve(b, 28600, 5400) })
	b.Run("left=17·2^16", func(b *testing.B) { benchmarkProve(b, 17<<16, 256) })
	b.Run("both=2^20", func(b *testing.B) { benchmarkProve(b, 1<<20, 1<<20) })
}

func benchmarkProve(b *testing.B, n, rows int) {
	left, right := lookups(rand.New(rand.NewSource(1)), n, rows)
	for b.Loop() {
		b.StopTimer()
		l, r := units(left), clone(right)
		b.StartTimer()
		Prove(newTranscript(b), l, r)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/leaf")
}
