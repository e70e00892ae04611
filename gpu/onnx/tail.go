package onnx

import (
	"strings"
	"sync"
)

// tail keeps the last bytes written to it.
type tail struct {
	mu struct {
		sync.Mutex
		last []byte // at most maxTail
	}
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	kept := append(t.mu.last, p[max(0, len(p)-maxTail):]...)
	t.mu.last = append([]byte(nil), kept[max(0, len(kept)-maxTail):]...)
	return len(p), nil
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(strings.ToValidUTF8(string(t.mu.last), "?"))
}
