package wire_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fp"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	groth16bls "github.com/consensys/gnark/backend/groth16/bls12-381"
	"github.com/consensys/gnark/backend/plonk"
	plonkbls "github.com/consensys/gnark/backend/plonk/bls12-381"

	"github.com/weisyn/wes/prover/circuit/wire"
)

func TestHonestKeysFitTheirCircuit(t *testing.T) {
	each(t, "committed", func(t *testing.T, s *sample) {
		if err := wire.CheckKeys(s.circuit, s.pk, s.vk); err != nil {
			t.Errorf("as made: %v", err)
		}
		pk, vk := copies(t, s)
		if err := wire.CheckKeys(s.circuit, pk, vk); err != nil {
			t.Errorf("decoded: %v", err)
		}
	})
}

// copies decodes the keys of a sample, as its caller would.
func copies(t *testing.T, s *sample) (pk, vk any) {
	t.Helper()
	type key interface {
		UnsafeReadFrom(r io.Reader) (int64, error)
	}
	var p, v key = groth16.NewProvingKey(s.curve), groth16.NewVerifyingKey(s.curve)
	if s.scheme == backend.PLONK {
		p, v = plonk.NewProvingKey(s.curve), plonk.NewVerifyingKey(s.curve)
	}
	for k, b := range map[key][]byte{p: s.forms[1].pk, v: s.forms[1].vk} {
		if _, err := k.UnsafeReadFrom(bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
	}
	return p, v
}

// outsider is a point of BLS12-381's curve, but not of its subgroup.
func outsider() (p bls12381.G1Affine) {
	for x := uint64(1); ; x++ {
		p.X.SetUint64(x)
		p.Y.Square(&p.X).Mul(&p.Y, &p.X)
		p.Y.Add(&p.Y, new(fp.Element).SetUint64(4))
		if p.Y.Sqrt(&p.Y) != nil && p.IsOnCurve() && !p.IsInSubGroup() {
			return p
		}
	}
}

func TestSpoiledGroth16KeysAreRefused(t *testing.T) {
	s := get(t, ecc.BLS12_381, backend.GROTH16, "committed")
	for want, spoil := range map[string]func(pk *groth16bls.ProvingKey, vk *groth16bls.VerifyingKey){
		"G1.A: got point 1 outside": func(pk *groth16bls.ProvingKey, _ *groth16bls.VerifyingKey) { pk.G1.A[1] = outsider() },
		"G1.Z: got point 0 outside": func(pk *groth16bls.ProvingKey, _ *groth16bls.VerifyingKey) { pk.G1.Z[0] = outsider() },
		"G1.K: got point 2 outside": func(_ *groth16bls.ProvingKey, vk *groth16bls.VerifyingKey) { vk.G1.K[2] = outsider() },
		"G2.B: got point 0 outside": func(pk *groth16bls.ProvingKey, _ *groth16bls.VerifyingKey) { pk.G2.B[0].X.A0.SetOne() },
		"Basis: got point 0 outside": func(pk *groth16bls.ProvingKey, _ *groth16bls.VerifyingKey) {
			pk.CommitmentKeys[0].Basis[0] = outsider()
		},
		"Basis: got 0":                          func(pk *groth16bls.ProvingKey, _ *groth16bls.VerifyingKey) { pk.CommitmentKeys[0].Basis = nil },
		"CommitmentKeys: got 0":                 func(pk *groth16bls.ProvingKey, _ *groth16bls.VerifyingKey) { pk.CommitmentKeys = nil },
		"G1.K: got 2, want 3":                   func(_ *groth16bls.ProvingKey, vk *groth16bls.VerifyingKey) { vk.G1.K = vk.G1.K[:2] },
		"G1.Alpha: got another":                 func(pk *groth16bls.ProvingKey, _ *groth16bls.VerifyingKey) { pk.G1.Alpha = pk.G1.Beta },
		"G2.Gamma: got infinity":                func(_ *groth16bls.ProvingKey, vk *groth16bls.VerifyingKey) { vk.G2.Gamma = bls12381.G2Affine{} },
		"Domain.Generator: got another":         func(pk *groth16bls.ProvingKey, _ *groth16bls.VerifyingKey) { pk.Domain.Generator.SetOne() },
		"G1.A: got":                             func(pk *groth16bls.ProvingKey, _ *groth16bls.VerifyingKey) { pk.InfinityA[1] = !pk.InfinityA[1] },
		"NbInfinityB: got":                      func(pk *groth16bls.ProvingKey, _ *groth16bls.VerifyingKey) { pk.NbInfinityB++ },
		"PublicAndCommitmentCommitted: got [[2": func(_ *groth16bls.ProvingKey, vk *groth16bls.VerifyingKey) { vk.PublicAndCommitmentCommitted[0][0] = 2 },
	} {
		pk, vk := copies(t, s)
		spoil(pk.(*groth16bls.ProvingKey), vk.(*groth16bls.VerifyingKey))
		refused(t, wire.CheckKeys(s.circuit, pk, vk), want)
	}
}

func TestSpoiledPlonkKeysAreRefused(t *testing.T) {
	s := get(t, ecc.BLS12_381, backend.PLONK, "committed")
	both := func(f func(vk *plonkbls.VerifyingKey)) func(pk *plonkbls.ProvingKey, vk *plonkbls.VerifyingKey) {
		return func(pk *plonkbls.ProvingKey, vk *plonkbls.VerifyingKey) { f(pk.Vk); f(vk) }
	}
	for want, spoil := range map[string]func(pk *plonkbls.ProvingKey, vk *plonkbls.VerifyingKey){
		"Vk: got another": func(_ *plonkbls.ProvingKey, vk *plonkbls.VerifyingKey) { vk.Ql = vk.Qr },
		"commitments: got those of another circuit":  both(func(vk *plonkbls.VerifyingKey) { vk.Qm = vk.Qk }),
		"Ql: got point 0 outside":                    both(func(vk *plonkbls.VerifyingKey) { vk.Ql = outsider() }),
		"Qcp: got 0":                                 both(func(vk *plonkbls.VerifyingKey) { vk.Qcp = nil }),
		"Size: got another":                          both(func(vk *plonkbls.VerifyingKey) { vk.Size *= 2 }),
		"CosetShift: got another":                    both(func(vk *plonkbls.VerifyingKey) { vk.CosetShift.SetOne() }),
		"Kzg.Lines: got other":                       both(func(vk *plonkbls.VerifyingKey) { vk.Kzg.Lines[1][0][3].R0.SetOne() }),
		"Kzg.G1: got pairing mismatch":               both(func(vk *plonkbls.VerifyingKey) { vk.Kzg.G2[1] = vk.Kzg.G2[0] }),
		"Kzg.G1: got point 5 outside":                func(pk *plonkbls.ProvingKey, _ *plonkbls.VerifyingKey) { pk.Kzg.G1[5] = outsider() },
		"Kzg.G1: got pairing mismatch, want powers":  func(pk *plonkbls.ProvingKey, _ *plonkbls.VerifyingKey) { pk.Kzg.G1[5] = pk.Kzg.G1[4] },
		"KzgLagrange.G1: got other points":           func(pk *plonkbls.ProvingKey, _ *plonkbls.VerifyingKey) { pk.KzgLagrange.G1[3] = pk.KzgLagrange.G1[4] },
		"KzgLagrange.G1: got 4":                      func(pk *plonkbls.ProvingKey, _ *plonkbls.VerifyingKey) { pk.KzgLagrange.G1 = pk.KzgLagrange.G1[:4] },
		"commitments: got those of another circuit,": both(func(vk *plonkbls.VerifyingKey) { vk.CommitmentConstraintIndexes[0]++ }),
	} {
		pk, vk := copies(t, s)
		spoil(pk.(*plonkbls.ProvingKey), vk.(*plonkbls.VerifyingKey))
		refused(t, wire.CheckKeys(s.circuit, pk, vk), want)
	}
}

func refused(t *testing.T, err error, want string) {
	t.Helper()
	var refusal *wire.Error
	if !errors.As(err, &refusal) || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestKeysOfAnotherCircuitCurveOrSchemeAreRefused(t *testing.T) {
	s := get(t, ecc.BN254, backend.GROTH16, "committed")
	other := get(t, ecc.BN254, backend.GROTH16, "cubic")
	var refusal *wire.Error
	if err := wire.CheckKeys(s.circuit, other.pk, other.vk); !errors.As(err, &refusal) {
		t.Errorf("another circuit: %v", err)
	}
	curve := get(t, ecc.BLS12_381, backend.GROTH16, "committed")
	scheme := get(t, ecc.BN254, backend.PLONK, "committed")
	for name, keys := range map[string][2]any{
		"another curve": {curve.pk, curve.vk}, "another scheme": {scheme.pk, scheme.vk},
		"mixed schemes": {s.pk, scheme.vk}, "mixed curves": {s.pk, curve.vk}, "nothing": {nil, nil},
	} {
		if err := wire.CheckKeys(s.circuit, keys[0], keys[1]); !errors.Is(err, wire.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFirstOutsideFindsTheFirst(t *testing.T) {
	_, _, g, _ := bls12381.Generators()
	points := make([]bls12381.G1Affine, 1000)
	for i := range points {
		points[i] = g
	}
	if i := wire.FirstOutside(points); i != -1 {
		t.Errorf("honest points: %d", i)
	}
	for _, bad := range [][]int{{0}, {999}, {700, 130, 131}, {64, 63}} {
		spoiled := append([]bls12381.G1Affine(nil), points...)
		least := len(points)
		for _, i := range bad {
			spoiled[i] = outsider()
			least = min(least, i)
		}
		if i := wire.FirstOutside(spoiled); i != least {
			t.Errorf("got %d, want %d", i, least)
		}
	}
	if i := wire.FirstOutside([]bls12381.G1Affine{}); i != -1 {
		t.Errorf("no points: %d", i)
	}
}
