package consensus

import (
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/weisyn/wes/chain"
)

// distance is the definition: hash XOR parent hash, as an integer.
func distance(b *block) *big.Int {
	var x chain.Hash
	for i := range x {
		x[i] = b.hash[i] ^ b.parent.hash[i]
	}
	return new(big.Int).SetBytes(x[:])
}

// nearAndFar returns two children of parent, the one with the smaller distance first.
func (s *sketch) nearAndFar(parent *block) (near, far *block) {
	near, far = s.child(parent, 5), s.child(parent, 5)
	if distance(near).Cmp(distance(far)) > 0 {
		near, far = far, near
	}
	return near, far
}

func TestRule1MoreWorkWins(t *testing.T) {
	s := newSketch(1)
	a, b := s.child(s.best, 5), s.child(s.best, 5)
	light, heavy := s.child(a, 5), s.child(b, 6)
	if !better(heavy, light) || better(light, heavy) {
		t.Error("less work wins")
	}
}

func TestRule2FirstBlockAfterADeepForkDecides(t *testing.T) {
	for seed := range uint64(20) {
		s := newSketch(seed)
		near, far := s.nearAndFar(s.child(s.best, 1))
		a, b := s.child(s.child(far, 5), 5), s.child(s.child(near, 5), 5)
		// Arrivals mean nothing here.
		a.contends, a.order, b.order = true, 1, 2
		if better(a, b) || !better(b, a) {
			t.Fatalf("seed %d: the larger distance wins", seed)
		}
	}
}

func TestEqualDistanceIsDecidedByHash(t *testing.T) {
	// Distances of siblings are equal only if their hashes are, so the hash decides nothing
	// between different blocks; the comparison still has to be a total order.
	var from, a, b chain.Hash
	a[31], b[31] = 1, 2
	if compareDistance(a, b, from) >= 0 || compareDistance(b, a, from) <= 0 || compareDistance(a, a, from) != 0 {
		t.Error("not an order")
	}
}

func TestRule3(t *testing.T) {
	cfg := testConfig().withDefaults()
	const at = 10_000 // time of the siblings' headers
	for name, c := range map[string]struct {
		first, second  uint64 // arrivals, of the far and of the near sibling
		nearFirst      bool
		initial        bool
		secondTime     uint64 // of the second sibling's header, if not at
		wantSecondWins bool
	}{
		"fresh near sibling moves the tip":              {first: at + 100, second: at + 400, wantSecondWins: true},
		"late near sibling does not":                    {first: at + 100, second: at + 401},
		"stale-stamped near sibling does not":           {first: at + 1300, second: at + 1501},
		"nor one from the future":                       {first: at + 100, second: at + 200, secondTime: at + 1701},
		"fresh far sibling does not":                    {first: at + 100, second: at + 150, nearFirst: true},
		"just fresh":                                    {first: at + 1300, second: at + 1500, wantSecondWins: true},
		"just not too early":                            {first: at + 100, second: at + 200, secondTime: at + 1700, wantSecondWins: true},
		"in initial sync a late near sibling wins":      {first: at + 10_000_000, second: at + 90_000_000, initial: true, wantSecondWins: true},
		"in initial sync a far sibling does not":        {first: at + 10_000_000, second: at + 90_000_000, initial: true, nearFirst: true},
		"a stale first one stays all the same":          {first: at + 9_000, second: at + 9_100},
		"a clock that is set back between them matters": {first: at + 5_000, second: at + 100},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSketch(3)
			second, first := s.nearAndFar(s.best)
			if c.nearFirst {
				first, second = second, first
			}
			if c.secondTime != 0 {
				second.time = c.secondTime
			}
			s.complete(first, c.first, c.initial, &cfg)
			s.complete(second, c.second, c.initial, &cfg)
			if (s.best == second) != c.wantSecondWins {
				t.Errorf("second wins: %v", s.best == second)
			}
		})
	}
}

// TestRule3MeasuresFromTheFirst has three siblings, each within the window of the one before.
func TestRule3MeasuresFromTheFirst(t *testing.T) {
	cfg := testConfig().withDefaults()
	s := newSketch(5)
	three := []*block{s.child(s.best, 5), s.child(s.best, 5), s.child(s.best, 5)}
	slices.SortFunc(three, func(a, b *block) int { return distance(b).Cmp(distance(a)) })
	for i, b := range three { // from far to near
		s.complete(b, 10_000+uint64(i)*250, false, &cfg)
	}
	if s.best != three[1] {
		t.Error("a chain of siblings passes the window on")
	}
}

func TestRule3AnInvalidFirstMakesRoom(t *testing.T) {
	cfg := testConfig().withDefaults()
	s := newSketch(5)
	near, far := s.nearAndFar(s.best)
	s.complete(far, 10_000, false, &cfg)
	s.complete(near, 99_000, false, &cfg)
	if s.best != far {
		t.Fatal("late sibling won")
	}
	s.condemn(far)
	if s.best != near {
		t.Error("an invalid block holds the tip")
	}
}

// TestRule3KeepsTheFirstArrival: a block of which something turns out to be missing has come
// when it first seemed complete.
func TestRule3KeepsTheFirstArrival(t *testing.T) {
	cfg := testConfig().withDefaults()
	s := newSketch(5)
	near, far := s.nearAndFar(s.best)
	s.complete(far, 10_000, false, &cfg)
	s.complete(near, 10_100, false, &cfg)
	s.lose(near)
	if s.best != far {
		t.Fatal("stands on a block that is not complete")
	}
	s.complete(near, 90_000, false, &cfg)
	if s.best != near {
		t.Error("its arrival is that of the last piece")
	}
}

// TestRule3AmongTheLateTheFirstStays: once the first is known to be invalid, the order of the
// others decides.
func TestRule3AmongTheLateTheFirstStays(t *testing.T) {
	cfg := testConfig().withDefaults()
	s := newSketch(5)
	near, far := s.nearAndFar(s.best)
	invalid := s.child(s.all[0], 5)
	s.complete(invalid, 10_000, false, &cfg)
	s.complete(far, 20_000, false, &cfg)
	s.complete(near, 20_001, false, &cfg)
	s.condemn(invalid)
	if s.best != far {
		t.Error("the second of two late ones wins")
	}
}

// TestRule3MeasuresFromTheFirstValid: a sibling known to be invalid is not the first.
func TestRule3MeasuresFromTheFirstValid(t *testing.T) {
	cfg := testConfig().withDefaults()
	s := newSketch(5)
	near, far := s.nearAndFar(s.best)
	invalid := s.child(s.all[0], 5)
	s.complete(invalid, 1_000, false, &cfg)
	s.condemn(invalid)
	s.complete(far, 10_000, false, &cfg)
	s.complete(near, 10_200, false, &cfg)
	if s.best != near {
		t.Error("a fresh sibling with the smaller distance does not win")
	}
}

// TestForkChoiceIsAnOrder draws trees with little work a block, so that ties are many, and
// random arrivals: the winner must not depend on how it is looked for.
func TestForkChoiceIsAnOrder(t *testing.T) {
	cfg := testConfig().withDefaults()
	rapid.Check(t, func(t *rapid.T) {
		s := newSketch(rapid.Uint64().Draw(t, "seed"))
		for range rapid.IntRange(2, 25).Draw(t, "blocks") {
			parent := s.all[s.src.IntN(len(s.all))]
			work := uint64(1) // siblings have equal work
			if len(parent.children) > 0 {
				work = parent.children[0].work.sub(parent.work)[0]
			} else if s.src.IntN(3) == 0 {
				work = 2
			}
			s.child(parent, work)
		}
		now := uint64(10_000)
		for _, i := range s.src.Perm(len(s.all)) {
			now += s.src.Uint64N(400)
			s.complete(s.all[i], now, false, &cfg)
		}
		for _, a := range s.all {
			for _, b := range s.all {
				if a != b && better(a, b) == better(b, a) {
					t.Fatal("two blocks without an order")
				}
				for _, c := range s.all {
					if better(a, b) && better(b, c) && !better(a, c) {
						t.Fatal("not transitive")
					}
				}
			}
		}
	})
}

// winner is the fork choice as its text reads: from the genesis block up, at every fork among
// branches with the most work.
func winner(genesis *block, arrived []*block, at map[*block]uint64) *block {
	var most Work
	for _, b := range arrived {
		if b.work.Cmp(most) > 0 {
			most = b.work
		}
	}
	var heavy func(b *block) bool // leads to the most work
	heavy = func(b *block) bool { return b.work == most || slices.ContainsFunc(b.children, heavy) }
	for b := genesis; ; {
		var branches []*block
		for _, c := range b.children {
			if heavy(c) {
				branches = append(branches, c)
			}
		}
		switch {
		case len(branches) == 0:
			return b
		case branches[0].work == most:
			return ofSiblings(branches, arrived, at)
		}
		b = slices.MinFunc(branches, func(x, y *block) int { return distance(x).Cmp(distance(y)) })
	}
}

// ofSiblings is rule 3: the nearest of the first and of those that came soon after it, fresh.
func ofSiblings(all, arrived []*block, at map[*block]uint64) *block {
	first := all[0]
	for _, b := range arrived {
		if slices.Contains(all, b) {
			first = b
			break
		}
	}
	best := first
	for _, b := range all {
		late, stale := int64(at[b])-int64(at[first]), int64(at[b])-int64(b.time)
		timely := late <= 300 && late >= -300 && stale <= 1500 && stale >= -1500
		if timely && distance(b).Cmp(distance(best)) < 0 {
			best = b
		}
	}
	return best
}

func TestForkChoiceEqualsItsText(t *testing.T) {
	cfg := testConfig().withDefaults()
	rapid.Check(t, func(t *rapid.T) {
		s := newSketch(rapid.Uint64().Draw(t, "seed"))
		for range rapid.IntRange(1, 25).Draw(t, "blocks") {
			b := s.child(s.all[max(0, len(s.all)-1-s.src.IntN(6))], 1)
			b.time = 10_000 + s.src.Uint64N(3_000)
		}
		at, now := map[*block]uint64{}, uint64(10_000)
		order := s.src.Perm(len(s.all) - 1)
		var arrived []*block
		for _, i := range order {
			b := s.all[i+1]
			now += s.src.Uint64N(250)
			at[b], arrived = now, append(arrived, b)
			s.complete(b, now, false, &cfg)
		}
		if want := winner(s.all[0], arrived, at); s.best != want {
			t.Fatalf("stands at height %d, the text says %d", s.best.height, want.height)
		}
	})
}

// TestSameTreeEndsOnOneTipAfterOneMoreBlock delivers one tree to nodes in different orders and
// at different times. They may stand on different siblings, but one more block on any winner
// takes all of them there.
func TestSameTreeEndsOnOneTipAfterOneMoreBlock(t *testing.T) {
	cfg := testConfig().withDefaults()
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		grow := func() *sketch {
			s := newSketch(seed)
			for range 20 {
				s.child(s.all[max(0, len(s.all)-1-s.src.IntN(4))], 1)
			}
			return s
		}
		var nodes []*sketch
		for n := range uint64(5) {
			s := grow()
			order, now := newSource(seed+n+1), uint64(10_000)
			for _, i := range order.Perm(len(s.all)) {
				now += order.Uint64N(500)
				s.complete(s.all[i], now, false, &cfg)
			}
			nodes = append(nodes, s)
		}
		parent := nodes[0].best.hash
		var tip chain.Hash
		for _, s := range nodes {
			s.src = newSource(seed + 99)
			b := s.child(s.blocks[parent], 1)
			s.complete(b, 1_000_000, false, &cfg)
			if tip == (chain.Hash{}) {
				tip = s.best.hash
			}
			if s.best.hash != tip {
				t.Fatal("two tips after one more block")
			}
		}
	})
}
