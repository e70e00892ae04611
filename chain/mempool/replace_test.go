package mempool

import (
	"testing"

	"github.com/weisyn/wes/chain/chaintest"
)

func TestReplacementPaysMoreInFeeAndRate(t *testing.T) {
	for name, c := range map[string]struct {
		fee     uint64
		outputs int // of the replacement; the original has 2
		want    bool
	}{
		"the same":                   {fee: 5_000, outputs: 3},
		"more, but not for its size": {fee: 5_500, outputs: 2},
		"more":                       {fee: 7_000, outputs: 2, want: true},
		"more at a lower rate":       {fee: 9_000, outputs: 20},
		"smaller, higher rate only":  {fee: 4_900, outputs: 1},
	} {
		w := newWorld(t, Config{}, 1)
		old := w.spend(5000, 2, w.coins[0]).Sign()
		w.accept(old)
		s := w.spend(c.fee, c.outputs, w.coins[0]).Sign()
		if !c.want {
			want := ErrReplacement
			if s.ID() == old.ID() {
				want = ErrKnown
			}
			w.refuse(s, want)
			continue
		}
		r := w.accept(s)
		if len(r.Replaced) != 1 || r.Replaced[0] != old.ID() || w.has(old) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// TestDescendantsDoNotPin: somebody hangs large cheap transactions on one that another party
// wants to replace.
func TestDescendantsDoNotPin(t *testing.T) {
	w := newWorld(t, Config{}, 1)
	old := w.spend(5000, 10, w.coins[0]).Sign()
	w.accept(old)
	var junk []chaintest.Signed
	for i := range 10 {
		s := w.attach(w.spend(60_000, 1, old.Out(i)), 40_000).Sign() // much in all, little for its weight
		w.accept(s)
		junk = append(junk, s)
	}
	r := w.accept(w.spend(12_000, 2, w.coins[0]).Sign())
	if len(r.Replaced) != 11 || w.has(junk[0]) {
		t.Errorf("%d replaced", len(r.Replaced))
	}
}

// TestDescendantsThatPayWellCount: what is lost pays a higher rate together.
func TestDescendantsThatPayWellCount(t *testing.T) {
	w := newWorld(t, Config{}, 1)
	old := w.spend(5000, 1, w.coins[0]).Sign()
	child := w.spend(100_000, 1, old.Out(0)).Sign()
	w.accept(old)
	w.accept(child)
	w.refuse(w.spend(12_000, 1, w.coins[0]).Sign(), ErrReplacement)
	w.accept(w.spend(110_000, 1, w.coins[0]).Sign())
}

// TestCheapDescendantsDoNotCheapen: what they hang on keeps its own fee rate.
func TestCheapDescendantsDoNotCheapen(t *testing.T) {
	w := newWorld(t, Config{}, 1)
	old := w.spend(50_000, 2, w.coins[0]).Sign()
	w.accept(old)
	w.accept(w.attach(w.spend(60_000, 1, old.Out(0)), 50_000).Sign())
	w.refuse(w.spend(70_000, 20, w.coins[0]).Sign(), ErrReplacement)
	w.accept(w.spend(70_000, 2, w.coins[0]).Sign())
}

func TestReplacementCountsWithItsAncestors(t *testing.T) {
	w := newWorld(t, Config{}, 2)
	old := w.spend(50_000, 1, w.coins[0]).Sign()
	w.accept(old)
	weak := w.spend(20_000, 60, w.coins[1]).Sign()
	w.accept(weak)
	w.refuse(w.spend(150_000, 1, w.coins[0], weak.Out(0)).Sign(), ErrReplacement)
}

func TestReplacementDoesNotBuildOnWhatItReplaces(t *testing.T) {
	w := newWorld(t, Config{}, 1)
	old := w.spend(5000, 1, w.coins[0]).Sign()
	w.accept(old)
	w.refuse(w.spend(500_000, 1, w.coins[0], old.Out(0)).Sign(), ErrReplacement)
}

func TestReplacementEvictsFew(t *testing.T) {
	w := newWorld(t, Config{MaxReplaced: 3}, 1)
	old := w.spend(5000, 3, w.coins[0]).Sign()
	w.accept(old)
	for i := range 3 {
		w.accept(w.spend(2000, 1, old.Out(i)).Sign())
	}
	w.refuse(w.spend(500_000, 1, w.coins[0]).Sign(), ErrReplacement)
}

func TestReferenceToAReplacedOutputGoes(t *testing.T) {
	w := newWorld(t, Config{}, 2)
	old := w.spend(5000, 1, w.coins[0]).Sign()
	w.accept(old)
	reader := w.spend(5000, 1, w.coins[1]).Refer(old.Out(0)).Sign()
	w.accept(reader)
	if r := w.accept(w.spend(12_000, 1, w.coins[0]).Sign()); len(r.Replaced) != 2 || w.has(reader) {
		t.Errorf("%+v", r)
	}
}

func TestChainsAreBounded(t *testing.T) {
	w := newWorld(t, Config{MaxChain: 4}, 1)
	tip := w.coins[0]
	for range 4 {
		s := w.spend(5000, 1, tip).Sign()
		w.accept(s)
		tip = s.Out(0)
	}
	w.refuse(w.spend(5000, 1, tip).Sign(), ErrChain)
	w.refuse(w.spend(500_000, 1, tip).Sign(), ErrChain)
}

// TestCrowdOfChildrenMakesRoomForOneThatPaysMore: the other party cannot be kept from adding
// a child by filling up the limit.
func TestCrowdOfChildrenMakesRoomForOneThatPaysMore(t *testing.T) {
	w := newWorld(t, Config{MaxChain: 4}, 1)
	parent := w.spend(5000, 5, w.coins[0]).Sign()
	w.accept(parent)
	var children []chaintest.Signed
	for i, fee := range []uint64{4000, 3000, 5000} {
		s := w.spend(fee, 1, parent.Out(i)).Sign()
		w.accept(s)
		children = append(children, s)
	}
	w.refuse(w.spend(3_100, 1, parent.Out(3)).Sign(), ErrChain)
	r := w.accept(w.spend(9000, 1, parent.Out(3)).Sign())
	if len(r.Replaced) != 1 || r.Replaced[0] != children[1].ID() {
		t.Errorf("%v is replaced", r.Replaced)
	}
}

// TestRoomIsNotMadeByParents: the worst leaf is what the new one builds on.
func TestRoomIsNotMadeByParents(t *testing.T) {
	w := newWorld(t, Config{MaxChain: 4}, 1)
	top := w.spend(5000, 5, w.coins[0]).Sign()
	parent, other, more := w.spend(2000, 1, top.Out(0)).Sign(), w.spend(4000, 1, top.Out(1)).Sign(), w.spend(5000, 1, top.Out(2)).Sign()
	for _, s := range []chaintest.Signed{top, parent, other, more} {
		w.accept(s)
	}
	if w.accept(w.spend(9000, 1, parent.Out(0)).Sign()); !w.has(parent) || w.has(other) {
		t.Error("the wrong one went")
	}
}

// TestRoomIsMadeByLeavesOnly: the worst child has a child of its own, and stays.
func TestRoomIsMadeByLeavesOnly(t *testing.T) {
	w := newWorld(t, Config{MaxChain: 4}, 1)
	parent := w.spend(5000, 5, w.coins[0]).Sign()
	worst := w.spend(2000, 1, parent.Out(0)).Sign()
	grandchild := w.spend(8000, 1, worst.Out(0)).Sign()
	leaf := w.spend(4000, 1, parent.Out(1)).Sign()
	for _, s := range []chaintest.Signed{parent, worst, grandchild, leaf} {
		w.accept(s)
	}
	w.refuse(w.spend(12_000, 30, parent.Out(2)).Sign(), ErrChain) // more, at a lower rate
	w.accept(w.spend(7_000, 1, parent.Out(2)).Sign())
	if !w.has(worst) || !w.has(grandchild) || w.has(leaf) {
		t.Error("the wrong one went")
	}
}
