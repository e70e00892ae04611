package circuit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/backend/plonk"
	"github.com/consensys/gnark/constraint"
	"github.com/weisyn/wes/prover/circuit/wire"
)

// imported takes keys of a stranger: their lengths must be those of the circuit, their points
// in the subgroup, and both keys of one setup.
func (r *SetupRequest) imported(cs constraint.ConstraintSystem, shape wire.CCSShape) (*keys, error) {
	encoded, err := readAll(r.VerifyingKey, maxFile)
	if err != nil {
		return nil, &InputError{r.VerifyingKey, err}
	}
	vk, err := DecodeVerifyingKey(r.System, encoded)
	if err != nil {
		return nil, &InputError{r.VerifyingKey, err}
	}
	if vk.Public != shape.Public || vk.Commitments != shape.Commitments {
		return nil, unusable(r.VerifyingKey, "%d public values and %d commitments, the circuit has %d and %d", vk.Public, vk.Commitments, shape.Public, shape.Commitments)
	}
	pk, err := readProvingKey(r.ProvingKey, r.System, shape)
	if err != nil {
		return nil, &InputError{r.ProvingKey, err}
	}
	if err := r.System.belong(cs, pk, vk); err != nil {
		return nil, unusable(r.ProvingKey, "%w (%s)", err, r.VerifyingKey)
	}
	return &keys{Origin{Kind: OriginImported}, pk, vk.key}, nil
}

// readProvingKey decodes a key, compressed or raw, with the checks of its points.
func readProvingKey(path string, s System, circuit wire.CCSShape) (provingKey, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, cause(err)
	}
	shape, err := scanEither(f, s, info.Size())
	if err != nil {
		return nil, err
	}
	if err := fits(s, shape, circuit); err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	pk := s.newProvingKey()
	n, err := pk.ReadFrom(bufio.NewReaderSize(f, 1<<20))
	if err == nil && n != info.Size() {
		err = errTrailing
	}
	if err != nil {
		return nil, fmt.Errorf("proving key: %w", err)
	}
	return pk, nil
}

// scanEither accepts the compressed encoding and the raw one.
func scanEither(f io.ReadSeeker, s System, size int64) (wire.PKShape, error) {
	shape, raw := wire.ProvingKey(s.Curve, s.Scheme, bufio.NewReaderSize(f, 1<<20), size, true)
	if raw == nil {
		return shape, nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return shape, err
	}
	shape, compressed := wire.ProvingKey(s.Curve, s.Scheme, bufio.NewReaderSize(f, 1<<20), size, false)
	if compressed == nil {
		return shape, nil
	}
	// The encoding that was meant is the one that went wrong later.
	var a, b *wire.Error
	if errors.As(raw, &a) && errors.As(compressed, &b) && b.Offset > a.Offset {
		return shape, compressed
	}
	return shape, raw
}

// fits compares the sizes of a key with those of a circuit.
func fits(s System, key wire.PKShape, circuit wire.CCSShape) error {
	type size struct {
		what      string
		got, want uint64
	}
	sizes := []size{
		{"rows", key.Domain, circuit.Domain},
		{"commitments", uint64(key.Commitments), uint64(circuit.Commitments)},
	}
	if s.Scheme == backend.PLONK {
		sizes = append(sizes, size{"public values", uint64(key.Key.Public), uint64(circuit.Public)})
	} else {
		private := circuit.Secret + circuit.Internal - circuit.Committed - circuit.Commitments
		sizes = append(sizes, size{"wires", uint64(key.Wires), uint64(circuit.Wires())},
			size{"private wires", uint64(key.Private), uint64(private)},
			size{"committed wires", uint64(key.Committed), uint64(circuit.Committed)})
	}
	for _, c := range sizes {
		if c.got != c.want {
			return fmt.Errorf("proving key for %d %s, the circuit has %d", c.got, c.what, c.want)
		}
	}
	return nil
}

var (
	errTwoSetups    = errors.New("the proving key and the verifying key are not of one setup")
	errOtherCircuit = errors.New("the keys are for another circuit")
)

// belong demands that both keys come from one setup. A PLONK key must in addition be what a
// setup makes of this circuit with the key's own reference string. Whether a Groth16 key
// is for the circuit shows when a proof made with it is verified.
func (s System) belong(cs constraint.ConstraintSystem, pk provingKey, vk *VerifyingKey) error {
	if s.Scheme == backend.GROTH16 {
		if !sameSetup(pk, vk.key) {
			return errTwoSetups
		}
		return nil
	}
	inside, ok := pk.(plonk.ProvingKey).VerifyingKey().(io.WriterTo)
	if !ok {
		return errTwoSetups
	}
	b, err := encode(inside)
	if err != nil {
		return err
	}
	if !bytes.Equal(b, vk.Encode()) {
		return errTwoSetups
	}
	canonical, lagrange := stringsOf(pk)
	_, again, err := plonk.Setup(cs, canonical, lagrange)
	if err != nil {
		return fmt.Errorf("%w: %w", errOtherCircuit, err)
	}
	if b, err = encode(again); err != nil {
		return err
	}
	if !bytes.Equal(b, vk.Encode()) {
		return errOtherCircuit
	}
	return nil
}
