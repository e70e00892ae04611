package worker

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// start starts a child that is closed, and of which nothing may be left, when the test ends.
func start(t testing.TB, o Options) *Child {
	t.Helper()
	nothingLeft(t)
	c, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// nothingLeft demands, when the test ends, the open files of now, no goroutine, no child
// process and an empty temporary folder.
func nothingLeft(t testing.TB) {
	t.Helper()
	dir, err := os.MkdirTemp("", "w") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", dir)
	before := openFiles(t)
	ours := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left in the temporary folder: %v, %v", left, err)
		}
		if err := goleak.Find(ours); err != nil {
			t.Error(err)
		}
		if after := openFiles(t); len(after) > len(before) {
			t.Errorf("open files before: %q, after: %q", before, after)
		}
		if children := processes(t); len(children) > 0 {
			t.Errorf("processes left: %v", children)
		}
		os.RemoveAll(dir)
	})
}

// openFiles are those of this process, where the system tells.
func openFiles(t testing.TB) (names []string) {
	t.Helper()
	// Go's poller opens files of its own when it is first used.
	if r, w, err := os.Pipe(); err == nil {
		r.SetDeadline(time.Time{})
		r.Close()
		w.Close()
	}
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, link := range links {
		if name, err := os.Readlink(link); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// processes are the children of this process, where the system tells.
func processes(t testing.TB) (pids []string) {
	t.Helper()
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		// pid (name) state parent ...; see proc(5).
		_, rest, _ := bytes.Cut(stat, []byte(") "))
		if f := bytes.Fields(rest); len(f) > 1 && string(f[1]) == strconv.Itoa(os.Getpid()) {
			pids = append(pids, string(stat[:bytes.IndexByte(stat, '(')])+string(f[0]))
		}
	}
	return pids
}
