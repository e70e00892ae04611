package store

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
)

// count returns the number of keys with a prefix.
func (w *twin) count(prefix byte) (n int) {
	w.t.Helper()
	sn := w.s.acquire()
	defer sn.release()
	for _, err := range sn.scan([]byte{prefix}, nil) {
		w.must(err)
		n++
	}
	return n
}

func (w *twin) prune() {
	w.t.Helper()
	for {
		more, err := w.s.Prune(2)
		w.must(err)
		if !more {
			return
		}
	}
}

func (w *twin) has(h chain.Hash) bool {
	w.t.Helper()
	_, ok, err := w.s.Attachment(h)
	w.must(err)
	return ok
}

func shallow(undo, attachments uint64) Options {
	o := small()
	o.UndoDepth, o.AttachmentDepth = undo, attachments
	return o
}

func TestOutputsGoWhenAllOfTheirGroupWereSpentAndCantComeBack(t *testing.T) {
	w := newTwin(t, shallow(2, 2), pay(alice, 10), pay(alice, 20))
	split := w.Draft().Spend(w.created[0], signedBy(alice)).Pay(pay(alice, 4), pay(alice, 6)).Sign()
	w.mine(split)
	w.mine(w.Draft().Spend(split.Out(0), signedBy(alice)).Pay(pay(bob, 4)).Sign())
	w.mine()
	w.mine()
	w.prune()
	if n := w.count(keyGroup); n != 3 {
		t.Fatalf("%d groups: genesis and split have one unspent output each", n)
	}
	w.mine(w.Draft().Spend(split.Out(1), signedBy(alice)).Pay(pay(bob, 6)).Sign())
	w.mine()
	w.prune()
	if n := w.count(keyGroup); n != 4 {
		t.Fatalf("%d groups, before the last block that may be undone", n)
	}
	w.mine()
	w.prune()
	if n, marks := w.count(keyGroup), w.count(keySpent); n != 3 || marks != 1 {
		t.Fatalf("%d groups and %d marks, after it", n, marks)
	}
	w.check()
	if n := w.count(keyRecord); n != 3 {
		t.Fatalf("%d records of blocks", n)
	}
}

func TestBlocksBelowTheDepthOfUndoDataStay(t *testing.T) {
	w := newTwin(t, shallow(2, 2), pay(alice, 10))
	var undo []chain.Hash
	for range 4 {
		w.mine()
		undo = append([]chain.Hash{w.Ledger.Tip}, undo...)
	}
	w.prune()
	if err := w.s.Begin(undo[:3], nil); !errors.Is(err, ErrPruned) {
		t.Fatalf("got %v", err)
	}
	w.must(w.s.Begin(undo[:2], nil))
	for range 2 {
		_, err := w.s.Disconnect()
		w.must(err)
	}
	w.must(w.s.Rollback())
	w.check()
}

// attach mines a transaction with an attachment.
func (w *twin) attach(u chain.UTXO, p []byte) chaintest.Signed {
	d := w.Draft().Spend(u, signedBy(alice)).Pay(u.Entry.Output)
	d.Attachments = []chain.Attachment{w.Store.Attach(chain.AttachData, p)}
	s := d.Sign()
	w.mine(s)
	return s
}

func TestAttachmentsAreKeptForTheirDepthAfterTheirLastUse(t *testing.T) {
	w := newTwin(t, shallow(1, 3), pay(alice, 10))
	data, other := []byte("data"), []byte("other")
	h, unused := chain.Hash(sha256.Sum256(data)), chain.Hash(sha256.Sum256(other))
	w.must(w.s.PutAttachments(other))
	u := w.attach(w.created[0], data).Out(0)
	w.mine()
	w.attach(u, data)
	for range 2 {
		w.mine()
		w.prune()
		if !w.has(h) {
			t.Fatalf("it went at height %d", w.Ledger.Height)
		}
	}
	if w.has(unused) {
		t.Fatal("what no block attached is kept")
	}
	w.mine()
	w.prune()
	if w.has(h) {
		t.Fatal("it is kept")
	}
}

func TestPinnedAttachmentsStay(t *testing.T) {
	w := newTwin(t, shallow(1, 1), pay(alice, 10))
	h := chain.Hash(sha256.Sum256([]byte("data")))
	w.must(w.s.Pin(h))
	w.attach(w.created[0], []byte("data"))
	for range 3 {
		w.mine()
		w.prune()
	}
	if !w.has(h) {
		t.Fatal("it went")
	}
	w.must(w.s.Unpin(h))
	for range 2 {
		w.mine()
		w.prune()
	}
	if w.has(h) {
		t.Fatal("it is kept")
	}
}

func TestArchiveKeepsAttachments(t *testing.T) {
	o := shallow(1, 1)
	o.Archive = true
	w := newTwin(t, o, pay(alice, 10))
	w.attach(w.created[0], []byte("data"))
	for range 4 {
		w.mine()
		w.prune()
	}
	if !w.has(chain.Hash(sha256.Sum256([]byte("data")))) {
		t.Fatal("it went")
	}
	if n := w.count(keyRecord); n != 2 {
		t.Fatalf("%d records: undo data is pruned all the same", n)
	}
}

// TestVerifyingKeyIsKeptWhileAnEscrowIsOpen spends the resource that published a key while an
// escrow names it, then ends the escrow.
func TestVerifyingKeyIsKeptWhileAnEscrowIsOpen(t *testing.T) {
	w := newTwin(t, shallow(2, 2), pay(alice, 1000), pay(client, 1000))
	raw, key := chaintest.Key(10, 1)
	d := w.Draft().Spend(w.created[0], signedBy(alice)).Pay(chain.Output{Lock: alice.Lock(), Body: &chain.Resource{
		CID: []byte("model"), Kind: chain.ResourceModel, Name: "m", Owner: alice.Lock(), Key: &key,
	}}, w.created[0].Entry.Output)
	d.Attachments = []chain.Attachment{w.Store.Attach(chain.AttachKey, raw)}
	model := d.Sign()
	w.mine(model)
	e := chain.JobEscrow{
		Job: chain.Hash{1}, Client: client.Lock(), Operator: operator.Lock(), Level: chain.LevelZK, Kind: chain.JobInfer,
		Key: key, Price: 400, Bond: 600, Start: w.Now(), Due: w.Now() + 600_000, Late: w.Now() + 1_200_000,
	}
	escrow := w.Draft().Spend(w.created[1], signedBy(client)).Refer(model.Out(0)).
		Pay(chain.Output{Lock: chain.Open(), Value: chain.Native(1000), Body: e.State()}).Sign()
	w.mine(escrow)
	w.mine(w.Draft().Spend(model.Out(0), signedBy(alice)).Sign())
	for range 6 {
		w.mine()
		w.prune()
	}
	if got, ok, err := w.s.VerifyingKey(key.Hash); !ok || err != nil || !bytes.Equal(got, raw) {
		t.Fatalf("the key went with its resource: %v", err)
	}
	w.mine(w.Draft().Spend(escrow.Out(0), chaintest.With{Exit: chain.EscrowAccept, Choices: []uint64{0}, Data: []any{client}}).
		Pay(chain.Output{Lock: operator.Lock(), Value: chain.Native(1000)}).Sign())
	if _, ok, err := w.s.VerifyingKey(key.Hash); ok || err != nil {
		t.Fatalf("nothing names the key: %v", err)
	}
	w.mine()
	w.prune()
	if !w.has(key.Hash) {
		t.Fatal("it went while the last block that names it may be undone")
	}
	w.check()
	w.mine()
	w.prune()
	if w.has(key.Hash) {
		t.Fatal("it is kept")
	}
}

func TestKeysThatHaveNotComeAreListed(t *testing.T) {
	w := newTwin(t, small(), pay(alice, 10))
	d := w.Draft().Spend(w.created[0], signedBy(alice))
	var want []chain.Hash
	for i := range 5 {
		raw, key := chaintest.Key(10, byte(i))
		d.Pay(chain.Output{Lock: alice.Lock(), Body: &chain.Resource{
			CID: []byte("model"), Kind: chain.ResourceModel, Name: "m", Owner: alice.Lock(), Key: &key,
		}})
		d.Attachments = append(d.Attachments, w.Store.Attach(chain.AttachKey, raw))
		want = append(want, key.Hash)
	}
	d.Pay(pay(alice, 10))
	b := w.Block(1000, d.Sign())
	a, err := w.Apply(&w.Ledger, w.Store, b, nil)
	w.must(err)
	w.must(w.s.Begin(nil, []chain.Hash{a.After.Tip}))
	w.must(w.s.Connect(b, a, false))
	w.must(w.s.End())
	r := w.s.Reader()
	defer r.Close()
	found := map[chain.Hash]bool{}
	var at Cursor
	for first := true; first || len(at) > 0; first = false {
		page, next, err := r.MissingKeys(at, 2)
		w.must(err)
		for _, h := range page {
			found[h] = true
		}
		at = next
	}
	if len(found) != len(want) {
		t.Fatalf("%d keys of %d", len(found), len(want))
	}
	raw, key := chaintest.Key(10, 3)
	w.must(w.s.PutAttachments(raw))
	if got, ok, err := w.s.VerifyingKey(key.Hash); !ok || err != nil || !bytes.Equal(got, raw) {
		t.Fatalf("a key that has come: %v, %v", ok, err)
	}
}

func TestGarbageOfTheValueLogIsCollected(t *testing.T) {
	w := newTwin(t, shallow(1, 1), pay(alice, 10))
	for i := range 40 {
		w.must(w.s.PutAttachments(bytes.Repeat([]byte{byte(i)}, 200<<10)))
		w.mine()
		w.prune()
		if i%5 == 0 {
			w.reopen() // which flushes a table; garbage is found where tables are merged
		}
	}
	w.reopen()
	w.must(w.s.db.Flatten(1))
	before := imageOf(t, w.dir).size()
	files, err := w.s.CollectGarbage(nil)
	w.must(err)
	w.reopen()
	if after := imageOf(t, w.dir).size(); files == 0 || after > before/2 {
		t.Fatalf("%d bytes before, %d after %d files were rewritten", before, after, files)
	}
	w.check()
}

func (m image) size() (n int) {
	for _, raw := range m.bytes {
		n += len(raw)
	}
	return n
}
