package wire_test

import (
	"bytes"
	"io"
	"math/big"
	"os"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/kzg"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/plonk"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/frontend/cs/scs"
	"github.com/consensys/gnark/logger"
	"github.com/consensys/gnark/std/lookup/logderivlookup"
	"github.com/consensys/gnark/std/math/bits"
	"github.com/consensys/gnark/std/rangecheck"
	"github.com/consensys/gnark/test/unsafekzg"
)

func TestMain(m *testing.M) {
	logger.Disable() // gnark writes every proof to standard output
	solver.RegisterHint(doubled)
	os.Exit(m.Run())
}

// cubic is the smallest circuit of interest: no hints, no commitments.
type cubic struct {
	X frontend.Variable
	Y frontend.Variable `gnark:",public"`
}

func (c *cubic) Define(api frontend.API) error {
	api.AssertIsEqual(c.Y, api.Add(api.Mul(c.X, c.X, c.X), c.X, 5))
	return nil
}

// committed is the smallest circuit with a commitment.
type committed struct {
	X frontend.Variable
	Y frontend.Variable `gnark:",public"`
}

func (c *committed) Define(api frontend.API) error {
	commitment, err := api.(frontend.Committer).Commit(c.X, c.Y)
	if err != nil {
		return err
	}
	api.AssertIsDifferent(commitment, api.Mul(c.X, c.Y))
	return nil
}

// mixed has what encodings can hold: several public inputs, a hint of its own, bits, a lookup
// table, range checks and the commitments that these need, debug information and a log.
type mixed struct {
	X, I frontend.Variable
	Y, Z frontend.Variable `gnark:",public"`
}

func doubled(_ *big.Int, in, out []*big.Int) error {
	out[0].Add(in[0], in[0])
	out[1].Set(in[0])
	return nil
}

func (c *mixed) Define(api frontend.API) error {
	double, err := api.Compiler().NewHint(doubled, 2, c.X)
	if err != nil {
		return err
	}
	api.AssertIsEqual(double[0], api.Mul(2, double[1]))
	api.Println("x is", c.X)
	bits.ToBinary(api, c.I, bits.WithNbDigits(4))

	table := logderivlookup.New(api)
	for i := range 5 {
		table.Insert(api.Add(c.X, i))
	}
	found := table.Lookup(c.I)
	api.AssertIsEqual(c.Z, api.Add(found[0], c.Y))
	rangecheck.New(api).Check(c.X, 6)

	committer := api.(frontend.Committer)
	first, err := committer.Commit(c.X, c.Y)
	if err != nil {
		return err
	}
	second, err := committer.Commit(c.I, c.Z, first)
	if err != nil {
		return err
	}
	api.AssertIsDifferent(api.Inverse(first), second)
	return nil
}

// sample is a circuit with its keys, a proof and their honest encodings.
type sample struct {
	curve  ecc.ID
	scheme backend.ID

	canonical, lagrange kzg.SRS // PLONK

	circuit constraint.ConstraintSystem
	pk, vk  any
	witness witness.Witness
	bytes   []byte // of the constraint system
	full    []byte // witness
	public  []byte // witness
	forms   [2]encodings
}

// encodings are compressed in forms[0], raw in forms[1].
type encodings struct{ pk, vk, proof []byte }

type key struct {
	curve  ecc.ID
	scheme backend.ID
	name   string
}

var (
	curves  = []ecc.ID{ecc.BN254, ecc.BLS12_381, ecc.BLS12_377, ecc.BW6_761}
	schemes = []backend.ID{backend.GROTH16, backend.PLONK}
	samples sync.Map // key to func() *sample
)

// get returns the sample of one circuit, made once.
func get(t testing.TB, c ecc.ID, s backend.ID, name string) *sample {
	t.Helper()
	once, _ := samples.LoadOrStore(key{c, s, name}, sync.OnceValues(func() (*sample, error) { return build(c, s, name) }))
	made, err := once.(func() (*sample, error))()
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// each runs f for all pairs of scheme and curve.
func each(t *testing.T, name string, f func(t *testing.T, s *sample)) {
	for _, c := range curves {
		for _, s := range schemes {
			t.Run(s.String()+"/"+c.String()+"/"+name, func(t *testing.T) { f(t, get(t, c, s, name)) })
		}
	}
}

func build(c ecc.ID, s backend.ID, name string) (*sample, error) {
	pair := map[string][2]frontend.Circuit{
		"cubic":     {new(cubic), &cubic{X: 3, Y: 35}},
		"committed": {new(committed), &committed{X: 3, Y: 4}},
		"mixed":     {new(mixed), &mixed{X: 40, I: 2, Y: 1, Z: 43}},
	}[name]
	circuit, assignment := pair[0], pair[1]
	builder := frontend.NewBuilder(r1cs.NewBuilder[constraint.U64])
	if s == backend.PLONK {
		builder = scs.NewBuilder[constraint.U64]
	}
	ccs, err := frontend.Compile(c.ScalarField(), builder, circuit)
	if err != nil {
		return nil, err
	}
	made := &sample{curve: c, scheme: s, circuit: ccs, bytes: encode(ccs.WriteTo)}
	made.witness, err = frontend.NewWitness(assignment, c.ScalarField())
	if err != nil {
		return nil, err
	}
	public, err := made.witness.Public()
	if err != nil {
		return nil, err
	}
	made.full, made.public = encode(made.witness.WriteTo), encode(public.WriteTo)
	if s == backend.GROTH16 {
		return made, made.groth16(public)
	}
	return made, made.plonk(public)
}

func (s *sample) groth16(public witness.Witness) error {
	pk, vk, err := groth16.Setup(s.circuit)
	if err != nil {
		return err
	}
	proof, err := groth16.Prove(s.circuit, pk, s.witness)
	if err != nil {
		return err
	}
	s.pk, s.vk = pk, vk
	s.forms[0] = encodings{encode(pk.WriteTo), encode(vk.WriteTo), encode(proof.WriteTo)}
	s.forms[1] = encodings{encode(pk.WriteRawTo), encode(vk.WriteRawTo), encode(proof.WriteRawTo)}
	return groth16.Verify(proof, vk, public)
}

func (s *sample) plonk(public witness.Witness) error {
	canonical, lagrange, err := unsafekzg.NewSRS(s.circuit)
	if err != nil {
		return err
	}
	s.canonical, s.lagrange = canonical, lagrange
	pk, vk, err := plonk.Setup(s.circuit, canonical, lagrange)
	if err != nil {
		return err
	}
	proof, err := plonk.Prove(s.circuit, pk, s.witness)
	if err != nil {
		return err
	}
	s.pk, s.vk = pk, vk
	s.forms[0] = encodings{encode(pk.WriteTo), encode(vk.WriteTo), encode(proof.WriteTo)}
	s.forms[1] = encodings{encode(pk.WriteRawTo), encode(vk.WriteRawTo), encode(proof.WriteRawTo)}
	return plonk.Verify(proof, vk, public)
}

func encode(write func(io.Writer) (int64, error)) []byte {
	var b bytes.Buffer
	if _, err := write(&b); err != nil {
		panic("BUG: a buffer refused bytes: " + err.Error())
	}
	return b.Bytes()
}
