package circuit_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/plonk"
	"github.com/weisyn/wes/prover/circuit"
)

func TestTamperedProofsAreRejected(t *testing.T) {
	eachSystem(t, func(t *testing.T, f *fixture) {
		_, k := f.open(t)
		r := f.prove(t, circuit.NewProver(circuit.Options{}))
		step := 1
		if f.system.CurveName() != "bn254" {
			step = 37 // pairings over the others take longer
		}
		for i := 0; i < len(r.Proof); i += step {
			bad := bytes.Clone(r.Proof)
			bad[i] ^= 1
			var rejection *circuit.Rejection
			if err := k.Verify(r.Public, bad, circuit.TargetGnark); !errors.As(err, &rejection) {
				t.Errorf("byte %d of %d changed: %v", i, len(bad), err)
			}
		}
		for n := 0; n < len(r.Proof); n += step {
			wantRejection(t, k.Verify(r.Public, r.Proof[:n], circuit.TargetGnark), circuit.CheckEncoding)
		}
		wantRejection(t, k.Verify(r.Public, append(bytes.Clone(r.Proof), 0), circuit.TargetGnark), circuit.CheckEncoding)
	})
}

func TestProofHasOneEncoding(t *testing.T) {
	eachSystem(t, func(t *testing.T, f *fixture) {
		_, k := f.open(t)
		r := f.prove(t, circuit.NewProver(circuit.Options{}))
		raw := rawProof(t, f.system, r.Proof)
		if bytes.Equal(raw, r.Proof) {
			t.Fatal("the raw encoding is the compressed one")
		}
		wantRejection(t, k.Verify(r.Public, raw, circuit.TargetGnark), circuit.CheckEncoding)
	})
}

func rawProof(tb testing.TB, s circuit.System, proof []byte) []byte {
	tb.Helper()
	var out bytes.Buffer
	var err error
	if s.Scheme == backend.PLONK {
		p := plonk.NewProof(s.Curve)
		_, err = p.ReadFrom(bytes.NewReader(proof))
		p.WriteRawTo(&out)
	} else {
		p := groth16.NewProof(s.Curve)
		_, err = p.ReadFrom(bytes.NewReader(proof))
		p.WriteRawTo(&out)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func TestWrongPublicValuesAreRejected(t *testing.T) {
	f := tiny(t, circuit.Systems()[0], false)
	_, k := f.open(t)
	r := f.prove(t, circuit.NewProver(circuit.Options{}))
	for text, check := range map[string]circuit.Check{
		`{"public": []}`:                      circuit.CheckPublic,
		`{"public": ["35", "35"]}`:            circuit.CheckPublic,
		`{"public": ["35"], "secret": ["3"]}`: circuit.CheckPublic,
		`{"public": ["34"]}`:                  circuit.CheckProof,
	} {
		w, err := circuit.DecodeWitness(f.system.Curve, []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		wantRejection(t, k.Verify(w, r.Proof, circuit.TargetGnark), check)
	}
	other, err := circuit.DecodeWitness(circuit.Systems()[1].Curve, []byte(`{"public": ["35"]}`))
	if err != nil {
		t.Fatal(err)
	}
	wantRejection(t, k.Verify(other, r.Proof, circuit.TargetGnark), circuit.CheckPublic)
}

func TestSolidityContractsForTwoCurves(t *testing.T) {
	eachSystem(t, func(t *testing.T, f *fixture) {
		_, k := f.open(t)
		var b strings.Builder
		err := k.Solidity(&b)
		if !slices.Contains([]string{"bn254", "bls12-381"}, f.system.CurveName()) {
			if !errors.Is(err, circuit.ErrUnavailable) || !strings.Contains(err.Error(), "bls12-381") {
				t.Errorf("got %v, want ErrUnavailable", err)
			}
			return
		}
		if err != nil || !strings.Contains(b.String(), "contract ") {
			t.Fatalf("%d bytes of Solidity, %v", b.Len(), err)
		}
		r, err := circuit.NewProver(circuit.Options{}).Prove(t.Context(), f.dir, f.witness, circuit.TargetSolidity, nil)
		if err != nil {
			t.Fatal(err)
		}
		call, err := k.Call(r.Public, r.Proof)
		if err != nil {
			t.Fatal(err)
		}
		if len(call.Inputs) != 1 || !strings.HasPrefix(call.Inputs[0], "0x00") || !strings.HasSuffix(call.Inputs[0], "23") || len(call.Proof) < 512 {
			t.Errorf("calldata %v", call)
		}
		// Only Groth16's commitments are hashed differently.
		differs := k.Commitments > 0 && f.system.Scheme == backend.GROTH16
		if err := k.Verify(r.Public, r.Proof, circuit.TargetGnark); (err != nil) != differs {
			t.Errorf("for gnark: %v", err)
		}
	})
}

func FuzzVerify(f *testing.F) {
	fixtures := map[int]*fixture{}
	keys := map[int]*circuit.VerifyingKey{}
	public := map[int]*circuit.Witness{}
	for i, s := range circuit.Systems() {
		for j, commits := range []bool{false, true} {
			n := 2*i + j
			fixtures[n] = tiny(f, s, commits)
			_, keys[n] = fixtures[n].open(f)
			r := fixtures[n].prove(f, circuit.NewProver(circuit.Options{}))
			public[n] = r.Public
			f.Add(n, r.Proof)
		}
	}
	f.Fuzz(func(t *testing.T, n int, proof []byte) {
		n = int(uint(n) % uint(len(keys)))
		err := keys[n].Verify(public[n], proof, circuit.TargetGnark)
		var r *circuit.Rejection
		if err != nil && !errors.As(err, &r) {
			t.Errorf("got %v, want a rejection", err)
		}
	})
}

func FuzzVerifyingKey(f *testing.F) {
	fixtures := map[int]*fixture{}
	proofs := map[int]*circuit.Result{}
	for i, s := range circuit.Systems() {
		for j, commits := range []bool{false, true} {
			n := 2*i + j
			fixtures[n] = tiny(f, s, commits)
			_, k := fixtures[n].open(f)
			proofs[n] = fixtures[n].prove(f, circuit.NewProver(circuit.Options{}))
			f.Add(n, k.Encode())
		}
	}
	f.Fuzz(func(t *testing.T, n int, key []byte) {
		n = int(uint(n) % uint(len(proofs)))
		k, err := circuit.DecodeVerifyingKey(fixtures[n].system, key)
		if err != nil {
			return
		}
		_ = k.Verify(proofs[n].Public, proofs[n].Proof, circuit.TargetGnark) // must not panic
	})
}
