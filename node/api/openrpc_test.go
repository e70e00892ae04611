package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/weisyn/wes/chain"
)

func TestDocumentHasEveryMethod(t *testing.T) {
	s := serve(t, newFake(t), nil)
	_, text := do(t, s, http.MethodGet, "/openrpc.json", "", nil)
	var served struct {
		Methods []struct{ Name, Summary string }
	}
	if err := json.Unmarshal([]byte(text), &served); err != nil {
		t.Fatal(err)
	}
	var discovered struct {
		Result struct{ Methods []struct{ Name string } }
	}
	_, text = do(t, s, http.MethodPost, "/rpc", `{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}`, nil)
	if err := json.Unmarshal([]byte(text), &discovered); err != nil {
		t.Fatal(err)
	}
	handlers := s.service.handlers(true)
	for i, m := range served.Methods {
		if handlers[m.Name] == nil || m.Summary == "" || discovered.Result.Methods[i].Name != m.Name {
			t.Errorf("%s is described and not served, or without a summary", m.Name)
		}
		delete(handlers, m.Name)
	}
	delete(handlers, "rpc.discover")
	if len(handlers) > 0 {
		t.Errorf("not described: %v", handlers)
	}
}

// TestAnswersAreWhatTheDocumentSays compares the fields of real answers with the schemas.
func TestAnswersAreWhatTheDocumentSays(t *testing.T) {
	f := newFake(t)
	s := serve(t, f, nil)
	c := NewClient(s.URL(), "")
	tx := f.payment()
	address := chain.FormatAddress("twes", chain.LockHash(alice.Lock()))
	if _, err := c.Submit(t.Context(), tx.Tx, tx.Witness); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Make(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for name, params := range map[string]any{
		"status": NoParams{}, "env": NoParams{}, "block": BlockParams{}, "transaction": IDParams{tx.ID().String()},
		"outputs": SubjectParams{Role: RoleLock, ID: address}, "history": SubjectParams{Role: RoleLock, ID: address},
		"output": OutpointParams{tx.ID().String() + ":0"}, "make": MakeParams{1},
	} {
		var result map[string]any
		if err := c.Call(t.Context(), name, params, &result); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		i := slices.IndexFunc(methods(), func(m method) bool { return m.name == name })
		described := schema(methods()[i].result)
		for key := range result {
			if _, known := described.Properties.Get(key); !known {
				t.Errorf("%s answers with %s, which is not described", name, key)
			}
		}
		for _, key := range described.Required {
			if _, there := result[key]; !there {
				t.Errorf("%s answers without %s", name, key)
			}
		}
	}
	if !strings.Contains(Reference(), "wes_transaction") {
		t.Error("the reference lacks methods")
	}
}
