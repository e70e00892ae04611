package service

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/weisyn/wes/prover/circuit"
)

func manifest() *circuit.Manifest {
	return &circuit.Manifest{Scheme: "groth16", Curve: "bn254", Public: 1}
}

func reply(tb testing.TB) []byte {
	tb.Helper()
	public, err := circuit.DecodeWitness(manifest().System().Curve, []byte(`{"public": ["5"]}`))
	if err != nil {
		tb.Fatal(err)
	}
	parts, err := encodeResult(&circuit.Result{Proof: []byte("proof"), Public: public})
	if err != nil {
		tb.Fatal(err)
	}
	return bytes.Join(parts, nil)
}

func TestReplyIsReadBack(t *testing.T) {
	b := reply(t)
	r, err := readResult(manifest(), bytes.NewReader(b), uint64(len(b)))
	if err != nil || string(r.Proof) != "proof" || r.Public.Public != 1 {
		t.Errorf("got %+v, %v", r, err)
	}
	for n := range b {
		if _, err := readResult(manifest(), bytes.NewReader(b[:n]), uint64(n)); err == nil {
			t.Errorf("%d bytes of %d are accepted", n, len(b))
		}
	}
}

func TestHeadIsBoundedBeforeItIsRead(t *testing.T) {
	b := binary.LittleEndian.AppendUint32(nil, 1<<31)
	if _, err := readHead(bytes.NewReader(b), &proveHead{}); err == nil {
		t.Error("a head of 2 GiB is accepted")
	}
}

func FuzzReply(f *testing.F) {
	f.Add(reply(f))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := readResult(manifest(), bytes.NewReader(b), uint64(len(b)))
		if err == nil && (r.Public.Public != 1 || len(r.Proof) > len(b)) {
			t.Errorf("%q gives %+v", b, r)
		}
	})
}
