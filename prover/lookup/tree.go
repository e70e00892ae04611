package lookup

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/weisyn/wes/prover/vec"
)

// pairs is one layer of nodes, the even ones (p0/q0) apart from the odd ones
// (p1/q1) so that kernels run on contiguous memory. All slices have
// the length that stored gives; nodes missing there are 0/1.
// p0 and p1 are nil where every numerator is one.
type pairs struct {
	nodes          int
	p0, p1, q0, q1 fr.Vector
}

// wholeVars bounds the variables of a small layer's pairs.
const wholeVars = 10

// tree holds the layers of a side: layers[k] are the nodes of layer k+1, which
// step k sums over.
type tree struct {
	layers []pairs
	root   Root
}

// arena hands out pieces of memory that is no longer needed for its first
// purpose, and new memory once that is used up.
type arena struct{ free fr.Vector }

func (a *arena) take(n int) fr.Vector {
	if n > len(a.free) {
		return make(fr.Vector, n)
	}
	v := a.free[:n:n]
	a.free = a.free[n:]
	return v
}

// stored is the number of pairs to store of nodes over vars+1 variables: small
// layers are stored whole, which is less work than to treat the rest apart.
func stored(nodes, vars int) int {
	if vars <= wholeVars {
		return 1 << vars
	}
	return (nodes + 1) / 2
}

func (a *arena) pairs(nodes, vars int) pairs {
	n := stored(nodes, vars)
	return pairs{nodes: nodes, p0: a.take(n), p1: a.take(n), q0: a.take(n), q1: a.take(n)}
}

// unitTree builds all layers of u, which takes 96 bytes per leaf.
func unitTree(w *workers, u Units) tree {
	leaves := newLeaves(u.Len, u.Vars, false)
	return newTree(w, leaves, u.Vars, nil, func(l *pairs, from, to int) {
		u.Read(l.q0[from:to], l.q1[from:min(to, u.Len/2)], from)
	})
}

// sideTree builds all layers of s. The leaves and the layer above them get new
// memory; the other layers fit into s.Den.
func sideTree(w *workers, s Side) tree {
	leaves := newLeaves(len(s.Den), s.Vars, true)
	return newTree(w, leaves, s.Vars, s.Den, func(l *pairs, from, to int) {
		end := min(2*to, l.nodes)
		deal(l.q0[from:to], l.q1[from:to], s.Den[2*from:end])
		deal(l.p0[from:to], l.p1[from:to], s.Num[2*from:end])
	})
}

// newTree builds the layers over leaves, which load fills range by range. The
// memory is free once that is done.
func newTree(w *workers, leaves pairs, vars int, memory fr.Vector, load func(l *pairs, from, to int)) tree {
	t := tree{layers: make([]pairs, vars)}
	t.layers[vars-1] = leaves
	var free arena
	for k := vars - 1; k > 0; k-- {
		t.layers[k-1] = free.pairs((t.layers[k].nodes+1)/2, k-1)
		sumPairs(w, &t.layers[k-1], &t.layers[k], load)
		if load != nil {
			free.free, load = memory, nil
		}
	}
	root := new(arena).pairs(1, 0)
	sumPairs(w, &root, &t.layers[0], load)
	t.root = Root{Num: root.p0[0], Den: root.q0[0]}
	return t
}

// newLeaves returns a leaf layer, still empty but for the padding.
func newLeaves(nodes, vars int, numerators bool) pairs {
	n := stored(nodes, vars-1)
	l := pairs{nodes: nodes, q0: make(fr.Vector, n), q1: make(fr.Vector, n)}
	if numerators {
		l.p0, l.p1 = make(fr.Vector, n), make(fr.Vector, n)
	}
	l.pad()
	return l
}

// deal copies the elements of src to even and odd in turn.
func deal(even, odd, src fr.Vector) {
	for i := 0; i+1 < len(src); i += 2 {
		even[i/2], odd[i/2] = src[i], src[i+1]
	}
	if len(src)%2 == 1 {
		even[len(src)/2] = src[len(src)-1]
	}
}

// pad sets the nodes that are missing in the slices to 0/1.
func (l *pairs) pad() {
	one := fr.One()
	odd, even := l.q1[l.nodes/2:], l.q0[(l.nodes+1)/2:]
	fill(odd, len(odd), &one)
	fill(even, len(even), &one)
	if l.p0 != nil {
		clear(l.p1[l.nodes/2:])
		clear(l.p0[(l.nodes+1)/2:])
	}
}

// sumPairs fills the parents of the nodes in children. load, unless nil, is
// called first on every range of pairs.
func sumPairs(w *workers, parents, children *pairs, load func(l *pairs, from, to int)) {
	n := (children.nodes + 1) / 2
	w.each((n+block-1)/block, func(s *scratch, b int) {
		from, to := b*block, min((b+1)*block, n)
		if load != nil {
			load(children, from, to)
		}
		num, den := s.x[:to-from], s.y[:to-from]
		c := children.slice(from, to)
		c.add(num, den)
		h := (to + 1) / 2
		deal(parents.p0[from/2:h], parents.p1[from/2:h], num)
		deal(parents.q0[from/2:h], parents.q1[from/2:h], den)
	})
	parents.pad()
}

func (l *pairs) slice(from, to int) pairs {
	c := pairs{nodes: min(2*to, l.nodes) - 2*from, q0: l.q0[from:to], q1: l.q1[from:to]}
	if l.p0 != nil {
		c.p0, c.p1 = l.p0[from:to], l.p1[from:to]
	}
	return c
}

// add writes the sums of the pairs to num and den, which have the length of l.
func (l *pairs) add(num, den fr.Vector) {
	vec.Mul(den, l.q0, l.q1)
	if l.p0 != nil {
		vec.Cross(num, l.p0, l.q1, l.p1, l.q0)
		return
	}
	num.Add(l.q0, l.q1)
	if l.nodes%2 == 1 {
		num[len(num)-1].SetOne()
	}
}
