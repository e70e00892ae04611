package wire

import (
	"fmt"
	"unsafe"
)

// word is the unit of a packed list of integers.
type word interface{ uint32 | uint64 }

// A packed list is what package intcomp v1.1.1 makes of a list of integers (compress.go,
// delta_bitpacking.go, delta_variablebyte.go): blocks, and a last word that gives the length of
// the last block. An empty list has no words. A block begins with the number n of its integers
// and the number l of its words, header included: a word each with 32 bits, both in one word,
// l in the upper half, with 64 bits.
//
//   - A short block, n < 4g, holds the differences of consecutive integers, the first against 0,
//     in 7-bit digits, lowest first, one a byte, from the highest byte of a word down. Bit 7 says
//     that another digit follows. Bytes 0x80 fill the last word.
//   - A long block, n a multiple of 4g, has a word more in its header, from which differences
//     begin. Then for every 4g integers a word with four bytes, the highest first, and four groups
//     of g integers. A byte tells the bits w of each difference of its group; bit 7 that they are
//     zigzag encoded. A group is g·w bits in w words, lowest bit first. With w the size of a word
//     a group holds the integers themselves.
//
// g is the size of a word in bits.

// packedList decodes one packed list, and refuses what makes intcomp panic.
type packedList[T word] struct {
	out   []T
	limit int // of len(out)
	err   string
}

// unpack appends the integers of a packed list to out, which may grow to limit integers. The
// second result says what is wrong, or is empty.
func unpack[T word](words, out []T, limit int) ([]T, string) {
	p := packedList[T]{out: out, limit: limit}
	if len(words) == 0 {
		return out, ""
	}
	last := words[len(words)-1]
	words = words[:len(words)-1]
	length := 0
	for len(words) > 0 && p.err == "" {
		length = p.block(words)
		words = words[min(length, len(words)):]
	}
	if p.err == "" && (length == 0 || last != T(length)) {
		p.refuse("last block of %d words, announced as %d", length, last)
	}
	return p.out, p.err
}

func (p *packedList[T]) refuse(format string, args ...any) {
	if p.err == "" {
		p.err = fmt.Sprintf(format, args...)
	}
}

func (p *packedList[T]) width() int { return int(unsafe.Sizeof(T(0))) * 8 }

// block decodes the first block and returns its number of words.
func (p *packedList[T]) block(words []T) int {
	var n, l uint64
	header := 2
	if p.width() == 64 {
		header = 1
		n, l = uint64(uint32(words[0])), uint64(words[0])>>32
	} else if len(words) >= header {
		n, l = uint64(words[0]), uint64(words[1])
	}
	long := n >= uint64(4*p.width())
	if long {
		header++
	}
	if l < uint64(header) || l > uint64(len(words)) || n == 0 {
		p.refuse("block of %d integers in %d words, %d left", n, l, len(words))
		return 0
	}
	if n > uint64(p.limit-len(p.out)) {
		p.refuse("more than %d integers", p.limit)
		return 0
	}
	if long {
		p.long(words[header-1], words[header:l], int(n))
	} else {
		p.short(words[header:l], int(n))
	}
	return int(l)
}

func (p *packedList[T]) short(words []T, n int) {
	width := p.width()
	size := len(words) * width / 8
	var sum, delta T
	shift, used := 0, 0
	for ; n > 0; used++ {
		if used == size {
			p.refuse("short block ends with %d integers missing", n)
			return
		}
		c := byte(words[used*8/width] >> (width - 8 - used*8%width))
		delta += T(c&0x7f) << shift
		shift += 7
		if c&0x80 != 0 {
			continue
		}
		sum += delta
		p.out = append(p.out, sum)
		delta, shift = 0, 0
		n--
	}
	if size-used >= width/8 {
		p.refuse("short block with %d bytes left", size-used)
	}
	for ; used < size; used++ {
		if byte(words[used*8/width]>>(width-8-used*8%width)) != 0x80 {
			p.refuse("short block with more integers than announced")
		}
	}
}

func (p *packedList[T]) long(sum T, words []T, n int) {
	g := p.width()
	if n%(4*g) != 0 {
		p.refuse("long block of %d integers", n)
		return
	}
	for ; n > 0; n -= 4 * g {
		if len(words) == 0 || uint64(words[0])>>32 != 0 {
			p.refuse("long block ends with %d integers missing", n)
			return
		}
		sizes := uint32(words[0])
		words = words[1:]
		for shift := 24; shift >= 0; shift -= 8 {
			w := int(sizes>>shift) & 0x7f
			if w > g || w > len(words) {
				p.refuse("group of %d words, %d left", w, len(words))
				return
			}
			sum = p.group(sum, words[:w], sizes>>shift&0x80 != 0)
			words = words[w:]
		}
	}
	if len(words) != 0 {
		p.refuse("long block with %d words left", len(words))
	}
}

// group decodes as many integers as a word has bits and returns the last.
func (p *packedList[T]) group(sum T, words []T, zigzag bool) T {
	g, w := p.width(), len(words)
	if w == g {
		p.out = append(p.out, words...)
		return words[g-1]
	}
	mask := T(1)<<w - 1
	for i := range g {
		at := i * w
		var delta T
		if w > 0 {
			delta = words[at/g] >> (at % g)
			if at%g+w > g {
				delta |= words[at/g+1] << (g - at%g)
			}
			delta &= mask
		}
		if zigzag {
			delta = delta>>1 ^ -(delta & 1)
		}
		sum += delta
		p.out = append(p.out, sum)
	}
	return sum
}
