package wire_test

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/plonk"
	"github.com/consensys/gnark/backend/witness"

	"github.com/weisyn/wes/prover/circuit/wire"
)

// encodingKind is one kind of encoding: how it is scanned and how gnark decodes it.
type encodingKind struct {
	name   string
	honest func(s *sample) [][]byte
	scan   func(c ecc.ID, s backend.ID, b []byte) error
	decode func(c ecc.ID, s backend.ID, r io.Reader) error
}

var kinds = []encodingKind{
	{
		"proof",
		func(s *sample) [][]byte { return [][]byte{s.forms[0].proof, s.forms[1].proof} },
		func(c ecc.ID, s backend.ID, b []byte) error { _, err := wire.Proof(c, s, b); return err },
		func(c ecc.ID, s backend.ID, r io.Reader) error {
			if s == backend.GROTH16 {
				return read(groth16.NewProof(c), r)
			}
			return read(plonk.NewProof(c), r)
		},
	},
	{
		"verifying key",
		func(s *sample) [][]byte { return [][]byte{s.forms[0].vk, s.forms[1].vk} },
		func(c ecc.ID, s backend.ID, b []byte) error { _, err := wire.VerifyingKey(c, s, b); return err },
		func(c ecc.ID, s backend.ID, r io.Reader) error {
			if s == backend.GROTH16 {
				return read(groth16.NewVerifyingKey(c), r)
			}
			return read(plonk.NewVerifyingKey(c), r)
		},
	},
	{
		"compressed proving key",
		func(s *sample) [][]byte { return [][]byte{s.forms[0].pk} },
		func(c ecc.ID, s backend.ID, b []byte) error { return provingKey(c, s, b, false) },
		decodeProvingKey,
	},
	{
		"raw proving key",
		func(s *sample) [][]byte { return [][]byte{s.forms[1].pk} },
		func(c ecc.ID, s backend.ID, b []byte) error { return provingKey(c, s, b, true) },
		decodeProvingKey,
	},
	{
		"constraint system",
		func(s *sample) [][]byte { return [][]byte{s.bytes} },
		func(c ecc.ID, s backend.ID, b []byte) error { _, err := wire.ConstraintSystem(c, s, b); return err },
		func(c ecc.ID, s backend.ID, r io.Reader) error {
			if s == backend.GROTH16 {
				return read(groth16.NewCS(c), r)
			}
			return read(plonk.NewCS(c), r)
		},
	},
	{
		"witness",
		func(s *sample) [][]byte { return [][]byte{s.full, s.public} },
		func(c ecc.ID, _ backend.ID, b []byte) error { _, err := wire.Witness(c, b, 1<<20); return err },
		func(c ecc.ID, _ backend.ID, r io.Reader) error {
			w, err := witness.New(c.ScalarField())
			if err != nil {
				return err
			}
			return read(w, r)
		},
	},
}

func provingKey(c ecc.ID, s backend.ID, b []byte, raw bool) error {
	_, err := wire.ProvingKey(c, s, bytes.NewReader(b), int64(len(b)), raw)
	return err
}

func decodeProvingKey(c ecc.ID, s backend.ID, r io.Reader) error {
	var pk interface {
		UnsafeReadFrom(r io.Reader) (int64, error)
	} = plonk.NewProvingKey(c)
	if s == backend.GROTH16 {
		pk = groth16.NewProvingKey(c)
	}
	_, err := pk.UnsafeReadFrom(r)
	return err
}

func read(to io.ReaderFrom, from io.Reader) error {
	_, err := to.ReadFrom(from)
	return err
}

// What gnark may allocate, in all and over time, for bytes that a scan accepted: so many bytes
// for each of them, and so many besides for pairings, subgroup checks and the tables of an FFT.
const (
	growth    = 64
	allowance = 1 << 22
)

// mustDecode fails if gnark panics over b, allocates too much, or misses bytes.
func mustDecode(t *testing.T, k encodingKind, c ecc.ID, s backend.ID, b []byte) (err error) {
	t.Helper()
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s: gnark panics: %v\n%x", k.name, p, b)
		}
	}()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	err = k.decode(c, s, bytes.NewReader(b))
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > uint64(growth*len(b)+allowance) {
		t.Errorf("%s: gnark allocates %d bytes for %d", k.name, used, len(b))
	}
	if err != nil && missesBytes(err) {
		t.Errorf("%s: gnark runs out of bytes: %v", k.name, err)
	}
	return err
}

func missesBytes(err error) bool {
	text := err.Error()
	return err == io.EOF || err == io.ErrUnexpectedEOF ||
		slices.ContainsFunc([]string{"EOF", "less data", "invalid buffer", "invalid data length"}, func(s string) bool { return strings.Contains(text, s) })
}

func TestGnarkDecodesWhatScansAccept(t *testing.T) {
	each(t, "committed", func(t *testing.T, s *sample) {
		for _, k := range kinds {
			for _, b := range k.honest(s) {
				if err := mustDecode(t, k, s.curve, s.scheme, b); err != nil {
					t.Errorf("%s: %v", k.name, err)
				}
			}
		}
	})
}

func TestTruncatedEncodingsAreRefused(t *testing.T) {
	each(t, "cubic", func(t *testing.T, s *sample) {
		for _, k := range kinds {
			for _, b := range k.honest(s) {
				// Every length of a short encoding; some of a long one, which has large equal parts.
				for n := 0; n < len(b); n += 1 + len(b)/4096 {
					if k.scan(s.curve, s.scheme, b[:n]) == nil {
						t.Fatalf("%s: the first %d of %d bytes pass", k.name, n, len(b))
					}
				}
			}
		}
	})
}

func TestTrailingBytesAreRefused(t *testing.T) {
	each(t, "mixed", func(t *testing.T, s *sample) {
		for _, k := range kinds {
			for _, b := range k.honest(s) {
				for _, more := range [][]byte{{0}, bytes.Repeat([]byte{0xff}, 64)} {
					if k.scan(s.curve, s.scheme, append(slices.Clone(b), more...)) == nil {
						t.Errorf("%s: %d bytes more pass", k.name, len(more))
					}
				}
			}
		}
	})
}

func TestSourcesOfAnotherSizeAreRefused(t *testing.T) {
	s := get(t, ecc.BN254, backend.GROTH16, "cubic")
	b := s.forms[1].pk
	for _, size := range []int64{-1, 0, int64(len(b) - 1), int64(len(b) + 1), 1 << 62} {
		if _, err := wire.ProvingKey(s.curve, s.scheme, bytes.NewReader(b), size, true); err == nil {
			t.Errorf("size %d of %d passes", size, len(b))
		}
	}
}

func TestUnknownCurvesAndSchemesAreRefused(t *testing.T) {
	s := get(t, ecc.BN254, backend.GROTH16, "cubic")
	for _, k := range kinds {
		if k.scan(ecc.SECP256K1, backend.GROTH16, k.honest(s)[0]) == nil {
			t.Errorf("%s: passes for a curve without pairing", k.name)
		}
		if k.name != "witness" && k.scan(ecc.BN254, backend.UNKNOWN, k.honest(s)[0]) == nil {
			t.Errorf("%s: passes for an unknown scheme", k.name)
		}
	}
}

// TestEncodingsOfAnotherCurveOrSchemeAreRefused leaves out witnesses, whose elements have the same
// size on three curves, and the two curves that only their points tell apart.
func TestEncodingsOfAnotherCurveOrSchemeAreRefused(t *testing.T) {
	for _, c := range curves {
		for _, s := range schemes {
			from := get(t, c, s, "mixed")
			for _, k := range kinds[:5] {
				for _, c2 := range curves {
					for _, s2 := range schemes {
						alike := s == s2 && strings.HasPrefix(c.String(), "bls") && strings.HasPrefix(c2.String(), "bls") && k.name != "constraint system"
						if c == c2 && s == s2 || alike {
							continue
						}
						for _, b := range k.honest(from) {
							if k.scan(c2, s2, b) == nil {
								t.Errorf("%s of %s %s passes as %s %s", k.name, s, c, s2, c2)
							}
						}
					}
				}
			}
		}
	}
}

func TestErrorsNameWhatAndWhere(t *testing.T) {
	s := get(t, ecc.BN254, backend.GROTH16, "cubic")
	b := slices.Clone(s.forms[0].proof)
	copy(b[128:], []byte{0xff, 0xff, 0xff, 0xff})
	_, err := wire.Proof(s.curve, s.scheme, b)
	want := "proof: Commitments at byte 128: got 4294967295, want at most 1 elements in the 32 bytes left"
	if fmt.Sprint(err) != want {
		t.Errorf("got %q, want %q", err, want)
	}
}
