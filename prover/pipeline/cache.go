package pipeline

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/weisyn/wes/prover"
	"github.com/weisyn/wes/prover/graph"
	"github.com/weisyn/wes/prover/verify"
)

// DefaultCacheSize bounds a cache, in bytes.
const DefaultCacheSize = 2 << 30

// Cache keeps prepared programs in a folder. Its files are trusted as the program itself
// is: the checksum tells accidents, not attackers. Several processes may share it. A nil
// Cache keeps nothing.
type Cache struct {
	Dir  string // made when first needed
	Size int64  // bytes, of all entries together; 0: DefaultCacheSize
}

const (
	cacheMagic  = "WESC\x01"
	cacheSuffix = ".prepared"
)

// errEntry marks a cache file that is not whole.
var errEntry = errors.New("damaged cache entry")

func (c *Cache) path(key [32]byte) string {
	return filepath.Join(c.Dir, hex.EncodeToString(key[:])+cacheSuffix)
}

// load reads an entry; it returns nil when there is none, and removes one that is damaged.
func (c *Cache) load(key [32]byte) *Program {
	if c == nil {
		return nil
	}
	path := c.path(key)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	p, err := decodeEntry(data)
	if err != nil {
		os.Remove(path)
		return nil
	}
	now := time.Now()
	os.Chtimes(path, now, now)
	return p
}

// store writes an entry and then removes the ones unused for longest, until the cache fits.
func (c *Cache) store(key [32]byte, p *prover.Prepared) error {
	if c == nil {
		return nil
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	if err := WriteFile(c.path(key), encodeEntry(p)); err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	return c.evict()
}

func (c *Cache) evict() error {
	limit := c.Size
	if limit == 0 {
		limit = DefaultCacheSize
	}
	files, err := os.ReadDir(c.Dir)
	if err != nil {
		return fmt.Errorf("cache: %w", err)
	}
	var entries []os.FileInfo
	for _, f := range files {
		// One that vanished meanwhile was evicted by another process.
		if info, err := f.Info(); err == nil && info.Mode().IsRegular() && filepath.Ext(f.Name()) == cacheSuffix {
			entries = append(entries, info)
		}
	}
	slices.SortFunc(entries, func(a, b os.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	var total int64
	for _, e := range entries {
		if total += e.Size(); total > limit {
			os.Remove(filepath.Join(c.Dir, e.Name()))
		}
	}
	return nil
}

// encodeEntry is a cache file:
//
//	"WESC" 1 | SHA-256 of what follows | length u64 | model file |
//	number of weights u32 | each: bytes per cell u8 (2 or 4), cells u64, cells
//
// Integers are little-endian.
func encodeEntry(p *prover.Prepared) []byte {
	body := encodeBody(p)
	sum := sha256.Sum256(body)
	return slices.Concat([]byte(cacheMagic), sum[:], body)
}

func encodeBody(p *prover.Prepared) []byte {
	return appendWeights(appendModel(nil, p.Model), p.Weights)
}

func appendModel(b []byte, m *verify.Model) []byte {
	raw := m.Encode()
	return append(binary.LittleEndian.AppendUint64(b, uint64(len(raw))), raw...)
}

func appendWeights(b []byte, all graph.Weights) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(all)))
	for _, w := range all {
		b = appendCells(b, w)
	}
	return b
}

func appendCells(b []byte, cells []int32) []byte {
	wide := len(cells) > 0 && (slices.Min(cells) < math.MinInt16 || slices.Max(cells) > math.MaxInt16)
	size := byte(2)
	if wide {
		size = 4
	}
	b = binary.LittleEndian.AppendUint64(append(b, size), uint64(len(cells)))
	for _, v := range cells {
		if wide {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		} else {
			b = binary.LittleEndian.AppendUint16(b, uint16(v))
		}
	}
	return b
}

func decodeEntry(data []byte) (*Program, error) {
	head := len(cacheMagic) + sha256.Size
	if len(data) < head || string(data[:len(cacheMagic)]) != cacheMagic ||
		sha256.Sum256(data[head:]) != [32]byte(data[len(cacheMagic):head]) {
		return nil, fmt.Errorf("%w: checksum", errEntry)
	}
	return decodeBody(data[head:])
}

// readBody reads a model and its weights, and nothing after them.
func readBody(data []byte) (*verify.Model, graph.Weights, error) {
	body := entryReader{data}
	encoded, err := body.take(body.uint64())
	if err != nil {
		return nil, nil, err
	}
	m, err := verify.DecodeModel(encoded)
	if err != nil {
		return nil, nil, err
	}
	weights, err := body.weights()
	if err != nil {
		return nil, nil, err
	}
	if len(body.data) > 0 {
		return nil, nil, fmt.Errorf("%w: %d bytes after the end", errEntry, len(body.data))
	}
	return m, weights, nil
}

func decodeBody(data []byte) (*Program, error) {
	m, weights, err := readBody(data)
	if err != nil {
		return nil, err
	}
	prepared, err := prover.Resume(m, weights)
	if err != nil {
		return nil, err
	}
	p := &Program{Prepared: prepared, Cached: true}
	if err := json.Unmarshal(m.Report, &p.Summary); err != nil {
		return nil, fmt.Errorf("%w: %v", errEntry, err)
	}
	return p, nil
}

// entryReader takes an entry apart.
type entryReader struct{ data []byte }

func (r *entryReader) take(n uint64) ([]byte, error) {
	if n > uint64(len(r.data)) {
		return nil, fmt.Errorf("%w: %d bytes missing", errEntry, n-uint64(len(r.data)))
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b, nil
}

// uint64 reads eight bytes; of fewer it makes a length that no take can serve.
func (r *entryReader) uint64() uint64 {
	b, err := r.take(8)
	if err != nil {
		return math.MaxUint64
	}
	return binary.LittleEndian.Uint64(b)
}

func (r *entryReader) weights() (graph.Weights, error) {
	b, err := r.take(4)
	if err != nil {
		return nil, err
	}
	w := make(graph.Weights, 0, min(binary.LittleEndian.Uint32(b), graph.MaxNodes))
	for range cap(w) {
		cells, err := r.cells()
		if err != nil {
			return nil, err
		}
		w = append(w, cells)
	}
	return w, nil
}

func (r *entryReader) cells() ([]int32, error) {
	width, err := r.take(1)
	if err != nil {
		return nil, err
	}
	n := r.uint64()
	if n > graph.MaxElements {
		return nil, fmt.Errorf("%w: %d cells", errEntry, n)
	}
	b, err := r.take(n * uint64(width[0]))
	if err != nil {
		return nil, err
	}
	cells := make([]int32, n)
	for i := range cells {
		switch width[0] {
		case 2:
			cells[i] = int32(int16(binary.LittleEndian.Uint16(b[2*i:])))
		case 4:
			cells[i] = int32(binary.LittleEndian.Uint32(b[4*i:]))
		default:
			return nil, fmt.Errorf("%w: cells of %d bytes", errEntry, width[0])
		}
	}
	return cells, nil
}
