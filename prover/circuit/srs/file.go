package srs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/kzg"
	"github.com/consensys/gnark/backend/groth16"
	"github.com/consensys/gnark/constraint"

	"github.com/weisyn/wes/prover/circuit/wire"
)

var (
	// ErrInvalid is returned for a file that is not a reference string of the curve.
	ErrInvalid = errors.New("invalid reference string")
	// ErrTooSmall is returned when a circuit needs more powers than the file has.
	ErrTooSmall = errors.New("reference string is too small")
	// ErrUnsupported is returned for a curve or scheme that the form of the file cannot serve.
	ErrUnsupported = errors.New("not possible with this reference string")
)

// Format is the form of a file.
type Format string

// The forms that Open finds by itself.
const (
	FormatPtau  Format = "ptau"  // snarkjs
	FormatGnark Format = "gnark" // kzg.SRS of gnark-crypto
)

// Description says what a file is, before its points are checked.
type Description struct {
	Format        Format
	Curve         ecc.ID
	Powers        uint64 // of tau in G1, the zeroth included
	Rows          uint64 // largest domain for Groth16; 0 if the form does not serve it
	Contributions uint32 // to the ceremony, as a .ptau states them
	SHA256        string // of the file, hexadecimal
}

// File is an open reference string. Its methods may be called concurrently.
type File struct {
	file *os.File
	d    Description
	ref  reference
}

// reference is a form of file over a curve.
type reference interface {
	kzg(ctx context.Context, n uint64) (canonical, lagrange kzg.SRS, err error)
	groth16(ctx context.Context, ccs constraint.ConstraintSystem, n uint64) (groth16.ProvingKey, groth16.VerifyingKey, error)
}

// Open finds the form of a file, bounds its lengths, and hashes it. The error is ErrInvalid with
// what is wrong and where, wire.ErrUnsupported for an unknown curve, or that of the file system.
func Open(path string, c ecc.ID) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open reference string: %w", err)
	}
	f, err := open(file, c)
	if err != nil {
		_ = file.Close() // it was only read
		return nil, fmt.Errorf("open reference string %s: %w", path, err)
	}
	return f, nil
}

func open(file *os.File, c ecc.ID) (*File, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	f := &File{file: file}
	if f.ref, f.d, err = find(file, info.Size(), c); err != nil {
		return nil, err
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(file, 0, info.Size())); err != nil {
		return nil, err
	}
	f.d.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return f, nil
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// Describe says what the file is.
func (f *File) Describe() Description { return f.d }

// KZG returns the checked reference string for PLONK circuits of n rows, a power of two of at
// least 2: n+3 powers of tau, and n of them in Lagrange form. The error is ErrTooSmall, ErrInvalid
// or that of ctx.
func (f *File) KZG(ctx context.Context, n uint64) (canonical, lagrange kzg.SRS, err error) {
	if n < 2 || n&(n-1) != 0 {
		return nil, nil, fmt.Errorf("reference string for %d rows: want a power of two of at least 2", n)
	}
	if n+blinding > f.d.Powers {
		return nil, nil, fmt.Errorf("reference string for %d rows: %w: %d powers of tau, want %d", n, ErrTooSmall, f.d.Powers, n+blinding)
	}
	canonical, lagrange, err = f.ref.kzg(ctx, n)
	if err != nil {
		return nil, nil, fmt.Errorf("reference string for %d rows: %w", n, err)
	}
	return canonical, lagrange, nil
}

// blinding is the number of powers that gnark's PLONK prover needs beyond the rows.
const blinding = 3

// Groth16 makes keys from the file, as the first phase of a ceremony, and a second phase with one
// contribution that is made here and forgotten. Whoever runs it could have kept the contribution:
// the keys are as trustworthy as this machine, for this circuit. The constraint system must have
// passed wire.ConstraintSystem. The error is ErrTooSmall, ErrUnsupported, ErrInvalid or that of ctx.
func (f *File) Groth16(ctx context.Context, ccs constraint.ConstraintSystem) (groth16.ProvingKey, groth16.VerifyingKey, error) {
	n := ecc.NextPowerOfTwo(uint64(ccs.GetNbConstraints()))
	switch {
	case f.d.Format != FormatPtau:
		return nil, nil, fmt.Errorf("Groth16 keys: %w: it holds powers of tau only; use a .ptau", ErrUnsupported)
	case ccs.Field().Cmp(f.d.Curve.ScalarField()) != 0:
		return nil, nil, fmt.Errorf("Groth16 keys: %w: the circuit is over another curve", ErrUnsupported)
	case n > f.d.Rows:
		return nil, nil, fmt.Errorf("Groth16 keys for %d rows: %w: it serves %d", n, ErrTooSmall, f.d.Rows)
	}
	pk, vk, err := f.ref.groth16(ctx, ccs, n)
	if err != nil {
		return nil, nil, fmt.Errorf("Groth16 keys for %d rows: %w", n, err)
	}
	return pk, vk, nil
}

// magic begins a .ptau. As the number of points of gnark's encoding it would be 1.9 billion.
const magic = "ptau"

func find(r io.ReaderAt, size int64, c ecc.ID) (reference, Description, error) {
	first := make([]byte, len(magic))
	if _, err := r.ReadAt(first, 0); err != nil && err != io.EOF {
		return nil, Description{}, err
	}
	if bytes.Equal(first, []byte(magic)) {
		return findPtau(r, size, c)
	}
	shape, err := wire.SRS(c, io.NewSectionReader(r, 0, size), size)
	var refusal *wire.Error
	if errors.As(err, &refusal) {
		err = fmt.Errorf("%w: neither a .ptau nor gnark's encoding: %w", ErrInvalid, err)
	}
	if err != nil {
		return nil, Description{}, err
	}
	d := Description{Format: FormatGnark, Curve: c, Powers: uint64(shape.Powers)}
	return gnarkOver(c, io.NewSectionReader(r, 0, size)), d, nil
}

func findPtau(r io.ReaderAt, size int64, c ecc.ID) (reference, Description, error) {
	p, err := parsePtau(r, size, c)
	if err != nil {
		return nil, Description{}, err
	}
	d := Description{
		Format: FormatPtau, Curve: c, Contributions: p.contributions,
		Powers: p.count(tauG1), Rows: p.count(tauG2),
	}
	if c == ecc.BN254 {
		return &ceremony[g1BN254, g2BN254]{overBN254(), p}, d, nil
	}
	return &ceremony[g1BLS12381, g2BLS12381]{overBLS12381(), p}, d, nil
}

// gnarkOver is for curves that wire knows.
func gnarkOver(c ecc.ID, r *io.SectionReader) reference {
	switch c {
	case ecc.BN254:
		return &encoded[g1BN254, g2BN254]{overBN254(), r}
	case ecc.BLS12_381:
		return &encoded[g1BLS12381, g2BLS12381]{overBLS12381(), r}
	case ecc.BLS12_377:
		return &encoded[g1BLS12377, g2BLS12377]{overBLS12377(), r}
	}
	return &encoded[g1BW6761, g2BW6761]{overBW6761(), r}
}
