package layer

import (
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/weisyn/wes/prover/graph"
)

func pullSlice(op *graph.Slice, t Term, in, out []int) []Term {
	return []Term{t.mapAxis(out, op.Axis, in[op.Axis], func(dst, src []fr.Element) {
		for i := range src {
			at := op.Start + i*op.Step
			dst[at].Add(&dst[at], &src[i])
		}
	})}
}

func pullPad(op *graph.Pad, t Term, in, out []int) []Term {
	return []Term{t.mapAxis(out, op.Axis, in[op.Axis], func(dst, src []fr.Element) {
		copy(dst, src[op.Before:])
	})}
}

func pullSelect(op *graph.Select, t Term, in, out []int) []Term {
	return []Term{t.mapAxis(out, op.Axis, in[op.Axis], func(dst, src []fr.Element) {
		for i, at := range op.Index {
			dst[at].Add(&dst[at], &src[i])
		}
	})}
}

func pullBroadcast(op *graph.Broadcast, t Term, out []int) []Term {
	return []Term{t.mapAxis(out, op.Axis, 1, func(dst, src []fr.Element) {
		v := fr.Vector(src)
		dst[0] = v.Sum()
	})}
}

func pullSumWindow(op *graph.SumWindow, t Term, in, out []int) []Term {
	w := op.Window
	return []Term{t.mapAxis(out, w.Axis, in[w.Axis], func(dst, src []fr.Element) {
		for k := range w.Kernel {
			addTap(dst, src, w, k)
		}
	})}
}

// addTap adds the weights of output positions to the input positions that tap k reads:
// dst[h] += Σ_{p: tap(p,k)=h} src[p].
func addTap(dst, src []fr.Element, w graph.Window, k int) {
	for p := range src {
		if h := w.Tap(p, k); h >= 0 && h < len(dst) {
			dst[h].Add(&dst[h], &src[p])
		}
	}
}

func pullConcat(op *graph.Concat, t Term, in [][]int, out []int) []Term {
	terms := make([]Term, len(in))
	at := 0
	for i, shape := range in {
		n := shape[op.Axis]
		start := at
		terms[i] = t.mapAxis(out, op.Axis, n, func(dst, src []fr.Element) {
			copy(dst, src[start:start+n])
		})
		at += n
	}
	return terms
}
