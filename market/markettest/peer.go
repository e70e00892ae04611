package markettest

import (
	"crypto/sha256"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/chaintest"
	"github.com/weisyn/wes/market"
)

// machine is a [market.Buyer] or [market.Seller].
type machine interface {
	Step(now uint64, e market.Event) market.Output
	Next() uint64
}

// peer is what clients and operators have in common. What is durable outlives a kill.
type peer struct {
	w      *World
	name   string
	wallet chaintest.Wallet
	skew   int64 // of its clock, in ms
	cheats map[Cheat]bool

	machine machine
	perform func(market.Effect)
	status  func(chain.Hash) string
	escrows func() map[chain.Hash][]byte // of jobs that have not ended

	up       bool
	life     int // counts kills: what was begun in another life is not carried on
	tickAt   uint64
	idle     int // ticks at one instant
	looking  bool
	statuses map[chain.Hash]string

	// Durable.
	order    []chain.Hash // of records, as first written
	records  map[chain.Hash][]byte
	blobs    map[chain.Hash][]byte
	funding  map[chain.Hash][]byte // by job, encoded Start
	reserved map[chain.Outpoint]uint64
	channels map[chain.Hash][]byte // records
}

func (w *World) peer(name string) peer {
	return peer{
		w: w, name: name, wallet: chaintest.NewWallet(name), cheats: map[Cheat]bool{}, statuses: map[chain.Hash]string{},
		records: map[chain.Hash][]byte{}, blobs: map[chain.Hash][]byte{}, funding: map[chain.Hash][]byte{}, reserved: map[chain.Outpoint]uint64{},
		channels: map[chain.Hash][]byte{},
	}
}

// Cheat lets the party cheat from now on.
func (p *peer) Cheat(c Cheat) { p.cheats[c] = true }

// clock is the local time, in ms since 1970.
func (p *peer) clock() uint64 { return uint64(int64(p.w.now) + p.skew) }

// later does something in a while, if the peer has not been killed by then.
func (p *peer) later(ms uint64, do func()) {
	life := p.life
	p.w.at(p.w.now+ms, func() {
		if p.up && p.life == life {
			do()
		}
	})
}

// put stores bytes under their hash.
func (p *peer) put(b []byte) chain.Hash {
	h := chain.Hash(sha256.Sum256(b))
	p.blobs[h] = b
	return h
}

// step gives the machine an event, stores what it says and carries out the rest. The peer may be
// killed at any point in between.
func (p *peer) step(e market.Event) {
	if !p.up {
		return
	}
	life := p.life
	p.deal(p.machine.Step(p.clock(), e))
	if p.life == life {
		p.schedule()
	}
}

func (p *peer) deal(out market.Output) {
	for _, r := range out.Records {
		if p.crashes() {
			return
		}
		if _, known := p.records[r.ID]; !known {
			p.order = append(p.order, r.ID)
		}
		p.records[r.ID] = r.Bytes
	}
	for _, id := range out.Changed {
		if s := p.status(id); s != "" && s != p.statuses[id] {
			p.statuses[id] = s
			p.w.log("%s: %s %s", p.name, p.w.name(id), s)
		}
	}
	life := p.life
	for _, e := range out.Effects {
		if p.crashes() || p.life != life {
			return
		}
		p.perform(e)
	}
}

// crashes draws whether the peer is killed here; then it starts again in a while.
func (p *peer) crashes() bool {
	if p.w.o.Crash == 0 || p.w.src.Float64() >= p.w.o.Crash {
		return false
	}
	p.kill()
	p.w.at(p.w.now+1+p.w.src.Uint64N(40_000), func() { p.w.start(p.name) })
	return true
}

func (p *peer) kill() {
	if p.up {
		p.up = false
		p.life++
		p.w.log("%s: killed", p.name)
	}
}

// maxIdle is how many ticks a machine may want at one instant.
const maxIdle = 20

// schedule ticks the machine when it wants.
func (p *peer) schedule() {
	next := p.machine.Next()
	if next == 0 {
		return
	}
	at := uint64(max(int64(next)-p.skew, int64(p.w.now)))
	if p.tickAt != 0 && p.tickAt <= at && p.tickAt > p.w.now {
		return
	}
	p.tickAt = at
	p.later(at-p.w.now, func() {
		if p.tickAt != at {
			return
		}
		p.tickAt = 0
		before := p.w.now
		p.step(market.Tick{})
		if p.up && p.tickAt == before {
			if p.idle++; p.idle > maxIdle {
				p.w.fail("%s wants a tick at an instant again and again", p.name)
			}
			return
		}
		p.idle = 0
	})
}

// look shows the machine what the ledger says of its jobs, in a while.
func (p *peer) look() {
	if !p.up || p.looking {
		return
	}
	p.looking = true
	p.later(p.w.delay(), func() {
		p.looking = false
		p.views()
	})
}

func (p *peer) views() {
	life := p.life
	escrows := p.escrows()
	for _, id := range p.order {
		if data := escrows[id]; data != nil && p.life == life {
			p.step(market.Viewed{Job: id, View: p.w.ledger.view(data)})
		}
	}
}

// wake starts a machine that has loaded its records.
func (p *peer) wake() {
	p.up, p.tickAt, p.idle, p.looking = true, 0, 0, false
	p.w.log("%s: started", p.name)
	life := p.life
	p.views()
	if p.life == life {
		p.step(market.Resume{})
	}
}

// stored are the records in the order in which they were first written.
func (p *peer) stored() (all []market.Record) {
	for _, id := range p.order {
		all = append(all, market.Record{ID: id, Bytes: p.records[id]})
	}
	return all
}
