package ures

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"

	"github.com/ipfs/boxo/bitswap"
	"github.com/ipfs/boxo/bitswap/network/bsnet"
	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/go-cid"
	"github.com/ipfs/go-datastore"
	flatfs "github.com/ipfs/go-ds-flatfs"
	format "github.com/ipfs/go-ipld-format"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/routing"
	"github.com/multiformats/go-multihash"
	"github.com/prometheus/client_golang/prometheus"
)

// Config says where resources lie, how much they may take, and who has others.
type Config struct {
	Dir string
	// Quota bounds all blocks, in bytes. Default 20 GiB.
	Quota uint64
	// Replicas bounds those kept for others; 0: none are.
	Replicas uint64
	// Host reaches peers; nil: only what is here can be read.
	Host host.Host
	// Routing finds who has a resource, beside the connected peers; may be nil.
	Routing routing.Routing
	// Network is part of the replication protocol's name.
	Network string
	// Penalise hears of peers that send what was not asked for; may be nil.
	Penalise func(peer, reason string)
	// Log hears of what happens; nil: nobody.
	Log *slog.Logger
	// Registry gets the metrics; nil: none.
	Registry prometheus.Registerer
}

// Errors that callers tell apart.
var (
	// ErrCID: the text is no CID that is served here.
	ErrCID = errors.New("not a CID of a resource: CIDv1, or v0, with SHA-256")
	// ErrQuota: there is no room.
	ErrQuota = errors.New("the quota for resources is used up: unpin some, or raise it")
	// ErrNotFound: nobody who can be reached has it.
	ErrNotFound = errors.New("the resource was not found")
	// ErrTooLarge: it has more bytes than the caller wants.
	ErrTooLarge = errors.New("the resource is larger than allowed")
	// ErrContent: it is a graph that no resource is.
	ErrContent = errors.New("the content is not a file or folder")
	// ErrPinned: it is pinned.
	ErrPinned = errors.New("the resource is pinned")
)

// Store keeps resources. It may be used from any goroutine.
type Store struct {
	cfg    Config
	disk   *flatfs.Datastore
	blocks blockstore.Blockstore
	swap   *bitswap.Bitswap // nil without a host
	local  format.DAGService
	wants  *wants
	pins   *pins
	meters *meters
	comes  *transfers
	// announce tells others in its own time that this node has a resource.
	announce func(cid.Cid)
	work     sync.WaitGroup
	stop     context.CancelFunc
}

// Open opens the store, or creates it.
func Open(ctx context.Context, c Config) (*Store, error) {
	c.Quota = cmp.Or(c.Quota, 20<<30)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Penalise == nil {
		c.Penalise = func(string, string) {}
	}
	s := &Store{cfg: c, wants: newWants(c.Penalise), comes: newTransfers()}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.announce = func(c cid.Cid) { s.work.Go(func() { s.provide(life, c) }) }
	if err := s.open(life); err != nil {
		return nil, errors.Join(fmt.Errorf("open resources: %w", err), s.Close())
	}
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	// Blocks are not synced one by one: what a power failure takes is missing, never wrong, and
	// fetched again.
	s.disk, err = flatfs.CreateOrOpen(filepath.Join(s.cfg.Dir, "blocks"), flatfs.NextToLast(2), false)
	if err != nil {
		return err
	}
	if s.pins, err = openPins(filepath.Join(s.cfg.Dir, "pins.json")); err != nil {
		return err
	}
	s.blocks = &bounded{Blockstore: blockstore.NewBlockstore(batching{s.disk}, blockstore.NoPrefix()), store: s}
	s.local = merkledag.NewDAGService(s.here())
	if s.meters, err = newMeters(s.cfg.Registry, s); err != nil {
		return err
	}
	if s.cfg.Host == nil {
		return nil
	}
	s.swap = bitswap.New(ctx, bsnet.NewFromIpfsHost(s.cfg.Host), finder(s.cfg.Routing), s.blocks,
		bitswap.WithTracer(s.wants))
	s.cfg.Host.SetStreamHandler(s.protocol(), s.keep)
	return nil
}

// finder is nil where there is no routing: then connected peers are asked.
func finder(r routing.Routing) routing.ContentDiscovery {
	if r == nil {
		return nil
	}
	return r
}

// batching is what blockstores ask for.
type batching struct{ *flatfs.Datastore }

var _ datastore.Batching = batching{}

// Close ends all transfers and closes the store.
func (s *Store) Close() error {
	s.stop()
	s.work.Wait()
	var errs []error
	if s.swap != nil {
		s.cfg.Host.RemoveStreamHandler(s.protocol())
		errs = append(errs, s.swap.Close())
	}
	if s.meters != nil {
		s.meters.close(s.cfg.Registry)
	}
	if s.disk != nil {
		errs = append(errs, s.disk.Close())
	}
	return errors.Join(errs...)
}

func (s *Store) protocol() protocol.ID { return protocol.ID("/wes/" + s.cfg.Network + "/replica/1") }

// ParseCID reads a CID; other hashes and codecs are refused.
func ParseCID(text string) ([]byte, error) {
	c, err := parse(text)
	return c.Bytes(), err
}

// FormatCID is the inverse of ParseCID.
func FormatCID(raw []byte) (string, error) {
	c, err := cid.Cast(raw)
	if err != nil {
		return "", fmt.Errorf("%w: %x", ErrCID, raw[:min(len(raw), 50)])
	}
	return c.String(), check(c)
}

// RawCID is the CID of bytes with a SHA-256, as one block.
func RawCID(digest [32]byte) string {
	mh, err := multihash.Encode(digest[:], multihash.SHA2_256)
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return cid.NewCidV1(cid.Raw, mh).String()
}

func parse(text string) (cid.Cid, error) {
	c, err := cid.Decode(text)
	if err != nil {
		return cid.Undef, fmt.Errorf("%w: %q", ErrCID, text[:min(len(text), 100)])
	}
	return c, check(c)
}

// check refuses what no resource has: other hashes, above all identity, which holds its content.
func check(c cid.Cid) error {
	p := c.Prefix()
	if p.MhType != multihash.SHA2_256 || p.MhLength != 32 || p.Codec != cid.Raw && p.Codec != cid.DagProtobuf {
		return fmt.Errorf("%w: %v", ErrCID, c)
	}
	return nil
}

// Used returns how many bytes the blocks take.
func (s *Store) Used(ctx context.Context) (uint64, error) {
	n, err := s.disk.DiskUsage(ctx)
	if err != nil {
		return 0, fmt.Errorf("measure resources: %w", err)
	}
	return n, nil
}

// Quota bounds Used, in bytes.
func (s *Store) Quota() uint64 { return s.cfg.Quota }

// room fails with ErrQuota if there is none for so many bytes.
func (s *Store) room(ctx context.Context, n uint64) error {
	used, err := s.Used(ctx)
	if err != nil {
		return err
	}
	if used+n > s.cfg.Quota {
		return fmt.Errorf("%w: %d of %d bytes used, %d more asked for", ErrQuota, used, s.cfg.Quota, n)
	}
	return nil
}
