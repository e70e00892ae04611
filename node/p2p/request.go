package p2p

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// requestWithin bounds a request whose context has no deadline.
const requestWithin = time.Minute

// Request asks a peer that has joined and returns its answer, of at most maxResponse bytes. The
// errors are those of the first block in this package, wrapped. The context bounds how long the
// peer may think; once it answers, and while it is asked, it has to keep up the minimum throughput
// too. An answer over the limit is an offence. While Joined runs for a peer, requests to it wait.
func (h *Host) Request(ctx context.Context, to Peer, name string, request []byte, maxResponse int) ([]byte, error) {
	s := h.sessions.of(to.id())
	if s == nil || !s.isMet() || !s.isOpen() && s.awaitOpen(ctx) != nil {
		return nil, fmt.Errorf("%s: %w", name, ErrLost)
	}
	begun := time.Now()
	answer, err := h.exchange(ctx, s.id, h.protocol(name, 1), request, maxResponse)
	h.metrics.request("client", name, err, time.Since(begun))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return answer, nil
}

// exchange asks any connected peer.
func (h *Host) exchange(ctx context.Context, to peer.ID, id protocol.ID, request []byte, maxResponse int) ([]byte, error) {
	ctx, stop := context.WithTimeout(ctx, requestWithin)
	defer stop()
	task, end, ok := h.life.begin()
	if !ok {
		return nil, ErrClosed
	}
	defer end()
	defer context.AfterFunc(task, stop)()

	s, err := h.host.NewStream(network.WithNoDial(ctx, "requests go to members"), to, id)
	if err != nil {
		return nil, h.cause(ctx, h.unspoken(ctx, to, id, err))
	}
	defer func() { _ = s.Reset() }() // without effect on a stream that is over
	defer context.AfterFunc(ctx, func() { _ = s.Reset() })()
	answer, err := h.ask(s, request, maxResponse)
	if errors.Is(err, errLength) {
		h.punish(to, pointsLength, "answer over the limit")
	}
	if err != nil {
		return nil, h.cause(ctx, err)
	}
	return answer, s.Close()
}

// ask writes a request and reads the answer.
func (h *Host) ask(s network.Stream, request []byte, maxResponse int) ([]byte, error) {
	if err := writeFrame(s, nil, request, newPace(h.patience, s.SetWriteDeadline)); err != nil {
		return nil, err
	}
	if err := s.CloseWrite(); err != nil {
		return nil, err
	}
	var status [1]byte
	if _, err := io.ReadFull(s, status[:]); err != nil {
		return nil, err
	}
	switch status[0] {
	case statusDone:
	case statusNotFound:
		return nil, ErrNotFound
	case statusBusy:
		return nil, ErrBusy
	default:
		return nil, ErrRefused
	}
	p := newPace(h.patience, s.SetReadDeadline)
	if err := p.allow(0); err != nil {
		return nil, err
	}
	n, err := readLength(s, maxResponse)
	if err != nil {
		return nil, err
	}
	if err := reserve(s, n, network.ReservationPriorityAlways); err != nil {
		return nil, err
	}
	return readBody(s, n, p)
}

// unspoken is ErrRefused in place of an error that is due to a protocol that the peer does not
// speak.
func (h *Host) unspoken(ctx context.Context, to peer.ID, id protocol.ID, err error) error {
	known, failed := h.host.Peerstore().SupportsProtocols(to, id)
	if failed == nil && len(known) == 0 && ctx.Err() == nil && h.host.Network().Connectedness(to) == network.Connected {
		return ErrRefused
	}
	return err
}

// cause turns an error of a stream into one of this package.
func (h *Host) cause(ctx context.Context, err error) error {
	var reset *network.StreamError
	switch {
	case errors.Is(err, ErrNotFound), errors.Is(err, ErrBusy), errors.Is(err, ErrRefused):
		return err
	case errors.Is(err, errLength):
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("%w: %w", ErrLost, ctx.Err())
	case ctx.Err() != nil, late(err):
		return fmt.Errorf("%w: %v", ErrTimeout, err)
	case errors.Is(err, network.ErrResourceLimitExceeded),
		errors.As(err, &reset) && reset.ErrorCode == network.StreamResourceLimitExceeded:
		return fmt.Errorf("%w: %v", ErrBusy, err)
	}
	return fmt.Errorf("%w: %v", ErrLost, err)
}
