//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd || windows)

package wallet

import (
	"fmt"
	"os"
	"runtime"
)

// lock fails: two processes could spend one output.
func lock(*os.File) error {
	return fmt.Errorf("no locks of files on %s: use one process, with reservations in memory", runtime.GOOS)
}
