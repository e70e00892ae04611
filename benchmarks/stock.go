package benchmarks

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/plonk"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	gnarkio "github.com/consensys/gnark/io"
	"github.com/weisyn/wes/prover/circuit"
)

// stock is gnark as its users call it, with a package's files in memory.
type stock struct {
	system     circuit.System
	constraint constraint.ConstraintSystem
	key        gnarkio.UnsafeReaderFrom
	witness    []byte // full, gnark's encoding
}

func openStock(s circuit.System, dir string, witness []byte) (*stock, error) {
	k := &stock{system: s, constraint: groth16.NewCS(s.Curve), key: groth16.NewProvingKey(s.Curve), witness: witness}
	if s.Scheme == backend.PLONK {
		k.constraint, k.key = plonk.NewCS(s.Curve), plonk.NewProvingKey(s.Curve)
	}
	if err := readWith(k.constraint.ReadFrom, filepath.Join(dir, circuit.CircuitFile)); err != nil {
		return nil, err
	}
	return k, readWith(k.key.UnsafeReadFrom, filepath.Join(dir, circuit.ProvingFile))
}

func readWith(read func(io.Reader) (int64, error), path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = read(bufio.NewReaderSize(f, 1<<20))
	return err
}

// prove goes from the encoded witness to the encoded proof.
func (k *stock) prove(context.Context) error {
	w, err := witness.New(k.system.Curve.ScalarField())
	if err != nil {
		return err
	}
	if err := w.UnmarshalBinary(k.witness); err != nil {
		return err
	}
	var p io.WriterTo
	if k.system.Scheme == backend.PLONK {
		p, err = plonk.Prove(k.constraint, k.key.(plonk.ProvingKey), w)
	} else {
		p, err = groth16.Prove(k.constraint, k.key.(groth16.ProvingKey), w)
	}
	if err != nil {
		return err
	}
	_, err = p.WriteTo(new(bytes.Buffer))
	return err
}
