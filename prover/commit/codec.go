package commit

import (
	"bytes"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/consensys/gnark-crypto/ecc/bn254"
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
	var firstBad atomic.Int64
	firstBad.Store(math.MaxInt64)
	parallel(len(points), 16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			p, err := decodePoint([PointSize]byte(b[i*PointSize:]))
			if err != nil {
				lower(&firstBad, int64(i))
				return
			}
			points[i] = p
		}
	})
	if i := firstBad.Load(); i != math.MaxInt64 {
		_, reason := decodePoint([PointSize]byte(b[i*PointSize:]))
		return nil, fmt.Errorf("decode points: %w", &PointError{Index: int(i), Reason: reason})
	}
	return points, nil
}

// lower makes v at most i.
func lower(v *atomic.Int64, i int64) {
	for old := v.Load(); i < old && !v.CompareAndSwap(old, i); old = v.Load() {
	}
}

// decodePoint decodes one point. The error is [ErrEncoding] or [ErrNotOnCurve].
func decodePoint(b [PointSize]byte) (p bn254.G1Affine, err error) {
	flags := b[0] & flagMask
	b[0] &^= flagMask
	switch flags {
	case flagSmaller, flagLarger:
		return lift(&b, flags == flagLarger)
	case flagInfinity:
		if bytes.Equal(b[:], make([]byte, PointSize)) {
			return p, nil
		}
	}
	return p, ErrEncoding
}
