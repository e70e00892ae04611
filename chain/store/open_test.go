package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/weisyn/wes/chain"
)

func TestOpenRefusesAFolderThatIsOpen(t *testing.T) {
	w := newTwin(t, small(), pay(alice, 10))
	if _, err := Open(w.dir, w.o); !errors.Is(err, ErrLocked) {
		t.Fatalf("got %v", err)
	}
}

func TestOpenRefusesAnotherChainByName(t *testing.T) {
	w := newTwin(t, small(), pay(alice, 10))
	other := newMaps(t, small(), pay(alice, 11))
	w.close()
	_, err := Open(w.dir, other.o)
	ours, theirs := w.o.Applied.After.Chain.String(), other.o.Applied.After.Chain.String()
	if !errors.Is(err, ErrOtherChain) || !strings.Contains(err.Error(), ours) || !strings.Contains(err.Error(), theirs) {
		t.Fatalf("got %v", err)
	}
	w.open()
	w.check()
}

func TestOpenRefusesAnotherFormat(t *testing.T) {
	w := newTwin(t, small(), pay(alice, 10))
	var version writes
	version.set([]byte{keyFormat}, []byte{formatVersion + 1})
	w.s.force(t, version)
	w.close()
	if _, err := Open(w.dir, w.o); !errors.Is(err, ErrFormat) {
		t.Fatalf("got %v", err)
	}
	// A database without a version is somebody else's.
	w.dir = t.TempDir()
	w.open()
	w.s.remove(t, []byte{keyFormat})
	w.close()
	if _, err := Open(w.dir, w.o); !errors.Is(err, ErrFormat) && !errors.Is(err, ErrCorrupt) {
		t.Fatalf("got %v", err)
	}
}

func TestOpenTakesLogsThatACrashLeftEmpty(t *testing.T) {
	w := newTwin(t, small(), pay(alice, 10))
	w.mine()
	w.close()
	for _, name := range []string{"00009.mem", "000009.vlog"} {
		w.must(os.WriteFile(filepath.Join(w.dir, name), nil, 0o600))
		w.open()
		w.check()
		w.close()
	}
}

func TestOpenRefusesOptionsThatContradictThemselves(t *testing.T) {
	w := newMaps(t, small(), pay(alice, 10))
	for name, change := range map[string]func(o *Options){
		"no genesis block":                     func(o *Options) { o.Genesis = nil },
		"a genesis block that was not applied": func(o *Options) { o.Applied = nil },
		"attachments below undo data":          func(o *Options) { o.AttachmentDepth, o.UndoDepth = 1, 2 },
		"another block's ledger": func(o *Options) {
			a := *o.Applied
			a.After.Tip[0]++
			o.Applied = &a
		},
	} {
		o := w.o
		change(&o)
		if _, err := Open(t.TempDir(), o); !errors.Is(err, errOptions) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestNewStoreStandsOnTheGenesisBlock(t *testing.T) {
	w := newTwin(t, small(), pay(alice, 10), pay(bob, 20))
	w.check()
	h := w.o.Genesis.Header.Hash()
	sh, ok, err := w.s.Header(h)
	if !ok || err != nil || !sh.Stored || sh.Bad || sh.Header != w.o.Genesis.Header {
		t.Fatalf("header: %+v, %v, %v", sh, ok, err)
	}
	b, ok, err := w.s.Block(h)
	if !ok || err != nil || b.Header.Hash() != h {
		t.Fatalf("block: %v, %v", ok, err)
	}
	for h, err := range w.s.Headers() {
		t.Fatalf("header of the genesis block among the others: %v, %v", h, err)
	}
	if err := w.s.Begin([]chain.Hash{h}, nil); !errors.Is(err, ErrPruned) {
		t.Fatalf("the genesis block is undone: %v", err)
	}
}

func TestHeadersComeBackParentsFirstWithTheirMarks(t *testing.T) {
	w := newTwin(t, small(), pay(alice, 10))
	root := chain.Header{Chain: w.Ledger.Chain, Parent: w.Ledger.Tip, Height: 1}
	var all []chain.StoredHeader
	for i := range 3 {
		h := root
		h.Time = uint64(i)
		all = append(all, chain.StoredHeader{Header: h, Seal: []byte(strings.Repeat("s", 64*(i%2)))})
		h.Parent, h.Height = h.Hash(), 2
		all = append(all, chain.StoredHeader{Header: h})
	}
	w.must(w.s.PutHeaders(all))
	stored, bad := all[1].Header.Hash(), all[2].Header.Hash()
	w.must(w.s.PutBody(&chain.Block{Header: all[2].Header}))
	w.must(w.s.MarkStored([]chain.Hash{stored, bad}))
	w.must(w.s.MarkBad([]chain.Hash{bad}))
	w.must(w.s.PutHeaders(all)) // which are known
	w.reopen()
	seen := map[chain.Hash]bool{w.Ledger.Tip: true}
	for h, err := range w.s.Headers() {
		w.must(err)
		hash := h.Header.Hash()
		if !seen[h.Header.Parent] || h.Stored != (hash == stored) || h.Bad != (hash == bad) {
			t.Fatalf("%+v", h)
		}
		seen[hash] = true
		got, ok, err := w.s.Header(hash)
		if !ok || err != nil || got.Header != h.Header || string(got.Seal) != string(h.Seal) {
			t.Fatalf("%+v, %v, %v", got, ok, err)
		}
	}
	if len(seen) != 1+len(all) {
		t.Fatalf("%d headers", len(seen)-1)
	}
	if _, ok, err := w.s.Block(bad); ok || err != nil {
		t.Fatalf("the body of a bad block is kept: %v", err)
	}
	if err := w.s.MarkStored([]chain.Hash{{}}); err == nil {
		t.Fatal("a block that is not known was marked")
	}
}

func TestStepsOutsideAMoveAreRefused(t *testing.T) {
	w := newTwin(t, small(), pay(alice, 10))
	w.mine()
	b := w.Block(1000)
	a, err := w.Connect(b)
	w.must(err)
	refused := func(err error) {
		t.Helper()
		if !errors.Is(err, ErrMove) {
			t.Fatalf("got %v", err)
		}
	}
	refused(w.s.End())
	refused(w.s.Rollback())
	refused(w.s.Connect(b, a, true))
	_, err = w.s.Disconnect()
	refused(err)
	refused(w.s.Begin([]chain.Hash{{1}}, nil))
	tip := w.s.Ledger().Tip
	w.must(w.s.Begin([]chain.Hash{tip}, []chain.Hash{a.After.Tip}))
	refused(w.s.Begin(nil, nil))
	refused(w.s.Connect(b, a, true))
	_, err = w.s.Prune(1)
	refused(err)
	_, err = w.s.Disconnect()
	w.must(err)
	refused(w.s.Connect(b, a, true)) // its parent was undone
	_, err = w.s.Disconnect()
	refused(err)
	w.must(w.s.Rollback())
	if w.s.Ledger().Tip != tip {
		t.Fatal("not where the move began")
	}
}

// TestReadersSeeEitherSideOfAMove reads from many goroutines while blocks are connected and
// undone: each reader's state belongs together.
func TestReadersSeeEitherSideOfAMove(t *testing.T) {
	w := newTwin(t, small(), pay(alice, 1000))
	stop := make(chan struct{})
	faults := make(chan error, 8)
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := w.read(); err != nil {
					faults <- err
					return
				}
			}
		})
	}
	u := w.created[0]
	for i := range 30 {
		tx := w.Draft().Spend(u, signedBy(alice)).Pay(u.Entry.Output, chain.Output{Lock: bob.Lock()}).Sign()
		was := w.Ledger
		w.mine(tx)
		if i%3 == 2 {
			undone := w.blocks[len(w.blocks)-1]
			w.must(w.Disconnect())
			b := w.Block(uint64(i), tx)
			a, err := w.Connect(b)
			w.must(err)
			w.stage(b)
			w.must(w.s.Begin([]chain.Hash{undone.Header.Hash()}, []chain.Hash{a.After.Tip}))
			_, err = w.s.Disconnect()
			w.must(err)
			if w.s.Ledger().Tip != was.Tip {
				t.Fatal("the working state did not move")
			}
			w.must(w.s.Connect(b, a, true))
			w.must(w.s.End())
			w.blocks[len(w.blocks)-1] = b
		}
		u = tx.Out(0)
	}
	close(stop)
	group.Wait()
	select {
	case err := <-faults:
		t.Fatal(err)
	default:
	}
	w.check()
}

// read takes a reader and looks at what must agree: every block gives bob one output.
func (w *twin) read() error {
	r := w.s.Reader()
	defer r.Close()
	l := r.Ledger()
	tip, ok, err := r.MainHash(l.Height)
	if err != nil || !ok || tip != l.Tip {
		return fmt.Errorf("tip %v at height %d of %v: %v", tip, l.Height, &l, err)
	}
	page, _, err := r.Outputs(OfLock(RoleLock, bob.Lock()), nil, MaxPage)
	if err != nil || len(page) != int(l.Height) {
		return fmt.Errorf("%d outputs at height %d: %v", len(page), l.Height, err)
	}
	p := w.s.Published()
	h, ok, err := p.MainHash(0)
	if err != nil || !ok {
		return fmt.Errorf("genesis block: %v", err)
	}
	if height, on, err := p.MainHeight(h); height != 0 || !on || err != nil {
		return fmt.Errorf("genesis block at %d: %v", height, err)
	}
	_, found, err := p.Header(h)
	_, body, err2 := p.Body(h)
	_, attached, err3 := p.Attachment(h)
	if err := errors.Join(err, err2, err3); err != nil || !found || !body || attached {
		return fmt.Errorf("header %v, body %v, attachment %v: %v", found, body, attached, err)
	}
	return nil
}

// TestFullDiskIsAnErrorAndTheStoreOpensLater leaves less room than the reserve.
func TestFullDiskIsAnErrorAndTheStoreOpensLater(t *testing.T) {
	w := newTwin(t, small(), pay(alice, 10))
	w.mine()
	free, err := freeSpace(w.dir)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("the room on the disk is not known here")
	}
	w.must(err)
	w.close()
	reserve := w.o.Reserve
	w.o.Reserve = free * 2
	w.open()
	err = w.s.PutAttachments([]byte("data"))
	if !errors.Is(err, ErrDiskFull) || !strings.Contains(err.Error(), w.dir) {
		t.Fatalf("got %v", err)
	}
	w.check()
	w.close()
	w.o.Reserve = reserve
	w.open()
	w.mine()
	w.check()
	if left, _ := filepath.Glob(filepath.Join(w.dir, "*.mem")); len(left) == 0 {
		t.Fatal("no log of recent writes")
	}
}
