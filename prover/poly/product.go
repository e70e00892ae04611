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
	dst, p.weights = dst[:lanes], p.weights[:terms]
	tasks := min(4*runtime.GOMAXPROCS(0), 1+lanes*terms/taskTerms)
	if tasks == 1 && lanes <= p.maxGroup() {
		p.addPart(dst, nil, 0, 0, terms)
	} else {
		p.addTasks(dst, tasks)
	}
}

// maxGroup is the largest number of lanes of a task.
func (p *product) maxGroup() int {
	if p.lane != 1 {
		return farTiles * tileLanes
	}
	return maxTiles * tileLanes
}

// addTasks is addTo in about so many tasks.
func (p product) addTasks(dst []fr.Element, tasks int) {
	lanes, terms := len(dst), len(p.weights)
	tiles := (lanes + tileLanes - 1) / tileLanes
	group := min(p.maxGroup(), (tiles+tasks-1)/tasks*tileLanes)
	groups := (lanes + group - 1) / group
	segments := min((tasks+groups-1)/groups, (terms+chunkTerms-1)/chunkTerms)
	segment := (terms + segments - 1) / segments

	var mu *sync.Mutex
	if segments > 1 {
		mu = new(sync.Mutex)
	}
	Parallel(groups*segments, 1, func(start, end int) {
		for t := start; t < end; t++ {
			g, s := t%groups*group, t/groups*segment
			p.addPart(dst[g:min(g+group, lanes)], mu, g, s, min(s+segment, terms))
		}
	})
}

// addPart adds the terms [start, end) of the lanes from first on to dst, which mu
// guards unless it is nil.
func (p *product) addPart(dst []fr.Element, mu *sync.Mutex, first, start, end int) {
	if len(dst) > farTiles*tileLanes {
		var tiles [maxTiles]sums
		p.sum(tiles[:], len(dst), first, start, end)
		addTiles(dst, tiles[:], mu)
		return
	}
	// To clear maxTiles tiles would take longer than a small product.
	var tiles [farTiles]sums
	p.sum(tiles[:], len(dst), first, start, end)
	addTiles(dst, tiles[:], mu)
}

// addTiles adds the sums of tiles to dst.
func addTiles(dst []fr.Element, tiles []sums, mu *sync.Mutex) {
	for t := 0; len(dst) > 0; t++ {
		n := min(tileLanes, len(dst))
		var parts [tileLanes]fr.Element
		for k := range n {
			tiles[t].wide[k].reduce(&parts[k])
		}
		if mu != nil {
			mu.Lock()
		}
		for k := range n {
			dst[k].Add(&dst[k], &parts[k])
		}
		if mu != nil {
			mu.Unlock()
		}
		dst = dst[n:]
	}
}

// sum adds the terms [start, end) of the lanes from first on to tiles.
func (p *product) sum(tiles []sums, lanes, first, start, end int) {
	w := worker{kernels: p.kernels}
	step := chunkTerms
	if p.lane == 1 {
		step = nearTerms
	}
	for i := start; i < end; i += step {
		w.chunk(p.weights[i:min(i+step, end)])
		for k := 0; k < lanes; k += tileLanes {
			n := min(tileLanes, lanes-k)
			or := w.load(p, i, first+k, n)
			if w.kernels == scalar || !w.addVector(&tiles[k/tileLanes], n, or) {
				w.addScalar(&tiles[k/tileLanes], n)
			}
		}
	}
	for k := 0; k < lanes; k += tileLanes {
		tiles[k/tileLanes].drain(min(tileLanes, lanes-k))
	}
}

// sums are the sums of a tile.
type sums struct {
	wide [tileLanes]wide
	// acc holds what addVector has not yet moved to wide; used is the part of
	// accumulatorRoom that is taken.
	acc  accumulators
	used uint64
}

// worker is the state of one task.
type worker struct {
	kernels kernels
	weights []fr.Element
	digits  [chunkTerms]digits
	// tile is the current tile: entry i of lane k is at tile[i·step + k·lane].
	tile       [tileLanes * chunkTerms]int32
	step, lane int
}

// chunk starts a chunk of terms.
func (w *worker) chunk(weights []fr.Element) {
	w.weights = weights
	if w.kernels != scalar {
		balance(w.digits[:], weights)
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
	whole, or := 0, uint32(0)
	if w.kernels != scalar {
		whole, or = w.gather(p.data, at, rows, width, stride)
	}
	if whole == rows {
		return or
	}
	for i := whole; i < rows; i++ {
		copyZero(w.tile[i*pitch:(i+1)*pitch], p.data, at+i*stride, width)
	}
	if w.kernels != scalar {
		or |= w.kernels.magnitude(&w.tile[whole*pitch], (rows-whole)*pitch/tileLanes)
	}
	return or
}

// gather copies the first rows of a tile, as many as lie in data when their width
// is rounded up to a multiple of 16, and returns their number and the magnitude of
// all that was copied. The excess is of neighbouring lanes or terms and never used.
func (w *worker) gather(data []int32, at, rows, width, stride int) (whole int, or uint32) {
	pieces := (width + tileLanes - 1) / tileLanes
	whole = max(0, min(rows, (len(data)-at-pieces*tileLanes+stride)/stride))
	if w.lane == 1 && whole > 0 {
		return whole, w.kernels.gather(&w.tile[0], &data[at], whole, stride)
	}
	for i := range whole {
		or |= w.kernels.gather(&w.tile[i*w.lane], &data[at+i*stride], pieces, tileLanes)
	}
	return whole, or
}

// copyZero sets dst to src[at:at+n], with zeros where src has ended and beyond n.
func copyZero(dst, src []int32, at, n int) {
	c := 0
	if at < len(src) {
		c = copy(dst[:n], src[at:])
	}
	clear(dst[c:])
}
