package replica_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/consensus"
	"github.com/weisyn/wes/chain/replica"
)

var update = flag.Bool("update", false, "write the golden files")

// wire is a ledger with a block that has something of everything, and a request of each kind.
func wire(t testing.TB) (*ledger, *chain.Block, map[string]*replica.Request) {
	t.Helper()
	l := newLedger(t, nil)
	b := []byte("attached")
	must(t, l.Submit(l.now, l.payment(1000, b), b))
	must(t, l.Submit(l.now, l.payment(2000)))
	block := l.mine()
	hash := block.Header.Hash()
	return l, block, map[string]*replica.Request{
		"headers":     {Kind: replica.KindHeaders, Hashes: []chain.Hash{{9}, l.genesis.Header.Hash()}},
		"body":        {Kind: replica.KindBody, Block: hash},
		"outline":     {Kind: replica.KindOutline, Block: hash},
		"txs":         {Kind: replica.KindTxs, Block: hash, Indices: []uint32{0, 2}},
		"attachments": {Kind: replica.KindAttachments, Hashes: []chain.Hash{{7}, sha256.Sum256(b)}},
	}
}

// golden compares bytes with a file that fixes a format.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := "testdata/" + name + ".hex"
	if *update {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(file, []byte(hex.EncodeToString(got)+"\n"), 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if strings.TrimSpace(string(want)) != hex.EncodeToString(got) {
		t.Errorf("the encoding of %s changed:\n got %x\nwant %s", name, got, want)
	}
}

func TestGoldenFilesFixTheProtocol(t *testing.T) {
	l, block, requests := wire(t)
	for name, q := range requests {
		golden(t, "request-"+name, q.Encode())
		raw, err := l.server.Serve(q.Encode())
		must(t, err)
		golden(t, "answer-"+name, raw)
	}
	raw, err := l.server.Serve((&replica.Request{Kind: replica.KindBody, Block: chain.Hash{1}}).Encode())
	must(t, err)
	golden(t, "answer-lacking", raw)
	golden(t, "announcement", replica.EncodeHeader(&consensus.SealedHeader{Header: block.Header, Seal: bytes.Repeat([]byte{5}, 64)}))
	golden(t, "transaction", replica.EncodeTx(3, block.Txs[1], block.Witnesses[1]))
}

func TestRequestsHaveOneEncoding(t *testing.T) {
	_, _, requests := wire(t)
	for name, q := range requests {
		raw := q.Encode()
		got, err := replica.DecodeRequest(raw)
		if err != nil || !bytes.Equal(got.Encode(), raw) {
			t.Errorf("%s: %v", name, err)
		}
		for i := range raw {
			if _, err := replica.DecodeRequest(raw[:i]); err == nil && len(q.Hashes)+len(q.Indices) == 0 {
				t.Errorf("%s: decoded %d of %d bytes", name, i, len(raw))
			}
		}
	}
	for name, q := range map[string]*replica.Request{
		"kind": {Kind: 9}, "locator": {Kind: replica.KindHeaders, Hashes: make([]chain.Hash, replica.MaxLocator+1)},
		"attachments": {Kind: replica.KindAttachments, Hashes: make([]chain.Hash, replica.MaxAttachments+1)},
		"order":       {Kind: replica.KindTxs, Indices: []uint32{2, 1}}, "twice": {Kind: replica.KindTxs, Indices: []uint32{1, 1}},
		"hash in a body": {Kind: replica.KindBody, Hashes: []chain.Hash{{}}}, "indices": {Kind: replica.KindTxs, Indices: ascending(replica.MaxIndices + 1)},
	} {
		if _, err := replica.DecodeRequest(q.Encode()); !errors.Is(err, replica.ErrMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func ascending(n int) []uint32 {
	all := make([]uint32, n)
	for i := range all {
		all[i] = uint32(i)
	}
	return all
}

// TestAnswersToOtherQuestionsAreRefused gives every answer to every request, cut and damaged too.
func TestAnswersToOtherQuestionsAreRefused(t *testing.T) {
	l, block, requests := wire(t)
	second := l.mine()
	for name, q := range requests {
		raw, err := l.server.Serve(q.Encode())
		must(t, err)
		for i := range raw {
			if a, err := replica.DecodeAnswer(q, raw[:i]); err == nil && a.Found && q.Kind == replica.KindBody {
				t.Errorf("%s: decoded %d of %d bytes", name, i, len(raw))
			}
		}
		if _, err := replica.DecodeAnswer(q, append(bytes.Clone(raw), 0)); err == nil {
			t.Errorf("%s: decoded with a byte more", name)
		}
		for other, p := range requests {
			if a, err := replica.DecodeAnswer(p, raw); err == nil && other != name && a.Found && p.Kind != replica.KindOutline && p.Kind != replica.KindHeaders {
				t.Errorf("the answer to %s passes as one to %s", name, other)
			}
		}
	}
	body, err := l.server.Serve((&replica.Request{Kind: replica.KindBody, Block: second.Header.Hash()}).Encode())
	must(t, err)
	if _, err := replica.DecodeAnswer(&replica.Request{Kind: replica.KindBody, Block: block.Header.Hash()}, body); err == nil {
		t.Error("another block passes")
	}
	swapped := *block
	swapped.Txs = []*chain.Tx{block.Txs[0], block.Txs[2], block.Txs[1]}
	if _, err := replica.DecodeAnswer(&replica.Request{Kind: replica.KindBody, Block: block.Header.Hash()}, append([]byte{1, 1}, swapped.Encode()...)); err == nil {
		t.Error("a body with other roots passes")
	}
}

func TestServerRefusesWhatIsNoQuestion(t *testing.T) {
	l, block, _ := wire(t)
	for name, raw := range map[string][]byte{
		"nothing": nil, "noise": []byte("noise"),
		"no such transaction": (&replica.Request{Kind: replica.KindTxs, Block: block.Header.Hash(), Indices: []uint32{99}}).Encode(),
	} {
		if _, err := l.server.Serve(raw); !errors.Is(err, replica.ErrMessage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDecodeRequest(f *testing.F) {
	_, _, requests := wire(f)
	for _, q := range requests {
		f.Add(q.Encode())
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if q, err := replica.DecodeRequest(raw); err == nil && !bytes.Equal(q.Encode(), raw) {
			t.Error("two encodings of one request")
		}
	})
}

func FuzzDecodeAnswer(f *testing.F) {
	l, _, requests := wire(f)
	for _, q := range requests {
		raw, err := l.server.Serve(q.Encode())
		must(f, err)
		f.Add(q.Encode(), raw)
	}
	f.Fuzz(func(t *testing.T, question, raw []byte) {
		q, err := replica.DecodeRequest(question)
		if err != nil {
			return
		}
		a, err := replica.DecodeAnswer(q, raw)
		if err == nil && a.Found && q.Kind == replica.KindTxs && len(a.Txs) != len(q.Indices) {
			t.Error("not as many transactions as asked for")
		}
	})
}

func FuzzDecodeHeader(f *testing.F) {
	_, block, _ := wire(f)
	f.Add(replica.EncodeHeader(&consensus.SealedHeader{Header: block.Header}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if h, err := replica.DecodeHeader(raw); err == nil && !bytes.Equal(replica.EncodeHeader(&h), raw) {
			t.Error("two encodings of one header")
		}
	})
}

func FuzzDecodeTx(f *testing.F) {
	_, block, _ := wire(f)
	f.Add(replica.EncodeTx(0, block.Txs[1], block.Witnesses[1]))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if x, err := replica.DecodeTx(raw); err == nil && !bytes.Equal(replica.EncodeTx(raw[1], x.Tx, x.Witness), raw) {
			t.Error("two encodings of one transaction")
		}
	})
}
