package trade

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/weisyn/wes/chain"
)

// blobs keeps payloads, outputs, proofs and transactions as files.
type blobs struct{ dir string }

func openBlobs(dir string) (*blobs, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open blobs: %w", err)
	}
	return &blobs{dir}, nil
}

func (b *blobs) path(name string) string { return filepath.Join(b.dir, name) }

// put stores bytes under their hash; they are durable when it returns.
func (b *blobs) put(data []byte) (chain.Hash, error) {
	h := chain.Hash(sha256.Sum256(data))
	if _, err := b.get(h); err == nil {
		now := time.Now()
		_ = os.Chtimes(b.path(h.String()), now, now) // it is younger for the sweep
		return h, nil
	}
	return h, b.write(h.String(), data)
}

// write stores bytes under a name, whole or not at all; they are durable when it returns.
func (b *blobs) write(name string, data []byte) error {
	f, err := os.CreateTemp(b.dir, ".new-*")
	if err != nil {
		return fmt.Errorf("store blob: %w", err)
	}
	defer os.Remove(f.Name()) // it has another name, if all went well
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), b.path(name))
	}
	if err == nil {
		err = syncFolder(b.dir)
	}
	if err != nil {
		return fmt.Errorf("store blob: %w", err)
	}
	return nil
}

// ErrNoBlob is returned for bytes that are not stored here.
var ErrNoBlob = errors.New("the bytes are not stored here")

// get returns bytes by their hash, which is checked.
func (b *blobs) get(h chain.Hash) ([]byte, error) {
	data, err := b.read(h.String())
	if err != nil {
		return nil, err
	}
	if sha256.Sum256(data) != h {
		return nil, fmt.Errorf("%w: %v is damaged", ErrNoBlob, h)
	}
	return data, nil
}

func (b *blobs) read(name string) ([]byte, error) {
	data, err := os.ReadFile(b.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrNoBlob, name)
	}
	return data, err
}

// sweep removes what is not needed any more and older than an age.
func (b *blobs) sweep(needed map[string]bool, age time.Duration) error {
	all, err := os.ReadDir(b.dir)
	if err != nil {
		return fmt.Errorf("sweep blobs: %w", err)
	}
	for _, e := range all {
		info, err := e.Info()
		if err == nil && !needed[e.Name()] && time.Since(info.ModTime()) > age {
			if err := os.Remove(b.path(e.Name())); err != nil {
				return fmt.Errorf("sweep blobs: %w", err)
			}
		}
	}
	return nil
}
