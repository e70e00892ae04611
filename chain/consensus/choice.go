package consensus

import (
	"bytes"

	"github.com/weisyn/wes/chain"
)

// The fork choice is one total order, for the tip and for what miners build on. It depends on
// the two branches and on three facts that are fixed when a body is first complete (arrival,
// order, contends), not on the order in which branches are compared:
//
//  1. More work wins.
//  2. Of forks deeper than one block with equal work, the one whose first block after the fork
//     has the smaller XOR distance to the fork, then the smaller hash, wins.
//  3. Of single-block siblings the first one that was complete stays, unless another contends
//     and has the smaller distance. It contends if it was complete soon after the first and if
//     its time is about the time of its arrival.
//
// Siblings have equal bits, so equal work. Where branches of equal work part, either all of
// them end there, and rule 3 decides, or none does, and rule 2 decides. Without rule 3 a miner
// that withholds blocks with small distances, or mines the tip once more, earns more than its
// share.

// better reports whether the branch that ends in a wins over that which ends in b.
func better(a, b *block) bool {
	if a == b {
		return false
	}
	if c := a.work.Cmp(b.work); c != 0 {
		return c > 0
	}
	c := fork(a, b)
	a1, b1 := a.ancestor(c.height+1), b.ancestor(c.height+1)
	if a1 == a && b1 == b {
		return overSibling(a, b)
	}
	return closer(a1, b1)
}

// overSibling is rule 3.
func overSibling(a, b *block) bool {
	switch {
	case a.contends != b.contends:
		return a.contends
	case !a.contends:
		return a.order < b.order
	}
	return closer(a, b)
}

// closer compares siblings by distance to their parent, then by hash.
func closer(a, b *block) bool {
	if c := compareDistance(a.hash, b.hash, a.parent.hash); c != 0 {
		return c < 0
	}
	return lessHash(a.hash, b.hash)
}

// compareDistance compares a XOR from with b XOR from, as big-endian integers.
func compareDistance(a, b, from chain.Hash) int {
	for i := range from {
		if x, y := a[i]^from[i], b[i]^from[i]; x != y {
			if x < y {
				return -1
			}
			return 1
		}
	}
	return 0
}

func lessHash(a, b chain.Hash) bool { return bytes.Compare(a[:], b[:]) < 0 }

// contends reports whether a block that has just come complete may win by its distance: it is
// the first of its siblings, or close to the first in time and fresh.
func contends(b *block, cfg *Config) bool {
	var first *block
	for _, s := range b.parent.children {
		if s != b && s.order != 0 && !s.invalid && (first == nil || s.order < first.order) {
			first = s
		}
	}
	return first == nil ||
		apart(b.arrival, first.arrival) <= cfg.SiblingWindow && apart(b.arrival, b.time) <= cfg.FreshWindow
}

func apart(a, b uint64) uint64 { return max(a, b) - min(a, b) }
