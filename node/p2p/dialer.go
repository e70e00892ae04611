package p2p

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

const (
	// dialsAtOnce bounds the dials under way.
	dialsAtOnce = 8
	dialWithin  = 15 * time.Second
	// dialDropped is for peers that the caller has dropped.
	dialDropped = 5 * time.Minute
	// dialPause is the shortest time between two rounds.
	dialPause = 100 * time.Millisecond
)

// dialer keeps connections to static peers, and to as many others as MinOutbound says.
type dialer struct {
	host  *Host
	book  *book
	woken chan struct{} // holds one
	slots chan struct{} // holds a dial under way each
	// searching holds one: the DHT is to be asked at once.
	searching chan struct{}
}

func newDialer(h *Host) *dialer {
	return &dialer{h, newBook(), make(chan struct{}, 1), make(chan struct{}, dialsAtOnce), make(chan struct{}, 1)}
}

// wake starts a round.
func (d *dialer) wake() { signal(d.woken) }

// signal fills a channel that holds one.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// found enters peers that claim to be of this network.
func (d *dialer) found(info peer.AddrInfo) {
	if info.ID == d.host.host.ID() || len(info.Addrs) == 0 {
		return
	}
	d.book.add(time.Now(), info, kindHeard)
	d.wake()
}

// run dials what is due, and sleeps until more is.
func (d *dialer) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.woken:
		case <-timer.C:
		}
		d.round()
		more := d.host.sessions.outbound()+len(d.slots) < d.host.cfg.MinOutbound
		at, ok := d.book.next(more, d.skip)
		if ok && len(d.slots) < cap(d.slots) {
			timer.Reset(max(dialPause, time.Until(at)))
		} else {
			timer.Stop() // the end of a dial or of a session wakes
		}
	}
}

// skip passes over peers that are connected or banned.
func (d *dialer) skip(id peer.ID) bool {
	return d.host.sessions.of(id) != nil || d.host.reputation.banned(time.Now(), id)
}

// round begins the dials that are due.
func (d *dialer) round() {
	under := len(d.slots)
	others := d.host.cfg.MinOutbound - d.host.sessions.outbound() - under
	for _, info := range d.book.due(time.Now(), cap(d.slots)-under, others, d.skip) {
		d.slots <- struct{}{}
		d.host.life.spawn(func(ctx context.Context) {
			d.dial(ctx, info)
			<-d.slots
			d.wake()
		})
	}
}

func (d *dialer) dial(ctx context.Context, info peer.AddrInfo) {
	ctx, stop := context.WithTimeout(ctx, dialWithin)
	defer stop()
	result := "connected"
	if err := d.host.host.Connect(ctx, info); err != nil {
		result = "failed"
		d.host.log.Debug("dial", "peer", named(info.ID), "error", err)
	}
	d.host.metrics.dials.WithLabelValues(result).Inc()
	d.book.dialled(time.Now(), info.ID, rand.Float64())
}
