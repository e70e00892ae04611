// Package example makes circuits of any size with witnesses that satisfy them, to try things
// out and to measure: the prover knows where a chain of MiMC hashes starts, the verifier where
// it ends.
package example

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/hash"
	_ "github.com/consensys/gnark-crypto/hash/all" // registers MiMC
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/frontend/cs/scs"
	"github.com/consensys/gnark/std/hash/mimc"
	"github.com/weisyn/wes/prover/circuit"
)

// Example is a circuit with a witness.
type Example struct {
	System  circuit.System
	Links   int    // hashes in the chain
	Circuit []byte // constraint system, gnark's encoding
	Witness []byte // full witness, gnark's encoding
}

// chain is the circuit. Padding squares fill the rows that no further hash has room in.
type chain struct {
	Start frontend.Variable
	End   frontend.Variable `gnark:",public"`

	links, padding int
}

// Define hashes, and then squares the start without looking at the result.
func (c *chain) Define(api frontend.API) error {
	h, err := mimc.NewMiMC(api)
	if err != nil {
		return err
	}
	at := c.Start
	for range c.links {
		h.Reset()
		h.Write(at)
		at = h.Sum()
	}
	api.AssertIsEqual(at, c.End)
	square := c.Start
	for range c.padding {
		square = api.Mul(square, square)
	}
	return nil
}

// New makes a circuit of exactly that many rows: constraints, and for PLONK one more for
// the public input. So a power of two fills an evaluation domain. The same seed gives the same
// witness.
func New(s circuit.System, rows int, seed uint64) (*Example, error) {
	one, err := compile(s, &chain{links: 1})
	if err != nil {
		return nil, err
	}
	two, err := compile(s, &chain{links: 2})
	if err != nil {
		return nil, err
	}
	base := count(s, one)
	if rows < base {
		return nil, fmt.Errorf("%d constraints, one hash over %s takes %d", rows, s.CurveName(), base)
	}
	link := count(s, two) - base
	c := &chain{links: 1 + (rows-base)/link, padding: (rows - base) % link}
	cs, err := fit(s, c, rows, link)
	if err != nil {
		return nil, err
	}
	return encode(s, cs, c.links, seed)
}

// fit compiles c and takes as much padding out, a link at the most, as there are rows too
// many: gnark adds a few to a long chain, where sums become too long for one row.
func fit(s circuit.System, c *chain, rows, link int) (constraint.ConstraintSystem, error) {
	cs, err := compile(s, c)
	if err != nil || count(s, cs) == rows {
		return cs, err
	}
	if c.padding -= count(s, cs) - rows; c.padding < 0 {
		c.links, c.padding = c.links-1, c.padding+link
	}
	if c.links < 1 || c.padding < 0 {
		return nil, fmt.Errorf("no circuit of %d rows", rows)
	}
	if cs, err = compile(s, c); err == nil && count(s, cs) != rows {
		err = fmt.Errorf("circuit of %d rows, want %d", count(s, cs), rows)
	}
	return cs, err
}

func compile(s circuit.System, c *chain) (constraint.ConstraintSystem, error) {
	var builder frontend.NewBuilder = r1cs.NewBuilder
	if s.Scheme == backend.PLONK {
		builder = scs.NewBuilder
	}
	return frontend.Compile(s.Curve.ScalarField(), builder, c)
}

func count(s circuit.System, cs constraint.ConstraintSystem) int {
	n := cs.GetNbConstraints()
	if s.Scheme == backend.PLONK {
		n += cs.GetNbPublicVariables()
	}
	return n
}

func encode(s circuit.System, cs constraint.ConstraintSystem, links int, seed uint64) (*Example, error) {
	start, end := walk(s.Curve, links, seed)
	w, err := frontend.NewWitness(&chain{Start: start, End: end}, s.Curve.ScalarField())
	if err != nil {
		return nil, err
	}
	witness, err := w.MarshalBinary()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if _, err := cs.WriteTo(&b); err != nil {
		return nil, err
	}
	return &Example{s, links, b.Bytes(), witness}, nil
}

// walk hashes outside the circuit.
func walk(c ecc.ID, links int, seed uint64) (start, end *big.Int) {
	sum := sha256.Sum256(binary.LittleEndian.AppendUint64([]byte("wes/circuit/example/"), seed))
	start = new(big.Int).SetBytes(sum[:])
	start.Mod(start, c.ScalarField())
	h := map[ecc.ID]hash.Hash{
		ecc.BN254: hash.MIMC_BN254, ecc.BLS12_381: hash.MIMC_BLS12_381,
		ecc.BLS12_377: hash.MIMC_BLS12_377, ecc.BW6_761: hash.MIMC_BW6_761,
	}[c].New()
	block := start.FillBytes(make([]byte, h.BlockSize()))
	for range links {
		h.Reset()
		h.Write(block)
		block = h.Sum(nil)
	}
	return start, new(big.Int).SetBytes(block)
}
