package worker

import (
	"bytes"
	"strings"
	"sync"
	"unicode"
)

// maxTail bounds the last words of a process, in bytes.
const maxTail = 1 << 12

// tail keeps the last bytes written to it. Once a line says that the process dies it keeps
// what follows that line, up to the bound, for the listing of goroutines and registers after
// it would push it out.
type tail struct {
	mu struct {
		sync.Mutex
		last  []byte // at most maxTail
		dying bool
	}
}

// deathLines begin what Go's runtime prints when it ends a process.
var deathLines = []string{"panic: ", "fatal error: ", "SIGABRT: ", "SIGSEGV: ", "SIGBUS: ", "SIGILL: ", "SIGFPE: "}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	written := len(p)
	for ; len(p) > 0; p = p[min(len(p), maxTail):] {
		t.add(p[:min(len(p), maxTail)])
	}
	return written, nil
}

func (t *tail) add(p []byte) {
	b := append(t.mu.last, p...)
	if at := death(b); at >= 0 && !t.mu.dying {
		t.mu.dying = true
		b = b[max(0, at-maxTail/2):]
	}
	if t.mu.dying {
		b = b[:min(len(b), maxTail)]
	} else {
		b = b[max(0, len(b)-maxTail):]
	}
	t.mu.last = bytes.Clone(b)
}

// death is the position of the first line that says that the process dies, or -1.
func death(b []byte) int {
	for at := 0; at < len(b); {
		for _, line := range deathLines {
			if bytes.HasPrefix(b[at:], []byte(line)) {
				return at
			}
		}
		next := bytes.IndexByte(b[at:], '\n')
		if next < 0 {
			return -1
		}
		at += next + 1
	}
	return -1
}

func (t *tail) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return printable(t.mu.last)
}

// printable is what came from another process, without what a terminal would obey.
func printable(text []byte) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(string(text), "?")))
}
