package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// image is the files of a folder, without the zeros at their ends, and their sizes.
type image struct {
	bytes map[string][]byte
	sizes map[string]int64
}

// imageOf reads a folder, also while a store has it open: what it has written to mapped files is
// seen.
func imageOf(t testing.TB, dir string) image {
	t.Helper()
	for {
		m, err := readImage(dir)
		if errors.Is(err, fs.ErrNotExist) && t.Context().Err() == nil {
			continue // a log was flushed to a table meanwhile
		}
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
}

func readImage(dir string) (image, error) {
	m := image{map[string][]byte{}, map[string]int64{}}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return m, err
	}
	for _, e := range entries {
		if e.Name() == "LOCK" {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return m, err
		}
		m.bytes[e.Name()], m.sizes[e.Name()] = bytes.TrimRight(raw, "\x00"), int64(len(raw))
	}
	return m, nil
}

func (m image) write(t testing.TB, dir string) {
	t.Helper()
	for name, raw := range m.bytes {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, m.sizes[name]); err != nil {
			t.Fatal(err)
		}
	}
}

// with returns the image with another content of a file, whose size stays.
func (m image) with(name string, raw []byte) image {
	out := image{maps.Clone(m.bytes), m.sizes}
	out.bytes[name] = raw
	return out
}

// cut returns the image with a file that ends early.
func (m image) cut(name string, size int) image {
	out := image{maps.Clone(m.bytes), maps.Clone(m.sizes)}
	out.bytes[name], out.sizes[name] = m.bytes[name][:size], int64(size)
	return out
}

// latest returns the last file with a suffix.
func (m image) latest(suffix string) string {
	var last string
	for _, name := range slices.Sorted(maps.Keys(m.bytes)) {
		if strings.HasSuffix(name, suffix) {
			last = name
		}
	}
	return last
}

// entries returns where the entries of a log end, from an offset on. An entry is a header
// (two bytes of flags; uvarint lengths of key and value, and uvarint expiry), key, value and four bytes of checksum.
func entries(log []byte, from int) (ends []int) {
	for at := from; at < len(log)-2; {
		start, size := at+2, 4
		for i := range 3 {
			v, n := binary.Uvarint(log[start:])
			if start += n; i < 2 {
				size += int(v)
			}
		}
		if at = start + size; at > len(log) {
			break
		}
		ends = append(ends, at)
	}
	return ends
}

// at opens a store at a step of the scenario, and returns its image before and after the step.
func (c *scenario) around(t *testing.T, name string) (before, after image) {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(dir, c.o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, step := range c.steps {
		if step.name == name {
			before = imageOf(t, dir)
		}
		if err := step.do(s); err != nil {
			t.Fatal(err)
		}
		if step.name == name {
			return before, imageOf(t, dir)
		}
	}
	t.Fatalf("no step %q", name)
	return before, after
}

// whole opens an image and requires that the store stands whole at one of two nodes.
func (c *scenario) whole(t *testing.T, m image, what string, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	m.write(t, dir)
	s, err := Open(dir, c.o)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	defer s.Close()
	for _, name := range names {
		if c.nodes[name].hash() == s.Ledger().Tip {
			c.compare(t, s, name)
			return name
		}
	}
	t.Fatalf("%s: the store stands at %v, which is none of %v", what, s.Ledger().Tip, names)
	return ""
}

// TestEveryPrefixOfALogIsAWholeBlock cuts what a step has written to the log of recent writes
// after each of its entries, and within each: the block is there whole, or not at all. Without
// WES_TEST_LARGE, after some of them.
func TestEveryPrefixOfALogIsAWholeBlock(t *testing.T) {
	t.Parallel()
	c := newScenario(t)
	for _, k := range []struct{ step, before, after string }{
		{"connect a2", "a1", "a2"},
		{"disconnect a2", "a3", "a3"},
		{"connect b4", "a3", "b4"},
		{"roll back", "b4", "b4"},
	} {
		t.Run(k.step, func(t *testing.T) {
			t.Parallel()
			before, after := c.around(t, k.step)
			log := after.latest(".mem")
			was, is := before.bytes[log], after.bytes[log]
			if !bytes.HasPrefix(is, was) || len(is) == len(was) {
				t.Fatalf("%s has %d bytes after %d, or others", log, len(is), len(was))
			}
			logged := after.with(log, was)
			ends := entries(is, len(was))
			if len(ends) < 10 {
				t.Fatalf("%d entries", len(ends))
			}
			seen := map[string]int{}
			stride := max(1, len(ends)/12)
			if os.Getenv(largeVariable) != "" {
				stride = 1
			}
			for i := 0; i < len(ends); i += stride {
				for _, end := range []int{ends[i] - 3, ends[i]} {
					seen[c.whole(t, logged.with(log, is[:end]), fmt.Sprintf("%d bytes of %s", end, log), k.before, k.after)]++
				}
			}
			seen[c.whole(t, after, "all", k.before, k.after)]++
			if k.before != k.after && (seen[k.before] == 0 || seen[k.after] == 0) {
				t.Fatalf("%v", seen)
			}
		})
	}
}

// TestTornTailsOfLogsLoseTheLastBlockAtMost cuts the files themselves, and writes garbage at their
// ends.
func TestTornTailsOfLogsLoseTheLastBlockAtMost(t *testing.T) {
	c := newScenario(t)
	_, after := c.around(t, "connect a2")
	for _, suffix := range []string{".mem", ".vlog"} {
		log := after.latest(suffix)
		is := after.bytes[log]
		for _, torn := range []int{1, 7, 60} {
			c.whole(t, after.cut(log, len(is)-torn), fmt.Sprintf("%s without %d bytes", log, torn), "a1", "a2")
			garbled := bytes.Clone(is)
			for i := range torn {
				garbled[len(is)-1-i] ^= 0x55
			}
			c.whole(t, after.with(log, garbled), fmt.Sprintf("%s with %d garbled bytes", log, torn), "a1", "a2")
		}
	}
}

// TestDamageIsAnErrorThatNamesIt flips bytes all over the files of a store, and reads all of it.
func TestDamageIsAnErrorThatNamesIt(t *testing.T) {
	c := newScenario(t)
	dir := t.TempDir()
	s, err := Open(dir, c.o)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range c.steps {
		if err := step.do(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	m := imageOf(t, dir)
	seen := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(m.bytes)) {
		raw := m.bytes[name]
		for at := 0; at < len(raw); at += 1 + len(raw)/5 {
			flipped := bytes.Clone(raw)
			flipped[at] ^= 0x10
			said := readInChild(t, m.with(name, flipped))
			kind, _, _ := strings.Cut(said, ":")
			seen[filepath.Ext(name)+" "+kind]++
			if kind == "whole" && filepath.Ext(name) == ".sst" || kind != "whole" && kind != "corrupt" {
				t.Errorf("%s, byte %d of %d: %s", name, at, len(raw), said)
			}
		}
		if said := readInChild(t, m.cut(name, len(raw)/2)); !strings.HasPrefix(said, "corrupt: ") && len(raw) > 0 && filepath.Ext(name) != ".vlog" {
			t.Errorf("half of %s: %s", name, said)
		}
	}
	if seen[".vlog corrupt"] == 0 || seen[".sst corrupt"] == 0 {
		t.Errorf("no damage was seen: %v", seen)
	}
}

// readInChild reads an image in another process, and returns what that says.
func readInChild(t *testing.T, m image) string {
	t.Helper()
	dir := t.TempDir()
	m.write(t, dir)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), envRead+"="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Sprintf("dead: %v: %.300s", err, out)
	}
	return strings.TrimSpace(string(out))
}
