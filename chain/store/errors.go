package store

import (
	"errors"
	"fmt"

	"github.com/weisyn/wes/chain"
)

var (
	// ErrCorrupt is in every CorruptError.
	ErrCorrupt = errors.New("the store is damaged")
	// ErrOtherChain is returned by Open for a folder of another chain.
	ErrOtherChain = errors.New("the folder holds another chain")
	// ErrFormat is returned by Open for a folder of an unknown format, or that is no store.
	ErrFormat = errors.New("the folder has an unknown format")
	// ErrLocked is returned by Open for a folder that another process has opened.
	ErrLocked = errors.New("the folder is in use by another process")
	// ErrDiskFull is returned before a write that might not fit on the disk.
	ErrDiskFull = errors.New("disk full")
	// ErrPruned is returned where data is asked for that is not kept any more.
	ErrPruned = errors.New("no longer kept")
	// ErrMove is returned for steps that no Begin announced, or in another order. It is a bug
	// of the caller.
	ErrMove = errors.New("not a step of the move")
)

// CorruptError says which value of a store can't be right.
type CorruptError struct {
	Key  string // what the key names
	What string // is wrong with what it holds
	Err  error  // may be nil
}

func (e *CorruptError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%v: %s: %s: %v", ErrCorrupt, e.Key, e.What, e.Err)
	}
	return fmt.Sprintf("%v: %s: %s", ErrCorrupt, e.Key, e.What)
}

// Is makes errors.Is find ErrCorrupt.
func (e *CorruptError) Is(target error) bool { return target == ErrCorrupt }

func (e *CorruptError) Unwrap() error { return e.Err }

func corrupt(key []byte, err error, format string, args ...any) error {
	return &CorruptError{describe(key), fmt.Sprintf(format, args...), err}
}

// missing is the error for what must be there.
func missing(key []byte) error { return corrupt(key, nil, "not there") }

func unknownBlock(h chain.Hash) error { return fmt.Errorf("block %v is not known", h) }
