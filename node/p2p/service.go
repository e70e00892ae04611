package p2p

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"golang.org/x/time/rate"
)

// Service says how requests of one protocol are answered. All fields must be set.
type Service struct {
	// Protocol is a short name, of a-z, 0-9 and hyphens.
	Protocol string
	// MaxRequest and MaxResponse are in bytes.
	MaxRequest, MaxResponse int
	// Rate is the requests a second that a peer may make, Burst how many at once after a pause.
	Rate  float64
	Burst int
	// PerPeer and Total bound the requests that are being answered. One address may have a
	// quarter of Total, or what one peer may have.
	PerPeer, Total int
	// Within bounds the time of the function that answers.
	Within time.Duration
}

// Answer answers a request. It returns ErrNotFound, ErrBusy or ErrRefused for the peer to know;
// any other error is its own business, and the peer reads ErrRefused. An answer over MaxResponse is
// refused as well. The context ends when the peer's stream is no longer of use.
type Answer func(ctx context.Context, from Peer, request []byte) ([]byte, error)

func (s *Service) validate() error {
	if s.Protocol == "" || s.MaxRequest < 1 || s.MaxResponse < 0 || s.Rate <= 0 || s.Burst < 1 ||
		s.PerPeer < 1 || s.Total < 1 || s.Within <= 0 {
		return fmt.Errorf("%w: service %q is not complete", ErrConfig, s.Protocol)
	}
	return nil
}

// usage is what one peer uses of the services.
type usage struct {
	mu struct {
		sync.Mutex
		of map[string]*share // by protocol
	}
}

type share struct {
	running int
	rate    *rate.Limiter
}

// begin takes one of the peer's requests, or reports that it has none left.
func (u *usage) begin(s *Service) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.mu.of == nil {
		u.mu.of = map[string]*share{}
	}
	x := u.mu.of[s.Protocol]
	if x == nil {
		x = &share{rate: rate.NewLimiter(rate.Limit(s.Rate), s.Burst)}
		u.mu.of[s.Protocol] = x
	}
	if x.running >= s.PerPeer || !x.rate.Allow() {
		return false
	}
	x.running++
	return true
}

func (u *usage) end(s *Service) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.mu.of[s.Protocol].running--
}

// slots are the requests of one protocol that are being answered.
type slots struct {
	mu struct {
		sync.Mutex
		total  int
		groups map[netip.Prefix]int
	}
}

func (x *slots) take(s *Service, g netip.Prefix) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.mu.total >= s.Total || x.mu.groups[g] >= max(s.PerPeer, s.Total/4) {
		return false
	}
	if x.mu.groups == nil {
		x.mu.groups = map[netip.Prefix]int{}
	}
	x.mu.total++
	x.mu.groups[g]++
	return true
}

func (x *slots) give(g netip.Prefix) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.mu.total--
	if x.mu.groups[g]--; x.mu.groups[g] == 0 {
		delete(x.mu.groups, g)
	}
}

// Handle answers the requests of one protocol. It is called before Start.
func (h *Host) Handle(s Service, answer Answer) error {
	if err := s.validate(); err != nil {
		return err
	}
	used := &slots{}
	h.host.SetStreamHandler(h.protocol(s.Protocol, 1), func(stream network.Stream) {
		ctx, end, ok := h.life.begin()
		if !ok {
			_ = stream.Reset()
			return
		}
		defer end()
		begun := time.Now()
		err := h.serve(ctx, &s, used, stream, answer)
		h.metrics.request("server", s.Protocol, err, time.Since(begun))
		if err != nil && !status(err) {
			_ = stream.Reset()
			return
		}
		_ = stream.Close()
	})
	return nil
}

// serve reads a request, has it answered and writes the answer or the reason why there is none.
func (h *Host) serve(ctx context.Context, s *Service, used *slots, stream network.Stream, answer Answer) error {
	peer := h.sessions.of(stream.Conn().RemotePeer())
	if peer == nil {
		return ErrLost
	}
	defer context.AfterFunc(ctx, func() { _ = stream.Reset() })()
	if !peer.usage.begin(s) {
		return h.refuse(stream, ErrBusy)
	}
	defer peer.usage.end(s)
	if err := peer.awaitOpen(ctx); err != nil {
		return err
	}
	request, err := h.receive(stream, s.MaxRequest)
	if errors.Is(err, ErrBusy) {
		return h.refuse(stream, err)
	}
	if err != nil {
		return h.blame(peer, err)
	}
	g := group(stream.Conn().RemoteMultiaddr())
	if !used.take(s, g) {
		return h.refuse(stream, ErrBusy)
	}
	defer used.give(g)
	reply, err := h.reply(ctx, s, peer, request, answer)
	if err == nil {
		err = reserve(stream, len(reply), network.ReservationPriorityHigh)
	}
	if err != nil {
		return h.refuse(stream, err)
	}
	return h.blame(peer, writeFrame(stream, []byte{statusDone}, reply, newPace(h.patience, stream.SetWriteDeadline)))
}

func (h *Host) reply(ctx context.Context, s *Service, peer *session, request []byte, answer Answer) ([]byte, error) {
	ctx, stop := context.WithTimeout(ctx, s.Within)
	defer stop()
	reply, err := answer(ctx, named(peer.id), request)
	switch {
	case err != nil:
		return nil, err
	case len(reply) > s.MaxResponse:
		return nil, fmt.Errorf("%w: the answer has %d bytes, at most %d", ErrRefused, len(reply), s.MaxResponse)
	}
	return reply, nil
}

// receive reads the one frame of a request.
func (h *Host) receive(s network.Stream, limit int) ([]byte, error) {
	p := newPace(h.patience, s.SetReadDeadline)
	if err := p.allow(0); err != nil {
		return nil, err
	}
	n, err := readLength(s, limit)
	if err != nil {
		return nil, err
	}
	if err := reserve(s, n, network.ReservationPriorityMedium); err != nil {
		return nil, err
	}
	return readBody(s, n, p)
}

// reserve counts memory until the stream ends.
func reserve(s network.Stream, n int, priority uint8) error {
	if err := s.Scope().ReserveMemory(n, priority); err != nil {
		return fmt.Errorf("%w: %v", ErrBusy, err)
	}
	return nil
}

// blame punishes a peer for the transfer that has failed with an error.
func (h *Host) blame(peer *session, err error) error {
	switch {
	case errors.Is(err, errLength):
		h.punish(peer.id, pointsLength, "request over the limit")
	case late(err):
		h.punish(peer.id, pointsSlow, "slow transfer")
		return fmt.Errorf("%w: %v", ErrTimeout, err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("%w: %v", ErrLost, err)
	}
	return err
}

// status reports whether an error has been told to the peer.
func status(err error) bool {
	return errors.Is(err, ErrNotFound) || errors.Is(err, ErrBusy) || errors.Is(err, ErrRefused)
}

// refuse tells the peer why there is no answer.
func (h *Host) refuse(s network.Stream, why error) error {
	code := statusRefused
	switch {
	case errors.Is(why, ErrNotFound):
		code = statusNotFound
	case errors.Is(why, ErrBusy):
		code = statusBusy
	case !errors.Is(why, ErrRefused):
		why = fmt.Errorf("%w: %w", ErrRefused, why)
	}
	if err := newPace(h.patience, s.SetWriteDeadline).allow(1); err != nil {
		return ErrLost
	}
	if _, err := s.Write([]byte{code}); err != nil {
		return ErrLost
	}
	return why
}
