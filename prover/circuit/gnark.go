package circuit

import (
	"bytes"
	"errors"
	"io"

	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/backend/plonk"
	"github.com/consensys/gnark/backend/solidity"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint"
	gnarkio "github.com/consensys/gnark/io"
)

// provingKey is what groth16.ProvingKey and plonk.ProvingKey share.
type provingKey interface {
	io.ReaderFrom
	gnarkio.WriterRawTo
	gnarkio.UnsafeReaderFrom
}

// verifyingKey is what groth16.VerifyingKey and plonk.VerifyingKey share.
type verifyingKey interface {
	io.WriterTo
	io.ReaderFrom
	solidity.VerifyingKey
}

// proof is what groth16.Proof and plonk.Proof share.
type proof interface {
	io.WriterTo
	io.ReaderFrom
}

func (s System) newConstraintSystem() constraint.ConstraintSystem {
	if s.Scheme == backend.PLONK {
		return plonk.NewCS(s.Curve)
	}
	return groth16.NewCS(s.Curve)
}

func (s System) newProvingKey() provingKey {
	if s.Scheme == backend.PLONK {
		return plonk.NewProvingKey(s.Curve)
	}
	return groth16.NewProvingKey(s.Curve)
}

func (s System) newVerifyingKey() verifyingKey {
	if s.Scheme == backend.PLONK {
		return plonk.NewVerifyingKey(s.Curve)
	}
	return groth16.NewVerifyingKey(s.Curve)
}

func (s System) newProof() proof {
	if s.Scheme == backend.PLONK {
		return plonk.NewProof(s.Curve)
	}
	return groth16.NewProof(s.Curve)
}

func (s System) prove(cs constraint.ConstraintSystem, pk provingKey, w witness.Witness, t Target) (proof, error) {
	o := s.proverOptions(t)
	if s.Scheme == backend.PLONK {
		return plonk.Prove(cs, pk.(plonk.ProvingKey), w, o...)
	}
	return groth16.Prove(cs, pk.(groth16.ProvingKey), w, o...)
}

func (s System) verify(p proof, vk verifyingKey, w witness.Witness, t Target) error {
	var o []backend.VerifierOption
	if t == TargetSolidity {
		o = append(o, solidity.WithVerifierTargetSolidityVerifier(s.Scheme))
	}
	if s.Scheme == backend.PLONK {
		return plonk.Verify(p.(plonk.Proof), vk.(plonk.VerifyingKey), w, o...)
	}
	return groth16.Verify(p.(groth16.Proof), vk.(groth16.VerifyingKey), w, o...)
}

func (s System) proverOptions(t Target) []backend.ProverOption {
	if t == TargetSolidity {
		return []backend.ProverOption{solidity.WithProverTargetSolidityVerifier(s.Scheme)}
	}
	return nil
}

var errTrailing = errors.New("bytes after its end")

// decode reads all of b, which a scan has accepted.
func decode(to io.ReaderFrom, b []byte) error {
	r := bytes.NewReader(b)
	if _, err := to.ReadFrom(r); err != nil {
		return err
	}
	if r.Len() > 0 {
		return errTrailing
	}
	return nil
}

func encode(from io.WriterTo) ([]byte, error) {
	var b bytes.Buffer
	_, err := from.WriteTo(&b)
	return b.Bytes(), err
}
