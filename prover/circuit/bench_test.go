package circuit_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/plonk"
	"github.com/consensys/gnark/backend/witness"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/circuit/example"
)

// BenchmarkProve compares a job whose package is in memory with gnark called directly, in
// turns: "ratio" is the time of all jobs over that of gnark, "start-ms" what a job takes before
// it proves.
func BenchmarkProve(b *testing.B) {
	for _, s := range []circuit.System{circuit.Systems()[0], circuit.Systems()[4]} {
		for _, log := range []int{12, 16} {
			b.Run(fmt.Sprintf("%s/2^%d", s.SchemeName(), log), func(b *testing.B) { benchmarkProve(b, s, 1<<log) })
		}
	}
}

func benchmarkProve(b *testing.B, s circuit.System, rows int) {
	e, err := example.New(s, rows, 1)
	if err != nil {
		b.Fatal(err)
	}
	f := &fixture{system: s, ccs: e.Circuit, witness: e.Witness, dir: filepath.Join(b.TempDir(), "package")}
	f.setup(b, circuit.SetupRequest{Out: f.dir, Unsafe: true})
	direct, err := stockProver(f)
	if err != nil {
		b.Fatal(err)
	}
	p := circuit.NewProver(circuit.Options{})
	f.prove(b, p)
	var ours, theirs, wait time.Duration
	for b.Loop() {
		start := time.Now()
		if err := direct(); err != nil {
			b.Fatal(err)
		}
		theirs += time.Since(start)
		start = time.Now()
		r := f.prove(b, p)
		ours += time.Since(start)
		wait += time.Duration(r.Report.LoadS * float64(time.Second))
	}
	b.ReportMetric(ours.Seconds()/theirs.Seconds(), "ratio")
	b.ReportMetric(float64(wait.Milliseconds())/float64(b.N), "start-ms")
}

// stockProver is gnark's prover with everything loaded.
func stockProver(f *fixture) (func() error, error) {
	w, err := witness.New(f.system.Curve.ScalarField())
	if err != nil {
		return nil, err
	}
	if err := w.UnmarshalBinary(f.witness); err != nil {
		return nil, err
	}
	if f.system.Scheme == backend.PLONK {
		cs, pk := plonk.NewCS(f.system.Curve), plonk.NewProvingKey(f.system.Curve)
		err := f.readParts(cs, pk)
		return func() error {
			_, err := plonk.Prove(cs, pk, w)
			return err
		}, err
	}
	cs, pk := groth16.NewCS(f.system.Curve), groth16.NewProvingKey(f.system.Curve)
	err = f.readParts(cs, pk)
	return func() error {
		_, err := groth16.Prove(cs, pk, w)
		return err
	}, err
}
