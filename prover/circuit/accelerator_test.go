package circuit_test

import (
	"errors"
	"math/big"
	"path/filepath"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
	"github.com/weisyn/wes/prover/circuit"
)

// device is an accelerator that the CPU plays.
type device struct {
	keys, proofs, freed int
	spoil               bool
	fail                error
}

var _ circuit.Accelerator = (*device)(nil)

func (d *device) Name() string { return "played" }

func (d *device) NewProvingKey(c ecc.ID) groth16.ProvingKey {
	d.keys++
	return groth16.NewProvingKey(c)
}

func (d *device) Prove(cs constraint.ConstraintSystem, pk groth16.ProvingKey, w witness.Witness, o ...backend.ProverOption) (groth16.Proof, error) {
	d.proofs++
	if d.fail != nil {
		return nil, d.fail
	}
	p, err := groth16.Prove(cs, pk, w, o...)
	if d.spoil {
		p = groth16.NewProof(cs.(interface{ CurveID() ecc.ID }).CurveID())
	}
	return p, err
}

func (d *device) Free(groth16.ProvingKey) { d.freed++ }

func TestAcceleratorProvesGroth16AndNothingElse(t *testing.T) {
	for _, s := range circuit.Systems() {
		f := tiny(t, s, true)
		d := &device{}
		p := circuit.NewProver(circuit.Options{Accelerator: d})
		for i := range 2 {
			r := f.prove(t, p)
			want, n := "cpu", 0
			if s.Scheme == backend.GROTH16 {
				want, n = "played", 1
			}
			if r.Report.Device != want || d.keys != n || d.proofs != n*(i+1) || r.Report.Cached != (i == 1) {
				t.Errorf("%v: report %+v, device %+v", s, r.Report, d)
			}
		}
		if _, err := p.Prove(t.Context(), f.dir, f.bad, circuit.TargetGnark, nil); !errors.As(err, new(*circuit.UnsatisfiedError)) {
			t.Errorf("%v: got %v, want an unsatisfied witness", s, err)
		}
	}
}

func TestDeviceThatMakesBadProofsIsBlamed(t *testing.T) {
	f := tiny(t, circuit.Systems()[0], false)
	for _, d := range []*device{{spoil: true}, {fail: errors.New("out of order")}} {
		_, err := circuit.NewProver(circuit.Options{Accelerator: d}).Prove(t.Context(), f.dir, f.witness, circuit.TargetGnark, nil)
		var failed *circuit.DeviceError
		if !errors.As(err, &failed) || failed.Device != "played" {
			t.Errorf("got %v, want a failure of the device", err)
		}
	}
}

// TestDeviceHoldsTheKeyOfOnePackage, since a job reserves memory for its own alone.
func TestDeviceHoldsTheKeyOfOnePackage(t *testing.T) {
	d := &device{}
	p := circuit.NewProver(circuit.Options{Accelerator: d})
	a, b := tiny(t, circuit.Systems()[0], false), tiny(t, circuit.Systems()[1], false)
	for i, f := range []*fixture{a, a, b, a} {
		f.prove(t, p)
		if d.keys-d.freed != 1 {
			t.Errorf("after %d proofs the device has %d keys", i+1, d.keys-d.freed)
		}
	}
	if d.keys != 3 {
		t.Errorf("%d keys were loaded, want 3", d.keys)
	}
}

func TestDeviceMemoryHoldsKeyAndDomain(t *testing.T) {
	for _, s := range circuit.Systems() {
		m := circuit.Manifest{Scheme: s.SchemeName(), Curve: s.CurveName(), Constraints: 1<<20 + 1, Proving: &circuit.Part{Size: 400 << 20}}
		got := m.DeviceMemory()
		if s.Scheme != backend.GROTH16 {
			if got != 0 {
				t.Errorf("%v: %d bytes of a device that it does not use", s, got)
			}
			continue
		}
		if least := uint64(400<<20 + 6<<21*32); got < least || got > 10<<30 {
			t.Errorf("%v: %d bytes, want more than %d", s, got, least)
		}
		if m.Proving = nil; m.DeviceMemory() != 0 {
			t.Errorf("%v: a verifier's package takes memory", s)
		}
	}
}

// hinted takes a function that only this test has.
type hinted struct{ cube }

func (c *hinted) Define(api frontend.API) error {
	v, err := api.Compiler().NewHint(ownHint, 1, c.X)
	if err != nil {
		return err
	}
	api.AssertIsEqual(v[0], c.X)
	return c.cube.Define(api)
}

func ownHint(_ *big.Int, in, out []*big.Int) error {
	out[0].Set(in[0])
	return nil
}

func TestCircuitThatNeedsForeignFunctionsIsRefused(t *testing.T) {
	for _, i := range []int{0, 4} {
		f := tiny(t, circuit.Systems()[i], false)
		r := circuit.SetupRequest{Circuit: file(t, compile(t, f.system, &hinted{})), Out: filepath.Join(t.TempDir(), "p"), Unsafe: true}
		_, err := f.trySetup(t, r)
		wantInputError(t, err, "ownHint", "standard library")
	}
}
