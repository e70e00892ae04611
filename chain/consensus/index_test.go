package consensus

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/weisyn/wes/chain"
)

var update = flag.Bool("update", false, "write the table of rules")

// start is the time of genesis, two years before the blocks that follow.
const (
	start = 1_600_000_000_000
	clock = start + 2*365*86_400_000
)

// tree is an index whose targets take a few hundred hashes.
type tree struct {
	*Index
	t    testing.TB
	salt uint64
}

func newTree(t testing.TB, p Profile) *tree {
	t.Helper()
	p.Bits = 0x2000ffff
	x, err := NewIndex(p, chain.Header{Time: start, Bits: p.Bits})
	if err != nil {
		t.Fatal(err)
	}
	return &tree{Index: x, t: t}
}

// header makes a header on a block, without work.
func (x *tree) header(on *Node, time uint64) chain.Header {
	x.salt++
	h := chain.Header{
		Chain: x.genesis.Hash, Parent: on.Hash, Height: on.Header.Height + 1, Time: time, Bits: x.NextBits(on),
	}
	binary.BigEndian.PutUint64(h.TxRoot[:], x.salt)
	return h
}

// mine finds a nonce for which the hash meets the target and a condition.
func mine(h chain.Header, ok func(id chain.Hash) bool) chain.Header {
	target, _ := Target(h.Bits)
	for n := uint64(0); ; n++ {
		binary.BigEndian.PutUint64(h.Nonce[:], n)
		if id := h.Hash(); below(id, target) && ok(id) {
			return h
		}
	}
}

func anyHash(chain.Hash) bool { return true }

// add mines and adds a header.
func (x *tree) add(on *Node, time uint64) *Node {
	x.t.Helper()
	return x.addIf(on, time, anyHash)
}

func (x *tree) addIf(on *Node, time uint64, ok func(id chain.Hash) bool) *Node {
	x.t.Helper()
	n, err := x.Add(mine(x.header(on, time), ok), nil, clock+1<<40)
	if err != nil {
		x.t.Fatal(err)
	}
	return n
}

// nearer adds a sibling of n at a smaller distance, or a larger one.
func (x *tree) sibling(n *Node, time uint64, nearer bool) *Node {
	x.t.Helper()
	limit := Distance(n.Hash, n.Header.Parent)
	return x.addIf(n.Parent, time, func(id chain.Hash) bool {
		d := Distance(id, n.Header.Parent)
		return (bytes.Compare(d[:], limit[:]) < 0) == nearer
	})
}

func (x *tree) complete(n *Node, arrival uint64, syncing bool) {
	x.t.Helper()
	if err := x.Complete(n.Hash, arrival, syncing); err != nil {
		x.t.Fatal(err)
	}
}

// chainOf adds blocks on schedule and completes them.
func (x *tree) chainOf(on *Node, time uint64, n int) []*Node {
	var all []*Node
	for range n {
		on = x.add(on, time)
		x.complete(on, time, false)
		all, time = append(all, on), time+x.profile.Spacing
	}
	return all
}

func (x *tree) expect(want *Node, why string) {
	x.t.Helper()
	if got := x.Best(); got != want {
		x.t.Fatalf("%s: best is %d %v, want %d %v", why, got.Header.Height, got.Hash, want.Header.Height, want.Hash)
	}
}

func TestEachRuleOfHeadersIsBrokenAlone(t *testing.T) {
	key := ed25519.NewKeyFromSeed(make([]byte, 32))
	miner := chain.PublicKey(key.Public().(ed25519.PublicKey))
	consortium := Profile{Kind: Consortium, Spacing: 10_000, Miners: []chain.PublicKey{miner}}
	seal := func(h *chain.Header) []byte { m := chain.SealHash(h); return ed25519.Sign(key, m[:]) }
	for name, c := range map[string]struct {
		profile Profile
		change  func(h *chain.Header)
		seal    func(h *chain.Header) []byte
		want    Code
	}{
		"as it is":               {DefaultProfile(), func(*chain.Header) {}, nil, 0},
		"another chain":          {DefaultProfile(), func(h *chain.Header) { h.Chain[0]++ }, nil, CodePlace},
		"another height":         {DefaultProfile(), func(h *chain.Header) { h.Height++ }, nil, CodePlace},
		"easier":                 {DefaultProfile(), func(h *chain.Header) { h.Bits = 0x207fffff }, nil, CodeBits},
		"not a target":           {DefaultProfile(), func(h *chain.Header) { h.Bits = 0 }, nil, CodeBits},
		"a tenth later":          {DefaultProfile(), func(h *chain.Header) { h.Time = clock + 1000 }, nil, 0},
		"too early":              {DefaultProfile(), func(h *chain.Header) { h.Time = clock + 999 }, nil, CodeEarly},
		"before its parent":      {DefaultProfile(), func(h *chain.Header) { h.Time = clock - 1 }, nil, CodeEarly},
		"a seal":                 {DefaultProfile(), func(*chain.Header) {}, seal, CodeSeal},
		"sealed":                 {consortium, func(h *chain.Header) { h.Miner = miner }, seal, 0},
		"not sealed":             {consortium, func(h *chain.Header) { h.Miner = miner }, nil, CodeSeal},
		"of a stranger":          {consortium, func(h *chain.Header) { h.Miner = chain.PublicKey{1} }, seal, CodeMiner},
		"with another's seal":    {consortium, func(h *chain.Header) { h.Miner = miner }, func(h *chain.Header) []byte { o := *h; o.Time++; return seal(&o) }, CodeSeal},
		"with a seal too short":  {consortium, func(h *chain.Header) { h.Miner = miner }, func(h *chain.Header) []byte { return seal(h)[:63] }, CodeSeal},
		"on demand":              {Profile{Kind: Dev, Spacing: 10}, func(h *chain.Header) { h.Time = clock + 1 }, nil, 0},
		"consortium, fixed bits": {consortium, func(h *chain.Header) { h.Miner, h.Bits = miner, 0x1f7fffff }, seal, CodeBits},
	} {
		t.Run(name, func(t *testing.T) {
			x := newTree(t, c.profile)
			base := mine(x.header(x.genesis, clock), anyHash)
			var baseSeal []byte
			if c.profile.Kind == Consortium {
				base.Miner = miner
				base = mine(base, anyHash)
				baseSeal = seal(&base)
			}
			on, err := x.Add(base, baseSeal, clock)
			if err != nil {
				t.Fatal(err)
			}
			h := x.header(on, clock+10_000)
			c.change(&h)
			if _, ok := Target(h.Bits); ok {
				h = mine(h, anyHash)
			}
			var s []byte
			if c.seal != nil {
				s = c.seal(&h)
			}
			_, err = x.Add(h, s, clock)
			var got *HeaderError
			if c.want == 0 {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			if !errors.As(err, &got) || got.Code != c.want {
				t.Fatalf("got %v, want rule %d", err, c.want)
			}
		})
	}
	x := newTree(t, DefaultProfile())
	h := x.header(x.genesis, clock)
	for target, _ := Target(h.Bits); below(h.Hash(), target); {
		h.Nonce[0]++
	}
	var got *HeaderError
	if _, err := x.Add(h, nil, clock); !errors.As(err, &got) || got.Code != CodeWork {
		t.Errorf("without work: %v", err)
	}
}

// TestDocumentListsEveryRule holds the reference against the code; -update writes it.
func TestDocumentListsEveryRule(t *testing.T) {
	const path = "../../docs/header-rules.md"
	var text strings.Builder
	text.WriteString("# Rules of a header\n\nWritten by `go test ./chain/consensus -update`. A header may be held or an orphan besides; neither is a rule.\n\n" +
		"| code | what must hold |\n|---|---|\n")
	for _, c := range Codes() {
		fmt.Fprintf(&text, "| %d | %s |\n", c, c.Rule())
	}
	if *update {
		if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != text.String() {
		t.Errorf("%s is not what the code says", path)
	}
}

func TestHeadersAheadOfTheClockAreHeldNotInvalid(t *testing.T) {
	x := newTree(t, DefaultProfile())
	h := mine(x.header(x.genesis, clock+MaxAhead+1), anyHash)
	if _, err := x.Add(h, nil, clock); !errors.Is(err, ErrHeld) {
		t.Fatalf("one ms too far ahead: %v", err)
	}
	if x.Node(h.Hash()) != nil {
		t.Fatal("a held header is kept")
	}
	if _, err := x.Add(h, nil, clock+1); err != nil {
		t.Fatalf("later: %v", err)
	}
	if _, err := x.Add(h, nil, 0); err != nil {
		t.Fatalf("again: %v", err)
	}
	orphan := h
	orphan.Parent[0]++
	if _, err := x.Add(orphan, nil, clock); !errors.Is(err, ErrOrphan) {
		t.Fatal(err)
	}
}

// TestOldGenesisIsNotLateness: block 1 comes two years after genesis; the schedule starts there.
func TestOldGenesisIsNotLateness(t *testing.T) {
	x := newTree(t, DefaultProfile())
	blocks := x.chainOf(x.genesis, clock, 5)
	for _, n := range blocks {
		if n.Header.Bits != x.profile.Bits {
			t.Fatalf("bits %08x at height %d", n.Header.Bits, n.Header.Height)
		}
	}
}

// TestDayWithoutBlocksPassesFast runs the schedule without work: blocks a tenth of the spacing
// apart, then a day without, then again. The target is the same function of time all along.
func TestDayWithoutBlocksPassesFast(t *testing.T) {
	p := DefaultProfile()
	anchor := &chain.Header{Height: 1, Time: clock}
	hard, _ := Target(p.bits(&chain.Header{Height: 2000, Time: clock + 1999*1000}, anchor))
	limit, _ := Target(p.Bits)
	if ratio := new(big.Int).Div(limit, hard).Int64(); ratio < 50 {
		t.Errorf("2000 blocks at ten times the pace make it %d times harder", ratio)
	}
	idle, _ := Target(p.bits(&chain.Header{Height: 2001, Time: clock + 2000*1000 + 86_400_000}, anchor))
	if idle.Cmp(limit) != 0 {
		t.Errorf("after a day without blocks the target is %x, want the limit", idle)
	}
	behind := uint64(86_400_000 / 10_000)
	caught, _ := Target(p.bits(&chain.Header{Height: 2001 + behind, Time: clock + 2000*1000 + 86_400_000 + behind*1000}, anchor))
	if caught.Cmp(limit) >= 0 {
		t.Error("a chain that has caught up with its schedule is as easy as an idle one")
	}
}

func TestMoreWorkWins(t *testing.T) {
	x := newTree(t, DefaultProfile())
	a := x.chainOf(x.genesis, clock, 2)
	b1 := x.add(x.genesis, clock)
	b2 := x.add(b1, clock+10_000)
	b3 := x.add(b2, clock+20_000)
	x.complete(b3, clock, false)
	x.complete(b2, clock, false)
	x.expect(a[1], "a body without those below it does not count")
	x.complete(b1, clock, false)
	x.expect(b3, "three blocks against two")
	undo, connect := Path(a[1], b3)
	if !slices.Equal(undo, []*Node{a[1], a[0]}) || !slices.Equal(connect, []*Node{b1, b2, b3}) {
		t.Error("the path leads elsewhere")
	}
}

func TestDeeperForksOfEqualWorkGoByTheirFirstBlocks(t *testing.T) {
	for _, nearer := range []bool{true, false} {
		x := newTree(t, DefaultProfile())
		a := x.chainOf(x.genesis, clock, 2)
		b1 := x.sibling(a[0], clock, nearer)
		b2 := x.add(b1, clock+10_000)
		x.complete(b1, clock+100_000_000, false)
		x.complete(b2, clock+100_000_000, false)
		want := a[1]
		if nearer {
			want = b2
		}
		x.expect(want, "the smaller distance of the first divergent blocks")
	}
}

func TestSiblingsMoveTheTipOnlyIfFreshAndNearer(t *testing.T) {
	for name, c := range map[string]struct {
		nearer  bool
		after   uint64 // arrival after the first
		stamp   int64  // arrival after the time in its header
		moves   bool
		syncing bool
		second  bool // and the second too
	}{
		"nearer and fresh":           {true, 300, 1500, true, false, false},
		"nearer and at once":         {true, 0, 0, true, false, false},
		"nearer, stamped ahead":      {true, 300, -1500, true, false, false},
		"farther":                    {false, 0, 0, false, false, false},
		"late":                       {true, 301, 0, false, false, false},
		"withheld, stamped before":   {true, 300, 1501, false, false, false},
		"stamped too far ahead":      {true, 300, -1501, false, false, false},
		"late, in initial sync":      {true, 100_000, 100_000, true, true, true},
		"farther, in initial sync":   {false, 0, 0, false, true, true},
		"late, the first in sync":    {true, 100_000, 100_000, true, true, false},
		"late, itself in sync":       {true, 100_000, 100_000, true, false, true},
		"withheld, far in its past":  {true, 100, 60_000, false, false, false},
		"late by an hour, but exact": {true, 3_600_000, 0, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			x := newTree(t, DefaultProfile())
			base := x.chainOf(x.genesis, clock, 1)[0]
			const seen = clock + 200_000
			first := x.add(base, seen)
			x.complete(first, seen, c.syncing)
			arrival := seen + c.after
			second := x.sibling(first, uint64(int64(arrival)-c.stamp), c.nearer)
			x.complete(second, arrival, c.second)
			want := first
			if c.moves {
				want = second
			}
			x.expect(want, name)
		})
	}
}

// TestWindowStartsAtTheFirstSibling keeps a row of ever nearer siblings from moving the tip for
// longer than the window.
func TestWindowStartsAtTheFirstSibling(t *testing.T) {
	x := newTree(t, DefaultProfile())
	base := x.chainOf(x.genesis, clock, 1)[0]
	const seen = clock + 200_000
	a := x.add(base, seen)
	b := x.sibling(a, seen, true)
	c := x.sibling(b, seen, true)
	x.complete(a, seen, false)
	x.complete(b, seen+200, false)
	x.expect(b, "200 ms after the first")
	x.complete(c, seen+400, false)
	x.expect(b, "400 ms after the first, 200 after the best")
}

// TestWindowMovesOnWhenTheFirstSiblingIsInvalid counts from the first that holds.
func TestWindowMovesOnWhenTheFirstSiblingIsInvalid(t *testing.T) {
	x := newTree(t, DefaultProfile())
	base := x.chainOf(x.genesis, clock, 1)[0]
	const seen = clock + 50_000
	a := x.add(base, seen)
	b := x.sibling(a, seen, false)
	c := x.sibling(b, seen, true)
	x.complete(a, seen, false)
	x.complete(b, seen+400, false)
	x.complete(c, seen+600, false)
	x.expect(a, "the first")
	if err := x.Invalidate(a.Hash); err != nil {
		t.Fatal(err)
	}
	x.expect(c, "200 ms after the first that holds")
}

func TestBodiesThatWaitedCountInTheOrderTheyCame(t *testing.T) {
	x := newTree(t, DefaultProfile())
	base := x.add(x.genesis, clock)
	late := x.add(base, clock+10_000)
	first := x.sibling(late, clock+10_000, false)
	x.complete(late, clock+10_400, false)
	x.complete(first, clock+10_000, false)
	x.complete(base, clock+20_000, false)
	x.expect(first, "the nearer sibling came 400 ms after it")
}

func TestInvalidBlocksAreLeftWithAllAboveThem(t *testing.T) {
	x := newTree(t, DefaultProfile())
	a := x.chainOf(x.genesis, clock, 4)
	b := x.chainOf(a[0], clock+10_000, 2)
	x.expect(a[3], "four blocks against three")
	if err := x.Invalidate(a[2].Hash); err != nil {
		t.Fatal(err)
	}
	x.expect(b[1], "three blocks against two")
	if _, err := x.Add(mine(x.header(a[3], clock+90_000), anyHash), nil, clock+90_000); !errors.Is(err, ErrInvalidParent) {
		t.Error(err)
	}
	if err := x.Invalidate(b[0].Hash); err != nil {
		t.Fatal(err)
	}
	x.expect(a[1], "two blocks are left")
	if err := x.Invalidate(x.genesis.Hash); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
	if err := x.Invalidate(a[0].Hash); err != nil {
		t.Fatal(err)
	}
	x.expect(x.genesis, "nothing is left")
}

// TestChoiceInSyncDependsOnTheTreeAlone completes random trees in random orders. The dumb choice
// is the most work, then the first path in order of distance at every fork.
func TestChoiceInSyncDependsOnTheTreeAlone(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 3))
		x := newTree(t, Profile{Kind: Dev, Spacing: 10})
		all := []*Node{x.genesis}
		for range 25 {
			on := all[len(all)-1-r.IntN(min(len(all), 5))]
			all = append(all, x.add(on, on.Header.Time+10+r.Uint64N(5)))
		}
		want := dumbBest(x.genesis)
		for range 5 {
			fresh := &Index{profile: x.profile, genesis: x.genesis, nodes: x.nodes, linked: []*Node{x.genesis}, best: x.genesis}
			for _, n := range all {
				n.first = nil
				if n != x.genesis {
					n.complete, n.linked = false, false
				}
			}
			for _, i := range r.Perm(len(all)) {
				if err := fresh.Complete(all[i].Hash, r.Uint64(), true); err != nil {
					t.Fatal(err)
				}
			}
			if fresh.Best() != want {
				t.Fatalf("seed %d: the order shows", seed)
			}
		}
	}
}

func dumbBest(n *Node) *Node {
	best := n
	children := slices.Clone(n.children)
	slices.SortFunc(children, func(a, b *Node) int {
		x, y := Distance(a.Hash, n.Hash), Distance(b.Hash, n.Hash)
		return bytes.Compare(x[:], y[:])
	})
	for _, c := range children {
		if b := dumbBest(c); b.Work.Cmp(best.Work) > 0 {
			best = b
		}
	}
	return best
}

func TestProfilesOutOfRangeAreRefused(t *testing.T) {
	for name, change := range map[string]func(p *Profile){
		"bits":                       func(p *Profile) { p.Bits = 0 },
		"spacing":                    func(p *Profile) { p.Spacing = 9 },
		"half-life":                  func(p *Profile) { p.HalfLife = 0 },
		"kind":                       func(p *Profile) { p.Kind = 3 },
		"consortium of nobody":       func(p *Profile) { p.Kind = Consortium },
		"miners of a public network": func(p *Profile) { p.Miners = make([]chain.PublicKey, 1) },
	} {
		p := DefaultProfile()
		change(&p)
		if _, err := NewIndex(p, chain.Header{Bits: p.Bits}); err == nil {
			t.Errorf("%s out of range is accepted", name)
		}
	}
	if _, err := NewIndex(DefaultProfile(), chain.Header{Bits: 1}); err == nil {
		t.Error("genesis with another target is accepted")
	}
}
