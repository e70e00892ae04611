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
	return s.add(ctx, name, func() (format.Node, error) { return s.addPath(ctx, path, progress) })
}

// AddStream keeps what a reader gives, as a file.
func (s *Store) AddStream(ctx context.Context, r io.Reader, name string, progress Progress) (Added, error) {
	return s.add(ctx, name, func() (format.Node, error) { return s.addFile(r, progress) })
}

func (s *Store) add(ctx context.Context, name string, build func() (format.Node, error)) (Added, error) {
	s.gc.RLock()
	root, err := build()
	if err != nil {
		s.gc.RUnlock()
		_, gc := s.Collect(ctx) // what has come so far is under no pin
		return Added{}, fmt.Errorf("add a resource: %w", joined(err, gc))
	}
	defer s.gc.RUnlock()
	size, err := root.Size()
	if err != nil {
		return Added{}, fmt.Errorf("add a resource: %w", err)
	}
	c := root.Cid().String()
	if err := s.pins.set(Pin{CID: c, Name: name, Size: size, Since: time.Now().UTC()}); err != nil {
		return Added{}, fmt.Errorf("add a resource: %w", err)
	}
	s.provide(ctx, root.Cid())
	return Added{c, size}, nil
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

func (s *Store) addFile(r io.Reader, progress Progress) (format.Node, error) {
	params := helpers.DagBuilderParams{Maxlinks: helpers.DefaultLinksPerBlock, RawLeaves: true, CidBuilder: builder(), Dagserv: s.local}
	b, err := params.New(chunker.NewSizeSplitter(&counting{r, progress}, chunkSize))
	if err != nil {
		return nil, err
	}
	return balanced.Layout(b)
}

func (s *Store) addPath(ctx context.Context, path string, progress Progress) (format.Node, error) {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return s.addFolder(ctx, path, progress)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: %s is neither a file nor a folder", ErrContent, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return s.addFile(f, progress)
}

func (s *Store) addFolder(ctx context.Context, path string, progress Progress) (format.Node, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	d, err := uio.NewDirectory(s.local, uio.WithCidBuilder(builder()))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Type()&fs.ModeSymlink != 0 {
			return nil, fmt.Errorf("%w: %s is a symbolic link", ErrContent, filepath.Join(path, e.Name()))
		}
		n, err := s.addPath(ctx, filepath.Join(path, e.Name()), progress)
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
	return n, s.local.Add(ctx, n)
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

// provide announces that this node has a resource; where that is not known, connected peers ask.
func (s *Store) provide(ctx context.Context, c cid.Cid) {
	if s.cfg.Routing == nil {
		return
	}
	if err := s.cfg.Routing.Provide(ctx, c, true); err != nil {
		s.cfg.Log.Debug("resource not announced", "cid", c.String(), "error", err)
	}
}
