package wire

import (
	"errors"
	"fmt"
)

// ErrUnsupported is returned for a curve or scheme that this package does not know.
var ErrUnsupported = errors.New("unsupported curve or scheme")

// Error is returned for every refusal: an encoding that gnark must not see, or keys that do not
// fit their circuit.
type Error struct {
	What   string // the encoding, say "proving key"
	Field  string // of the encoding, say "G1.A"
	Offset int64  // of the field in bytes; -1 where the objection is not to a place
	Got    string
	Want   string
}

// Error returns "what: field at byte offset: got, want".
func (e *Error) Error() string {
	where := ""
	if e.Offset >= 0 {
		where = fmt.Sprintf(" at byte %d", e.Offset)
	}
	return fmt.Sprintf("%s: %s%s: got %s, want %s", e.What, e.Field, where, e.Got, e.Want)
}
