package node

import (
	"context"
	"fmt"
	"time"
)

// upkeepEvery is how often the store gives space back.
const upkeepEvery = 10 * time.Minute

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
			return ended(ctx, fmt.Errorf("tidy the store: %w", err))
		}
	}
}
