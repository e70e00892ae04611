package api

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// Resources keeps what consensus never reads: models, keys, files. Errors are ErrNotFound,
// ErrNoRoom, ErrTooLarge, ErrResource, or faults.
type Resources interface {
	// List says what is kept, the oldest first.
	List(ctx context.Context) (ResourceList, error)
	// Add keeps what a reader gives as a file, under a name. Nothing stays if it fails.
	Add(ctx context.Context, r io.Reader, name string) (Added, error)
	// Get returns a file of at most max bytes, and its size. What is not here comes from peers,
	// and is kept; progress hears of its bytes until Get returns. The reader ends with ctx.
	Get(ctx context.Context, cid string, max uint64, progress func(n int)) (io.ReadCloser, int64, error)
	// Pin keeps a resource, which may come from peers.
	Pin(ctx context.Context, cid, name string) error
	// Unpin keeps it no more, from some time on.
	Unpin(cid string) error
	// Remove deletes it, and returns the bytes freed.
	Remove(ctx context.Context, cid string) (freed uint64, err error)
	// Replicate asks peers to keep one that is here, and returns those that do.
	Replicate(ctx context.Context, cid string, copies int) (peers []string, err error)
}

// Errors of Resources. The texts of those that wrap them say more.
var (
	// ErrNoRoom is answered with CodeNoRoom, or 507.
	ErrNoRoom = errors.New("no room for resources")
	// ErrTooLarge is answered with 413.
	ErrTooLarge = errors.New("the resource is larger than allowed")
	// ErrResource is for what is no CID, or not of a file: invalid parameters, or 422.
	ErrResource = errors.New("no such kind of resource")
	// ErrNoResources is answered with CodeNotHere, or 501.
	ErrNoResources = errors.New("this node keeps no resources")
)

// The most that names and numbers of resources may be.
const (
	maxName   = 255 // bytes
	maxCopies = 32
)

func (s *service) kept() (Resources, error) {
	if s.cfg.Resources == nil {
		return nil, ErrNoResources
	}
	return s.cfg.Resources, nil
}

func (s *service) resources(ctx context.Context, _ *NoParams) (ResourceList, error) {
	r, err := s.kept()
	if err != nil {
		return ResourceList{}, err
	}
	return r.List(ctx)
}

func (s *service) pinResource(ctx context.Context, p *PinParams) (Done, error) {
	r, err := s.kept()
	if err != nil {
		return Done{}, err
	}
	if err := checkName(p.Name); err != nil {
		return Done{}, err
	}
	return Done{}, r.Pin(ctx, p.CID, p.Name)
}

func checkName(name string) error {
	if len(name) > maxName {
		return fmt.Errorf("%w: a name of %d bytes, more than %d", ErrResource, len(name), maxName)
	}
	return nil
}

func (s *service) unpinResource(_ context.Context, p *CIDParams) (Done, error) {
	r, err := s.kept()
	if err != nil {
		return Done{}, err
	}
	return Done{}, r.Unpin(p.CID)
}

func (s *service) removeResource(ctx context.Context, p *CIDParams) (Removed, error) {
	r, err := s.kept()
	if err != nil {
		return Removed{}, err
	}
	freed, err := r.Remove(ctx, p.CID)
	return Removed{freed}, err
}

func (s *service) replicateResource(ctx context.Context, p *ReplicateParams) (Replicated, error) {
	r, err := s.kept()
	if err != nil {
		return Replicated{}, err
	}
	if p.Copies < 1 || p.Copies > maxCopies {
		return Replicated{}, invalid("copies: %d, want 1 to %d", p.Copies, maxCopies)
	}
	peers, err := r.Replicate(ctx, p.CID, p.Copies)
	return Replicated{append([]string{}, peers...)}, err
}
