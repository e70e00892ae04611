package node

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
)

func TestHomeBelongsToOneProcessAndOneNetwork(t *testing.T) {
	dir := t.TempDir()
	h, err := openHome(dir, devNetwork())
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" {
		if _, err := openHome(dir, devNetwork()); !errors.Is(err, ErrHome) || !strings.Contains(err.Error(), "stop it") {
			t.Errorf("opened twice: %v", err)
		}
	}
	if err := h.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := openHome(dir, testNetwork()); !errors.Is(err, ErrHome) || !strings.Contains(err.Error(), "network dev") {
		t.Errorf("opened for another network: %v", err)
	}
	h, err = openHome(dir, devNetwork())
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
}

func TestNodeKeepsItsKey(t *testing.T) {
	h, err := openHome(t.TempDir(), devNetwork())
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	first, err := h.nodeKey()
	if err != nil {
		t.Fatal(err)
	}
	again, err := h.nodeKey()
	if err != nil || !bytes.Equal(first, again) || len(first) != 32 {
		t.Errorf("%x, then %x, %v", first, again, err)
	}
	if err := os.WriteFile(h.path(nodeKeyFile), first[:31], 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := h.nodeKey(); !errors.Is(err, ErrHome) {
		t.Errorf("a short key: %v", err)
	}
}
