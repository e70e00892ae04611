package srs

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"

	"github.com/consensys/gnark-crypto/ecc"
)

// A .ptau (src/powersoftau_utils.js of snarkjs) is "ptau", version 1 and a number of sections;
// then each section: its type, its length in 8 bytes, its bytes. Other numbers have 4 bytes; all
// are little-endian.
//
// A coordinate is an element of the base field in Montgomery form, n8 bytes, little-endian: the
// memory of gnark-crypto's elements. A point is x and y, in G2 with two coordinates each. Infinity
// is all zeros.
type section uint32

const (
	ceremonyHeader section = 1 // n8, modulus of the base field, power, power of the whole ceremony
	tauG1          section = 2 // tau^i in G1, i < 2·2^power - 1
	tauG2          section = 3 // tau^i in G2, i < 2^power
	alphaTauG1     section = 4 // alpha·tau^i in G1, i < 2^power
	betaTauG1      section = 5 // beta·tau^i in G1, i < 2^power
	betaG2         section = 6 // beta in G2
	contributions  section = 7 // their number, and what they prove
)

var sectionNames = map[section]string{
	ceremonyHeader: "header", tauG1: "tauG1", tauG2: "tauG2", alphaTauG1: "alphaTauG1",
	betaTauG1: "betaTauG1", betaG2: "betaG2", contributions: "contributions",
}

func (s section) String() string {
	if name, ok := sectionNames[s]; ok {
		return name
	}
	return fmt.Sprintf("section %d", uint32(s))
}

// Bounds of what snarkjs writes: 15 types of sections, ceremonies of up to 2^28 rows.
const (
	maxSections = 64
	maxPower    = 28
)

// ptau is a file whose sections have the lengths that its power asks for.
type ptau struct {
	r             io.ReaderAt
	coordinate    int    // bytes
	modulus       []byte // of the base field, little-endian
	power         int
	contributions uint32
	sections      map[section]extent
}

// extent is a place in the file, in bytes.
type extent struct{ at, length int64 }

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// parsePtau finds the sections and checks the header against the curve, and lengths against the
// power. It allocates nothing in proportion to them.
func parsePtau(r io.ReaderAt, size int64, c ecc.ID) (*ptau, error) {
	if c != ecc.BN254 && c != ecc.BLS12_381 {
		return nil, fmt.Errorf("%w: .ptau files are over BN254 or BLS12-381, not %s", ErrUnsupported, c)
	}
	p := &ptau{r: r, sections: map[section]extent{}}
	if err := p.findSections(size); err != nil {
		return nil, err
	}
	if err := p.readHeader(c.BaseField()); err != nil {
		return nil, err
	}
	for s := tauG1; s <= betaG2; s++ {
		want := int64(p.count(s)) * int64(p.pointSize(s))
		if got := p.sections[s].length; got != want {
			return nil, invalid("%s has %d bytes, want %d for power %d", s, got, want, p.power)
		}
	}
	if p.sections[contributions].length < 4 {
		return nil, invalid("contributions have %d bytes, want at least 4", p.sections[contributions].length)
	}
	b, err := p.read(p.sections[contributions].at, 4)
	if err != nil {
		return nil, err
	}
	p.contributions = binary.LittleEndian.Uint32(b)
	return p, nil
}

func (p *ptau) read(at int64, n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := p.r.ReadAt(b, at); err == io.EOF {
		return nil, invalid("the file ends at byte %d of %d", at, at+int64(n))
	} else if err != nil {
		return nil, fmt.Errorf("read byte %d: %w", at, err)
	}
	return b, nil
}

func (p *ptau) findSections(size int64) error {
	b, err := p.read(0, 12)
	if err != nil {
		return err
	}
	version, n := binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:])
	switch {
	case string(b[:4]) != magic:
		return invalid("the file begins with %q, want %q", b[:4], magic)
	case version != 1:
		return invalid("version %d, want 1", version)
	case n > maxSections:
		return invalid("%d sections, want at most %d", n, maxSections)
	}
	at := int64(12)
	for range n {
		b, err := p.read(at, 12)
		if err != nil {
			return err
		}
		at += 12
		s, length := section(binary.LittleEndian.Uint32(b)), binary.LittleEndian.Uint64(b[4:])
		if length > uint64(size-at) {
			return invalid("%s at byte %d has %d bytes, of which %d are there", s, at, length, size-at)
		}
		if _, twice := p.sections[s]; twice {
			return invalid("%s at byte %d comes twice", s, at)
		}
		p.sections[s] = extent{at, int64(length)}
		at += int64(length)
	}
	if at != size {
		return invalid("%d bytes after the last section", size-at)
	}
	for s := ceremonyHeader; s <= contributions; s++ {
		if _, ok := p.sections[s]; !ok {
			return invalid("there is no %s", s)
		}
	}
	return nil
}

func (p *ptau) readHeader(modulus *big.Int) error {
	n8 := (modulus.BitLen() + 63) / 64 * 8
	h := p.sections[ceremonyHeader]
	if h.length != int64(4+n8+8) {
		return invalid("header has %d bytes, want %d for this curve", h.length, 4+n8+8)
	}
	b, err := p.read(h.at, int(h.length))
	if err != nil {
		return err
	}
	p.coordinate = n8
	p.modulus = modulus.FillBytes(make([]byte, n8))
	slices.Reverse(p.modulus)
	power, whole := binary.LittleEndian.Uint32(b[4+n8:]), binary.LittleEndian.Uint32(b[8+n8:])
	switch {
	case binary.LittleEndian.Uint32(b) != uint32(n8) || !slices.Equal(b[4:4+n8], p.modulus):
		return invalid("the prime is that of another curve")
	case power < 1 || power > maxPower:
		return invalid("power %d, want 1 to %d", power, maxPower)
	case whole < power:
		return invalid("power %d of a ceremony of power %d", power, whole)
	}
	p.power = int(power)
	return nil
}

// count is the number of points of a section.
func (p *ptau) count(s section) uint64 {
	switch s {
	case tauG1:
		return 2<<p.power - 1
	case betaG2:
		return 1
	}
	return 1 << p.power
}

// pointSize is the size of a point of a section, in bytes.
func (p *ptau) pointSize(s section) int {
	if s == tauG2 || s == betaG2 {
		return 4 * p.coordinate
	}
	return 2 * p.coordinate
}

// points decodes the first n points of a section.
func points[P any](p *ptau, s section, n uint64, decode func(b []byte) P) ([]P, error) {
	if n > p.count(s) || n > math.MaxInt32 {
		return nil, fmt.Errorf("%s: %w: %d points, want %d", s, ErrTooSmall, p.count(s), n)
	}
	list := make([]P, n)
	size := p.pointSize(s)
	const block = 1 << 12 // points that are read at once
	for i := 0; i < len(list); i += block {
		end := min(i+block, len(list))
		b, err := p.read(p.sections[s].at+int64(i)*int64(size), (end-i)*size)
		if err != nil {
			return nil, err
		}
		for j := i; j < end; j++ {
			point := b[(j-i)*size : (j-i+1)*size]
			if !p.reduced(point) {
				return nil, invalid("%s: point %d has a coordinate that is not below the prime", s, j)
			}
			list[j] = decode(point)
		}
	}
	return list, nil
}

// reduced reports whether all coordinates of a point are below the modulus.
func (p *ptau) reduced(point []byte) bool {
	for at := 0; at < len(point); at += p.coordinate {
		if !below(point[at:at+p.coordinate], p.modulus) {
			return false
		}
	}
	return true
}

// below compares little-endian numbers of the same length.
func below(a, b []byte) bool {
	for i := len(a) - 1; i >= 0; i-- {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}
