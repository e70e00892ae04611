package onnx

import (
	"errors"
	"fmt"
)

// Kinds of refusal, tested with errors.Is.
var (
	// ErrMalformed: the bytes are not the protobuf encoding of a model.
	ErrMalformed = errors.New("malformed file")
	// ErrLimit: something exceeds a field of Limits.
	ErrLimit = errors.New("limit exceeded")
	// ErrForbidden: the file uses a feature that is never accepted.
	ErrForbidden = errors.New("forbidden feature")
	// ErrInvalid: the file contradicts itself or the ONNX specification.
	ErrInvalid = errors.New("invalid model")
)

// Error is returned by Parse and Marshal for every refusal.
type Error struct {
	Kind   error  // one of ErrMalformed, ErrLimit, ErrForbidden, ErrInvalid
	Where  string // the node, tensor or value concerned
	Reason string
}

// Error returns "onnx: kind: where: reason".
func (e *Error) Error() string {
	if e.Where == "" {
		return fmt.Sprintf("onnx: %v: %s", e.Kind, e.Reason)
	}
	return fmt.Sprintf("onnx: %v: %s: %s", e.Kind, e.Where, e.Reason)
}

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return e.Kind }

func refuse(kind error, format string, args ...any) *Error {
	return &Error{Kind: kind, Reason: fmt.Sprintf(format, args...)}
}

// at adds an outer place to err when it is an *Error; inner places win only the
// right-hand side, so the message reads from the outside in.
func at(where string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	w := where
	if e.Where != "" {
		w += ": " + e.Where
	}
	return &Error{Kind: e.Kind, Where: w, Reason: e.Reason}
}
