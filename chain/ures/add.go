package ures

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	chunker "github.com/ipfs/boxo/chunker"
	"github.com/ipfs/boxo/ipld/unixfs/importer/balanced"
	"github.com/ipfs/boxo/ipld/unixfs/importer/helpers"
	uio "github.com/ipfs/boxo/ipld/unixfs/io"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
	"github.com/multiformats/go-multihash"
)

// chunkSize is that of files, in bytes.
const chunkSize = 256 << 10

// Progress hears of bytes read, written or fetched; nil: nobody.
type Progress func(n int)

func (p Progress) add(n int) {
	if p != nil {
		p(n)
	}
}

// Added is a resource that was added.
type Added struct {
	CID  string
	Size uint64 // bytes of all blocks
}

// Add keeps a file or folder, pinned under a name. Nothing stays if it fails.
func (s *Store) Add(ctx context.Context, path, name string, progress Progress) (Added, error) {
	return s.add(ctx, name, func(to format.DAGService) (format.Node, error) { return addPath(ctx, to, path, progress) })
}

// AddStream keeps what a reader gives, as a file. Nothing stays if it fails.
func (s *Store) AddStream(ctx context.Context, r io.Reader, name string, progress Progress) (Added, error) {
	return s.add(ctx, name, func(to format.DAGService) (format.Node, error) { return addFile(to, r, progress) })
}

func (s *Store) add(ctx context.Context, name string, build func(to format.DAGService) (format.Node, error)) (Added, error) {
	t := s.comes.begin()
	root, err := s.pinned(name, func() (format.Node, error) { return build(&holding{s.local, t}) })
	t.end()
	if err != nil {
		// What has come so far is under no pin; that the caller is gone is why, as a rule.
		_, gc := s.Collect(context.WithoutCancel(ctx))
		return Added{}, fmt.Errorf("add a resource: %w", joined(err, gc))
	}
	s.announce(root.cid)
	return Added{root.cid.String(), root.size}, nil
}

// rooted is a graph that is here.
type rooted struct {
	cid  cid.Cid
	size uint64 // bytes of all blocks
}

func (s *Store) pinned(name string, build func() (format.Node, error)) (rooted, error) {
	n, err := build()
	if err != nil {
		return rooted{}, err
	}
	size, err := n.Size()
	if err != nil {
		return rooted{}, err
	}
	return rooted{n.Cid(), size}, s.pins.set(Pin{CID: n.Cid().String(), Name: name, Size: size, Since: time.Now().UTC()})
}

func joined(err, other error) error {
	if other != nil {
		return fmt.Errorf("%w; and then: %v", err, other)
	}
	return err
}

func builder() cid.Prefix {
	return cid.Prefix{Version: 1, Codec: cid.DagProtobuf, MhType: multihash.SHA2_256, MhLength: -1}
}

func addFile(to format.DAGService, r io.Reader, progress Progress) (format.Node, error) {
	params := helpers.DagBuilderParams{Maxlinks: helpers.DefaultLinksPerBlock, RawLeaves: true, CidBuilder: builder(), Dagserv: to}
	b, err := params.New(chunker.NewSizeSplitter(&counting{r, progress}, chunkSize))
	if err != nil {
		return nil, err
	}
	return balanced.Layout(b)
}

func addPath(ctx context.Context, to format.DAGService, path string, progress Progress) (format.Node, error) {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return addFolder(ctx, to, path, progress)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: %s is neither a file nor a folder", ErrContent, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return addFile(to, f, progress)
}

func addFolder(ctx context.Context, to format.DAGService, path string, progress Progress) (format.Node, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	d, err := uio.NewDirectory(to, uio.WithCidBuilder(builder()))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Type()&fs.ModeSymlink != 0 {
			return nil, fmt.Errorf("%w: %s is a symbolic link", ErrContent, filepath.Join(path, e.Name()))
		}
		n, err := addPath(ctx, to, filepath.Join(path, e.Name()), progress)
		if err != nil {
			return nil, err
		}
		if err := d.AddChild(ctx, e.Name(), n); err != nil {
			return nil, err
		}
	}
	n, err := d.GetNode()
	if err != nil {
		return nil, err
	}
	return n, to.Add(ctx, n)
}

// counting tells of bytes that are read.
type counting struct {
	io.Reader
	progress Progress
}

func (c *counting) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.progress.add(n)
	return n, err
}
