package store

import (
	"bytes"
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// TestFullFileSystemIsAnErrorAndTheStoreOpensLater fills a file system of its own.
func TestFullFileSystemIsAnErrorAndTheStoreOpensLater(t *testing.T) {
	w := newMaps(t, small(), pay(alice, 10))
	root := t.TempDir()
	if err := unix.Mount("none", root, "tmpfs", 0, "size=24m"); err != nil {
		t.Skipf("can't mount a file system here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(root, 0); err != nil {
			t.Error(err)
		}
	})
	w.o.Reserve = 6 << 20
	w.dir = root + "/store"
	w.open()
	var err error
	blocks := 0
	for ; err == nil && blocks < 100; blocks++ {
		w.mine()
		err = w.s.PutAttachments(bytes.Repeat([]byte{byte(blocks)}, 400<<10))
	}
	if !errors.Is(err, ErrDiskFull) {
		t.Fatalf("after %d blocks: %v", blocks, err)
	}
	w.check()
	w.reopen()
	w.check()
	w.close()
	if err := unix.Mount("none", root, "tmpfs", unix.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	w.open()
	w.mine()
	w.check()
}
