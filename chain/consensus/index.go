package consensus

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"

	"github.com/weisyn/wes/chain"
)

// Node is a header in the index. Its fields are not changed once it is there.
type Node struct {
	Header chain.Header
	Hash   chain.Hash
	Parent *Node    // nil for genesis
	Work   *big.Int // of this block and all below it

	anchor   *Node // at height 1, below or at this node; nil for genesis
	children []*Node
	invalid  bool   // or above an invalid block
	complete bool   // the body has come
	linked   bool   // and those of all blocks below
	arrival  uint64 // of the body, ms since 1970
	syncing  bool   // it came in initial sync
	first    *Node  // of the children, the first that was linked
}

// Index is the tree of headers above a genesis block, and the choice among them. It is not
// safe for concurrent use.
type Index struct {
	profile Profile
	genesis *Node
	nodes   map[chain.Hash]*Node
	linked  []*Node // in order of arrival, genesis first
	best    *Node
}

// NewIndex starts a tree. It returns an error for a profile out of range, or a genesis header
// that has another target.
func NewIndex(p Profile, genesis chain.Header) (*Index, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	if genesis.Height != 0 || genesis.Bits != p.Bits {
		return nil, fmt.Errorf("genesis of height %d and bits %08x, want 0 and %08x", genesis.Height, genesis.Bits, p.Bits)
	}
	n := &Node{Header: genesis, Hash: genesis.Hash(), Work: new(big.Int), complete: true, linked: true, syncing: true}
	return &Index{
		profile: p, genesis: n, nodes: map[chain.Hash]*Node{n.Hash: n}, linked: []*Node{n}, best: n,
	}, nil
}

// Node returns the header with a hash, or nil.
func (x *Index) Node(h chain.Hash) *Node { return x.nodes[h] }

// Best returns the block that the ledger should stand at, and that is to be mined on.
func (x *Index) Best() *Node { return x.best }

// NextBits returns the compact target of a block on n.
func (x *Index) NextBits(n *Node) uint32 { return x.profile.bits(&n.Header, n.anchorHeader()) }

func (n *Node) anchorHeader() *chain.Header {
	if n.anchor == nil {
		return &n.Header
	}
	return &n.anchor.Header
}

// Add judges a header and keeps it; one that is there already is returned. The clock is the
// local time in ms since 1970. Errors are a *HeaderError, ErrOrphan, ErrHeld or ErrInvalidParent.
func (x *Index) Add(h chain.Header, seal []byte, clock uint64) (*Node, error) {
	id := h.Hash()
	if n := x.nodes[id]; n != nil {
		return n, nil
	}
	parent := x.nodes[h.Parent]
	switch {
	case parent == nil:
		return nil, ErrOrphan
	case parent.invalid:
		return nil, ErrInvalidParent
	}
	if err := x.profile.check(&h, seal, id, &parent.Header, parent.anchorHeader(), x.genesis.Hash); err != nil {
		return nil, err
	}
	if h.Time > clock && h.Time-clock > MaxAhead {
		return nil, ErrHeld
	}
	n := &Node{Header: h, Hash: id, Parent: parent, Work: new(big.Int).Add(parent.Work, work(&h)), anchor: parent.anchor}
	if h.Height == 1 {
		n.anchor = n
	}
	x.nodes[id], parent.children = n, append(parent.children, n)
	return n, nil
}

// Complete notes that the body of a block is whole, with its attachments, and chooses anew.
// Arrival is when it became so, in ms since 1970; syncing is whether the node was in its
// initial sync. A body counts once those of all blocks below it have come.
func (x *Index) Complete(h chain.Hash, arrival uint64, syncing bool) error {
	n := x.nodes[h]
	if n == nil {
		return ErrUnknown
	}
	if n.complete {
		return nil
	}
	n.complete, n.arrival, n.syncing = true, arrival, syncing
	if n.Parent.linked {
		x.link(n)
	}
	return nil
}

// link adds a block and those above it that were waiting to the choice, lowest first.
func (x *Index) link(n *Node) {
	for queue := []*Node{n}; len(queue) > 0; queue = queue[1:] {
		n := queue[0]
		n.linked = true
		x.linked = append(x.linked, n)
		x.offer(n)
		queue = append(queue, n.waiting()...)
	}
}

// waiting returns the children whose bodies have come, in the order in which they did.
func (n *Node) waiting() []*Node {
	var all []*Node
	for _, c := range n.children {
		if c.complete {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b *Node) int { return cmp.Compare(a.arrival, b.arrival) })
	return all
}

// offer lets a linked block compete with the best.
func (x *Index) offer(n *Node) {
	if n.invalid {
		return
	}
	if n.Parent != nil && n.Parent.first == nil {
		n.Parent.first = n
	}
	if preferred(n, x.best) {
		x.best = n
	}
}

// Invalidate marks a block and all above it as invalid, and chooses anew among the others.
// Genesis can't be.
func (x *Index) Invalidate(h chain.Hash) error {
	n := x.nodes[h]
	if n == nil || n == x.genesis {
		return ErrUnknown
	}
	for queue := []*Node{n}; len(queue) > 0; queue = queue[1:] {
		queue[0].invalid = true
		queue = append(queue, queue[0].children...)
	}
	for _, n := range x.linked {
		n.first = nil
	}
	x.best = x.genesis
	for _, n := range x.linked[1:] {
		x.offer(n)
	}
	return nil
}

// Path returns the blocks to undo, highest first, and those to connect, lowest first, on the
// way from one block to another.
func Path(from, to *Node) (undo, connect []*Node) {
	for a, b := from, to; a != b; {
		if a.Header.Height >= b.Header.Height {
			undo, a = append(undo, a), a.Parent
			continue
		}
		connect, b = append(connect, b), b.Parent
	}
	for i, k := 0, len(connect)-1; i < k; i, k = i+1, k-1 {
		connect[i], connect[k] = connect[k], connect[i]
	}
	return undo, connect
}
