package fleet

import "errors"

var (
	// ErrConfig is returned by Open and Work for settings that make no sense.
	ErrConfig = errors.New("fleet configuration")
	// ErrTask is returned by Submit for a task that breaks the limits of its fields.
	ErrTask = errors.New("bad task")
	// ErrTooLarge is returned by Submit and Put for what is longer than it may be.
	ErrTooLarge = errors.New("too large")
	// ErrFull is returned by Submit and Put when a bound of the queue is reached.
	ErrFull = errors.New("the queue is full")
	// ErrDone is returned by Submit for a task whose outcome came and was done with.
	ErrDone = errors.New("the task was done before")
	// ErrNoProgram is returned by Submit for a task whose program was not Put.
	ErrNoProgram = errors.New("the program was not put")
	// ErrNoTask is returned by Cancel and Done for a task that is not in the queue.
	ErrNoTask = errors.New("no such task")
	// ErrWire is what every message that cannot be decoded is refused with.
	ErrWire = errors.New("bad message")

	errStalled = errors.New("no progress")
	errDropped = errors.New("the node does not want it any more")
)
