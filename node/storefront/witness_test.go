package storefront

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/node/trade"
	"github.com/weisyn/wes/prover/circuit"
	"github.com/weisyn/wes/prover/circuit/example"
)

// keys is a ledger with verifying keys alone.
type keys map[chain.Hash][]byte

var _ Ledger = keys{}

func (keys) Output(context.Context, chain.Outpoint) (u chain.UTXO, found bool, err error) { return }
func (keys) Announced(context.Context, string) ([]chain.UTXO, error)                      { return nil, nil }
func (keys) Resources(context.Context, chain.Hash) ([]chain.UTXO, error)                  { return nil, nil }

func (k keys) Key(_ context.Context, h chain.Hash) ([]byte, bool, error) {
	raw, found := k[h]
	return raw, found, nil
}

// announced is a circuit of the ledger with a full witness.
func announced(t *testing.T) (*Storefront, *entry, *circuit.Witness) {
	t.Helper()
	circuit.Silence()
	s := circuit.Systems()[0]
	x, err := example.New(s, 512, 1)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "ccs")
	if err := os.WriteFile(file, x.Circuit, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := circuit.Setup(t.Context(), circuit.SetupRequest{System: s, Circuit: file, Out: filepath.Join(dir, "package"), Unsafe: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	k, err := p.VerifyingKey()
	if err != nil {
		t.Fatal(err)
	}
	w, err := circuit.DecodeWitness(s.Curve, x.Witness)
	if err != nil {
		t.Fatal(err)
	}
	h := chain.Hash{7}
	return New(Config{Ledger: keys{h: proofs.EncodeCircuit(k)}}), &entry{resource: &chain.Resource{Kind: chain.ResourceGroth16, Key: &chain.VerifyingKey{Hash: h}}}, w
}

func TestLedgerSeesThePublicPartOfAWitness(t *testing.T) {
	s, e, w := announced(t)
	for name, sent := range map[string][]byte{"binary": w.Encode(), "JSON": w.EncodeJSON()} {
		r := &trade.Request{}
		r.Terms.Level = chain.LevelZK
		if err := s.payload(t.Context(), &gateway.Request{Kind: gateway.KindProve, Witness: sent}, e, r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if r.Terms.Kind != chain.JobProve || r.Terms.Model != e.resource.Key.Hash {
			t.Errorf("%s: %+v", name, r.Terms)
		}
		if !bytes.Equal(r.Payload, w.Encode()) || !bytes.Equal(r.Input, w.PublicPart().Encode()) {
			t.Errorf("%s: payload or input are others", name)
		}
	}
}

func TestWitnessesThatDoNotFitAreRefused(t *testing.T) {
	s, e, w := announced(t)
	unknown := *e
	unknown.resource = &chain.Resource{Kind: chain.ResourcePlonk, Key: &chain.VerifyingKey{}}
	for name, c := range map[string]struct {
		entry   *entry
		level   chain.Level
		witness []byte
		status  int
		reason  string
	}{
		"optimistic":     {e, chain.LevelOptimistic, w.Encode(), http.StatusUnprocessableEntity, "terms"},
		"no witness":     {e, chain.LevelZK, []byte("witness"), http.StatusUnprocessableEntity, "bad_input"},
		"public values":  {e, chain.LevelZK, []byte(`{"public": ["1", "2"], "secret": ["3"]}`), http.StatusUnprocessableEntity, "bad_input"},
		"key is missing": {&unknown, chain.LevelZK, w.Encode(), http.StatusServiceUnavailable, gateway.ReasonNotReady},
	} {
		r := &trade.Request{}
		r.Terms.Level = c.level
		err := s.payload(t.Context(), &gateway.Request{Witness: c.witness}, c.entry, r)
		var p *gateway.Problem
		if !errors.As(err, &p) || p.Status != c.status || p.Reason != c.reason {
			t.Errorf("%s: %v", name, err)
		}
	}
}
