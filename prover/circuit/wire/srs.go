package wire

import (
	"io"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
)

// SRSShape is what the encoding of a structured reference string of KZG tells.
type SRSShape struct {
	Curve  ecc.ID
	Powers int  // of tau in G1
	Raw    bool // points are not compressed
}

// SRS scans size bytes that WriteTo or WriteRawTo of gnark-crypto's kzg.SRS wrote. It reads r once,
// in constant memory. All points must have the same form. The error is an [Error],
// ErrUnsupported, or that of r.
func SRS(c ecc.ID, r io.Reader, size int64) (SRSShape, error) {
	s, err := newScanner("reference string", c, backend.PLONK, r, size)
	if err != nil {
		return SRSShape{}, err
	}
	// ecc/<curve>/kzg/marshal.go of gnark-crypto.
	powers := s.g1s("Pk.G1")
	s.g2("Vk.G2[0]")
	s.g2("Vk.G2[1]")
	s.g1("Vk.G1")
	s.skip("Vk.Lines", uint64(s.lines))
	if err := s.end(); err != nil {
		return SRSShape{}, err
	}
	return SRSShape{Curve: c, Powers: powers, Raw: s.form == formRaw}, nil
}
