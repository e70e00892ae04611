package commit

import (
	"errors"
	"fmt"
)

// ErrOpening is returned by [Key.Verify] when every length is right but the rows
// do not open to the claimed combinations.
var ErrOpening = errors.New("commitment does not open to the claimed row")

// Reasons carried by a [PointError].
var (
	// ErrEncoding marks 32 bytes that are not the one encoding of a point: unknown
	// flags, an x-coordinate of p or more, or a second encoding of infinity.
	ErrEncoding = errors.New("non-canonical point encoding")
	// ErrNotOnCurve marks an x-coordinate that no point of the curve has.
	ErrNotOnCurve = errors.New("x-coordinate is not on the curve")
)

// LengthError reports an argument whose length the operation cannot accept.
type LengthError struct {
	What string // the argument, for example "weights of check 2"
	Got  int
	Want string // the rule, for example "at most 1024"
}

func (e *LengthError) Error() string {
	return fmt.Sprintf("length of %s is %d, want %s", e.What, e.Got, e.Want)
}

// PointError reports the first encoded point that [DecodePoints] refused. It
// unwraps to [ErrEncoding] or [ErrNotOnCurve].
type PointError struct {
	Index  int // position of the point, from 0
	Reason error
}

func (e *PointError) Error() string { return fmt.Sprintf("point %d: %v", e.Index, e.Reason) }

func (e *PointError) Unwrap() error { return e.Reason }
