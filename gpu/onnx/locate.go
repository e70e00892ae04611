package onnx

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Version of ONNX Runtime that Fetch installs.
const Version = "1.30.0"

// LibraryVariable names the environment variable that overrides where Locate looks.
const LibraryVariable = "WES_ONNXRUNTIME_LIB"

// Locate finds the ONNX Runtime library: the file that WES_ONNXRUNTIME_LIB names, else the
// one that Fetch left in the user's cache folder.
func Locate() (string, error) {
	if path := os.Getenv(LibraryVariable); path != "" {
		if err := regular(path); err != nil {
			return "", fmt.Errorf("%w: %s: %v", ErrUnavailable, LibraryVariable, err)
		}
		return filepath.Abs(path)
	}
	path, err := cachePath()
	if err != nil {
		return "", fmt.Errorf("%w: %v", ErrUnavailable, err)
	}
	if regular(path) != nil {
		return "", fmt.Errorf("%w: no library at %s: run `make deps`, or set %s", ErrUnavailable, path, LibraryVariable)
	}
	return path, nil
}

func regular(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", path)
	}
	return err
}

// cachePath is where Fetch puts the library.
func cachePath() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "wes", "onnxruntime", Version, "libonnxruntime.so.1"), nil
}

// platform is the folder of this machine's library in the package, "" if it has none.
func platform() string {
	switch runtime.GOOS + "/" + runtime.GOARCH {
	case "linux/amd64":
		return "linux/x64"
	case "linux/arm64":
		return "linux/arm64"
	}
	return ""
}
