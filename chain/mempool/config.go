package mempool

import (
	"errors"
	"fmt"
	"maps"

	"github.com/weisyn/wes/chain"
)

// Config is the policy of a node. Times are in milliseconds. A zero value takes the default.
type Config struct {
	// Accept lists the tokens in which fees count, with their prices. WES is worth itself
	// unless it is listed. Fees in other tokens are worth nothing here.
	Accept map[chain.TokenID]Price
	// MinRate is the least fee rate. Default 1,000.
	MinRate Rate
	// MaxBytes bounds bodies, witnesses and attachments of all transactions. Default 128 MiB.
	MaxBytes uint64
	// MaxChain bounds the transactions in the pool that one transaction and its ancestors are,
	// and that one and its descendants are. Default 25.
	MaxChain int
	// MaxReplaced bounds the transactions that one replacement evicts. Default 100.
	MaxReplaced int
	// Expiry is how long a transaction stays. Default a day.
	Expiry uint64
	// FloorHalfLife is how fast the fee rate that evictions have raised comes down. Default ten
	// minutes.
	FloorHalfLife uint64
	// MaxOrphans and MaxOrphanBytes bound the transactions that wait for what they spend, and
	// PeerOrphans those of one peer. Defaults 256, 8 MiB and 16.
	MaxOrphans     int
	MaxOrphanBytes uint64
	PeerOrphans    int
	// OrphanExpiry is how long they wait. Default five minutes.
	OrphanExpiry uint64
	// PeerCost is how many units of proof verification a peer may cause: at once, and again
	// every CostPeriod. Defaults 3,000,000, a full block, and 10,000.
	PeerCost   uint64
	CostPeriod uint64
	// MaxRefused bounds the remembered transactions that broke a rule. Default 4096.
	MaxRefused int
	// CoinbaseBytes are kept free in a template. Default 4 KiB.
	CoinbaseBytes uint64
}

// ErrConfig is returned by New for a configuration that cannot work.
var ErrConfig = errors.New("unusable configuration")

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		field *uint64
		value uint64
	}{
		{(*uint64)(&c.MinRate), 1_000},
		{&c.MaxBytes, 128 << 20},
		{&c.Expiry, 24 * 3_600_000},
		{&c.FloorHalfLife, 600_000},
		{&c.MaxOrphanBytes, 8 << 20},
		{&c.OrphanExpiry, 300_000},
		{&c.PeerCost, chain.MaxBlockCost},
		{&c.CostPeriod, 10_000},
		{&c.CoinbaseBytes, 4 << 10},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	for _, d := range []struct {
		field *int
		value int
	}{
		{&c.MaxChain, 25}, {&c.MaxReplaced, 100}, {&c.MaxOrphans, 256}, {&c.PeerOrphans, 16}, {&c.MaxRefused, 4096},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return c
}

// validate fills defaults and adds the price of WES.
func (c Config) validate() (Config, error) {
	c = c.withDefaults()
	c.Accept = maps.Clone(c.Accept)
	if c.Accept == nil {
		c.Accept = map[chain.TokenID]Price{}
	}
	if _, listed := c.Accept[chain.TokenID{}]; !listed {
		c.Accept[chain.TokenID{}] = Price{1, 1}
	}
	for token, p := range c.Accept {
		if p.Per == 0 {
			return c, fmt.Errorf("%w: token %v has a price for 0 units", ErrConfig, token)
		}
	}
	largest := uint64(chain.MaxTxBase + chain.MaxTxAttachments)
	switch {
	case c.MaxBytes < largest:
		return c, fmt.Errorf("%w: %d bytes do not hold the largest transaction", ErrConfig, c.MaxBytes)
	case c.MaxChain < 1 || c.MaxReplaced < 1 || c.MaxOrphans < 1 || c.PeerOrphans < 1 || c.MaxRefused < 1:
		return c, fmt.Errorf("%w: negative limit", ErrConfig)
	case c.CoinbaseBytes > chain.MaxBlockBase:
		return c, fmt.Errorf("%w: %d bytes for the coinbase exceed a block", ErrConfig, c.CoinbaseBytes)
	}
	return c, nil
}
