package main

import (
	"bytes"
	"os"
	"testing"
)

func TestKernelsAreUpToDate(t *testing.T) {
	got, err := os.ReadFile("../../kernels_amd64.s")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, generate()) {
		t.Error("kernels_amd64.s is not what the generator writes: run go generate in prover/vec")
	}
}
