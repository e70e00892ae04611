package markettest

import (
	"errors"
)

// Kinds of requests.
const (
	askKind     = "ask"
	awardKind   = "award"
	startKind   = "start"
	collectKind = "collect"

	announceKind = "channel"
	voucherKind  = "voucher"
)

var (
	errNoAnswer = errors.New("no answer in time")
	errRefused  = errors.New("refused")
	errReset    = errors.New("the connection is gone")
)

// call sends a request to an operator and tells its answer, or that none came within some ms. nil
// bytes refuse the request.
func (p *peer) call(to, kind string, request []byte, within uint64, done func([]byte, error)) {
	finished := false
	finish := func(raw []byte, err error) {
		if !finished {
			finished = true
			done(raw, err)
		}
	}
	p.later(within, func() { finish(nil, errNoAnswer) })
	o := p.w.operator(to)
	if o == nil || p.w.lost() {
		return
	}
	life := p.life
	back := func(raw []byte, err error) {
		if p.w.lost() {
			return
		}
		p.w.at(p.w.now+p.w.delay(), func() {
			if p.up && p.life == life {
				finish(raw, err)
			}
		})
	}
	p.w.at(p.w.now+p.w.delay(), func() {
		if !o.up {
			back(nil, errReset)
			return
		}
		o.resets = append(o.resets, func() { back(nil, errReset) })
		o.serve(p.name, kind, request, func(raw []byte) {
			if raw == nil {
				back(nil, errRefused)
				return
			}
			back(raw, nil)
		})
	})
}

func (w *World) operator(name string) *Operator {
	for _, o := range w.operators {
		if o.name == name {
			return o
		}
	}
	return nil
}

func (w *World) client(name string) *Client {
	for _, c := range w.clients {
		if c.name == name {
			return c
		}
	}
	return nil
}

// Kill ends a party at once. What it stored is kept.
func (w *World) Kill(name string) {
	if c := w.client(name); c != nil {
		c.kill()
	}
	if o := w.operator(name); o != nil {
		o.kill()
		o.hangUp()
	}
}

// hangUp ends the requests that are open.
func (o *Operator) hangUp() {
	for _, reset := range o.resets {
		reset()
	}
	o.resets = nil
}

// Restart starts a party from what it stored; one that runs is killed first.
func (w *World) Restart(name string) {
	w.Kill(name)
	w.start(name)
}

func (w *World) start(name string) {
	if c := w.client(name); c != nil && !c.up {
		c.boot()
	}
	if o := w.operator(name); o != nil && !o.up {
		o.boot()
	}
}
