package circuit

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark/backend"
	"github.com/consensys/gnark/constraint"
	"github.com/weisyn/wes/prover/circuit/wire"
)

// loaded is a package in memory, ready to prove.
type loaded struct {
	proving  sync.Mutex // gnark's solver keeps state in the constraint system
	manifest *Manifest
	cs       constraint.ConstraintSystem
	pk       provingKey
	vk       *VerifyingKey
	bytes    int64 // of memory, estimated
}

// memory estimates what a package takes when loaded: points are as large as in the raw
// encoding, a constraint system about three times as large as its own, and a Groth16 key has
// four tables of powers for its domain.
func memory(m *Manifest) int64 {
	s := m.System()
	n := 3*m.Circuit.Size + m.Proving.Size
	if s.Scheme == backend.GROTH16 {
		n += 4 * int64(ecc.NextPowerOfTwo(uint64(m.Constraints))) * int64(valueSize(s.Curve))
	}
	return n
}

// load reads a package that can prove into memory; pk is an empty proving key.
func (p *Package) load(pk provingKey) (*loaded, error) {
	vk, err := p.VerifyingKey()
	if err != nil {
		return nil, err
	}
	b, err := p.read(file{CircuitFile, *p.Manifest.Circuit})
	if err != nil {
		return nil, err
	}
	cs, _, err := decodeConstraintSystem(p.Manifest.System(), b)
	if err != nil {
		return nil, &InputError{p.path(CircuitFile), err}
	}
	if err := p.loadKey(pk); err != nil {
		return nil, &InputError{p.path(ProvingFile), err}
	}
	return &loaded{manifest: p.Manifest, cs: cs, pk: pk, vk: vk, bytes: memory(p.Manifest)}, nil
}

// loadKey reads the proving key's file twice: to compare its digest and scan its lengths,
// and to decode it.
func (p *Package) loadKey(pk provingKey) error {
	part := file{ProvingFile, *p.Manifest.Proving}
	f, err := os.Open(p.path(ProvingFile))
	if err != nil {
		return cause(err)
	}
	defer f.Close()
	if err := part.scan(p.Manifest.System(), f); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	n, err := pk.UnsafeReadFrom(bufio.NewReaderSize(f, 1<<20))
	if err == nil && n != part.Size {
		err = fmt.Errorf("%d bytes decoded of %d", n, part.Size)
	}
	return err
}

// scan accepts the bytes of a proving key.
func (f file) scan(s System, r io.Reader) error {
	sum := sha256.New()
	tee := io.TeeReader(bufio.NewReaderSize(r, 1<<20), sum)
	_, malformed := wire.ProvingKey(s.Curve, s.Scheme, tee, f.Size, true)
	if _, err := io.Copy(io.Discard, tee); err != nil {
		return err
	}
	if err := f.matches([sha256.Size]byte(sum.Sum(nil))); err != nil {
		return err
	}
	return malformed
}
