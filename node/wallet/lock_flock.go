//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package wallet

import (
	"errors"
	"os"
	"syscall"
)

// lock takes the lock of an open file, which ends with it or with the process.
func lock(f *os.File) error {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return errHeld
		default:
			return err
		}
	}
}
