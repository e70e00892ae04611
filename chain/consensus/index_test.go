package consensus

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/weisyn/wes/chain"
)

// sketch builds an index without headers: blocks with drawn parents and given work each.
type sketch struct {
	*index
	all []*block
	src source
}

func newSketch(seed uint64) *sketch {
	s := &sketch{src: newSource(seed)}
	s.index = newIndex(link{hash: s.src.hash()})
	s.all = []*block{s.best}
	return s
}

func (s *sketch) child(parent *block, work uint64) *block {
	l := link{hash: s.src.hash(), height: parent.height + 1, time: parent.time + 10_000}
	l.work = parent.work.add(Work{work})
	b := s.add(parent, l)
	s.all = append(s.all, b)
	return b
}

// dumbAncestor walks parent by parent.
func dumbAncestor(b *block, height uint64) *block {
	for b.height > height {
		b = b.parent
	}
	return b
}

func dumbFork(a, b *block) *block {
	seen := map[*block]bool{}
	for ; a != nil; a = a.parent {
		seen[a] = true
	}
	for !seen[b] {
		b = b.parent
	}
	return b
}

func TestAncestorsAndForksEqualAWalkByParents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSketch(rapid.Uint64().Draw(t, "seed"))
		for range rapid.IntRange(1, 300).Draw(t, "blocks") {
			parent := s.all[len(s.all)-1]
			if s.src.IntN(10) == 0 {
				parent = s.all[s.src.IntN(len(s.all))]
			}
			s.child(parent, 1)
		}
		for range 50 {
			a, b := s.all[s.src.IntN(len(s.all))], s.all[s.src.IntN(len(s.all))]
			h := s.src.Uint64N(a.height + 1)
			if a.ancestor(h) != dumbAncestor(a, h) {
				t.Fatalf("ancestor %d of %d", h, a.height)
			}
			f := dumbFork(a, b)
			if fork(a, b) != f || a.on(b) != (f == a) {
				t.Fatalf("fork of %d and %d", a.height, b.height)
			}
		}
	})
}

func TestAncestorTakesFewSteps(t *testing.T) {
	s := newSketch(1)
	b := s.best
	for range 100_000 {
		b = s.child(b, 1)
	}
	for _, h := range []uint64{0, 1, 2, 49_999, 65_536, 99_998} {
		steps := 0
		for at := b; at.height > h; steps++ {
			sk, before := skipHeight(at.height), skipHeight(at.height-1)
			if sk == h || sk > h && (before+2 >= sk || before < h) {
				at = at.skip
			} else {
				at = at.parent
			}
		}
		if steps > 110 {
			t.Errorf("%d steps from 100000 to %d", steps, h)
		}
	}
}

// TestIndexKeepsItsInvariants completes, loses and condemns blocks at random and compares
// readiness, header and best with definitions.
func TestIndexKeepsItsInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSketch(rapid.Uint64().Draw(t, "seed"))
		cfg := testConfig().withDefaults()
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			b := s.all[s.src.IntN(len(s.all))]
			switch n := s.src.IntN(20); {
			case n < 10:
				s.child(b, 1+uint64(b.hash[0]&1)) // siblings have equal work
			case n < 18:
				s.complete(b, b.time+s.src.Uint64N(3000), s.src.IntN(2) == 0, &cfg)
			case n < 19 && b.parent != nil && b.received:
				s.lose(b)
			case n == 19:
				s.condemn(b)
			}
			checkIndex(t, s)
		}
	})
}

func checkIndex(t *rapid.T, s *sketch) {
	var header, best *block
	for _, b := range s.all {
		ready, invalid := true, false
		for a := b; a.parent != nil; a = a.parent {
			ready = ready && a.received
			invalid = invalid || a.invalid
		}
		if b.invalid != invalid || b.ready != (ready && !invalid) {
			t.Fatalf("block at height %d: ready %v, invalid %v", b.height, b.ready, b.invalid)
		}
		if !invalid && (header == nil || b.work.Cmp(header.work) > 0) {
			header = b
		}
		if b.ready && (best == nil || better(b, best)) {
			best = b
		}
	}
	if s.header.work != header.work || s.header.invalid {
		t.Fatal("header is not of the most work")
	}
	if s.best != best {
		t.Fatal("best is not the winner of the fork choice")
	}
}

func TestSkipPointersLeadUp(t *testing.T) {
	for h := uint64(1); h < 10_000; h++ {
		if skipHeight(h) >= h {
			t.Fatalf("from %d to %d", h, skipHeight(h))
		}
	}
}

func TestLocatorEndsInTheGenesisBlockAndThinsOut(t *testing.T) {
	s := newSketch(1)
	b := s.best
	for range 10_000 {
		b = s.child(b, 1)
	}
	all := locator(b)
	if all[0] != b.hash || all[len(all)-1] != s.all[0].hash || len(all) > 30 {
		t.Errorf("%d entries", len(all))
	}
	if got := locator(s.all[0]); len(got) != 1 || got[0] != (chain.Hash)(s.all[0].hash) {
		t.Errorf("of the genesis block: %v", got)
	}
}
