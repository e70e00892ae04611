package srs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	cbn "github.com/consensys/gnark-crypto/ecc/bn254/kzg"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/plonk"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/frontend/cs/scs"
	"github.com/consensys/gnark/logger"
	"github.com/consensys/gnark/test/unsafekzg"

	"github.com/weisyn/wes/prover/circuit/wire"
)

func TestMain(m *testing.M) {
	logger.Disable() // gnark writes every proof to standard output
	os.Exit(m.Run())
}

// circuit has a commitment, which Groth16's second phase treats apart.
type circuit struct {
	X frontend.Variable
	Y frontend.Variable `gnark:",public"`
}

func (c *circuit) Define(api frontend.API) error {
	api.AssertIsEqual(c.Y, api.Mul(c.X, c.X, c.X))
	commitment, err := api.(frontend.Committer).Commit(c.X, c.Y)
	if err != nil {
		return err
	}
	api.AssertIsDifferent(commitment, c.X)
	return nil
}

func compile(t testing.TB, c ecc.ID, builder frontend.NewBuilder) constraint.ConstraintSystem {
	t.Helper()
	ccs, err := frontend.Compile(c.ScalarField(), builder, new(circuit))
	if err != nil {
		t.Fatal(err)
	}
	return ccs
}

func opened(t testing.TB, b []byte, c ecc.ID) *File {
	t.Helper()
	f, err := Open(store(t, b), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// provesPlonk sets a circuit up with a reference string, proves and verifies.
func provesPlonk(t *testing.T, f *File, c ecc.ID) {
	t.Helper()
	ccs := compile(t, c, scs.NewBuilder[constraint.U64])
	canonical, lagrange, err := f.KZG(t.Context(), ecc.NextPowerOfTwo(uint64(ccs.GetNbConstraints()+ccs.GetNbPublicVariables())))
	if err != nil {
		t.Fatal(err)
	}
	pk, vk, err := plonk.Setup(ccs, canonical, lagrange)
	if err != nil {
		t.Fatal(err)
	}
	if err := wire.CheckKeys(ccs, pk, vk); err != nil {
		t.Error(err)
	}
	full, _ := frontend.NewWitness(&circuit{X: 3, Y: 27}, c.ScalarField())
	public, _ := full.Public()
	proof, err := plonk.Prove(ccs, pk, full)
	if err != nil {
		t.Fatal(err)
	}
	if err := plonk.Verify(proof, vk, public); err != nil {
		t.Error(err)
	}
}

func provesGroth16(t *testing.T, f *File, c ecc.ID) {
	t.Helper()
	ccs := compile(t, c, r1cs.NewBuilder[constraint.U64])
	pk, vk, err := f.Groth16(t.Context(), ccs)
	if err != nil {
		t.Fatal(err)
	}
	if err := wire.CheckKeys(ccs, pk, vk); err != nil {
		t.Error(err)
	}
	full, _ := frontend.NewWitness(&circuit{X: 3, Y: 27}, c.ScalarField())
	public, _ := full.Public()
	proof, err := groth16.Prove(ccs, pk, full)
	if err != nil {
		t.Fatal(err)
	}
	if err := groth16.Verify(proof, vk, public); err != nil {
		t.Error(err)
	}
}

// The files in testdata were made by snarkjs: a ceremony of power 4 with one contribution,
// over BN254 also prepared for the second phase.
func TestFilesOfSnarkjsServeBothSchemes(t *testing.T) {
	for c, name := range map[ecc.ID]string{ecc.BN254: "testdata/bn254.ptau", ecc.BLS12_381: "testdata/bls12381.ptau"} {
		t.Run(c.String(), func(t *testing.T) {
			f, err := Open(name, c)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			d := f.Describe()
			if d.Format != FormatPtau || d.Powers != 31 || d.Rows != 16 || d.Contributions != 1 || len(d.SHA256) != 64 {
				t.Errorf("%+v", d)
			}
			provesPlonk(t, f, c)
			provesGroth16(t, f, c)
		})
	}
}

func TestHonestPtauServesBothSchemes(t *testing.T) {
	for _, c := range []ecc.ID{ecc.BN254, ecc.BLS12_381} {
		t.Run(c.String(), func(t *testing.T) {
			f := opened(t, write(c, 4, honest).bytes(), c)
			provesPlonk(t, f, c)
			provesGroth16(t, f, c)
		})
	}
}

// TestKZGIsWhatGnarkMakesOfTheSecret compares with gnark's own reference string of a known tau.
func TestKZGIsWhatGnarkMakesOfTheSecret(t *testing.T) {
	f := opened(t, write(ecc.BN254, 3, honest).bytes(), ecc.BN254)
	canonical, lagrange, err := f.KZG(t.Context(), 8)
	if err != nil {
		t.Fatal(err)
	}
	want, err := cbn.NewSRS(11, big.NewInt(honest.tau))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(encode(t, canonical), encode(t, want)) {
		t.Error("canonical forms differ")
	}
	rows, err := cbn.ToLagrangeG1(want.Pk.G1[:8])
	if err != nil || !slices.Equal(lagrange.(*cbn.SRS).Pk.G1, rows) {
		t.Errorf("Lagrange forms differ: %v", err)
	}
}

func encode(t testing.TB, s io.WriterTo) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := s.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGnarkEncodingsServePlonk(t *testing.T) {
	for _, c := range []ecc.ID{ecc.BN254, ecc.BLS12_381, ecc.BLS12_377, ecc.BW6_761} {
		t.Run(c.String(), func(t *testing.T) {
			ccs := compile(t, c, scs.NewBuilder[constraint.U64])
			made, _, err := unsafekzg.NewSRS(ccs)
			if err != nil {
				t.Fatal(err)
			}
			var raw bytes.Buffer
			if _, err := made.WriteRawTo(&raw); err != nil {
				t.Fatal(err)
			}
			for _, b := range [][]byte{encode(t, made), raw.Bytes()} {
				f := opened(t, b, c)
				provesPlonk(t, f, c)
				r1 := compile(t, c, r1cs.NewBuilder[constraint.U64])
				if _, _, err := f.Groth16(t.Context(), r1); !errors.Is(err, ErrUnsupported) {
					t.Errorf("Groth16: %v", err)
				}
				for n := 0; n < len(b); n += 1 + len(b)/200 {
					if _, _, err := find(bytes.NewReader(b[:n]), int64(n), c); !errors.Is(err, ErrInvalid) {
						t.Fatalf("%d bytes: %v", n, err)
					}
				}
			}
		})
	}
}

func TestGnarkEncodingsAreNotBelieved(t *testing.T) {
	good, err := cbn.NewSRS(11, big.NewInt(honest.tau))
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(s *cbn.SRS){
		"swapped":       func(s *cbn.SRS) { s.Pk.G1[4], s.Pk.G1[5] = s.Pk.G1[5], s.Pk.G1[4] },
		"not powers":    func(s *cbn.SRS) { s.Pk.G1[10] = s.Pk.G1[9] },
		"another tau":   func(s *cbn.SRS) { s.Vk.G2[1] = s.Vk.G2[0] },
		"no generator":  func(s *cbn.SRS) { s.Pk.G1[0] = s.Pk.G1[1] },
		"off the curve": func(s *cbn.SRS) { s.Pk.G1[7].X, s.Pk.G1[7].Y = s.Pk.G1[7].Y, s.Pk.G1[7].X },
	} {
		s := *good
		s.Pk.G1 = slices.Clone(good.Pk.G1)
		spoil(&s)
		var raw bytes.Buffer
		if _, err := s.WriteRawTo(&raw); err != nil {
			t.Fatal(err)
		}
		if _, _, err := opened(t, raw.Bytes(), ecc.BN254).KZG(t.Context(), 8); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWeakSecretsAreRefused(t *testing.T) {
	ccs := compile(t, ecc.BN254, r1cs.NewBuilder[constraint.U64])
	for want, k := range map[string]secrets{
		"tau is 0 or 1": {1, 2, 3}, "alpha is 0 or 1": {2, 1, 3}, "beta is 0 or 1": {2, 3, 0},
	} {
		_, _, err := opened(t, write(ecc.BN254, 3, k).bytes(), ecc.BN254).Groth16(t.Context(), ccs)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestEveryTruncatedPtauIsRefused(t *testing.T) {
	b := write(ecc.BN254, 2, honest).bytes()
	for n := range b {
		if _, err := parsePtau(bytes.NewReader(b[:n]), int64(n), ecc.BN254); !errors.Is(err, ErrInvalid) {
			t.Fatalf("%d of %d bytes: %v", n, len(b), err)
		}
	}
}

func TestSmallFilesAreRefused(t *testing.T) {
	f := opened(t, write(ecc.BN254, 2, honest).bytes(), ecc.BN254)
	if _, _, err := f.KZG(t.Context(), 4); err != nil {
		t.Errorf("4 rows: %v", err)
	}
	if _, _, err := f.KZG(t.Context(), 8); !errors.Is(err, ErrTooSmall) {
		t.Errorf("8 rows: %v", err)
	}
	for _, n := range []uint64{0, 1, 3, 1 << 63} {
		if _, _, err := f.KZG(t.Context(), n); err == nil {
			t.Errorf("%d rows pass", n)
		}
	}
	ccs := compile(t, ecc.BN254, r1cs.NewBuilder[constraint.U64])
	if _, _, err := f.Groth16(t.Context(), ccs); !errors.Is(err, ErrTooSmall) {
		t.Errorf("Groth16 of %d constraints: %v", ccs.GetNbConstraints(), err)
	}
}

func TestPtauOverOtherCurvesIsRefused(t *testing.T) {
	b := write(ecc.BN254, 2, honest).bytes()
	for c, want := range map[ecc.ID]error{ecc.BLS12_381: ErrInvalid, ecc.BLS12_377: ErrUnsupported, ecc.BW6_761: ErrUnsupported} {
		if _, err := Open(store(t, b), c); !errors.Is(err, want) {
			t.Errorf("%s: %v", c, err)
		}
	}
	f := opened(t, b, ecc.BN254)
	ccs := compile(t, ecc.BLS12_381, r1cs.NewBuilder[constraint.U64])
	if _, _, err := f.Groth16(t.Context(), ccs); !errors.Is(err, ErrUnsupported) {
		t.Errorf("a circuit over another curve: %v", err)
	}
}

func TestCanceledContextStopsTheChecks(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f := opened(t, write(ecc.BN254, 3, honest).bytes(), ecc.BN254)
	if _, _, err := f.KZG(ctx, 8); !errors.Is(err, context.Canceled) {
		t.Errorf("KZG: %v", err)
	}
}

// one is the smallest circuit: its domain has one row.
type one struct {
	X frontend.Variable
	Y frontend.Variable `gnark:",public"`
}

func (c *one) Define(api frontend.API) error {
	api.AssertIsEqual(c.Y, api.Mul(c.X, 2))
	return nil
}

func TestOneConstraintHasGroth16Keys(t *testing.T) {
	f := opened(t, write(ecc.BN254, 1, honest).bytes(), ecc.BN254)
	ccs, err := frontend.Compile(ecc.BN254.ScalarField(), r1cs.NewBuilder[constraint.U64], new(one))
	if err != nil || ccs.GetNbConstraints() != 1 {
		t.Fatal(err, ccs.GetNbConstraints())
	}
	pk, vk, err := f.Groth16(t.Context(), ccs)
	if err != nil {
		t.Fatal(err)
	}
	if err := wire.CheckKeys(ccs, pk, vk); err != nil {
		t.Error(err)
	}
	full, err := frontend.NewWitness(&one{X: 3, Y: 6}, ecc.BN254.ScalarField())
	if err != nil {
		t.Fatal(err)
	}
	proof, err := groth16.Prove(ccs, pk, full)
	if err != nil {
		t.Fatal(err)
	}
	public, err := full.Public()
	if err == nil {
		err = groth16.Verify(proof, vk, public)
	}
	if err != nil {
		t.Error(err)
	}
}
