package proofs

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/weisyn/wes/chain"
)

func TestProofHoldsForItsClaimOnly(t *testing.T) {
	s := prepare(t, "digits_mlp")
	v := New(Config{})
	c, e := s.claim(t)
	if !holds(t, v, c, e) {
		t.Fatal("an honest proof does not hold")
	}
	for name, change := range map[string]func(c *chain.Claim, e *chain.Evidence){
		"job":      func(c *chain.Claim, _ *chain.Evidence) { c.Job[0]++ },
		"payee":    func(c *chain.Claim, _ *chain.Evidence) { c.Payee[0]++ },
		"chain":    func(c *chain.Claim, _ *chain.Evidence) { c.Chain[0]++ },
		"model":    func(c *chain.Claim, _ *chain.Evidence) { c.Model[0]++ },
		"kind":     func(c *chain.Claim, _ *chain.Evidence) { c.Kind = chain.JobProve },
		"output":   func(_ *chain.Claim, e *chain.Evidence) { e.Output = anotherOutput(t, e.Output) },
		"input":    func(_ *chain.Claim, e *chain.Evidence) { e.Input = anotherInput(t, e.Input) },
		"no proof": func(_ *chain.Claim, e *chain.Evidence) { e.Proof = nil },
		"no key":   func(_ *chain.Claim, e *chain.Evidence) { e.Key = nil },
		"longer":   func(_ *chain.Claim, e *chain.Evidence) { e.Proof = append(bytes.Clone(e.Proof), 0) },
	} {
		claim, evidence := *c, *e
		change(&claim, &evidence)
		fill(&claim, &evidence)
		if holds(t, v, &claim, &evidence) {
			t.Errorf("holds with another %s", name)
		}
	}
	with := *s.model()
	with.Report = []byte("x")
	e.Key = with.Encode()
	if holds(t, v, c, e) {
		t.Error("a key with a report: one model has two keys")
	}
}

func anotherOutput(t *testing.T, raw []byte) []byte {
	t.Helper()
	all, err := DecodeOutput(raw)
	if err != nil {
		t.Fatal(err)
	}
	all[0][0]++
	return EncodeOutput(all)
}

func anotherInput(t *testing.T, raw []byte) []byte {
	t.Helper()
	all, err := DecodeInput(raw)
	if err != nil {
		t.Fatal(err)
	}
	all[0][0]--
	return EncodeInput(all)
}

func TestCircuitProofHoldsForItsPublicInputsOnly(t *testing.T) {
	for _, scheme := range schemes() {
		c, e := circuitClaim(t, scheme, "bn254")
		v := New(Config{})
		if !holds(t, v, c, e) {
			t.Fatalf("%s: an honest proof does not hold", scheme)
		}
		kind := map[string]chain.ResourceKind{schemeGroth16: chain.ResourceGroth16, schemePLONK: chain.ResourcePlonk}
		for resource, want := range map[chain.ResourceKind]bool{kind[scheme]: true, 5 - kind[scheme]: false, chain.ResourceModel: false} {
			if units, ok, err := v.KeyCost(resource, e.Key); err != nil || ok != want || ok && units < 2000 {
				t.Errorf("%s as resource %d: %d, %v, %v", scheme, resource, units, ok, err)
			}
		}
		for name, change := range map[string]func(c *chain.Claim, e *chain.Evidence){
			"model":  func(c *chain.Claim, _ *chain.Evidence) { c.Model[0]++ },
			"output": func(_ *chain.Claim, e *chain.Evidence) { e.Output = []byte{0} },
			"input":  func(_ *chain.Claim, e *chain.Evidence) { e.Input = flip(e.Input, len(e.Input)-1) },
			"proof":  func(_ *chain.Claim, e *chain.Evidence) { e.Proof = flip(e.Proof, 40) },
			"scheme": func(_ *chain.Claim, e *chain.Evidence) { e.Key = flip(e.Key, circuitHead-2) },
			"curve":  func(_ *chain.Claim, e *chain.Evidence) { e.Key = flip(e.Key, circuitHead-1) },
		} {
			claim, evidence := *c, *e
			change(&claim, &evidence)
			if holds(t, v, &claim, &evidence) {
				t.Errorf("%s: holds with another %s", scheme, name)
			}
		}
	}
}

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}

// TestHostileBytesAreAnsweredWithFalse cuts and changes keys, inputs, outputs and proofs.
func TestHostileBytesAreAnsweredWithFalse(t *testing.T) {
	s := prepare(t, "iris_mlp")
	v := New(Config{})
	good, evidence := s.claim(t)
	for part := range 4 {
		for i := range 60 {
			e := *evidence
			field := []*[]byte{&e.Key, &e.Input, &e.Output, &e.Proof}[part]
			at := i * len(*field) / 60
			for _, damaged := range [][]byte{(*field)[:at], flip(*field, at)} {
				*field = damaged
				if holds(t, v, good, &e) {
					t.Errorf("part %d holds with byte %d of %d changed", part, at, len(damaged))
				}
			}
		}
	}
	for _, key := range [][]byte{nil, []byte("WESC"), []byte("WESC\x01\x00\x00"), []byte("WESC\x01\x09\x00x"), bytes.Repeat([]byte{0xff}, chain.MaxKeySize+1)} {
		for kind := chain.ResourceFile; kind <= chain.ResourceContract; kind++ {
			if _, ok, err := v.KeyCost(kind, key); ok || err != nil {
				t.Errorf("%x of kind %d: %v, %v", key[:min(len(key), 8)], kind, ok, err)
			}
		}
	}
}

func TestTensorsHaveOneEncoding(t *testing.T) {
	for _, all := range [][][]int64{nil, {{}}, {{1, -1, 1 << 40, -1 << 62}, {}, {0}}} {
		got, err := DecodeOutput(EncodeOutput(all))
		if err != nil || !equalOutputs(got, all) {
			t.Errorf("%v: %v, %v", all, got, err)
		}
	}
	for name, raw := range map[string][]byte{
		"count beyond the bytes": {5, 0}, "long form": {1, 0x80, 0}, "long count": {0x81, 0, 0}, "cut": {1},
		"huge": binary.AppendUvarint(nil, 1<<60),
	} {
		if _, err := DecodeOutput(raw); err == nil {
			t.Errorf("%s: decoded", name)
		}
	}
	if _, err := DecodeInput(EncodeOutput([][]int64{{1 << 31}})); err == nil {
		t.Error("an input beyond 32 bits")
	}
}

func TestKeysAreDecodedOnceAndForgottenInTurn(t *testing.T) {
	s := prepare(t, "iris_mlp")
	raw := EncodeModel(s.model())
	c := newCache(len(raw))
	var wait sync.WaitGroup
	keys := make([]*key, 8)
	for i := range keys {
		wait.Go(func() { keys[i], _ = c.get(chain.JobInfer, raw) })
	}
	wait.Wait()
	for _, k := range keys {
		if k == nil || k != keys[0] {
			t.Fatal("decoded twice, or not at all")
		}
	}
	for range 10 {
		if _, err := c.get(chain.JobProve, raw); err == nil {
			t.Fatal("a model as a circuit")
		}
	}
	if k, _ := c.get(chain.JobInfer, raw); k == nil {
		t.Error("lost")
	}
	if len(c.mu.entries) > 1 || c.mu.size > len(raw) {
		t.Errorf("%d keys, %d bytes", len(c.mu.entries), c.mu.size)
	}
}

// TestCostsAreBoundsOfTheTimeTaken prints how much of its cost each verification took, alone on a
// core. It fails only if one takes many times its cost, whatever the machine.
func TestCostsAreBoundsOfTheTimeTaken(t *testing.T) {
	names := []string{"iris_mlp", "digits_mlp", "digits_lenet"}
	if os.Getenv("WES_LONG") != "" {
		names = append(names, "lenet5_28", "resnet20_cifar")
	}
	for _, name := range names {
		c, e := prepare(t, name).claim(t)
		v := New(Config{})
		units, ok, err := v.KeyCost(chain.ResourceModel, e.Key)
		if !ok || err != nil {
			t.Fatal(err)
		}
		c.Key.Cost = units
		report(t, name, len(e.Key), v, c, e)
	}
}

func report(t *testing.T, name string, size int, v *Verifier, c *chain.Claim, e *chain.Evidence) {
	t.Helper()
	least := time.Hour
	for range 3 {
		fresh := New(Config{})
		start := time.Now()
		if !holds(t, fresh, c, e) {
			t.Fatal("does not hold")
		}
		least = min(least, time.Since(start))
	}
	cost := v.Cost(c)
	t.Logf("%s: key of %d bytes, cost %d units, %d µs with the key decoded", name, size, cost, least.Microseconds())
	if uint64(least.Microseconds()) > 10*cost {
		t.Errorf("%s takes %v for %d units", name, least, cost)
	}
}

func TestCircuitCostsByCurve(t *testing.T) {
	list := [][2]string{{schemeGroth16, "bn254"}, {schemePLONK, "bn254"}}
	if os.Getenv("WES_LONG") != "" {
		for _, curve := range curves()[1:] {
			list = append(list, [2]string{schemeGroth16, curve}, [2]string{schemePLONK, curve})
		}
	}
	for _, x := range list {
		c, e := circuitClaim(t, x[0], x[1])
		k, err := decodeKey(chain.JobProve, e.Key)
		if err != nil {
			t.Fatal(err)
		}
		c.Key.Cost = k.cost()
		report(t, x[0]+" "+x[1], len(e.Key), New(Config{}), c, e)
	}
}

func FuzzVerify(f *testing.F) {
	s := prepare(f, "iris_mlp")
	c, e := s.claim(f)
	f.Add(e.Key, e.Input, e.Output, e.Proof)
	v := New(Config{KeyBytes: 1 << 20})
	f.Fuzz(func(t *testing.T, key, input, output, proof []byte) {
		claim := *c
		claim.Key.Hash = sha256.Sum256(key)
		if _, err := v.Verify(&claim, &chain.Evidence{Key: key, Input: input, Output: output, Proof: proof}); err != nil {
			t.Error(err)
		}
	})
}

func FuzzDecodeOutput(f *testing.F) {
	f.Add(EncodeOutput([][]int64{{1, 2}, {-3}}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if all, err := DecodeOutput(raw); err == nil && !bytes.Equal(EncodeOutput(all), raw) {
			t.Error("two encodings of one value")
		}
	})
}
