package consensus

import (
	"bytes"

	"github.com/weisyn/wes/chain"
)

// The choice between two blocks, in this order:
//
//  1. More cumulative work wins.
//  2. Between forks deeper than one block, of equal work, the first divergent blocks are
//     compared: the smaller XOR distance from their common parent wins, then the smaller hash.
//  3. Between two children of one block, the one chosen stays, unless the other has the smaller
//     distance, came within 300 ms of the first child to come, and came within 1.5 s of the time
//     in its header. In initial sync, when arrivals say nothing, rule 2 decides.
//
// Rule 2 alone would make it pay to mine on the tip's parent until the distance is small, and
// to withhold blocks whose distance is.

// Windows of rule 3, in ms.
const (
	siblingWindow = 300
	stampWindow   = 1_500
)

// preferred reports whether a block that has just been linked is chosen over the best.
func preferred(n, best *Node) bool {
	if c := n.Work.Cmp(best.Work); c != 0 {
		return c > 0
	}
	a, b := divergence(n, best)
	if a == nil || b == nil {
		return false
	}
	if a == n && !n.syncing && !best.syncing { // of equal work, so the other is alone too
		return closer(a, b) && timely(a)
	}
	return closer(a, b)
}

// divergence returns the lowest blocks below a and b that differ; nil where one is below the
// other.
func divergence(a, b *Node) (below, other *Node) {
	for a != b {
		switch {
		case a.Header.Height > b.Header.Height:
			a, below = a.Parent, a
		case b.Header.Height > a.Header.Height:
			b, other = b.Parent, b
		default:
			a, b, below, other = a.Parent, b.Parent, a, b
		}
	}
	return below, other
}

// closer reports whether a is closer to its parent than b to its own. With one parent, equal
// distances are equal hashes.
func closer(a, b *Node) bool {
	x, y := Distance(a.Hash, a.Header.Parent), Distance(b.Hash, b.Header.Parent)
	if c := bytes.Compare(x[:], y[:]); c != 0 {
		return c < 0
	}
	return bytes.Compare(a.Hash[:], b.Hash[:]) < 0
}

// Distance returns the XOR of two hashes, to be read as a big-endian number.
func Distance(a, b chain.Hash) (d chain.Hash) {
	for i := range d {
		d[i] = a[i] ^ b[i]
	}
	return d
}

// timely reports whether a block came soon after its first sibling and at the time it says.
func timely(n *Node) bool {
	return apart(n.arrival, n.Parent.first.arrival) <= siblingWindow && apart(n.arrival, n.Header.Time) <= stampWindow
}

func apart(a, b uint64) uint64 { return max(a, b) - min(a, b) }
