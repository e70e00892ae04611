// Package nvmltest builds a management library that says of devices what a test wants.
package nvmltest

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
)

// Name is the file name of the library: that of NVIDIA's driver.
const Name = "libnvidia-ml.so.1"

// CanBuild says whether Build can work here.
func CanBuild() bool {
	_, err := exec.LookPath("cc")
	return err == nil && runtime.GOOS == "linux"
}

// Build compiles the library into a folder of its own, which can be a LD_LIBRARY_PATH, and
// returns the folder. What the library says stands in the file "state" there; see Say. The
// test is skipped where the library cannot be built or loaded.
func Build(t *testing.T) string {
	t.Helper()
	if !CanBuild() {
		t.Skip("needs Linux and a C compiler, to build a management library")
	}
	dir := t.TempDir()
	c := filepath.Join(dir, "nvml.c")
	if err := os.WriteFile(c, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cc", "-shared", "-fPIC", "-w", "-o", filepath.Join(dir, Name), c, "-ldl").CombinedOutput(); err != nil {
		t.Fatalf("build library: %v: %s", err, out)
	}
	return dir
}

// Say sets what the library in dir says from now on: lines of a key, an index and a value,
// as the comment of source explains them.
func Say(t *testing.T, dir, state string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "state"), []byte(state), 0o600); err != nil {
		t.Fatal(err)
	}
}
