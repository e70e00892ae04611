package circuit_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/weisyn/wes/prover/circuit"
)

func TestWitnessJSONIsTheBinaryOne(t *testing.T) {
	for _, s := range circuit.Systems()[:4] {
		binary, err := circuit.DecodeWitness(s.Curve, full(t, s, 3, 35))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{
			`{"public": ["35"], "secret": ["3"]}`, "\n {\"public\": [\"0x23\"], \"secret\": [\"0x0003\"]}\n", string(binary.EncodeJSON()),
		} {
			w, err := circuit.DecodeWitness(s.Curve, []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(w.Encode(), full(t, s, 3, 35)) {
				t.Errorf("%v: %s is another witness", s, text)
			}
		}
	}
}

func TestMalformedWitnessIsRefused(t *testing.T) {
	s := circuit.Systems()[0]
	order := s.Curve.ScalarField().String()
	for text, words := range map[string]string{
		``:                              "0 bytes",
		`{`:                             "witness",
		`{}{}`:                          "more than one",
		`{"public": [], "other": []}`:   "other",
		`{"public": [1]}`:               "strings",
		`{"public": ["-1"]}`:            "not a number",
		`{"public": ["0x"]}`:            "not a number",
		`{"public": ["1_0"]}`:           "not a number",
		`{"public": [""]}`:              "public value 0",
		`{"secret": ["1", "z"]}`:        "secret value 1",
		`{"public": ["` + order + `"]}`: "not below the order of bn254",
		`{"public": ["` + fmt.Sprintf("%0200d", 1) + `"]}`: "digits",
	} {
		_, err := circuit.DecodeWitness(s.Curve, []byte(text))
		wantInputError(t, err, words)
	}
	good := full(t, s, 3, 35)
	for n := range good {
		if _, err := circuit.DecodeWitness(s.Curve, good[:n]); err == nil {
			t.Errorf("%d bytes of %d are accepted", n, len(good))
		}
	}
	for what, at := range map[string]int{"more public values": 3, "more secret values": 7, "a longer vector": 11} {
		bad := bytes.Clone(good)
		bad[at]++
		if _, err := circuit.DecodeWitness(s.Curve, bad); err == nil {
			t.Errorf("%s are accepted", what)
		}
	}
	bad := bytes.Clone(good)
	bad[12] = 0xff
	_, err := circuit.DecodeWitness(s.Curve, bad)
	wantInputError(t, err, "value 0 is not below the order")
}

func TestWitnessOfAnotherCircuitIsBadInputAndSaysWhatIsWanted(t *testing.T) {
	all := circuit.Systems()
	f := tiny(t, all[0], false)
	for text, words := range map[string]string{
		`{"public": ["35"], "secret": ["3", "4"]}`: "1 public and 2 secret values, the circuit has 1 and 1",
		`{"public": ["35"]}`:                       "1 public and 0 secret values, the circuit has 1 and 1",
	} {
		_, err := circuit.NewProver(circuit.Options{}).Prove(t.Context(), f.dir, []byte(text), circuit.TargetGnark, nil)
		wantInputError(t, err, words)
	}
	_, err := circuit.NewProver(circuit.Options{}).Prove(t.Context(), f.dir, full(t, all[3], 3, 35), circuit.TargetGnark, nil)
	wantInputError(t, err, "96 bytes for 2 values, want 64 of bn254")
}

func FuzzWitness(f *testing.F) {
	for i, s := range circuit.Systems()[:4] {
		f.Add(i, full(f, s, 3, 35))
		f.Add(i, []byte(`{"public": ["35"], "secret": ["0x3"]}`))
	}
	f.Fuzz(func(t *testing.T, i int, b []byte) {
		s := circuit.Systems()[uint(i)%4]
		w, err := circuit.DecodeWitness(s.Curve, b)
		if err != nil {
			return
		}
		for _, again := range [][]byte{w.Encode(), w.EncodeJSON()} {
			v, err := circuit.DecodeWitness(s.Curve, again)
			if err != nil || !bytes.Equal(v.Encode(), w.Encode()) {
				t.Errorf("%q decodes differently the second time: %v", b, err)
			}
		}
	})
}
