package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/weisyn/wes/chain"
)

const (
	// templateAge is how long nonces are tried for one template: a block with an old time does
	// not win against a sibling.
	templateAge = time.Second
	// dueEvery is how often a miner asks whether a block is due.
	dueEvery = 100 * time.Millisecond
)

// blockSource is what a miner needs of the ledger.
type blockSource interface {
	// template returns a block that lacks nonce and seal, and follows the tip; nil while none
	// is due. With force it is due as soon as the rules of time allow.
	template(ctx context.Context, force bool) (*chain.Block, error)
	// mined connects a block; an error that is errStale is no fault.
	mined(ctx context.Context, b *chain.Block) error
	// changed is closed at the next change of the tip or of the transactions that wait.
	changed() <-chan struct{}
	// moves is closed at the next change of the tip.
	moves() <-chan struct{}
}

// errStale is returned for a block that came too late: the tip is another.
var errStale = errors.New("the block is stale")

// miner makes blocks. Where miners are listed they take turns: see turn.
type miner struct {
	blocks  blockSource
	threads int
	seal    func(chain.Hash) []byte // nil where blocks have no seal
	key     chain.PublicKey
	miners  []chain.PublicKey // listed; none where all may mine
	step    time.Duration     // between the turns of two miners
	tried   atomic.Uint64     // hashes
	made    atomic.Uint64     // blocks
	log     *slog.Logger
}

// run makes blocks when they are due, until ctx ends.
func (m *miner) run(ctx context.Context) error {
	var turn waiting
	for ctx.Err() == nil {
		changed, moves := m.blocks.changed(), m.blocks.moves()
		b, err := m.blocks.template(ctx, false)
		if err != nil {
			return ended(ctx, fmt.Errorf("block template: %w", err))
		}
		if b == nil || !turn.over(time.Now(), b.Header.Parent, m.wait(b.Header.Parent)) {
			pause(ctx, changed, dueEvery)
			continue
		}
		if _, err := m.try(ctx, b, moves); err != nil {
			return ended(ctx, err)
		}
	}
	return nil
}

// make makes n blocks, due or not.
func (m *miner) make(ctx context.Context, n int) ([]chain.Hash, error) {
	var made []chain.Hash
	for len(made) < n {
		changed, moves := m.blocks.changed(), m.blocks.moves()
		b, err := m.blocks.template(ctx, true)
		if err != nil {
			return made, fmt.Errorf("block template: %w", err)
		}
		if b == nil {
			pause(ctx, changed, time.Millisecond)
		} else if ok, err := m.try(ctx, b, moves); err != nil {
			return made, err
		} else if ok {
			made = append(made, b.Header.Hash())
		}
		if err := ctx.Err(); err != nil {
			return made, err
		}
	}
	return made, nil
}

// try searches until the template is old or the tip changes, and connects what it finds.
func (m *miner) try(ctx context.Context, b *chain.Block, moves <-chan struct{}) (bool, error) {
	searching, stop := context.WithTimeout(ctx, templateAge)
	defer stop()
	done := make(chan struct{})
	defer close(done)
	go func() {
		select {
		case <-moves:
			stop()
		case <-done:
		}
	}()
	nonce, found := search(searching, &b.Header, m.threads, &m.tried)
	if !found {
		return false, nil
	}
	b.Header.Nonce = nonce
	if m.seal != nil {
		b.Seal = m.seal(chain.SealHash(&b.Header))
	}
	switch err := m.blocks.mined(ctx, b); {
	case errors.Is(err, errStale):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("mined block %v: %w", b.Header.Hash(), err)
	}
	m.made.Add(1)
	m.log.Info("block made", keyHeight, b.Header.Height, keyBlock, b.Header.Hash(), keyTxs, len(b.Txs)-1)
	return true, nil
}

// wait is how long this miner leaves a block on a parent to those before it.
func (m *miner) wait(parent chain.Hash) time.Duration {
	if len(m.miners) == 0 {
		return 0
	}
	return time.Duration(turn(parent, m.key, m.miners)) * m.step
}

// turn is the place of a miner in the order of miners for the block after parent: ascending by
// SHA-256(parent ‖ key). It is courtesy and no rule: it keeps miners from making siblings.
func turn(parent chain.Hash, key chain.PublicKey, miners []chain.PublicKey) int {
	order := func(k chain.PublicKey) []byte {
		h := sha256.Sum256(append(parent[:], k[:]...))
		return h[:]
	}
	place := 0
	for _, k := range miners {
		if bytes.Compare(order(k), order(key)) < 0 {
			place++
		}
	}
	return place
}

// waiting remembers since when a block on a parent is due.
type waiting struct {
	parent chain.Hash
	since  time.Time
}

// over reports whether a block on parent has been due for d.
func (w *waiting) over(now time.Time, parent chain.Hash, d time.Duration) bool {
	if w.parent != parent || w.since.IsZero() {
		w.parent, w.since = parent, now
	}
	return now.Sub(w.since) >= d
}

// pause waits for a change, for d or for the end of ctx.
func pause(ctx context.Context, changed <-chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-changed:
	case <-t.C:
	}
}

// ended is nil if ctx has ended, which is why parts stop, and else err.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// listed reports whether a key may make blocks.
func listed(miners []chain.PublicKey, k chain.PublicKey) bool {
	return len(miners) == 0 || slices.Contains(miners, k)
}
