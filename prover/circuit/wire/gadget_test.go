package wire_test

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/frontend/cs/scs"
	"github.com/consensys/gnark/std/hash/mimc"
	"github.com/consensys/gnark/std/math/cmp"
	"github.com/consensys/gnark/std/math/emulated"
	"github.com/consensys/gnark/std/selector"

	"github.com/weisyn/wes/prover/circuit/wire"
)

// gadget is a circuit from a function.
type gadget struct {
	X      [8]frontend.Variable
	Y      frontend.Variable `gnark:",public"`
	define func(api frontend.API, g *gadget) error
}

func (g *gadget) Define(api frontend.API) error { return g.define(api, g) }

var gadgets = map[string]func(api frontend.API, g *gadget) error{
	"one constraint": func(api frontend.API, g *gadget) error {
		api.AssertIsEqual(api.Mul(g.X[0], g.X[1]), g.Y)
		return nil
	},
	"mimc": func(api frontend.API, g *gadget) error {
		h, err := mimc.NewMiMC(api)
		if err != nil {
			return err
		}
		h.Write(g.X[:]...)
		api.AssertIsEqual(h.Sum(), g.Y)
		return nil
	},
	"emulated": func(api frontend.API, g *gadget) error {
		f, err := emulated.NewField[emulated.Secp256k1Fp](api)
		if err != nil {
			return err
		}
		a := f.FromBits(api.ToBinary(g.X[0], 64)...)
		f.AssertIsEqual(f.Mul(a, f.Inverse(a)), f.One())
		return nil
	},
	"control": func(api frontend.API, g *gadget) error {
		y := selector.Mux(api, g.X[0], g.X[1:]...)
		api.AssertIsEqual(g.Y, api.Select(api.IsZero(y), cmp.IsLess(api, g.X[1], g.X[2]), api.DivUnchecked(y, g.X[3])))
		return nil
	},
	"constants": func(api frontend.API, g *gadget) error {
		c, err := api.(frontend.Committer).Commit(api.Add(g.X[0], 3), api.Mul(g.X[1], 5), g.Y)
		if err != nil {
			return err
		}
		api.AssertIsEqual(api.Mul(c, 0), api.Sub(g.Y, g.Y))
		api.AssertIsDifferent(c, 7)
		return nil
	},
}

func TestGadgetsOfGnarkAreAccepted(t *testing.T) {
	builders := map[string]frontend.NewBuilder{"r1cs": r1cs.NewBuilder[constraint.U64], "scs": scs.NewBuilder[constraint.U64]}
	for name, define := range gadgets {
		for kind, builder := range builders {
			t.Run(name+"/"+kind, func(t *testing.T) {
				c := ecc.BN254
				ccs, err := frontend.Compile(c.ScalarField(), builder, &gadget{define: define})
				if err != nil {
					t.Fatal(err)
				}
				scheme := schemes[0]
				if kind == "scs" {
					scheme = schemes[1]
				}
				b := encode(ccs.WriteTo)
				shape, err := wire.ConstraintSystem(c, scheme, b)
				if err != nil {
					t.Fatal(err)
				}
				if shape.Instructions != ccs.GetNbInstructions() || shape.Constraints != ccs.GetNbConstraints() {
					t.Errorf("%+v", shape)
				}
				t.Logf("%d bytes, %d constraints, %d wires", len(b), shape.Constraints, shape.Wires())
			})
		}
	}
}
