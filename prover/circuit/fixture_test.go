package circuit_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs/r1cs"
	"github.com/consensys/gnark/frontend/cs/scs"
	"github.com/consensys/gnark/std/rangecheck"
	"github.com/weisyn/wes/prover/circuit"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	circuit.Silence()
	dir, err := os.MkdirTemp("", "circuit")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	folder.path = dir
	code := m.Run()
	os.RemoveAll(dir)
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// folder holds what tests share.
var folder struct{ path string }

// cube states that X³ + X + 5 = Y.
type cube struct {
	X frontend.Variable
	Y frontend.Variable `gnark:",public"`
}

func (c *cube) Define(api frontend.API) error {
	api.AssertIsEqual(c.Y, api.Add(api.Mul(c.X, c.X, c.X), c.X, 5))
	return nil
}

// ranged states in addition that X has 8 bits: with a lookup, hints and a commitment.
type ranged struct{ cube }

func (c *ranged) Define(api frontend.API) error {
	rangecheck.New(api).Check(c.X, 8)
	return c.cube.Define(api)
}

// fixture is a circuit with a package and a witness.
type fixture struct {
	system  circuit.System
	ccs     []byte
	witness []byte // X = 3, Y = 35
	bad     []byte // X = 3, Y = 36
	dir     string // package of an unsafe setup
}

var fixtures = struct {
	sync.Mutex
	all map[string]*fixture
}{all: map[string]*fixture{}}

// tiny is made once for all tests; with commits, its proofs hold a commitment.
func tiny(tb testing.TB, s circuit.System, commits bool) *fixture {
	tb.Helper()
	fixtures.Lock()
	defer fixtures.Unlock()
	name := fmt.Sprintf("%s-%s-%v", s.SchemeName(), s.CurveName(), commits)
	if f := fixtures.all[name]; f != nil {
		return f
	}
	f := &fixture{system: s, dir: filepath.Join(folder.path, name)}
	var c frontend.Circuit = &cube{}
	if commits {
		c = &ranged{}
	}
	f.ccs = compile(tb, s, c)
	f.witness, f.bad = full(tb, s, 3, 35), full(tb, s, 3, 36)
	f.setup(tb, circuit.SetupRequest{Out: f.dir, Unsafe: true})
	fixtures.all[name] = f
	return f
}

func compile(tb testing.TB, s circuit.System, c frontend.Circuit) []byte {
	tb.Helper()
	var builder frontend.NewBuilder = r1cs.NewBuilder
	if s.Scheme == backend.PLONK {
		builder = scs.NewBuilder
	}
	cs, err := frontend.Compile(s.Curve.ScalarField(), builder, c)
	if err != nil {
		tb.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := cs.WriteTo(&b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func full(tb testing.TB, s circuit.System, x, y int) []byte {
	tb.Helper()
	w, err := frontend.NewWitness(&cube{X: x, Y: y}, s.Curve.ScalarField())
	if err != nil {
		tb.Fatal(err)
	}
	b, err := w.MarshalBinary()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func (f *fixture) setup(tb testing.TB, r circuit.SetupRequest) *circuit.Package {
	tb.Helper()
	p, err := f.trySetup(tb, r)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func (f *fixture) trySetup(tb testing.TB, r circuit.SetupRequest) (*circuit.Package, error) {
	tb.Helper()
	r.System = f.system
	if r.Circuit == "" {
		r.Circuit = file(tb, f.ccs)
	}
	return circuit.Setup(context.Background(), r, nil)
}

// file holds bytes under a name of its own.
func file(tb testing.TB, b []byte) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "file")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		tb.Fatal(err)
	}
	return path
}

func (f *fixture) prove(tb testing.TB, p *circuit.Prover) *circuit.Result {
	tb.Helper()
	r, err := p.Prove(tb.Context(), f.dir, f.witness, circuit.TargetGnark, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func (f *fixture) open(tb testing.TB) (*circuit.Package, *circuit.VerifyingKey) {
	tb.Helper()
	p, err := circuit.Open(f.dir)
	if err != nil {
		tb.Fatal(err)
	}
	k, err := p.VerifyingKey()
	if err != nil {
		tb.Fatal(err)
	}
	return p, k
}
