package node

import (
	"context"
	"fmt"
	"time"
)

const (
	// upkeepEvery is how often space is given back.
	upkeepEvery = 10 * time.Minute
	// pruneBlocks is how many blocks are worked through between two events of the ledger.
	pruneBlocks = 16
)

// upkeep calls tidy now and then, until ctx ends.
func upkeep(ctx context.Context, tidy func(context.Context) error) error {
	every := time.NewTicker(upkeepEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
		if err := tidy(ctx); err != nil {
			return ended(ctx, fmt.Errorf("give space back: %w", err))
		}
	}
}

// tidy removes what the store and the resources need not keep any more.
func (n *Node) tidy(ctx context.Context) error {
	for more := true; more; {
		var fault error
		err := n.ledger.queue.do(ctx, func(uint64) error {
			more, fault = n.store.Prune(pruneBlocks)
			return fault
		})
		if err != nil {
			return err
		}
		if fault != nil {
			return fault
		}
	}
	if _, err := n.store.CollectGarbage(ctx.Done()); err != nil {
		return err
	}
	return n.collect(ctx)
}
