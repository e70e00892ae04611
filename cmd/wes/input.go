package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/weisyn/wes/prover/model/tensor"
)

// maxFile bounds what is read of any file, in bytes.
const maxFile = 4 << 30

// readFile reads a file that a user named.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, plain(err, path)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, plain(err, path)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: more than %d bytes", path, int64(maxFile))
	}
	return data, nil
}

// readable refuses a file that cannot be opened, before work is spent. No name is no file.
func readable(path string) error {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return plain(err, path)
	}
	return f.Close()
}

// plain is a file error without the name of the system call.
func plain(err error, path string) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// readTensors reads a .npy file, or JSON of any other name.
func readTensors(path string) ([]tensor.Tensor, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	var tensors []tensor.Tensor
	if strings.HasSuffix(path, ".npy") {
		var t tensor.Tensor
		t, err = tensor.ParseNPY(data)
		tensors = []tensor.Tensor{t}
	} else {
		tensors, err = tensor.ParseJSON(data)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return tensors, nil
}
