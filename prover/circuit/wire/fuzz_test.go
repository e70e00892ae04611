package wire_test

import (
	"slices"
	"testing"
)

// fuzz feeds bytes from strangers to the scanner of one kind, for the pair of curve and scheme
// that the first byte picks: what it accepts, gnark decodes without a panic and in bounded memory.
func fuzz(f *testing.F, kind string) {
	k := kinds[slices.IndexFunc(kinds, func(k encodingKind) bool { return k.name == kind })]
	for i := range 8 {
		s := get(f, curves[i/2], schemes[i%2], "committed")
		for _, b := range k.honest(s) {
			f.Add(byte(i), b)
			f.Add(byte(i), b[:len(b)/2])
		}
	}
	f.Fuzz(func(t *testing.T, pair byte, b []byte) {
		c, s := curves[pair/2%4], schemes[pair%2]
		if k.scan(c, s, b) == nil {
			_ = mustDecode(t, k, c, s, b) // it may still refuse points and elements
		}
	})
}

func FuzzProof(f *testing.F)                { fuzz(f, "proof") }
func FuzzVerifyingKey(f *testing.F)         { fuzz(f, "verifying key") }
func FuzzCompressedProvingKey(f *testing.F) { fuzz(f, "compressed proving key") }
func FuzzRawProvingKey(f *testing.F)        { fuzz(f, "raw proving key") }
func FuzzConstraintSystem(f *testing.F)     { fuzz(f, "constraint system") }
func FuzzWitness(f *testing.F)              { fuzz(f, "witness") }
