package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/weisyn/wes/node/api"
)

// pollEvery is how often a node is asked for what is waited for.
const pollEvery = 200 * time.Millisecond

// poll calls f until it is done, fails or ctx ends.
func poll(ctx context.Context, f func() (done bool, err error)) error {
	every := time.NewTicker(pollEvery)
	defer every.Stop()
	for {
		if done, err := f(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-every.C:
		}
	}
}

// errGone is returned for a transaction that the node has given up.
var errGone = errors.New("the transaction has left the mempool without a block: build it anew, with a higher --fee-rate if there are many")

// goneAfter is how many polls in a row must miss a transaction: one can fall between two
// looks, at the mempool and at the ledger.
const goneAfter = 10

// settle waits until a transaction is in a block, and returns its height.
func settle(ctx context.Context, stderr io.Writer, c *api.Client, id string) (height uint64, err error) {
	b := newBars(stderr)
	defer b.finish()
	b.update("wait for a block", 0, 1)
	hash, err := parseHash(id)
	if err != nil {
		return 0, err
	}
	missed := 0
	err = poll(ctx, func() (bool, error) {
		t, err := c.Transaction(ctx, hash)
		if notFound(err) {
			if missed++; missed == goneAfter {
				return false, errGone
			}
			return false, nil
		}
		if err != nil {
			return false, err
		}
		missed, height = 0, t.Height
		return t.Status == "confirmed", nil
	})
	if err != nil {
		return 0, fmt.Errorf("transaction %s: %w", id, err)
	}
	return height, nil
}
