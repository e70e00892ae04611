package circuit_test

import (
	"bytes"
	"io"
	"math/big"
	"path/filepath"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	kzgbls12377 "github.com/consensys/gnark-crypto/ecc/bls12-377/kzg"
	kzgbls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381/kzg"
	kzgbn254 "github.com/consensys/gnark-crypto/ecc/bn254/kzg"
	kzgbw6761 "github.com/consensys/gnark-crypto/ecc/bw6-761/kzg"
	"github.com/weisyn/wes/prover/circuit"
)

// reference writes powers of a secret that everyone knows, in gnark's encoding.
func reference(tb testing.TB, c ecc.ID, powers uint64) string {
	tb.Helper()
	var s io.WriterTo
	var err error
	tau := big.NewInt(12345)
	switch c {
	case ecc.BN254:
		s, err = kzgbn254.NewSRS(powers, tau)
	case ecc.BLS12_381:
		s, err = kzgbls12381.NewSRS(powers, tau)
	case ecc.BLS12_377:
		s, err = kzgbls12377.NewSRS(powers, tau)
	default:
		s, err = kzgbw6761.NewSRS(powers, tau)
	}
	var b bytes.Buffer
	if err == nil {
		_, err = s.WriteTo(&b)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return file(tb, b.Bytes())
}

func TestCeremonysFileServesPLONKOverAllCurves(t *testing.T) {
	for _, s := range circuit.Systems()[4:] {
		for _, commits := range []bool{false, true} {
			f := tiny(t, s, commits)
			p := f.setup(t, circuit.SetupRequest{Out: filepath.Join(t.TempDir(), "p"), SRS: reference(t, s.Curve, 2048)})
			if o := p.Manifest.Origin; o.Kind != circuit.OriginCeremony || len(o.SRS) != 64 || o.Warning() != "" {
				t.Errorf("%v: origin %+v", s, o)
			}
			r, err := circuit.NewProver(circuit.Options{}).Prove(t.Context(), p.Dir, f.witness, circuit.TargetGnark, nil)
			if err != nil {
				t.Fatal(err)
			}
			k, err := p.VerifyingKey()
			if err != nil {
				t.Fatal(err)
			}
			if err := k.Verify(r.Public, r.Proof, circuit.TargetGnark); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestReferenceStringsThatCannotServeAreRefused(t *testing.T) {
	all := circuit.Systems()
	for _, c := range []struct {
		f     *fixture
		srs   string
		words string
	}{
		{tiny(t, all[4], false), reference(t, ecc.BN254, 6), "more powers"},
		{tiny(t, all[5], false), reference(t, ecc.BN254, 64), ""},
		{tiny(t, all[0], false), reference(t, ecc.BN254, 64), ".ptau"},
		{tiny(t, all[4], false), file(t, nil), ""},
	} {
		_, err := c.f.trySetup(t, circuit.SetupRequest{Out: filepath.Join(t.TempDir(), "p"), SRS: c.srs})
		wantInputError(t, err, c.words)
	}
}
