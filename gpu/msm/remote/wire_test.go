package remote

import (
	"bytes"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
)

// FuzzReply demands that replies hold what engines make, in its only encoding, or are refused.
func FuzzReply(f *testing.F) {
	_, _, g, _ := bn254.Generators()
	all := bytes.Repeat([]byte{0xff}, 64)
	f.Add(memory([]bn254.G1Affine{g}), 1)
	f.Add(memory([]bn254.G1Affine{g, {}}), 2)
	f.Add(memory([]bn254.G1Affine{g}), 2)
	f.Add(memory([]bn254.G1Affine{{X: g.Y, Y: g.X}}), 1)
	f.Add(memory([]fr.Element{fr.One(), {1}}), 2)
	f.Add(all, 1)
	f.Add(all[:63], 1)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		n = max(0, min(n, 1000))
		var points []bn254.G1Affine
		if err := receivePoints(n, &points)(bytes.NewReader(b), uint64(len(b))); err == nil {
			for _, p := range points {
				again := p
				x, y := p.X.Bytes(), p.Y.Bytes()
				again.X.SetBytes(x[:])
				again.Y.SetBytes(y[:])
				if again != p || !p.IsOnCurve() {
					t.Errorf("accepted %x", b)
				}
			}
			if len(points) != n {
				t.Errorf("%d points for %d", len(points), n)
			}
		}
		var scalars []fr.Element
		if err := receiveScalars(n, &scalars)(bytes.NewReader(b), uint64(len(b))); err == nil {
			for _, s := range scalars {
				again := s
				again.SetBytes(s.Marshal())
				if again != s {
					t.Errorf("accepted %x", b)
				}
			}
		}
	})
}

func FuzzHead(f *testing.F) {
	h := head{engine: "cpu", bases: 7, argument: 254}
	f.Add(h.encode())
	f.Add([]byte{255, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, left, err := readHead(bytes.NewReader(b), uint64(len(b)))
		if err == nil && !bytes.Equal(h.encode(), b[:uint64(len(b))-left]) {
			t.Errorf("%+v from %x", h, b)
		}
	})
}
