package poly

import (
	"runtime"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// A product is worked on in tiles of tileLanes sums by chunkTerms terms. Within
// a task, all tiles of a chunk come before the next chunk, so that memory is
// read in pieces of maxTiles·tileLanes neighbours.
const (
	tileLanes  = 16
	chunkTerms = 64
	maxTiles   = 8
)

// taskTerms is the least number of terms that is worth a goroutine.
const taskTerms = 1 << 15

// product is a set of sums Σ_i weights[i]·data[i·step + k·lane], one per lane k.
// Either step or lane is 1. Entries beyond the end of data are 0.
type product struct {
	weights    []fr.Element
	data       []int32
	step, lane int
	// vector allows the assembly kernels.
	vector bool
}

// addTo adds sum k to dst[k] for all lanes k < len(dst), on all cores if that
// pays.
func (p product) addTo(dst []fr.Element) {
	lanes, terms := len(dst), len(p.weights)
	if p.lane > 0 {
		lanes = min(lanes, (len(p.data)+p.lane-1)/p.lane)
	}
	if p.step > 0 {
		terms = min(terms, (len(p.data)+p.step-1)/p.step)
	}
	if lanes == 0 || terms == 0 {
		return
	}
	tasks := min(4*runtime.GOMAXPROCS(0), 1+lanes*terms/taskTerms)
	tiles := (lanes + tileLanes - 1) / tileLanes
	groupTiles := min(maxTiles, (tiles+tasks-1)/tasks)
	group := groupTiles * tileLanes
	groups := (tiles + groupTiles - 1) / groupTiles
	segments := min((tasks+groups-1)/groups, (terms+chunkTerms-1)/chunkTerms)
	segment := (terms + segments - 1) / segments

	var mu sync.Mutex
	parallel(groups*segments, 1, func(start, end int) {
		for t := start; t < end; t++ {
			g, s := t%groups*group, t/groups*segment
			var sums [maxTiles * tileLanes]wide
			out := dst[g:min(g+group, lanes)]
			p.sum(sums[:len(out)], g, s, min(s+segment, terms))
			mu.Lock()
			for k := range out {
				e := sums[k].element()
				out[k].Add(&out[k], &e)
			}
			mu.Unlock()
		}
	})
}

// sum adds the terms [start, end) of the lanes from first on to sums.
func (p *product) sum(sums []wide, first, start, end int) {
	var w worker
	for i := start; i < end; i += chunkTerms {
		w.chunk(p.weights[i:min(i+chunkTerms, end)], p.vector)
		for k := 0; k < len(sums); k += tileLanes {
			tile := sums[k:min(k+tileLanes, len(sums))]
			v := w.view(p, i, first+k, len(tile))
			if !p.vector || !w.addVector(tile, k/tileLanes, v) {
				w.addScalar(tile, v)
			}
		}
	}
	for k := 0; k < len(sums); k += tileLanes {
		w.drain(sums[k:min(k+tileLanes, len(sums))], k/tileLanes)
	}
}

// view is a tile of one chunk: entry i of lane k is at data[i·step + k·lane].
// Reading lanes up to the width of a kernel (see worker.addVector) stays within
// data.
type view struct {
	data       []int32
	step, lane int
}

// worker is the state of one task.
type worker struct {
	weights []fr.Element
	digits  [chunkTerms]digits
	// acc holds what addVector has not yet moved to the sums, room what may
	// still be added to the accumulators of a tile, see addVector.
	acc  [maxTiles]accumulators
	used [maxTiles]uint64
	pack [tileLanes * chunkTerms]int32
}

func (w *worker) chunk(weights []fr.Element, vector bool) {
	w.weights = weights
	if vector {
		for i := range weights {
			w.digits[i] = balance(&weights[i])
		}
	}
}

// view returns the tile of lanes [first, first+lanes) and the current chunk,
// which starts at term start: in place if it is whole, else as a packed copy with
// zeros for what is missing.
func (w *worker) view(p *product, start, first, lanes int) view {
	terms := len(w.weights)
	if p.lane == 1 {
		if lanes == tileLanes && (start+terms-1)*p.step+first+tileLanes <= len(p.data) {
			return view{data: p.data[start*p.step+first:], step: p.step, lane: 1}
		}
		for i := range terms {
			copyZero(w.pack[i*tileLanes:(i+1)*tileLanes], p.data, (start+i)*p.step+first, lanes)
		}
		return view{data: w.pack[:terms*tileLanes], step: tileLanes, lane: 1}
	}
	for k := range lanes {
		copyZero(w.pack[k*chunkTerms:(k+1)*chunkTerms], p.data, (first+k)*p.lane+start, terms)
	}
	clear(w.pack[lanes*chunkTerms : kernelLanes(lanes)*chunkTerms])
	return view{data: w.pack[:kernelLanes(lanes)*chunkTerms], step: 1, lane: chunkTerms}
}

// copyZero sets dst to src[at:at+n], with zeros where src has ended and beyond n.
func copyZero(dst, src []int32, at, n int) {
	c := 0
	if at < len(src) {
		c = copy(dst[:n], src[at:])
	}
	clear(dst[c:])
}

// kernelLanes is the width of the narrowest vector kernel for that many lanes.
func kernelLanes(lanes int) int {
	switch {
	case lanes <= 4:
		return 4
	case lanes <= 8:
		return 8
	}
	return tileLanes
}
