package consensus

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

var (
	// ErrOrphan is returned by Index.Add for a header whose parent is not in the index.
	ErrOrphan = errors.New("parent of the header is unknown")
	// ErrHeld is returned by Index.Add for a header too far ahead of the local clock. It is to be
	// offered again later.
	ErrHeld = errors.New("header is ahead of the clock")
	// ErrInvalidParent is returned by Index.Add for a header on an invalid block.
	ErrInvalidParent = errors.New("parent of the header is invalid")
	// ErrUnknown is returned for a block that is not in the index.
	ErrUnknown = errors.New("block is unknown")
	// ErrNotContinued is returned by Presync.Step for headers that do not continue those before,
	// or differ from those of the first pass.
	ErrNotContinued = errors.New("headers do not continue those before")
	// ErrTooLittleWork is returned by Presync.Step when a peer's headers end before they have
	// shown enough.
	ErrTooLittleWork = errors.New("headers end with too little work")
	// ErrTooMany is returned by Presync.Step for a message of no headers or more than MaxHeaders.
	ErrTooMany = errors.New("message of no headers or too many")
)

// Code names a rule of headers. Codes are stable.
type Code int

// Rules of headers.
const (
	CodePlace Code = 401 + iota
	CodeBits
	CodeWork
	CodeEarly
	CodeMiner
	CodeSeal
)

// rules says of every code what must hold.
var rules = map[Code]string{
	CodePlace: "a header names the chain and the height after its parent's",
	CodeBits:  "its bits are what the schedule asks for",
	CodeWork:  "its hash is at most the target",
	CodeEarly: "a tenth of the spacing lies between a block and its parent",
	CodeMiner: "of a consortium: the miner is one of its own",
	CodeSeal:  "of a consortium: the seal is the miner's; elsewhere there is none",
}

// Codes lists all codes, in ascending order.
func Codes() []Code { return slices.Sorted(maps.Keys(rules)) }

// Rule returns the sentence that a code stands for, or the empty string.
func (c Code) Rule() string { return rules[c] }

// HeaderError is a broken rule of headers.
type HeaderError struct {
	Code   Code
	Detail string
}

func (e *HeaderError) Error() string {
	return fmt.Sprintf("header breaks rule %d: %s", e.Code, e.Detail)
}

func refuse(c Code, format string, args ...any) *HeaderError {
	return &HeaderError{c, fmt.Sprintf(format, args...)}
}
