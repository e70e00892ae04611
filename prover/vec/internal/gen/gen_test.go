package main

import (
	"bytes"
	"os"
	"testing"
)

func TestKernelsAreUpToDate(t *testing.T) {
	for _, m := range machines() {
		got, err := os.ReadFile("../../" + m.file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, m.generate()) {
			t.Errorf("%s is not what the generator writes: run go generate in prover/vec", m.file)
		}
	}
}
