package consensus

import (
	"math/big"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/weisyn/wes/chain"
)

func number(t *testing.T, hex string) *big.Int {
	t.Helper()
	n, ok := new(big.Int).SetString(hex, 16)
	if !ok {
		t.Fatal(hex)
	}
	return n
}

func TestCompactTargetsHaveOneForm(t *testing.T) {
	for bits, want := range map[uint32]string{
		0x1d00ffff: "ffff" + strings.Repeat("0", 52), 0x207fffff: "7fffff" + strings.Repeat("0", 58),
		0x01010000: "1", 0x02008000: "80", 0x03123456: "123456", 0x2100ffff: "ffff" + strings.Repeat("0", 60),
	} {
		got, ok := Target(bits)
		if !ok || got.Cmp(number(t, want)) != 0 || Compact(got) != bits {
			t.Errorf("%08x is %x, %v", bits, got, ok)
		}
	}
	for name, bits := range map[string]uint32{
		"zero": 0, "no mantissa": 0x20000000, "negative": 0x1d80ffff, "257 bits": 0x2101ffff, "above": 0x23000001,
		"size too large": 0x1e0000ff, "bits shifted out": 0x01010001, "nothing left": 0x00123456, "huge": 0xff7fffff,
	} {
		if got, ok := Target(bits); ok {
			t.Errorf("%s: %08x is taken for %x", name, bits, got)
		}
	}
}

func TestCompactRoundsDown(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		n := new(big.Int).Lsh(new(big.Int).SetUint64(r.Uint64()|1), uint(r.IntN(192)))
		n.Add(n, new(big.Int).SetUint64(r.Uint64N(1000)))
		got, ok := Target(Compact(n))
		if !ok || got.Cmp(n) > 0 {
			t.Fatalf("%x becomes %x", n, got)
		}
		rest := new(big.Int).Sub(n, got)
		if rest.Lsh(rest, 15).Cmp(n) > 0 {
			t.Fatalf("%x loses more than 15 bits as %x", n, got)
		}
	}
}

// The work of Bitcoin's easiest target is known as 0x100010001.
func TestWorkIsTheMeanNumberOfHashes(t *testing.T) {
	target, _ := Target(0x1d00ffff)
	if got := Work(target); got.Cmp(big.NewInt(0x1_0001_0001)) != 0 {
		t.Errorf("work of %x is %x", target, got)
	}
	all := new(big.Int).Lsh(big.NewInt(1), 256)
	if got := Work(all.Sub(all, big.NewInt(1))); got.Cmp(big.NewInt(1)) != 0 {
		t.Errorf("work of every hash is %x", got)
	}
	if !below(chain.Hash{31: 7}, big.NewInt(7)) || below(chain.Hash{31: 8}, big.NewInt(7)) || below(chain.Hash{1}, target) {
		t.Error("hashes are not compared as big-endian numbers")
	}
}

func TestScheduleFollowsTheVectorsOfItsSpecification(t *testing.T) {
	text, err := os.ReadFile("testdata/asert.txt")
	if err != nil {
		t.Fatal(err)
	}
	limit, _ := Target(0x1d00ffff)
	var height, time uint64
	var anchor *big.Int
	lines := 0
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if f[0] == "#" {
			continue
		}
		at, bits := f[len(f)-3:], parse(t, f[len(f)-1], 16)
		if f[0] == "run" {
			height, time = parse(t, at[0], 10), parse(t, at[1], 10)
			anchor, _ = Target(uint32(bits))
			continue
		}
		lines++
		late := drift(time, parse(t, f[1], 10), parse(t, f[0], 10)-height+1, 600)
		if got := asert(anchor, late, 172_800, limit); uint64(got) != bits {
			t.Errorf("%s: got %08x", strings.TrimSpace(line), got)
		}
	}
	if lines < 50 {
		t.Errorf("%d vectors", lines)
	}
}

func parse(t *testing.T, s string, base int) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(s, base, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestScheduleSurvivesAnyTimes(t *testing.T) {
	limit, _ := Target(0x1e00ffff)
	r := rand.New(rand.NewPCG(2, 2))
	for range 5000 {
		late := drift(r.Uint64()>>r.IntN(64), r.Uint64()>>r.IntN(64), r.Uint64()>>r.IntN(64), r.Uint64()>>r.IntN(64))
		got, ok := Target(asert(limit, late, 2_880_000, limit))
		if !ok || got.Cmp(limit) > 0 {
			t.Fatalf("a drift of %d ms gives %x", late, got)
		}
	}
}

// TestLaterIsEasier checks that the target never falls with lateness, and doubles in a
// half-life.
func TestLaterIsEasier(t *testing.T) {
	limit, _ := Target(0x207fffff)
	anchor, _ := Target(0x1d00ffff)
	var before *big.Int
	for late := int64(-100_000_000); late < 80_000_000; late += 77_777 {
		now, _ := Target(asert(anchor, late, 2_880_000, limit))
		if before != nil && now.Cmp(before) < 0 {
			t.Fatalf("harder at %d ms", late)
		}
		before = now
		twice, _ := Target(asert(anchor, late+2_880_000, 2_880_000, limit))
		if d := new(big.Int).Sub(twice, new(big.Int).Lsh(now, 1)); d.Abs(d).Lsh(d, 14).Cmp(twice) > 0 {
			t.Fatalf("%x after %x at %d ms", twice, now, late)
		}
	}
}

func FuzzTarget(f *testing.F) {
	f.Add(uint32(0x1d00ffff))
	f.Fuzz(func(t *testing.T, bits uint32) {
		if target, ok := Target(bits); ok && (Compact(target) != bits || target.Sign() <= 0 || Work(target).Sign() <= 0) {
			t.Errorf("%08x is %x", bits, target)
		}
	})
}
