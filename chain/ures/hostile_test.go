package ures

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/boxo/ipld/unixfs"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
	"github.com/multiformats/go-multihash"
)

// put stores a node as it is, without our own checks.
func put(t *testing.T, s *Store, n format.Node) cid.Cid {
	t.Helper()
	must(t, s.local.Add(t.Context(), n))
	return n.Cid()
}

func node(t *testing.T, data []byte, links ...cid.Cid) *merkledag.ProtoNode {
	t.Helper()
	n := merkledag.NodeWithData(data)
	must(t, n.SetCidBuilder(builder()))
	for i, c := range links {
		must(t, n.AddRawLink(fmt.Sprint(i), &format.Link{Name: fmt.Sprint(i), Cid: c, Size: 1}))
	}
	return n
}

func TestHostileGraphsAreRefused(t *testing.T) {
	s := open(t, nil, nil)
	deep := put(t, s, node(t, []byte("end")))
	for range maxDepth + 1 {
		deep = put(t, s, node(t, nil, deep))
	}
	identity, err := cid.Prefix{Version: 1, Codec: cid.Raw, MhType: multihash.IDENTITY, MhLength: -1}.Sum([]byte("inside"))
	must(t, err)
	json, err := cid.Prefix{Version: 1, Codec: cid.DagJSON, MhType: multihash.SHA2_256, MhLength: -1}.Sum([]byte("{}"))
	must(t, err)
	for name, x := range map[string]struct {
		root cid.Cid
		want error
	}{
		"deep":         {deep, ErrContent},
		"large block":  {put(t, s, merkledag.NewRawNode(bytes.Repeat([]byte("x"), maxBlock+1))), ErrContent},
		"no structure": {malformed(t, s), ErrContent},
		"identity":     {put(t, s, node(t, nil, identity)), ErrCID},
		"other codec":  {put(t, s, node(t, nil, json)), ErrCID},
		"missing":      {put(t, s, node(t, nil, mustCID(t, "gone"))), ErrNotFound},
	} {
		if _, err := s.Fetch(t.Context(), x.root.String(), "", 1<<40, nil); !errors.Is(err, x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, text := range []string{"", "x", identity.String(), json.String(), "bafy" + string(bytes.Repeat([]byte("a"), 1000))} {
		if _, err := s.Fetch(t.Context(), text, "", 1, nil); !errors.Is(err, ErrCID) {
			t.Errorf("%.20q: %v", text, err)
		}
	}
}

// malformed stores bytes that are no node, under the name of one.
func malformed(t *testing.T, s *Store) cid.Cid {
	t.Helper()
	raw := []byte{0xff, 1, 2}
	c, err := builder().Sum(raw)
	must(t, err)
	b, err := blocks.NewBlockWithCid(raw, c)
	must(t, err)
	must(t, s.blocks.Put(t.Context(), b))
	return c
}

func mustCID(t *testing.T, content string) cid.Cid {
	t.Helper()
	c, err := cid.Prefix{Version: 1, Codec: cid.Raw, MhType: multihash.SHA2_256, MhLength: -1}.Sum([]byte(content))
	must(t, err)
	return c
}

// TestNamesInFoldersDoNotLeadOut exports folders whose entries have hostile names.
func TestNamesInFoldersDoNotLeadOut(t *testing.T) {
	s := open(t, nil, nil)
	leaf := put(t, s, merkledag.NewRawNode([]byte("evil")))
	for _, name := range []string{"..", ".", "", "../evil", "a/b", "/evil", "c:evil", `a\b`, "nul\x00"} {
		dir := unixfs.EmptyDirNode()
		must(t, dir.SetCidBuilder(builder()))
		must(t, dir.AddRawLink(name, &format.Link{Name: name, Cid: leaf, Size: 4}))
		root := put(t, s, dir)
		out := filepath.Join(t.TempDir(), "out")
		if err := s.Export(t.Context(), root.String(), out, nil); !errors.Is(err, ErrContent) {
			t.Errorf("%q: %v", name, err)
		}
	}
	link, err := unixfs.SymlinkData("/etc/passwd")
	must(t, err)
	n := node(t, link)
	if err := s.Export(t.Context(), put(t, s, n).String(), filepath.Join(t.TempDir(), "link"), nil); !errors.Is(err, ErrContent) {
		t.Errorf("a symbolic link: %v", err)
	}
}

func FuzzDecodeWish(f *testing.F) {
	c, err := cid.Decode("bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(encodeWish(c, 5))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, size, err := decodeWish(bytes.NewReader(raw))
		if err == nil && !bytes.HasPrefix(raw, encodeWish(c, size)) {
			t.Error("two encodings of one wish")
		}
	})
}
