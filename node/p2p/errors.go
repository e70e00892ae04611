package p2p

import "errors"

// Errors of Request, and, the first three, of the functions that answer requests.
var (
	// ErrNotFound says that the peer does not have what was asked for.
	ErrNotFound = errors.New("the peer does not have it")
	// ErrBusy says that the peer, or the limit on its streams or memory, does not allow one more
	// request now.
	ErrBusy = errors.New("the peer is busy")
	// ErrRefused says that the peer does not answer such a request.
	ErrRefused = errors.New("the peer refuses")
	// ErrTimeout says that the peer did not answer in time, or was too slow in sending.
	ErrTimeout = errors.New("the peer is too slow")
	// ErrTooLarge says that the answer is longer than asked for.
	ErrTooLarge = errors.New("the answer is too large")
	// ErrLost says that the connection broke, or that the peer has not joined.
	ErrLost = errors.New("the peer is not connected")
)

// Errors of this host.
var (
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("the host is closed")
	// ErrConfig is returned for settings that make no sense.
	ErrConfig = errors.New("p2p configuration")
	// ErrMessage is returned for a message that is too large to be published.
	ErrMessage = errors.New("the message is too large")
)
