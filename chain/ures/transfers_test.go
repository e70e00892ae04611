package ures

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
)

// TestCollectionsLeaveWhatComes: a collection in the middle of an upload neither waits for it nor
// takes its blocks, whether they are new or were left over by another.
func TestCollectionsLeaveWhatComes(t *testing.T) {
	s := open(t, nil, nil)
	data := random(1, 3*chunkSize)
	left := s.mustAdd(t, data)
	if err := s.Unpin(left.CID); err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	type result struct {
		Added
		err error
	}
	done := make(chan result)
	go func() {
		a, err := s.AddStream(t.Context(), r, "x", nil)
		done <- result{a, err}
	}()
	if _, err := w.Write(data[:2*chunkSize]); err != nil {
		t.Fatal(err)
	}
	// The chunk after these is asked for when they are held and written.
	if _, err := w.Write(data[2*chunkSize : 2*chunkSize+1]); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data[2*chunkSize+1:]); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got := <-done
	if got.err != nil || got.CID != left.CID || !bytes.Equal(content(t, s, got.CID), data) {
		t.Errorf("%+v", got)
	}
	if freed, err := s.Collect(t.Context()); freed != 0 || err != nil {
		t.Errorf("%d bytes collected of what is pinned, %v", freed, err)
	}
	if len(s.comes.mu.held) != 0 {
		t.Errorf("%d blocks are held by no transfer", len(s.comes.mu.held))
	}
}

// TestATransferThatEndsDuringACollectionKeepsItsBlocks: the collection may have read the pins before.
func TestATransferThatEndsDuringACollectionKeepsItsBlocks(t *testing.T) {
	c, err := parse("bafkreidon73zkcrwdb5iafqtijxildoonbwnpv7dyd6ef3qdgads2jc4su")
	if err != nil {
		t.Fatal(err)
	}
	all := newTransfers()
	x := all.begin()
	x.hold(c)
	hash, taken := string(c.Hash()), false
	remove := func() error { taken = true; return nil }
	err = all.collect(func() error {
		x.end()
		return all.unless(hash, remove)
	})
	if err != nil || taken {
		t.Errorf("taken: %v, %v", taken, err)
	}
	if err := all.unless(hash, remove); err != nil || !taken {
		t.Errorf("still held: %v, %v", !taken, err)
	}
}

func TestUploadThatBreaksOffLeavesNothing(t *testing.T) {
	s := open(t, nil, nil)
	ctx, cancel := context.WithCancel(t.Context())
	gone := errors.New("gone")
	in := io.MultiReader(bytes.NewReader(random(2, 5*chunkSize)), failing{func() error { cancel(); return gone }})
	if _, err := s.AddStream(ctx, in, "x", nil); !errors.Is(err, gone) {
		t.Error(err)
	}
	all, err := s.blocks.AllKeysChan(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for c := range all {
		t.Errorf("%v is left", c)
	}
	if len(s.List()) != 0 {
		t.Errorf("pins: %v", s.List())
	}
}

type failing struct{ err func() error }

func (f failing) Read([]byte) (int, error) { return 0, f.err() }
