package ures

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
)

// The replication protocol: "please keep this". The request is version 1, size 8, and a CID of up
// to maxCID bytes after its length in 1 byte; the answer one byte, when the resource has come or
// will not.
const (
	replicaVersion = 1
	maxCID         = 64
	replicaAsk     = 10 * time.Second
	replicaFetch   = 10 * time.Minute
)

// Reply is a peer's answer to the wish to keep a resource.
type Reply byte

const (
	// Kept: it has all of it, and keeps it as long as there is room.
	Kept Reply = iota + 1
	// NoRoom: it keeps no more for others.
	NoRoom
	// Failed: it could not get it.
	Failed
)

// distance is the XOR of SHA-256 of a peer's name and the digest in a CID: the peers nearest to a
// resource keep it.
func distance(p peer.ID, c cid.Cid) (d [32]byte) {
	h := sha256.Sum256([]byte(p))
	digest := c.Hash()
	copy(d[:], digest[len(digest)-32:])
	for i := range d {
		d[i] ^= h[i]
	}
	return d
}

// Replicate asks the k nearest of the connected peers to keep a resource that is here, nearest
// first, and others where one does not. It returns those that do.
func (s *Store) Replicate(ctx context.Context, text string, k int) ([]string, error) {
	c, err := parse(text)
	if err != nil {
		return nil, err
	}
	pin, ok := s.pins.get(c.String())
	if !ok {
		return nil, fmt.Errorf("replicate %s: %w: it is not pinned here", text, ErrNotFound)
	}
	if s.swap == nil {
		return nil, fmt.Errorf("replicate %s: %w: there is no network", text, ErrNotFound)
	}
	var kept []string
	for _, p := range s.nearest(c) {
		if len(kept) == k || ctx.Err() != nil {
			break
		}
		r, err := s.askToKeep(ctx, p, c, pin.Size)
		s.cfg.Log.Debug("replica asked for", "cid", text, "peer", p.String(), "reply", int(r), "error", err)
		if err == nil && r == Kept {
			kept = append(kept, p.String())
		}
	}
	return kept, ctx.Err()
}

// nearest lists connected peers that speak the protocol, by distance.
func (s *Store) nearest(c cid.Cid) []peer.ID {
	var all []peer.ID
	for _, p := range s.cfg.Host.Network().Peers() {
		if spoken, err := s.cfg.Host.Peerstore().SupportsProtocols(p, s.protocol()); err == nil && len(spoken) > 0 {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b peer.ID) int {
		x, y := distance(a, c), distance(b, c)
		return bytes.Compare(x[:], y[:])
	})
	return all
}

func (s *Store) askToKeep(ctx context.Context, p peer.ID, c cid.Cid, size uint64) (Reply, error) {
	st, err := s.cfg.Host.NewStream(network.WithNoDial(ctx, "replicas go to peers"), p, s.protocol())
	if err != nil {
		return 0, err
	}
	defer func() { _ = st.Reset() }() // nothing more is to come
	if err := st.SetDeadline(time.Now().Add(replicaFetch)); err != nil {
		return 0, err
	}
	release := context.AfterFunc(ctx, func() { _ = st.Reset() })
	defer release()
	if _, err := st.Write(encodeWish(c, size)); err != nil {
		return 0, err
	}
	var answer [1]byte
	_, err = io.ReadFull(st, answer[:])
	return Reply(answer[0]), err
}

func encodeWish(c cid.Cid, size uint64) []byte {
	b := binary.BigEndian.AppendUint64([]byte{replicaVersion}, size)
	raw := c.Bytes()
	return append(append(b, byte(len(raw))), raw...)
}

// decodeWish reads a request.
func decodeWish(r io.Reader) (c cid.Cid, size uint64, err error) {
	var head [10]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return c, 0, err
	}
	if head[0] != replicaVersion || head[9] == 0 || head[9] > maxCID {
		return c, 0, ErrCID
	}
	raw := make([]byte, head[9])
	if _, err := io.ReadFull(r, raw); err != nil {
		return c, 0, err
	}
	if c, err = cid.Cast(raw); err != nil {
		return c, 0, fmt.Errorf("%w: %v", ErrCID, err)
	}
	return c, binary.BigEndian.Uint64(head[1:]), check(c)
}

// keep answers the wish of a peer. libp2p runs it in a goroutine of its own, and bounds how many.
func (s *Store) keep(st network.Stream) {
	defer func() { _ = st.Close() }() // the peer has its answer, or is gone
	if err := st.SetReadDeadline(time.Now().Add(replicaAsk)); err != nil {
		return
	}
	c, size, err := decodeWish(st)
	if err != nil {
		s.cfg.Penalise(st.Conn().RemotePeer().String(), "a malformed wish to keep a resource")
		_ = st.Reset() // no answer
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), replicaFetch)
	defer stop()
	r := s.keepReplica(ctx, c, size)
	s.meters.replicas.WithLabelValues([...]string{Kept: "kept", NoRoom: "no room", Failed: "failed"}[r]).Inc()
	_, _ = st.Write([]byte{byte(r)}) // the peer is gone otherwise
}

func (s *Store) keepReplica(ctx context.Context, c cid.Cid, size uint64) Reply {
	if _, known := s.pins.get(c.String()); known {
		return Kept
	}
	if size > s.cfg.Replicas || !s.makeRoom(ctx, size) {
		return NoRoom
	}
	_, err := s.fetch(ctx, c.String(), size, nil, Pin{Replica: true})
	if errors.Is(err, ErrQuota) {
		return NoRoom
	}
	if err != nil {
		return Failed
	}
	return Kept
}

// makeRoom gives up replicas, the oldest first, until one of a size fits.
func (s *Store) makeRoom(ctx context.Context, size uint64) bool {
	var held uint64
	var replicas []Pin
	for _, p := range s.pins.list() {
		if p.Replica {
			held += p.Size
			replicas = append(replicas, p)
		}
	}
	given := false
	for held+size > s.cfg.Replicas && len(replicas) > 0 {
		if _, err := s.pins.remove(replicas[0].CID); err != nil {
			return false
		}
		held, replicas, given = held-replicas[0].Size, replicas[1:], true
	}
	if given {
		if _, err := s.Collect(ctx); err != nil {
			return false
		}
	}
	return s.room(ctx, size) == nil
}
