package wire

import (
	"encoding/binary"
	"fmt"

	"github.com/consensys/gnark"
)

// sections are the parts of the encoding (constraint/marshal.go and constraint/<curve>/marshal.go
// of gnark), each with the offset of its first byte.
type sections struct {
	levels, instructions, calldata, body, coefficients section
}

type section struct {
	name string
	at   int64
	b    []byte
}

const (
	preamble = 4 * 8 // length of the rest, version of gnark; little-endian
	header   = 4 * 8 // lengths of levels, instructions, calldata, body; little-endian
)

func split(b []byte) (sections, *Error) {
	if len(b) < preamble+header {
		return sections{}, refuse("header", 0, fmt.Sprintf("%d bytes", len(b)), fmt.Sprintf("at least %d", preamble+header))
	}
	number := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
	rest := uint64(len(b) - preamble)
	if n := number(0); n != rest {
		return sections{}, refuse("total length", 0, n, rest)
	}
	if major, minor := number(1), number(2); major != gnark.Version.Major || minor != gnark.Version.Minor {
		return sections{}, refuse("gnark version", 8, fmt.Sprintf("%d.%d", major, minor),
			fmt.Sprintf("%d.%d", gnark.Version.Major, gnark.Version.Minor))
	}
	var p sections
	at, left := uint64(preamble+header), rest-header
	for i, part := range []*section{&p.levels, &p.instructions, &p.calldata, &p.body} {
		part.name = [...]string{"levels", "instructions", "calldata", "body"}[i]
		n := number(4 + i)
		if n > left {
			return sections{}, refuse(part.name, int64(32+8*i), fmt.Sprintf("%d bytes", n), fmt.Sprintf("%d bytes left", left))
		}
		part.at, part.b = int64(at), b[at:at+n]
		at, left = at+n, left-n
	}
	p.coefficients = section{"coefficients", int64(at), b[at:]}
	return p, nil
}

// refuse objects to byte i of the section.
func (p section) refuse(i int, got, want any) *Error {
	return refuse(p.name, p.at+int64(i), got, want)
}

// count reads the number of elements, which take at least size bytes each, from the first 8 bytes.
func (p section) count(size int) (int, *Error) {
	if len(p.b) < 8 {
		return 0, p.refuse(0, fmt.Sprintf("%d bytes", len(p.b)), "a length of 8 bytes")
	}
	n, most := binary.LittleEndian.Uint64(p.b), uint64(len(p.b)-8)/uint64(size)
	if n > most {
		return 0, p.refuse(0, n, fmt.Sprintf("at most %d", most))
	}
	return int(n), nil
}
