package circuit

import (
	"fmt"
	"strings"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/logger"
)

// System is a proof system over a curve.
type System struct {
	Scheme backend.ID // backend.GROTH16 or backend.PLONK
	Curve  ecc.ID     // ecc.BN254, ecc.BLS12_381, ecc.BLS12_377 or ecc.BW6_761
}

// schemes and curves are all there are, in the order in which help lists them.
var (
	schemes = []backend.ID{backend.GROTH16, backend.PLONK}
	curves  = []ecc.ID{ecc.BN254, ecc.BLS12_381, ecc.BLS12_377, ecc.BW6_761}
)

// Systems lists every System.
func Systems() []System {
	var all []System
	for _, s := range schemes {
		for _, c := range curves {
			all = append(all, System{s, c})
		}
	}
	return all
}

// ParseSystem takes names such as "groth16" and "bls12-381".
func ParseSystem(scheme, curve string) (System, error) {
	for _, s := range Systems() {
		if s.SchemeName() == scheme && s.CurveName() == strings.ReplaceAll(curve, "_", "-") {
			return s, nil
		}
	}
	return System{}, fmt.Errorf("no proof system %q over %q: schemes are groth16 and plonk, curves bn254, bls12-381, bls12-377 and bw6-761", scheme, curve)
}

// SchemeName is "groth16" or "plonk".
func (s System) SchemeName() string { return s.Scheme.String() }

// CurveName is "bn254", "bls12-381", "bls12-377" or "bw6-761".
func (s System) CurveName() string { return curveName(s.Curve) }

// String is for messages.
func (s System) String() string { return s.SchemeName() + " over " + s.CurveName() }

func curveName(c ecc.ID) string { return strings.ReplaceAll(c.String(), "_", "-") }

// Target says who is to check a proof. It decides how Groth16 hashes commitments, and
// nothing else.
type Target string

const (
	TargetGnark    Target = ""         // gnark's own verifier, and Verify by default
	TargetSolidity Target = "solidity" // the contract that Solidity writes
)

// Silence turns gnark's global logger off. It is not safe beside other calls of gnark.
func Silence() { logger.Disable() }
