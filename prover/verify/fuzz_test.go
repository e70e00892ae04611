package verify_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/weisyn/wes/prover/transcript"
	"github.com/weisyn/wes/prover/verify"
)

// FuzzVerifyFile reads proof files from strangers: they never make it panic, and only the
// honest bytes are accepted.
func FuzzVerifyFile(f *testing.F) {
	s := wide(f, transcript.SHA256)
	honest := s.file()
	f.Add(honest)
	f.Add(honest[:len(honest)/2])
	f.Add(append(slices.Clone(honest), 0))
	for i := 0; i < len(honest); i += 97 {
		changed := slices.Clone(honest)
		changed[i] ^= 0x80
		f.Add(changed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := verifyFile(t, s.model, s.statement.Inputs, data)
		if accepted := err == nil; accepted != bytes.Equal(data, honest) {
			t.Errorf("accepted is %v: %v", accepted, err)
		}
	})
}

// FuzzDecodeModel reads model files from strangers: they never make it panic, a model has
// one encoding, and no proof of zeros holds for it.
func FuzzDecodeModel(f *testing.F) {
	for _, s := range []*sample{tiny(f), pair(f), wide(f, transcript.SHA256), wide(f, transcript.Poseidon2)} {
		honest := s.model.Encode()
		f.Add(honest)
		for i := 0; i < len(honest); i += 31 {
			changed := slices.Clone(honest)
			changed[i] ^= 1
			f.Add(changed)
		}
	}
	for _, g := range bombs() {
		if data := modelFile(g); len(data) < 1<<12 {
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := verify.DecodeModel(data)
		if err != nil {
			return
		}
		if !bytes.Equal(m.Encode(), data) {
			t.Error("two encodings of one model")
		}
		if err := verify.Verify(m, &verify.Statement{Model: m.Digest()}, new(verify.Proof)); err == nil {
			t.Error("an empty proof of an empty statement holds")
		}
	})
}
