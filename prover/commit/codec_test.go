package commit

import (
	"bytes"
	"errors"
	"math/big"
	"math/rand"
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fp"
)

func somePoints(n int) []bn254.G1Affine {
	points := knownKey(randomLogs(rand.New(rand.NewSource(seed)), n)).gens
	for i := 5; i < n; i += 7 {
		points[i] = bn254.G1Affine{}
	}
	return points
}

func TestPointsSurviveTheCodec(t *testing.T) {
	for _, n := range []int{0, 1, 2, 33, 300} {
		points := somePoints(n)
		prefix := []byte("prefix")
		b := AppendPoints(prefix, points)
		if len(b) != len(prefix)+n*PointSize || !bytes.HasPrefix(b, prefix) {
			t.Fatalf("%d points take %d bytes", n, len(b)-len(prefix))
		}
		got, err := DecodePoints(b[len(prefix):])
		if err != nil || len(got) != n {
			t.Fatalf("%d points: %d back, %v", n, len(got), err)
		}
		for i := range points {
			if got[i] != points[i] {
				t.Errorf("point %d of %d changed", i, n)
			}
		}
	}
}

func TestDecodePointsRefusesEverythingElse(t *testing.T) {
	encode := func(flags byte, x *big.Int) []byte {
		b := x.FillBytes(make([]byte, PointSize))
		b[0] |= flags
		return b
	}
	p := fp.Modulus()
	plus := func(n int64) *big.Int { return new(big.Int).Add(p, big.NewInt(n)) }
	highest := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 254), big.NewInt(1))
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"x is p":                      {encode(flagSmaller, p), ErrEncoding},
		"x is p+1, as the base point": {encode(flagSmaller, plus(1)), ErrEncoding},
		"x is the highest":            {encode(flagLarger, highest), ErrEncoding},
		"uncompressed flags":          {encode(0, big.NewInt(1)), ErrEncoding},
		"zeros":                       {make([]byte, PointSize), ErrEncoding},
		"infinity with x":             {encode(flagInfinity, big.NewInt(1)), ErrEncoding},
		"infinity with high bit":      {encode(flagInfinity|1<<5, new(big.Int)), ErrEncoding},
		"smaller root of x = 0":       {encode(flagSmaller, new(big.Int)), ErrNotOnCurve},
		"larger root of x = 0":        {encode(flagLarger, new(big.Int)), ErrNotOnCurve},
		"x = 4":                       {encode(flagSmaller, big.NewInt(4)), ErrNotOnCurve},
	} {
		for _, at := range []int{0, 1, 40, 99} {
			b := AppendPoints(nil, somePoints(100))
			copy(b[at*PointSize:], c.b)
			_, err := DecodePoints(b)
			var point *PointError
			if !errors.As(err, &point) || point.Index != at || !errors.Is(err, c.want) {
				t.Errorf("%s at %d: %v", name, at, err)
			}
		}
	}
}

func TestDecodePointsReportsTheFirstBadPoint(t *testing.T) {
	b := AppendPoints(nil, somePoints(100))
	clear(b[17*PointSize:])
	var point *PointError
	if _, err := DecodePoints(b); !errors.As(err, &point) || point.Index != 17 {
		t.Errorf("%v", err)
	}
}

func TestDecodePointsRejectsPartialPoints(t *testing.T) {
	b := AppendPoints(nil, somePoints(2))
	for n := range b {
		var length *LengthError
		if _, err := DecodePoints(b[:n]); errors.As(err, &length) != (n%PointSize != 0) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// The library takes the roots one by one.
func TestDecodePointsEqualsTheLibrary(t *testing.T) {
	rng := rand.New(rand.NewSource(seed))
	var valid []byte
	var want []bn254.G1Affine
	for range 600 {
		b := make([]byte, PointSize)
		rng.Read(b)
		if rng.Intn(8) == 0 {
			clear(b[1:])
		}
		var p bn254.G1Affine
		_, refused := p.SetBytes(b)
		got, err := DecodePoints(b)
		if (err == nil) != (refused == nil) || err == nil && got[0] != p {
			t.Fatalf("%x: %v, %v; the library has %v, %v", b, got, err, p, refused)
		}
		if err == nil {
			valid, want = append(valid, b...), append(want, p)
		}
	}
	got, err := DecodePoints(valid)
	if err != nil || len(want) < 50 || !slices.Equal(got, want) {
		t.Errorf("%d valid points together: %v", len(want), err)
	}
}

// FuzzDecodePoints requires that decoding never panics and that bytes have at most
// one meaning: what decodes encodes to the same bytes, and lies on the curve.
func FuzzDecodePoints(f *testing.F) {
	f.Add(AppendPoints(nil, somePoints(7)))
	f.Add(make([]byte, PointSize))
	f.Add(bytes.Repeat([]byte{0xff}, PointSize))
	p := fp.Modulus().FillBytes(make([]byte, PointSize))
	p[0] |= flagLarger
	f.Add(p)
	f.Fuzz(func(t *testing.T, b []byte) {
		points, err := DecodePoints(b)
		if err != nil {
			return
		}
		for i := range points {
			if !points[i].IsOnCurve() {
				t.Errorf("point %d is not on the curve", i)
			}
		}
		if !bytes.Equal(AppendPoints(nil, points), b) {
			t.Error("decoded from an encoding that is not the canonical one")
		}
	})
}

func BenchmarkDecodePoints(b *testing.B) {
	bytes := AppendPoints(nil, somePoints(2048))
	for b.Loop() {
		if _, err := DecodePoints(bytes); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2048, "ns/point")
}
