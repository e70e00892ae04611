package circuit_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/plonk"
	"github.com/consensys/gnark/backend/witness"
	"github.com/weisyn/wes/prover/circuit"
)

// eachSystem runs over the eight systems, with and without a commitment in the proof.
func eachSystem(t *testing.T, test func(t *testing.T, f *fixture)) {
	for _, s := range circuit.Systems() {
		for _, commits := range []bool{false, true} {
			name := s.String()
			if commits {
				name += " with a commitment"
			}
			t.Run(name, func(t *testing.T) { test(t, tiny(t, s, commits)) })
		}
	}
}

func TestProofsVerifyHereAndInGnark(t *testing.T) {
	eachSystem(t, func(t *testing.T, f *fixture) {
		p, k := f.open(t)
		r := f.prove(t, circuit.NewProver(circuit.Options{}))
		if err := k.Verify(r.Public, r.Proof, circuit.TargetGnark); err != nil {
			t.Error(err)
		}
		if err := stockVerify(f.system, k.Encode(), r.Public.Encode(), r.Proof); err != nil {
			t.Errorf("gnark: %v", err)
		}
		other, err := circuit.DecodeWitness(f.system.Curve, []byte(`{"public": ["36"]}`))
		if err != nil {
			t.Fatal(err)
		}
		wantRejection(t, k.Verify(other, r.Proof, circuit.TargetGnark), circuit.CheckProof)
		if p.Manifest.Public != 1 || p.Manifest.Secret != 1 {
			t.Errorf("manifest has %d public and %d secret values", p.Manifest.Public, p.Manifest.Secret)
		}
	})
}

func TestGnarksProofsVerifyHere(t *testing.T) {
	eachSystem(t, func(t *testing.T, f *fixture) {
		_, k := f.open(t)
		proof, err := stockProve(f)
		if err != nil {
			t.Fatal(err)
		}
		w, err := circuit.DecodeWitness(f.system.Curve, f.witness)
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Verify(w.PublicPart(), proof, circuit.TargetGnark); err != nil {
			t.Error(err)
		}
	})
}

func TestUnsatisfiedWitnessIsToldApart(t *testing.T) {
	eachSystem(t, func(t *testing.T, f *fixture) {
		_, err := circuit.NewProver(circuit.Options{}).Prove(t.Context(), f.dir, f.bad, circuit.TargetGnark, nil)
		var u *circuit.UnsatisfiedError
		if !errors.As(err, &u) {
			t.Errorf("got %v, want an unsatisfied witness", err)
		}
	})
}

func wantRejection(tb testing.TB, err error, want circuit.Check) {
	tb.Helper()
	var r *circuit.Rejection
	if !errors.As(err, &r) || r.Check != want {
		tb.Errorf("got %v, want a rejection by %q", err, want)
	}
}

// stockVerify uses nothing but gnark.
func stockVerify(s circuit.System, vk, public, proof []byte) error {
	w, err := witness.New(s.Curve.ScalarField())
	if err != nil {
		return err
	}
	if err := w.UnmarshalBinary(public); err != nil {
		return err
	}
	if s.Scheme == backend.PLONK {
		k, p := plonk.NewVerifyingKey(s.Curve), plonk.NewProof(s.Curve)
		if _, err := k.ReadFrom(bytes.NewReader(vk)); err != nil {
			return err
		}
		if _, err := p.ReadFrom(bytes.NewReader(proof)); err != nil {
			return err
		}
		return plonk.Verify(p, k, w)
	}
	k, p := groth16.NewVerifyingKey(s.Curve), groth16.NewProof(s.Curve)
	if _, err := k.ReadFrom(bytes.NewReader(vk)); err != nil {
		return err
	}
	if _, err := p.ReadFrom(bytes.NewReader(proof)); err != nil {
		return err
	}
	return groth16.Verify(p, k, w)
}
