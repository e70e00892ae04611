package commit

import (
	"fmt"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

// PointSize is the length of an encoded point in bytes.
const PointSize = 32

// An encoded point is its x-coordinate, 32 bytes big-endian, with flags in the two
// top bits of the first byte (x has 254 bits):
//
//	10  y is the lexicographically smaller root
//	11  y is the lexicographically larger root
//	01  infinity; all other bits are 0
//	00  not used
//
// Since the curve has no point of order two, the roots always differ, and every
// point has exactly one encoding. It is the compressed format of gnark-crypto.
const (
	flagMask     = 0b11 << 6
	flagSmaller  = 0b10 << 6
	flagLarger   = 0b11 << 6
	flagInfinity = 0b01 << 6
)

// AppendPoints appends the encodings of points, [PointSize] bytes each, to dst.
func AppendPoints(dst []byte, points []bn254.G1Affine) []byte {
	for i := range points {
		b := points[i].Bytes()
		dst = append(dst, b[:]...)
	}
	return dst
}

// DecodePoints decodes what [AppendPoints] wrote and nothing else: encoding the
// result gives b again. All cores share the square roots. The error is a
// [LengthError] if b is not a whole number of points, and a [PointError] for the
// first point that is not canonical or not on the curve.
func DecodePoints(b []byte) ([]bn254.G1Affine, error) {
	if len(b)%PointSize != 0 {
		err := &LengthError{What: "encoded points", Got: len(b), Want: fmt.Sprintf("a multiple of %d", PointSize)}
		return nil, fmt.Errorf("decode points: %w", err)
	}
	points := make([]bn254.G1Affine, len(b)/PointSize)
	var first struct {
		sync.Mutex
		bad *PointError
	}
	parallel(len(points), 16, func(lo, hi int) {
		var d decoder
		for i := lo; i < hi; i += rootBlock {
			end := min(i+rootBlock, hi)
			bad := d.decode(points[i:end], b[i*PointSize:])
			if bad == nil {
				continue
			}
			bad.Index += i
			first.Lock()
			defer first.Unlock()
			if first.bad == nil || bad.Index < first.bad.Index {
				first.bad = bad
			}
			return
		}
	})
	if first.bad != nil {
		return nil, fmt.Errorf("decode points: %w", first.bad)
	}
	return points, nil
}

// decoder decodes blocks of points.
type decoder struct {
	roots curveRoots
	flags [rootBlock]byte
}

// decode decodes the first len(points) <= rootBlock points of b, and returns the first
// that it refuses.
func (d *decoder) decode(points []bn254.G1Affine, b []byte) *PointError {
	whole := len(points) // the points before the first that is not canonical
	for i := range points {
		if !d.parse(i, [PointSize]byte(b[i*PointSize:])) {
			whole = i
			break
		}
	}
	d.roots.solve(whole)
	for i := range points[:whole] {
		switch {
		case d.flags[i] == flagInfinity:
			points[i] = bn254.G1Affine{}
		case d.roots.onCurve[i]:
			points[i] = bn254.G1Affine{X: d.roots.x[i], Y: d.roots.choose(i, d.flags[i] == flagLarger)}
		default:
			return &PointError{Index: i, Reason: ErrNotOnCurve}
		}
	}
	if whole < len(points) {
		return &PointError{Index: whole, Reason: ErrEncoding}
	}
	return nil
}

// parse splits the encoding of a point, which becomes point i of the block, and reports
// whether it is canonical. Infinity has x = 0.
func (d *decoder) parse(i int, b [PointSize]byte) bool {
	d.flags[i] = b[0] & flagMask
	b[0] &^= flagMask
	x, err := fp.BigEndian.Element(&b)
	if err != nil || d.flags[i] == 0 || d.flags[i] == flagInfinity && !x.IsZero() {
		return false
	}
	d.roots.x[i] = x
	return true
}
