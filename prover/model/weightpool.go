package model

import (
	"encoding/binary"
	"hash/maphash"
	"slices"

	"github.com/weisyn/wes/prover/graph"
)

// weightPool holds integer weights by their hash, equal ones once: the steps of a recurrent network
// have the same.
type weightPool struct {
	seed   maphash.Seed
	byHash map[uint64][][]int32
}

func newWeightPool() weightPool { return weightPool{maphash.MakeSeed(), map[uint64][][]int32{}} }

// intern returns the weights of the pool that equal w, which it may add.
func (p *weightPool) intern(w []int32) []int32 {
	var h maphash.Hash
	h.SetSeed(p.seed)
	var raw [1 << 10]byte
	for part := range slices.Chunk(w, len(raw)/4) {
		for i, v := range part {
			binary.LittleEndian.PutUint32(raw[4*i:], uint32(v))
		}
		h.Write(raw[:4*len(part)])
	}
	sum := h.Sum64()
	for _, have := range p.byHash[sum] {
		if slices.Equal(have, w) {
			return have
		}
	}
	p.byHash[sum] = append(p.byHash[sum], w)
	return w
}

// numbering numbers weights in the order in which they are first read.
type numbering struct {
	weights graph.Weights
	readers map[*int32][]*graph.Conv // of the pool's weights, in different shapes
}

func newNumbering() numbering { return numbering{readers: map[*int32][]*graph.Conv{}} }

// number gives a convolution with weights of the pool their number.
func (n *numbering) number(c *graph.Conv, w []int32) {
	for _, first := range n.readers[&w[0]] {
		if c.FitsWeightsOf(first) {
			c.Weight = first.Weight
			return
		}
	}
	c.Weight = len(n.weights)
	n.weights = append(n.weights, w)
	n.readers[&w[0]] = append(n.readers[&w[0]], c)
}
