package consensus

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/weisyn/wes/chain"
)

// Profile is the kind of network.
type Profile uint8

const (
	// Public is open to every miner; the difficulty follows the work.
	Public Profile = iota
	// Consortium has listed miners, whose keys sign headers, and a fixed difficulty.
	Consortium
	// Dev makes blocks on demand at a fixed difficulty.
	Dev
)

// String returns the name that configurations use.
func (p Profile) String() string {
	switch p {
	case Public:
		return "public"
	case Consortium:
		return "consortium"
	case Dev:
		return "dev"
	}
	return fmt.Sprintf("profile(%d)", uint8(p))
}

// Config has the rules of a network, which all its nodes share, and the limits of this node.
// Times are in milliseconds; ticks are calls of Core.Tick, about one a second. A zero value
// takes the default.
type Config struct {
	// Genesis is the header of block 0. Its hash names the chain; its bits are those of block 1,
	// and of every block where the difficulty is fixed. Its own work is not checked.
	Genesis chain.Header
	// Profile is the kind of network.
	Profile Profile
	// Spacing is T, the intended time between blocks. A block is at least T/10 younger than its
	// parent. Default 10,000.
	Spacing uint64
	// HalfLife is τ: being so late halves the difficulty. Default 2,880,000.
	HalfLife uint64
	// Limit is the easiest target, compact. Default: the bits of the genesis block.
	Limit uint32
	// MaxAhead is how far a header may be ahead of the local clock; later ones are held until
	// their time has come. Default 15,000.
	MaxAhead uint64
	// SiblingWindow is how much later than the first sibling a block may come complete and still
	// win by its distance. Default 300.
	SiblingWindow uint64
	// FreshWindow is how far the time of such a block may be from its arrival. Default 1,500.
	FreshWindow uint64
	// Miners are the keys that may mine in a consortium.
	Miners []chain.PublicKey
	// Heartbeat is the age of the tip at which a consortium makes an empty block. Default 60,000.
	Heartbeat uint64

	// MinWork is known to be exceeded by the network's chain. Nothing is stored of a chain that
	// does not show more. Default 0.
	MinWork Work
	// AttachmentDepth is the number of blocks below the best header for which attachments are
	// asked for. Deeper ones connect without, once the headers show MinWork. Default 8,640.
	AttachmentDepth uint64
	// Archive asks for attachments at every depth.
	Archive bool
	// Window is how many blocks above those that are connected may be downloaded. Default 128.
	Window uint64
	// PeerBlocks is how many blocks are asked of one peer at a time. Default 8.
	PeerBlocks int
	// Timeout is the number of ticks that a peer has to answer. Default 15.
	Timeout uint64
	// Retry is the number of ticks after which peers that did not have a block are asked for it
	// again. Default 10.
	Retry uint64
	// Poll is the number of ticks without a new header after which every peer is asked. Default 60.
	Poll uint64
	// Strikes is how often a peer may let a request time out before it is dropped. Default 3.
	Strikes int
}

// ErrConfig is returned by New for a configuration that contradicts itself.
var ErrConfig = errors.New("unusable configuration")

// rules is a validated configuration and what follows from it.
type rules struct {
	cfg           Config
	chain         chain.Hash
	genesisTarget *big.Int
	limitTarget   *big.Int
	miners        map[chain.PublicKey]bool
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		field *uint64
		value uint64
	}{
		{&c.Spacing, 10_000},
		{&c.HalfLife, 2_880_000},
		{&c.MaxAhead, 15_000},
		{&c.SiblingWindow, 300},
		{&c.FreshWindow, 1_500},
		{&c.Heartbeat, 60_000},
		{&c.AttachmentDepth, 8_640},
		{&c.Window, 128},
		{&c.Timeout, 15},
		{&c.Retry, 10},
		{&c.Poll, 60},
	} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if c.Limit == 0 {
		c.Limit = c.Genesis.Bits
	}
	if c.PeerBlocks == 0 {
		c.PeerBlocks = 8
	}
	if c.Strikes == 0 {
		c.Strikes = 3
	}
	return c
}

// validate fills defaults and derives the rules.
func (c Config) validate() (*rules, error) {
	r := &rules{cfg: c.withDefaults(), chain: c.Genesis.Hash(), miners: map[chain.PublicKey]bool{}}
	for _, k := range r.cfg.Miners {
		r.miners[k] = true
	}
	var genesisOK, limitOK bool
	r.genesisTarget, genesisOK = Target(r.cfg.Genesis.Bits)
	r.limitTarget, limitOK = Target(r.cfg.Limit)
	switch {
	case !genesisOK || !limitOK:
		return nil, fmt.Errorf("%w: bits %08x or limit %08x are not compact targets", ErrConfig, r.cfg.Genesis.Bits, r.cfg.Limit)
	case r.genesisTarget.Cmp(r.limitTarget) > 0:
		return nil, fmt.Errorf("%w: the genesis block is easier than the limit", ErrConfig)
	case r.cfg.Genesis.Height != 0 || r.cfg.Genesis.Parent != chain.Hash{} || r.cfg.Genesis.Chain != chain.Hash{}:
		return nil, fmt.Errorf("%w: the genesis block has a height, a parent or a chain", ErrConfig)
	case r.cfg.Spacing < 10 || r.cfg.Spacing > maxHalfLife || r.cfg.HalfLife > maxHalfLife:
		return nil, fmt.Errorf("%w: spacing of %d ms and half-life of %d ms are out of range", ErrConfig, r.cfg.Spacing, r.cfg.HalfLife)
	case r.cfg.Profile > Dev:
		return nil, fmt.Errorf("%w: %v", ErrConfig, r.cfg.Profile)
	case (r.cfg.Profile == Consortium) != (len(r.miners) > 0):
		return nil, fmt.Errorf("%w: a consortium lists its miners, and nobody else does", ErrConfig)
	case r.cfg.PeerBlocks < 0 || r.cfg.Strikes < 0:
		return nil, fmt.Errorf("%w: negative limit", ErrConfig)
	}
	return r, nil
}

// fixed reports whether every block has the bits of the genesis block.
func (r *rules) fixed() bool { return r.cfg.Profile != Public }
