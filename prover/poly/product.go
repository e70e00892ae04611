package poly

import (
	"runtime"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// A product is worked on in tiles of tileLanes sums by up to chunkTerms terms.
// Within a task, all tiles of a chunk come before the next chunk.
//
// With neighbouring lanes (VecMat), memory is read in pieces of up to maxTiles
// tiles, one piece per term; only nearTerms terms are taken at once, as many as
// the prefetchers of a core follow. With neighbouring terms (MatVec) it is read
// in tileLanes streams per tile, and more than farTiles tiles are too many.
const (
	tileLanes  = 16
	chunkTerms = 64
	nearTerms  = 32
	maxTiles   = 16
	farTiles   = 2
)

// taskTerms is the least number of terms that is worth a goroutine.
const taskTerms = 1 << 17

// product is a set of sums Σ_i weights[i]·data[i·step + k·lane], one per lane k.
// Either step or lane is 1. Entries beyond the end of data are 0.
type product struct {
	weights    []fr.Element
	data       []int32
	step, lane int
	kernels    kernels
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
	if p.lane != 1 {
		groupTiles = min(groupTiles, farTiles)
	}
	group := groupTiles * tileLanes
	groups := (tiles + groupTiles - 1) / groupTiles
	segments := min((tasks+groups-1)/groups, (terms+chunkTerms-1)/chunkTerms)
	segment := (terms + segments - 1) / segments

	var mu sync.Mutex
	Parallel(groups*segments, 1, func(start, end int) {
		for t := start; t < end; t++ {
			g, s := t%groups*group, t/groups*segment
			var sums [maxTiles * tileLanes]wide
			out := dst[g:min(g+group, lanes)]
			p.sum(sums[:len(out)], g, s, min(s+segment, terms))
			var parts [maxTiles * tileLanes]fr.Element
			for k := range out {
				parts[k] = sums[k].element()
			}
			mu.Lock()
			for k := range out {
				out[k].Add(&out[k], &parts[k])
			}
			mu.Unlock()
		}
	})
}

// sum adds the terms [start, end) of the lanes from first on to sums.
func (p *product) sum(sums []wide, first, start, end int) {
	w := worker{kernels: p.kernels}
	step := chunkTerms
	if p.lane == 1 {
		step = nearTerms
	}
	for i := start; i < end; i += step {
		w.chunk(p.weights[i:min(i+step, end)])
		for k := 0; k < len(sums); k += tileLanes {
			tile := sums[k:min(k+tileLanes, len(sums))]
			or := w.load(p, i, first+k, len(tile))
			if w.kernels == scalar || !w.addVector(tile, k/tileLanes, or) {
				w.addScalar(tile)
			}
		}
	}
	for k := 0; k < len(sums); k += tileLanes {
		w.drain(sums[k:min(k+tileLanes, len(sums))], k/tileLanes)
	}
}

// worker is the state of one task.
type worker struct {
	kernels kernels
	weights []fr.Element
	digits  [chunkTerms]digits
	// acc holds what addVector has not yet moved to the sums; used is the part of
	// accumulatorRoom that is taken.
	acc  [maxTiles]accumulators
	used [maxTiles]uint64
	// tile is the current tile: entry i of lane k is at tile[i·step + k·lane].
	tile       [tileLanes * chunkTerms]int32
	step, lane int
}

// chunk starts a chunk of terms.
func (w *worker) chunk(weights []fr.Element) {
	w.weights = weights
	if w.kernels != scalar {
		for i := range weights {
			w.digits[i] = balance(&weights[i])
		}
	}
}

// load copies the tile of lanes [first, first+lanes) and the terms from start on
// of the current chunk, with zeros for what is missing. With vector kernels it
// returns the magnitude of the entries.
func (w *worker) load(p *product, start, first, lanes int) uint32 {
	terms := len(w.weights)
	rows, width := terms, lanes
	w.step, w.lane = tileLanes, 1
	if p.lane != 1 {
		rows, width = lanes, terms
		w.step, w.lane = 1, chunkTerms
	}
	at := start*p.step + first*p.lane
	// One of the distances in p is 1, and so is the one in w.
	stride, pitch := max(p.step, p.lane), max(w.step, w.lane)
	if w.kernels != scalar && p.lane == 1 && lanes == tileLanes && at+(rows-1)*stride+tileLanes <= len(p.data) {
		return w.kernels.gather(&w.tile[0], &p.data[at], rows, stride)
	}
	for i := range rows {
		copyZero(w.tile[i*pitch:(i+1)*pitch], p.data, at+i*stride, width)
	}
	if w.kernels == scalar {
		return 0
	}
	if p.lane != 1 {
		rows = w.kernels.lanes(lanes)
		clear(w.tile[lanes*pitch : rows*pitch])
	}
	return w.kernels.magnitude(&w.tile[0], rows*pitch/tileLanes)
}

// copyZero sets dst to src[at:at+n], with zeros where src has ended and beyond n.
func copyZero(dst, src []int32, at, n int) {
	c := 0
	if at < len(src) {
		c = copy(dst[:n], src[at:])
	}
	clear(dst[c:])
}
