package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"golang.org/x/sync/errgroup"
)

// part is something that runs as long as the node does. It ends with its context.
type part struct {
	name string
	run  func(context.Context) error
}

// PartError is the fault of a part, which ended the node.
type PartError struct {
	Part string
	Err  error
}

func (e *PartError) Error() string { return fmt.Sprintf("the node stopped: %s: %v", e.Part, e.Err) }
func (e *PartError) Unwrap() error { return e.Err }

// errLeft is the fault of a part that returned though nothing had told it to.
var errLeft = errors.New("it ended without a reason")

// supervise runs all parts until ctx ends or one of them fails, and waits for all. The error is
// a PartError of the first that failed. A part that ends because the ledger has ended is not at
// fault: the ledger's own error, which may arrive later, is the one.
func supervise(ctx context.Context, log *slog.Logger, parts []part) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, p := range parts {
		g.Go(func() error {
			err := p.run(ctx)
			switch {
			case ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)):
				return nil
			case errors.Is(err, errStopped):
				return nil
			case err == nil:
				err = errLeft
			}
			log.Error("part failed", keyPart, p.name, keyError, err)
			return &PartError{p.name, err}
		})
	}
	return g.Wait()
}

// closers are what to close, last opened first.
type closers []func() error

func (c *closers) add(name string, f func() error) {
	*c = append(*c, func() error {
		if err := f(); err != nil {
			return fmt.Errorf("close %s: %w", name, err)
		}
		return nil
	})
}

func (c closers) close() error {
	var all error
	for i := len(c) - 1; i >= 0; i-- {
		all = errors.Join(all, c[i]())
	}
	return all
}
