package consensus

import (
	"fmt"
	"math"
	"math/big"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/weisyn/wes/chain"
)

// referenceASERT follows the text of the specification of aserti3-2d with integers and
// fractions of any size, and knows nothing of 64 bits.
func referenceASERT(anchor, limit *big.Int, late *big.Int, halfLife int64) uint32 {
	scaled := new(big.Rat).SetFrac(new(big.Int).Mul(late, big.NewInt(65536)), big.NewInt(halfLife))
	exponent := new(big.Int).Quo(scaled.Num(), scaled.Denom()) // toward zero
	shifts, frac := new(big.Int).DivMod(exponent, big.NewInt(65536), new(big.Int))
	sum := new(big.Int).Lsh(big.NewInt(1), 47)
	for power, coefficient := range []int64{1: 195766423245049, 2: 971821376, 3: 5127} {
		term := new(big.Int).Exp(frac, big.NewInt(int64(power)), nil)
		sum.Add(sum, term.Mul(term, big.NewInt(coefficient)))
	}
	factor := sum.Rsh(sum, 48)
	t := new(big.Int).Mul(anchor, factor.Add(factor, big.NewInt(65536)))
	if n := shifts.Int64() - 16; n >= 0 {
		t.Lsh(t, uint(min(n, 1000)))
	} else {
		t.Rsh(t, uint(min(-n, 1000)))
	}
	if t.Sign() == 0 {
		t.SetInt64(1)
	}
	if t.Cmp(limit) > 0 {
		t = limit
	}
	return Compact(t)
}

func asertRules(t *rapid.T, genesis uint32) *rules {
	cfg := Config{Genesis: chain.Header{Bits: genesis}, Limit: easy}
	r, err := cfg.validate()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestASERTEqualsTheSpecification(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.SampledFrom([]uint32{easy, 0x1d00ffff, 0x1804dafe, 0x0a7fffff, 0x01010000}).Draw(t, "bits")
		r := asertRules(t, bits)
		anchor := rapid.Uint64Max(1<<42).Draw(t, "anchor")
		blocks := rapid.Uint64Max(1<<36).Draw(t, "blocks")
		time := anchor + rapid.OneOf(
			rapid.Uint64Max(1<<46),
			rapid.Custom(func(t *rapid.T) uint64 { // near the schedule
				return blocks*10_000 + uint64(rapid.Int64Range(0, 1<<28).Draw(t, "off"))
			}),
		).Draw(t, "elapsed")
		late := new(big.Int).SetUint64(time - anchor)
		late.Sub(late, new(big.Int).Mul(big.NewInt(10_000), new(big.Int).SetUint64(blocks)))
		want := referenceASERT(r.genesisTarget, r.limitTarget, late, 2_880_000)
		if got := r.asert(anchor, blocks, time); got != want {
			t.Fatalf("%08x, want %08x", got, want)
		}
	})
}

// TestASERTPublishedVectors runs those of testdata/asert, which measure from the parent of the
// anchor.
func TestASERTPublishedVectors(t *testing.T) {
	text, err := os.ReadFile("testdata/asert/vectors.txt")
	must(t, err)
	var r *rules
	var height, parentTime uint64
	for line := range strings.Lines(string(text)) {
		var at, time uint64
		var bits uint32
		switch {
		case strings.HasPrefix(line, "#"):
			continue
		case strings.HasPrefix(line, "run"):
			_, err = fmt.Sscanf(line, "run %d %d %x", &height, &parentTime, &bits)
			must(t, err)
			r, err = Config{Genesis: chain.Header{Bits: bits}, Limit: 0x1d00ffff, Spacing: 600, HalfLife: 172_800}.validate()
			must(t, err)
			continue
		}
		_, err = fmt.Sscanf(line, "%d %d %x", &at, &time, &bits)
		must(t, err)
		if got := r.asert(parentTime+600, at-height, time); got != bits {
			t.Errorf("height %d, time %d: %08x, want %08x", at, time, got, bits)
		}
	}
}

// TestASERTGolden pins values: with any other, nodes of different versions part.
func TestASERTGolden(t *testing.T) {
	const anchor = 1_700_000_000_000
	for _, c := range goldenASERT {
		cfg := Config{Genesis: chain.Header{Bits: c.genesis}, Limit: easy}
		r, err := cfg.validate()
		must(t, err)
		if got := r.asert(anchor, c.blocks, anchor+c.elapsed); got != c.want {
			t.Errorf("{%#08x, %d, %d, %#08x},", c.genesis, c.blocks, c.elapsed, got)
		}
	}
}

var goldenASERT = []struct {
	genesis         uint32
	blocks, elapsed uint64 // since block 1
	want            uint32
}{
	{0x1d00ffff, 0, 0, 0x1d00ffff},
	{0x1d00ffff, 1, 10000, 0x1d00ffff},
	{0x1d00ffff, 1, 1000, 0x1d00ff72},
	{0x1d00ffff, 1, 40000, 0x1d0101da},
	{0x1d00ffff, 10, 400000, 0x1d011330},
	{0x1d00ffff, 288, 0, 0x1c7fff80},
	{0x1d00ffff, 288, 2880000, 0x1d00ffff},
	{0x1d00ffff, 288, 5760000, 0x1d01fffe},
	{0x1d00ffff, 8640, 86400000, 0x1d00ffff},
	{0x1d00ffff, 8640, 172800000, 0x203fffc0},
	{0x1d00ffff, 0, 86400000, 0x203fffc0},
	{0x1d00ffff, 100000, 100000000, 0x1010000},
	{0x1804dafe, 0, 0, 0x1804dafe},
	{0x1804dafe, 1, 10000, 0x1804dafe},
	{0x1804dafe, 1, 1000, 0x1804d851},
	{0x1804dafe, 1, 40000, 0x1804e405},
	{0x1804dafe, 10, 400000, 0x18053831},
	{0x1804dafe, 288, 0, 0x18026d7f},
	{0x1804dafe, 288, 2880000, 0x1804dafe},
	{0x1804dafe, 288, 5760000, 0x1809b5fc},
	{0x1804dafe, 8640, 86400000, 0x1804dafe},
	{0x1804dafe, 8640, 172800000, 0x1c0136bf},
	{0x1804dafe, 0, 86400000, 0x1c0136bf},
	{0x1804dafe, 100000, 100000000, 0x1010000},
	{0x207fffff, 0, 0, 0x207fffff},
	{0x207fffff, 1, 10000, 0x207fffff},
	{0x207fffff, 1, 1000, 0x207fb97f},
	{0x207fffff, 1, 40000, 0x207fffff},
	{0x207fffff, 10, 400000, 0x207fffff},
	{0x207fffff, 288, 0, 0x203fffff},
	{0x207fffff, 288, 2880000, 0x207fffff},
	{0x207fffff, 288, 5760000, 0x207fffff},
	{0x207fffff, 8640, 86400000, 0x207fffff},
	{0x207fffff, 8640, 172800000, 0x207fffff},
	{0x207fffff, 0, 86400000, 0x207fffff},
	{0x207fffff, 100000, 100000000, 0x1010000},
}

// TestASERTIsExponential compares with real powers of two: the cubic is off by at most 0.013 %
// (specification, section on the approximation), compact bits by at most 2^-15.
func TestASERTIsExponential(t *testing.T) {
	cfg := Config{Genesis: chain.Header{Bits: 0x1d00ffff}, Limit: easy}
	r, err := cfg.validate()
	must(t, err)
	for late := int64(-20_000_000); late < 20_000_000; late += 123_457 {
		got, _ := Target(r.asert(0, 10_000, uint64(100_000_000+late)))
		ratio, _ := new(big.Rat).SetFrac(got, r.genesisTarget).Float64()
		if want := math.Exp2(float64(late) / 2_880_000); ratio < want*(1-0.00018) || ratio > want*(1+0.00015) {
			t.Errorf("%d ms late: factor %v, want %v", late, ratio, want)
		}
	}
}

func TestChainOnScheduleKeepsItsDifficulty(t *testing.T) {
	m := newMiner(t, Config{Genesis: chain.Header{Time: epoch, Bits: 0x1f7fffff}, Limit: easy})
	_, links := m.run(m.genesisLink(), 50, 10_000)
	for _, l := range links {
		if l.bits != 0x1f7fffff {
			t.Fatalf("%08x at height %d", l.bits, l.height)
		}
	}
}

// TestGenesisTwoYearsOldDoesNotEaseBlockTwo: the schedule begins with block 1.
func TestGenesisTwoYearsOldDoesNotEaseBlockTwo(t *testing.T) {
	const years = 2 * 365 * 24 * 3_600_000
	m := newMiner(t, Config{Genesis: chain.Header{Time: epoch, Bits: 0x1f7fffff}, Limit: easy})
	_, one := m.child(m.genesisLink(), epoch+years, nil)
	_, two := m.child(one, one.time+10_000, nil)
	_, three := m.child(two, two.time+10_000, nil)
	if one.bits != 0x1f7fffff || two.bits != one.bits || three.bits != one.bits {
		t.Errorf("bits %08x, %08x, %08x", one.bits, two.bits, three.bits)
	}
}

// TestIdleChainCatchesUpAndSettles has a miner of constant speed leave for a day and return.
// Blocks come as fast as the time rule lets them until the schedule is met again; then the
// spacing is T, and no block takes long.
func TestIdleChainCatchesUpAndSettles(t *testing.T) {
	cfg := Config{Genesis: chain.Header{Time: epoch, Bits: 0x1d00ffff}, Limit: easy}
	r, err := cfg.validate()
	must(t, err)
	perMS := new(big.Int).Div(workOf(r.genesisTarget).Big(), big.NewInt(10_000)).Int64()
	s := newSource(1)
	const day = 24 * 3_600_000
	tip := link{height: 1, time: epoch, anchor: epoch}
	mine := func() uint64 {
		target, _ := Target(r.nextBits(&tip))
		needed := workOf(target).Big().Int64()
		spent := uint64(s.ExpFloat64() * float64(needed) / float64(perMS))
		took := max(spent, cfg.withDefaults().Spacing/10)
		tip.height, tip.time = tip.height+1, tip.time+took
		return took
	}
	for range 1000 {
		mine()
	}
	tip.time += day
	var fast int
	for tip.time < epoch+10_000*tip.height-60_000 || tip.time > epoch+10_000*tip.height+60_000 {
		if mine() > 600_000 {
			t.Fatalf("a block took more than ten minutes while catching up")
		}
		if fast++; fast > 20_000 {
			t.Fatal("never on schedule again")
		}
	}
	start := tip.time
	for range 2000 {
		if took := mine(); took > 200_000 {
			t.Fatalf("a block took %d ms", took)
		}
	}
	if spacing := (tip.time - start) / 2000; spacing < 9_000 || spacing > 11_000 {
		t.Errorf("spacing of %d ms after %d fast blocks", spacing, fast)
	}
}
