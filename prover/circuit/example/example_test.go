package example_test

import (
	"bytes"
	"testing"

	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/circuit/example"
)

func TestCircuitHasExactlyTheRowsAskedFor(t *testing.T) {
	for _, s := range circuit.Systems() {
		for _, rows := range []int{1000, 1024} {
			e, err := example.New(s, rows, 1)
			if err != nil {
				t.Fatalf("%v, %d rows: %v", s, rows, err)
			}
			if e.Links < 1 {
				t.Errorf("%v, %d rows: %d links", s, rows, e.Links)
			}
		}
		if _, err := example.New(s, 100, 1); err == nil {
			t.Errorf("%v: a hash in 100 rows", s)
		}
	}
}

// TestLongChainHasExactlyTheRowsAskedFor guards the sizes of benchmarks, where gnark splits
// long sums.
func TestLongChainHasExactlyTheRowsAskedFor(t *testing.T) {
	bn254 := circuit.Systems()[0]
	if _, err := example.New(bn254, 1<<18, 1); err != nil {
		t.Errorf("%v: %v", bn254, err)
	}
}

func TestSeedDecidesTheWitness(t *testing.T) {
	s := circuit.Systems()[0]
	var w [3][]byte
	for i, seed := range []uint64{1, 1, 2} {
		e, err := example.New(s, 512, seed)
		if err != nil {
			t.Fatal(err)
		}
		w[i] = e.Witness
	}
	if !bytes.Equal(w[0], w[1]) || bytes.Equal(w[0], w[2]) {
		t.Error("witnesses do not follow the seeds")
	}
}
