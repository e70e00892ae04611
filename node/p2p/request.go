package p2p

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"golang.org/x/time/rate"
)

// Errors of requests, as whoever asks sees them.
var (
	// ErrBusy: the peer serves too much, or this host has asked too much of it.
	ErrBusy = errors.New("the peer is busy")
	// ErrRefused: the peer did not like the request.
	ErrRefused = errors.New("the peer refused the request")
	// ErrTooLarge: the answer would be larger than it may be.
	ErrTooLarge = errors.New("the answer is too large")
	// ErrTimeout: the peer was too slow.
	ErrTimeout = errors.New("the peer was too slow")
	// ErrGone: there is no connection to the peer, or it broke.
	ErrGone = errors.New("the peer is gone")
)

// The first byte of an answer.
const (
	statusFine byte = iota
	statusBusy
	statusRefused
)

// Handler answers requests of one protocol.
type Handler struct {
	MaxRequest int // bytes
	// Concurrent bounds the requests served at once, PerPeer those of one peer. Defaults 16 and 4.
	Concurrent, PerPeer int
	// Rate is how many requests a peer may send a second, Burst how many at once. Defaults 20 and
	// 100.
	Rate  float64
	Burst int
	// Answer returns the bytes of the answer. An error refuses the request, without telling the
	// peer why.
	Answer func(ctx context.Context, from string, request []byte) ([]byte, error)
}

// The least speed of a transfer, either way: so many bytes within so long.
const (
	pieceSize = 64 << 10
	pieceTime = 15 * time.Second
)

// serveTime bounds how long one request is served, its transfers included.
const serveTime = 2 * time.Minute

// Handle serves a protocol from now on.
func (h *Host) Handle(name string, handler Handler) {
	s := newService(h, name, handler)
	h.host.SetStreamHandler(protocol.ID(h.cfg.protocol(name)), s.stream)
}

// service is a protocol that is served.
type service struct {
	host *Host
	name string
	Handler
	slots chan struct{}
	mu    struct {
		sync.Mutex
		peers map[peer.ID]*load
	}
}

// load is what a peer has asked for.
type load struct {
	active int
	rate   *rate.Limiter
	last   time.Time
}

func newService(h *Host, name string, handler Handler) *service {
	if handler.Concurrent == 0 {
		handler.Concurrent = 16
	}
	if handler.PerPeer == 0 {
		handler.PerPeer = 4
	}
	if handler.Rate == 0 {
		handler.Rate, handler.Burst = 20, 100
	}
	s := &service{host: h, name: name, Handler: handler, slots: make(chan struct{}, handler.Concurrent)}
	s.mu.peers = map[peer.ID]*load{}
	return s
}

// stream serves one request. libp2p runs it in a goroutine of its own.
func (s *service) stream(st network.Stream) {
	from := st.Conn().RemotePeer()
	if !s.enter(from) {
		s.host.meters.served.WithLabelValues(s.name, "busy").Inc()
		s.reply(st, statusBusy, nil)
		return
	}
	defer s.leave(from)
	ctx, stop := context.WithTimeout(context.Background(), serveTime)
	defer stop()
	request, err := readPart(ctx, st, s.MaxRequest)
	if err != nil {
		s.host.meters.served.WithLabelValues(s.name, "broken").Inc()
		_ = st.Reset() // what is left of it is not read
		return
	}
	status := statusFine
	answer, err := s.Answer(ctx, from.String(), request)
	if err != nil {
		s.host.cfg.Log.Debug("request refused", "peer", from.String(), "protocol", s.name, "error", err)
		status, answer = statusRefused, nil
	}
	s.host.meters.served.WithLabelValues(s.name, statusName(status)).Inc()
	s.reply(st, status, answer)
}

// reply sends an answer and ends the stream. Nobody hears of an error but the peer, by getting
// none.
func (s *service) reply(st network.Stream, status byte, answer []byte) {
	ctx, stop := context.WithTimeout(context.Background(), serveTime)
	defer stop()
	err := writePart(ctx, st, []byte{status}, answer)
	if err == nil {
		err = st.Close()
	}
	if err != nil {
		_ = st.Reset() // it is broken
	}
}

// enter takes a slot for a peer; false if there is none.
func (s *service) enter(from peer.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.mu.peers[from]
	if l == nil {
		s.forget()
		l = &load{rate: rate.NewLimiter(rate.Limit(s.Rate), s.Burst)}
		s.mu.peers[from] = l
	}
	l.last = time.Now()
	if l.active >= s.PerPeer || !l.rate.Allow() {
		return false
	}
	select {
	case s.slots <- struct{}{}:
		l.active++
		return true
	default:
		return false
	}
}

func (s *service) leave(from peer.ID) {
	<-s.slots
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.peers[from].active--
}

// maxLoads is how many peers' loads are remembered before idle ones are forgotten.
const maxLoads = 1024

// forget drops the loads of peers that have asked for nothing lately.
func (s *service) forget() {
	if len(s.mu.peers) < maxLoads {
		return
	}
	for id, l := range s.mu.peers {
		if l.active == 0 && time.Since(l.last) > time.Minute {
			delete(s.mu.peers, id)
		}
	}
}

// Request asks a peer and returns its answer, of at most limit bytes. The peer must be connected.
func (h *Host) Request(ctx context.Context, to, name string, request []byte, limit int) ([]byte, error) {
	id, err := peer.Decode(to)
	if err != nil {
		return nil, fmt.Errorf("%w: %q: %v", ErrGone, to, err)
	}
	st, err := h.host.NewStream(network.WithNoDial(ctx, "requests go to peers"), id, protocol.ID(h.cfg.protocol(name)))
	if err != nil {
		return nil, failed(ctx, err)
	}
	answer, err := exchange(ctx, st, request, limit)
	if err != nil {
		_ = st.Reset() // it is broken, or of no use any more
		return nil, failed(ctx, err)
	}
	_ = st.Close() // the peer has closed it
	return answer, nil
}

func exchange(ctx context.Context, st network.Stream, request []byte, limit int) ([]byte, error) {
	release := context.AfterFunc(ctx, func() { _ = st.Reset() })
	defer release()
	if err := writePart(ctx, st, nil, request); err != nil {
		return nil, err
	}
	if err := st.CloseWrite(); err != nil {
		return nil, err
	}
	var status [1]byte
	if err := readFull(ctx, st, status[:], answerTime); err != nil {
		return nil, err
	}
	switch status[0] {
	case statusFine:
		return readPart(ctx, st, limit)
	case statusBusy:
		return nil, ErrBusy
	}
	return nil, ErrRefused
}

// answerTime is how long a peer may think before the first byte of an answer.
const answerTime = 30 * time.Second

// failed says what an error of a stream means for whoever asked.
func failed(ctx context.Context, err error) error {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, ErrBusy), errors.Is(err, ErrRefused), errors.Is(err, ErrTooLarge):
		return err
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w: %v", ErrTimeout, err)
	}
	return fmt.Errorf("%w: %v", ErrGone, err)
}

// writePart sends a head, and a part after its length in 4 bytes, at the least speed or faster.
func writePart(ctx context.Context, st network.Stream, head, part []byte) error {
	head = binary.BigEndian.AppendUint32(head, uint32(len(part)))
	for _, b := range [][]byte{head, part} {
		for len(b) > 0 {
			if err := st.SetWriteDeadline(pieceDeadline(ctx, pieceTime)); err != nil {
				return err
			}
			n, err := st.Write(b[:min(len(b), pieceSize)])
			if err != nil {
				return err
			}
			b = b[n:]
		}
	}
	return nil
}

// readPart reads a part of at most limit bytes. It allocates as bytes come.
func readPart(ctx context.Context, st network.Stream, limit int) ([]byte, error) {
	var head [4]byte
	if err := readFull(ctx, st, head[:], pieceTime); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if uint64(n) > uint64(limit) {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, n, limit)
	}
	part := make([]byte, 0, min(int(n), pieceSize))
	for len(part) < int(n) {
		size := min(int(n)-len(part), pieceSize)
		part = append(part, make([]byte, size)...)
		if err := readFull(ctx, st, part[len(part)-size:], pieceTime); err != nil {
			return nil, err
		}
	}
	return part, nil
}

func readFull(ctx context.Context, st network.Stream, b []byte, within time.Duration) error {
	if err := st.SetReadDeadline(pieceDeadline(ctx, within)); err != nil {
		return err
	}
	_, err := io.ReadFull(st, b)
	return err
}

func pieceDeadline(ctx context.Context, within time.Duration) time.Time {
	d := time.Now().Add(within)
	if end, set := ctx.Deadline(); set && end.Before(d) {
		return end
	}
	return d
}

func statusName(status byte) string {
	if status == statusFine {
		return "answered"
	}
	return "refused"
}
