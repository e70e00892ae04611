package node

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weisyn/wes/node/api"
)

// read gets a resource through the API of a node.
func read(t *testing.T, n *Node, cid string, most uint64) ([]byte, error) {
	t.Helper()
	r, size, err := api.NewClient(n.URL(), "").GetResource(t.Context(), cid, most)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err == nil && int64(len(b)) != size {
		t.Errorf("%d bytes, and %d were announced", len(b), size)
	}
	return b, err
}

// TestModelAddedOnOneNodeIsReadOnAnother, although the other never heard of it, and is still there
// after a collection and a new start.
func TestModelAddedOnOneNodeIsReadOnAnother(t *testing.T) {
	model, err := os.ReadFile(filepath.Join("..", "testdata", "models", "resnet20_cifar.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	network, _ := funded(t)
	p := newPlace(t, network)
	a, _ := p.run(p.config("a"), options())
	b, stopB := p.run(p.config("b", a), options())
	await(t, "a and b are peers", func() bool { return a.Status().Peers == 1 && b.Status().Peers == 1 })
	added, err := api.NewClient(a.URL(), "").AddResource(t.Context(), bytes.NewReader(model), "a model")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := read(t, b, added.CID, added.Size-1); !errors.Is(err, api.ErrTooLarge) {
		t.Errorf("more than allowed: %v", err)
	}
	got, err := read(t, b, added.CID, added.Size)
	if err != nil || sha256.Sum256(got) != sha256.Sum256(model) {
		t.Fatalf("%d bytes of %d, %v", len(got), len(model), err)
	}
	if err := b.tidy(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := stopB(); err != nil {
		t.Fatal(err)
	}
	alone := p.config("b")
	b, _ = p.run(alone, options())
	if got, err := read(t, b, added.CID, added.Size); err != nil || !bytes.Equal(got, model) {
		t.Errorf("after a new start: %d bytes, %v", len(got), err)
	}
	freed, err := api.NewClient(b.URL(), "").RemoveResource(t.Context(), added.CID)
	if err != nil || freed.Freed < uint64(len(model)) {
		t.Errorf("%+v, %v", freed, err)
	}
}

// TestSettingsOfResourcesHaveEffect: the quota is the setting's, replicas are kept where the
// setting gives them room only, and what is kept shows in the metrics.
func TestSettingsOfResourcesHaveEffect(t *testing.T) {
	network, _ := funded(t)
	p := newPlace(t, network)
	a, _ := p.run(p.config("a"), options())
	config := func(name string, replicas int) Config {
		c := p.config(name, a)
		c.ResourcesGiB, c.ReplicasGiB = 3, replicas
		return c
	}
	with, _ := p.run(config("with", 1), options())
	without, _ := p.run(config("without", 0), options())
	await(t, "they are peers", func() bool { return a.Status().Peers == 2 })
	client := api.NewClient(a.URL(), "")
	added, err := client.AddResource(t.Context(), strings.NewReader("some bytes"), "x")
	if err != nil {
		t.Fatal(err)
	}
	var kept api.Replicated
	await(t, "a peer keeps it", func() bool {
		kept, err = client.ReplicateResource(t.Context(), added.CID, 2)
		return err != nil || len(kept.Peers) > 0
	})
	if err != nil || len(kept.Peers) != 1 || kept.Peers[0] != string(with.sockets.host.Self()) {
		t.Errorf("kept by %v, %v", kept, err)
	}
	for n, want := range map[*Node]int{with: 1, without: 0} {
		l, err := api.NewClient(n.URL(), "").Resources(t.Context())
		if err != nil || l.Quota != 3<<30 || len(l.Resources) != want || want == 1 && !l.Resources[0].Replica {
			t.Errorf("%+v, %v", l, err)
		}
	}
	if text := metrics(t, with); !strings.Contains(text, "wes_ures_pins 1\n") {
		t.Error("the metrics do not show one resource")
	}
}

func metrics(t *testing.T, n *Node) string {
	t.Helper()
	resp, err := http.Get(n.URL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestErrorsOfResourcesHaveTheirCodes(t *testing.T) {
	network, _ := funded(t)
	p := newPlace(t, network)
	n, _ := p.run(p.config("a"), options())
	client := api.NewClient(n.URL(), "")
	if _, err := read(t, n, "no CID", 1); !errors.Is(err, api.ErrResource) {
		t.Error(err)
	}
	var e *api.Error
	if err := client.UnpinResource(t.Context(), "bafkreidon73zkcrwdb5iafqtijxildoonbwnpv7dyd6ef3qdgads2jc4su"); !errors.As(err, &e) || e.Code != api.CodeNotFound {
		t.Error(err)
	}
	if err := client.UnpinResource(t.Context(), "no CID"); !errors.As(err, &e) || e.Code != -32602 {
		t.Error(err)
	}
}
