package circuit_test

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"

	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/plonk"
	"github.com/consensys/gnark/backend/witness"
	"github.com/weisyn/wes/prover/circuit"
)

// stockProve uses nothing but gnark and the package's files.
func stockProve(f *fixture) ([]byte, error) {
	w, err := witness.New(f.system.Curve.ScalarField())
	if err != nil {
		return nil, err
	}
	if err := w.UnmarshalBinary(f.witness); err != nil {
		return nil, err
	}
	prove := stockGroth16
	if f.system.Scheme == backend.PLONK {
		prove = stockPLONK
	}
	p, err := prove(f, w)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = p.WriteTo(&b)
	return b.Bytes(), err
}

func stockGroth16(f *fixture, w witness.Witness) (io.WriterTo, error) {
	cs, pk := groth16.NewCS(f.system.Curve), groth16.NewProvingKey(f.system.Curve)
	if err := f.readParts(cs, pk); err != nil {
		return nil, err
	}
	return groth16.Prove(cs, pk, w)
}

func stockPLONK(f *fixture, w witness.Witness) (io.WriterTo, error) {
	cs, pk := plonk.NewCS(f.system.Curve), plonk.NewProvingKey(f.system.Curve)
	if err := f.readParts(cs, pk); err != nil {
		return nil, err
	}
	return plonk.Prove(cs, pk, w)
}

func (f *fixture) readParts(cs, pk io.ReaderFrom) error {
	for _, part := range []struct {
		name string
		to   io.ReaderFrom
	}{{circuit.CircuitFile, cs}, {circuit.ProvingFile, pk}} {
		r, err := os.Open(filepath.Join(f.dir, part.name))
		if err != nil {
			return err
		}
		_, err = part.to.ReadFrom(bufio.NewReader(r))
		r.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
