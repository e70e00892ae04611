package msm

import (
	"context"
	"sync"

	"github.com/consensys/gnark-crypto/ecc/bn254"

	"github.com/weisyn/wes/prover/commit"
)

// Committer commits to rows on an engine, where it keeps the generators: those of a short
// key are the first of a longer one.
type Committer struct {
	engine Engine
	mu     struct {
		sync.Mutex
		bases Bases // nil until needed
		n     int   // generators in bases
	}
}

// NewCommitter makes a committer, which owns the engine.
func NewCommitter(e Engine) *Committer { return &Committer{engine: e} }

// Name is that of the engine.
func (c *Committer) Name() string { return c.engine.Name() }

// CommitRows is that of the key, on the engine.
func (c *Committer) CommitRows(ctx context.Context, key *commit.Key, rows []int32, cols int, progress func(done, total int)) ([]bn254.G1Affine, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.load(ctx, key); err != nil {
		return nil, err
	}
	return c.mu.bases.Rows(ctx, rows, cols, progress)
}

// load makes sure that the engine has the generators of a key.
func (c *Committer) load(ctx context.Context, key *commit.Key) error {
	if key.Len() <= c.mu.n {
		return nil
	}
	bases, err := c.engine.Load(ctx, key.Generators())
	if err != nil {
		return err
	}
	before := c.mu.bases
	c.mu.bases, c.mu.n = bases, key.Len()
	if before != nil {
		return before.Close()
	}
	return nil
}

// Close frees the generators and closes the engine.
func (c *Committer) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mu.bases != nil {
		if err := c.mu.bases.Close(); err != nil {
			c.engine.Close()
			return err
		}
		c.mu.bases, c.mu.n = nil, 0
	}
	return c.engine.Close()
}
