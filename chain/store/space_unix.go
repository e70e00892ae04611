//go:build linux || darwin

package store

import "golang.org/x/sys/unix"

// freeSpace returns the bytes that this user may still write in the folder's file system.
func freeSpace(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil
}
