package circuit_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/plonk"
	"github.com/consensys/gnark/frontend"
	"github.com/weisyn/wes/prover/circuit"
)

func (f *fixture) importRequest(tb testing.TB) circuit.SetupRequest {
	tb.Helper()
	return circuit.SetupRequest{
		Out:        filepath.Join(tb.TempDir(), "package"),
		ProvingKey: filepath.Join(f.dir, circuit.ProvingFile), VerifyingKey: filepath.Join(f.dir, circuit.VerifyingFile),
	}
}

func TestImportedKeysProve(t *testing.T) {
	eachSystem(t, func(t *testing.T, f *fixture) {
		for _, key := range []string{filepath.Join(f.dir, circuit.ProvingFile), compressedKey(t, f)} {
			r := f.importRequest(t)
			r.ProvingKey = key
			p := f.setup(t, r)
			if p.Manifest.Origin.Kind != circuit.OriginImported || p.Manifest.Origin.Warning() == "" {
				t.Errorf("origin %v", p.Manifest.Origin)
			}
			result, err := circuit.NewProver(circuit.Options{}).Prove(t.Context(), p.Dir, f.witness, circuit.TargetGnark, nil)
			if err != nil {
				t.Fatal(err)
			}
			_, k := f.open(t)
			if err := k.Verify(result.Public, result.Proof, circuit.TargetGnark); err != nil {
				t.Error(err)
			}
		}
	})
}

// compressedKey is the proving key as WriteTo writes it.
func compressedKey(tb testing.TB, f *fixture) string {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join(f.dir, circuit.ProvingFile))
	if err != nil {
		tb.Fatal(err)
	}
	var out bytes.Buffer
	if f.system.Scheme == backend.PLONK {
		k := plonk.NewProvingKey(f.system.Curve)
		_, err = k.ReadFrom(bytes.NewReader(raw))
		k.WriteTo(&out)
	} else {
		k := groth16.NewProvingKey(f.system.Curve)
		_, err = k.ReadFrom(bytes.NewReader(raw))
		k.WriteTo(&out)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return file(tb, out.Bytes())
}

func TestKeysThatDoNotBelongAreNotImported(t *testing.T) {
	for _, i := range []int{0, 1, 4, 5} {
		s := circuit.Systems()[i]
		f, other := tiny(t, s, false), tiny(t, s, true)

		r := f.importRequest(t) // keys of another circuit
		r.ProvingKey, r.VerifyingKey = filepath.Join(other.dir, circuit.ProvingFile), filepath.Join(other.dir, circuit.VerifyingFile)
		_, err := f.trySetup(t, r)
		wantInputError(t, err, "key: ")

		again := f.setup(t, circuit.SetupRequest{Out: filepath.Join(t.TempDir(), "again"), Unsafe: true})
		r = f.importRequest(t) // keys of two setups
		r.VerifyingKey = filepath.Join(again.Dir, circuit.VerifyingFile)
		_, err = f.trySetup(t, r)
		wantInputError(t, err, "proving key: ", "another")

		if s.Scheme == backend.PLONK { // a circuit of the same size
			r = f.importRequest(t)
			r.Circuit = file(t, compile(t, s, &square{}))
			_, err = f.trySetup(t, r)
			wantInputError(t, err, "another circuit")
		}
	}
}

// square has as many rows as cube.
type square struct{ cube }

func (c *square) Define(api frontend.API) error {
	api.AssertIsEqual(c.Y, api.Add(api.Mul(c.X, c.X, c.X), api.Mul(c.X, 2), 5))
	return nil
}

func TestPointsOutsideTheSubgroupAreNotImported(t *testing.T) {
	for _, i := range []int{0, 1, 4, 5} {
		f := tiny(t, circuit.Systems()[i], false)
		key, err := os.ReadFile(filepath.Join(f.dir, circuit.ProvingFile))
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int{len(key) / 3, len(key) / 2, 2 * len(key) / 3} {
			bad := bytes.Clone(key)
			bad[at] ^= 1
			r := f.importRequest(t)
			r.ProvingKey = file(t, bad)
			_, err = f.trySetup(t, r)
			wantInputError(t, err)
		}
		r := f.importRequest(t)
		r.ProvingKey = file(t, key[:len(key)-1])
		_, err = f.trySetup(t, r)
		wantInputError(t, err, "proving key")
	}
}
