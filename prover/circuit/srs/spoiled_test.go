package srs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend/cs/r1cs"
)

// TestSpoiledPtauIsRefused changes one thing of an honest file, and wants an error that names it.
func TestSpoiledPtauIsRefused(t *testing.T) {
	le := binary.LittleEndian
	const n8, power = 48, 3
	tests := []struct {
		name  string
		spoil func(s *sheet)
		patch func(b []byte) []byte
		want  string
	}{
		{"magic", nil, func(b []byte) []byte { b[0] = 'q'; return b }, "neither a .ptau nor gnark's encoding"},
		{"version", nil, func(b []byte) []byte { b[4] = 2; return b }, "version 2"},
		{"number of sections", nil, func(b []byte) []byte { le.PutUint32(b[8:], 1<<31); return b }, "2147483648 sections"},
		{"one section less", nil, func(b []byte) []byte { b[8] = 6; return b }, "bytes after the last section"},
		{"trailing bytes", nil, func(b []byte) []byte { return append(b, 0) }, "1 bytes after the last section"},
		{"huge section", nil, func(b []byte) []byte { le.PutUint64(b[16:], 1<<63); return b }, "has 9223372036854775808 bytes"},
		{"section twice", nil, func(b []byte) []byte { le.PutUint32(b[12+12+4+n8+8:], 1); return b }, "header at byte 96 comes twice"},
		{"prime", func(s *sheet) { s.header[4]++ }, nil, "prime is that of another curve"},
		{"n8", func(s *sheet) { s.header[0] = 32 }, nil, "prime is that of another curve"},
		{"power up", func(s *sheet) { s.header[4+n8]++; s.header[8+n8]++ }, nil, "tauG1 has 1440 bytes, want 2976 for power 4"},
		{"power down", func(s *sheet) { s.header[4+n8]-- }, nil, "tauG1 has 1440 bytes, want 672 for power 2"},
		{"power 0", func(s *sheet) { s.header[4+n8] = 0 }, nil, "power 0, want 1 to 28"},
		{"huge power", func(s *sheet) { s.header[4+n8+3] = 0xff }, nil, "want 1 to 28"},
		{"power of ceremony", func(s *sheet) { s.header[8+n8] = 1 }, nil, "power 3 of a ceremony of power 1"},
		{"truncated section", func(s *sheet) { s.sections[betaTauG1] = s.sections[betaTauG1][1:] }, nil, "betaTauG1 has 767 bytes"},
		{"oversized section", func(s *sheet) { s.sections[tauG2] = append(s.sections[tauG2], 0) }, nil, "tauG2 has 1537 bytes"},
		{"no contributions", func(s *sheet) { s.sections[contributions] = nil }, nil, "contributions have 0 bytes"},

		{"swapped powers", func(s *sheet) { s.swap(tauG1, 3, 4) }, nil, "not powers of one secret"},
		{"swapped powers in G2", func(s *sheet) { s.swap(tauG2, 3, 4) }, nil, "not powers of one secret"},
		{"swapped alpha", func(s *sheet) { s.swap(alphaTauG1, 0, 1) }, nil, "not powers of one secret"},
		{"swapped beta", func(s *sheet) { s.swap(betaTauG1, 5, 6) }, nil, "not powers of one secret"},
		{"another beta", func(s *sheet) { copy(s.sections[betaG2], s.sections[tauG2][4*n8:]) }, nil, "betaG2 and betaTauG1"},
		{"generator", func(s *sheet) { s.swap(tauG1, 0, 1) }, nil, "tauG1: point 0 is not the generator"},
		{"generator in G2", func(s *sheet) { s.swap(tauG2, 0, 1) }, nil, "tauG2: point 0 is not the generator"},
		{"outside of the subgroup", func(s *sheet) { copy(s.sections[tauG1][6*2*n8:], outsider()) }, nil, "tauG1: point 6 is not in the subgroup"},
		{"alpha outside", func(s *sheet) { copy(s.sections[alphaTauG1][2*n8:], outsider()) }, nil, "alphaTauG1: point 1 is not in the subgroup"},
		{"off the curve", func(s *sheet) { s.sections[tauG2][5] ^= 1 }, nil, "tauG2: point 0 is not in the subgroup"},
		{"coordinate", func(s *sheet) { copy(s.sections[tauG1][2*n8:], bytes.Repeat([]byte{0xff}, n8)) }, nil, "tauG1: point 1 has a coordinate that is not below the prime"},
		{"infinity", func(s *sheet) { clear(s.sections[tauG1][2*n8:]) }, nil, "tau is 0 or 1"},
	}
	ccs := compile(t, ecc.BLS12_381, r1cs.NewBuilder[constraint.U64])
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := write(ecc.BLS12_381, power, honest)
			if test.spoil != nil {
				test.spoil(s)
			}
			b := s.bytes()
			if test.patch != nil {
				b = test.patch(b)
			}
			f, err := Open(store(t, b), ecc.BLS12_381)
			if err == nil {
				defer f.Close()
				_, _, err = f.Groth16(t.Context(), ccs)
			}
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// FuzzPtau reads files from strangers: what parses has all the points that it claims, in G1 and G2.
func FuzzPtau(f *testing.F) {
	for _, c := range []ecc.ID{ecc.BN254, ecc.BLS12_381} {
		b := write(c, 1, honest).bytes()
		f.Add(b)
		f.Add(b[:len(b)-5])
		for i := 0; i < 100; i += 7 {
			changed := slices.Clone(b)
			changed[i] ^= 0x80
			f.Add(changed)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, c := range []ecc.ID{ecc.BN254, ecc.BLS12_381} {
			p, err := parsePtau(bytes.NewReader(b), int64(len(b)), c)
			if err != nil {
				if !errors.Is(err, ErrInvalid) {
					t.Error(err)
				}
				continue
			}
			for s := tauG1; s <= betaG2; s++ {
				n := 0
				if _, err := points(p, s, p.count(s), func([]byte) int { n++; return n }); err != nil && !errors.Is(err, ErrInvalid) {
					t.Errorf("%s: %v", s, err)
				}
				if uint64(n) > uint64(len(b)) {
					t.Errorf("%s: %d points in %d bytes", s, n, len(b))
				}
			}
		}
	})
}
