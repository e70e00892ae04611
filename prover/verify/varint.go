package verify

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"sync"

	"github.com/weisyn/wes/prover/poly"
)

// Cells of outputs are minimal zigzag varints: seven bits a byte, lowest first, the top bit
// set in all bytes but the last, which is not zero unless it is the only one. Every byte
// whose top bit is clear ends a cell, so that spans of bytes can be counted and decoded
// apart.
const (
	// cellSpan is the number of bytes of a span.
	cellSpan = 1 << 16
	// maxVarint is the longest encoding of 64 bits.
	maxVarint = binary.MaxVarintLen64
	// tops are the top bits of eight bytes.
	tops = 0x8080808080808080
)

// span is a part of the encoded cells: those that end in it are at least from first.
type span struct{ start, first int }

func appendCells(b []byte, cells []int64) []byte {
	for _, v := range cells {
		b = binary.AppendVarint(b, v)
	}
	return b
}

// varints reads n cells. The error names the first that is not minimal.
func (r *reader) varints(n int) []int64 {
	if r.err == nil && n > len(r.data) {
		r.err = fmt.Errorf("%w: %d output cells, %d bytes left", r.mark, n, len(r.data))
	}
	if r.err != nil {
		return nil
	}
	spans, end, found := splitCells(r.data, n)
	cells := make([]int64, n)
	bad := found // the cells that do not end are refused
	var mu sync.Mutex
	poly.Parallel(len(spans), 1, func(from, to int) {
		for i := from; i < to; i++ {
			last := found
			if i+1 < len(spans) {
				last = spans[i+1].first
			}
			at := spans[i].first
			if k := decodeCells(cells[at:last], r.data[spans[i].start:end]); at+k < last {
				mu.Lock()
				bad = min(bad, at+k)
				mu.Unlock()
			}
		}
	})
	if bad < n {
		r.err = fmt.Errorf("%w: output cell %d is no minimal integer", r.mark, bad)
		return nil
	}
	r.data = r.data[end:]
	return cells
}

// splitCells finds where n cells end, and where in each span the first cell starts that ends
// there. found is less than n if the data end before.
func splitCells(data []byte, n int) (spans []span, end, found int) {
	if n == 0 {
		return nil, 0, 0
	}
	for at := 0; at < len(data); at += cellSpan {
		spans = append(spans, span{start: cellStart(data, at), first: found})
		part := data[at:min(at+cellSpan, len(data))]
		count := countEnds(part)
		if found+count >= n {
			return spans, at + endOf(part, n-found), n
		}
		found += count
	}
	return spans, len(data), found
}

// cellStart is the start of the cell that byte at belongs to. It looks no further back than
// the longest cell reaches.
func cellStart(data []byte, at int) int {
	for start := at; start > 0 && at-start < maxVarint; start-- {
		if data[start-1] < 0x80 {
			return start
		}
	}
	return max(at-maxVarint, 0)
}

// countEnds is the number of bytes that end a cell.
func countEnds(b []byte) (n int) {
	for ; len(b) >= 8; b = b[8:] {
		n += bits.OnesCount64(^binary.LittleEndian.Uint64(b) & tops)
	}
	for _, v := range b {
		n += int(^v >> 7)
	}
	return n
}

// endOf is the number of bytes of the first n cells, of which all are in b.
func endOf(b []byte, n int) int {
	for i, v := range b {
		if n == 0 {
			return i
		}
		n -= int(^v >> 7)
	}
	return len(b)
}

// decodeCells decodes len(cells) cells and returns how many come before the first that is
// not minimal.
func decodeCells(cells []int64, b []byte) int {
	at := 0
	for i := range cells {
		if at+8 > len(b) {
			return i + decodeSlowly(cells[i:], b[at:])
		}
		x := binary.LittleEndian.Uint64(b[at:])
		end := ^x & tops
		if end == 0 {
			size := decodeLong(&cells[i], b[at:])
			if size <= 0 {
				return i
			}
			at += size
			continue
		}
		at += int(uint(bits.TrailingZeros64(end)+1) >> 3)
		end &= -end
		x &= end - 1 // end itself is clear
		if x < end>>7 && end != 0x80 {
			return i
		}
		x = x&0x007f007f007f007f | x&0x7f007f007f007f00>>1
		x = x&0x00003fff00003fff | x&0x3fff00003fff0000>>2
		x = x&0x000000000fffffff | x&0x0fffffff00000000>>4
		cells[i] = int64(x>>1) ^ -int64(x&1)
	}
	return len(cells)
}

// decodeSlowly is decodeCells where fewer than eight bytes may be left.
func decodeSlowly(cells []int64, b []byte) int {
	for i := range cells {
		size := decodeLong(&cells[i], b)
		if size <= 0 {
			return i
		}
		b = b[size:]
	}
	return len(cells)
}

// decodeLong decodes a cell of any length and returns its size, or 0.
func decodeLong(cell *int64, b []byte) int {
	v, size := binary.Varint(b)
	if size <= 0 || size > 1 && b[size-1] == 0 {
		return 0
	}
	*cell = v
	return size
}
