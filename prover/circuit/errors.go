package circuit

import (
	"errors"
	"fmt"

	bls12377 "github.com/consensys/gnark/constraint/bls12-377"
	bls12381 "github.com/consensys/gnark/constraint/bls12-381"
	bn254 "github.com/consensys/gnark/constraint/bn254"
	bw6761 "github.com/consensys/gnark/constraint/bw6-761"
)

// ErrUnavailable is returned for what a curve or scheme does not offer.
var ErrUnavailable = errors.New("not available")

// InputError is the error of something from outside that cannot be used.
type InputError struct {
	What string // "witness", "proving key", a file, …
	Err  error
}

func (e *InputError) Error() string { return fmt.Sprintf("%s: %v", e.What, e.Err) }

// Unwrap gives the cause.
func (e *InputError) Unwrap() error { return e.Err }

func unusable(what, format string, args ...any) error {
	return &InputError{What: what, Err: fmt.Errorf(format, args...)}
}

// UnsatisfiedError is the error of a witness of the right form that is not one of the
// circuit's.
type UnsatisfiedError struct {
	Constraint int // index, from 0
	Err        error
}

func (e *UnsatisfiedError) Error() string { return fmt.Sprintf("witness: %v", e.Err) }

// Unwrap gives gnark's error.
func (e *UnsatisfiedError) Unwrap() error { return e.Err }

// DeviceError is the error of an accelerator that failed, or made a proof that does not hold.
// The CPU may still prove the same.
type DeviceError struct {
	Device string
	Err    error
}

func (e *DeviceError) Error() string { return fmt.Sprintf("prove on %s: %v", e.Device, e.Err) }

// Unwrap gives the cause.
func (e *DeviceError) Unwrap() error { return e.Err }

// Check names the condition that a proof did not meet.
type Check string

const (
	CheckEncoding Check = "encoding of the proof"
	CheckPublic   Check = "public inputs"
	CheckProof    Check = "proof"
)

// Rejection is the error of a proof that does not hold: the first check that failed.
type Rejection struct {
	Check Check
	Cause error
}

func (r *Rejection) Error() string { return fmt.Sprintf("proof rejected: %s: %v", r.Check, r.Cause) }

// Unwrap gives the cause.
func (r *Rejection) Unwrap() error { return r.Cause }

// solved tells a witness that does not satisfy the circuit from other failures of gnark's
// prover.
func solved(err error) error {
	var (
		a *bn254.UnsatisfiedConstraintError
		b *bls12381.UnsatisfiedConstraintError
		c *bls12377.UnsatisfiedConstraintError
		d *bw6761.UnsatisfiedConstraintError
	)
	switch {
	case errors.As(err, &a):
		return &UnsatisfiedError{a.CID, err}
	case errors.As(err, &b):
		return &UnsatisfiedError{b.CID, err}
	case errors.As(err, &c):
		return &UnsatisfiedError{c.CID, err}
	case errors.As(err, &d):
		return &UnsatisfiedError{d.CID, err}
	}
	return err
}
