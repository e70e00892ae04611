package trade

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"slices"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/market/channel"
)

// Names of the requests about payment channels.
const (
	AnnounceProtocol = "market-channel"
	VoucherProtocol  = "market-voucher"
)

// Names of the records of channels.
const (
	payerSide byte = 'p'
	payeeSide byte = 'e'
)

const (
	// tendEvery is how often a channel is held against the ledger.
	tendEvery = 2 * time.Second
	// submitEvery is how often a transaction of a channel is submitted that no block has.
	submitEvery = 15 * time.Second
	// buried is how many blocks make the end of a channel the end.
	buried = 6
)

// side is either side of a channel.
type side interface {
	ID() chain.Hash
	Stored(channel.Record)
}

// save stores the record of a channel, which learns of it.
func (d *Desk) save(name byte, x side, r channel.Record) {
	d.store(stored(name, market.Record{ID: x.ID(), Bytes: r.Bytes}))
	d.then(func() { x.Stored(r) })
}

// loadChannel reads the record of a channel.
func (d *Desk) loadChannel(side byte, r market.Record) error {
	if side == payerSide {
		x, err := channel.RestorePayer(r.Bytes)
		if err != nil {
			return fmt.Errorf("channel %v: %w", r.ID, err)
		}
		d.owned.payers[r.ID] = newPayer(x)
		return nil
	}
	x, err := channel.RestorePayee(channel.Options{}, r.Bytes)
	if err != nil {
		return fmt.Errorf("channel %v: %w", r.ID, err)
	}
	d.owned.payees[r.ID] = &payee{Payee: x}
	return nil
}

// channelRecords are all that the journal has to hold of channels.
func (d *Desk) channelRecords() (all []market.Record) {
	for id, x := range d.owned.payers {
		all = append(all, stored(payerSide, market.Record{ID: id, Bytes: x.Record().Bytes}))
	}
	for id, x := range d.owned.payees {
		all = append(all, stored(payeeSide, market.Record{ID: id, Bytes: x.Record().Bytes}))
	}
	return all
}

// owed is what client and operator agree on for a job that a channel pays.
func owed(job chain.Hash, t *market.Terms, price uint64) channel.Job {
	return channel.Job{ID: job, Input: t.Input, Price: price, Royalty: t.Royalty, Owner: t.Owner}
}

// closingFee is the fee of the transaction that closes a channel, at a rate for 1,000 units of weight.
func closingFee(rate uint64) uint64 {
	return (chain.Weight(channel.MaxClosing, 0, 0)*rate + 999) / 1000
}

// sight is what the ledger shows of a channel.
type sight struct {
	now    uint64 // timestamp of the tip
	funded bool   // a block has the funding transaction
	spent  bool   // a block has a transaction that spends it
	by     chain.Hash
	depth  uint64 // of that
}

func (d *Desk) sight(ctx context.Context, a *channel.Announce) (s sight, err error) {
	tip, all, err := d.cfg.Ledger.Held(ctx, chain.LockHash(a.Terms.Lock()))
	s.now = tip.Time
	for i := range all {
		t := &all[i]
		if t.Tx.ID() == a.Tx {
			s.funded = true
		}
		if slices.Contains(t.Tx.Inputs, a.Funding()) {
			s.spent, s.by, s.depth = true, t.Tx.ID(), tip.Height-t.Height+1
		}
	}
	return s, err
}

func (s *sight) over() bool { return s.spent && s.depth >= buried }

// sign signs for channels.
func (d *Desk) sign(h chain.Hash) []byte { return d.cfg.Signer.Sign(h)[:ed25519.SignatureSize] }

// Channel is a payment channel as one of its sides sees it.
type Channel struct {
	ID      chain.Hash
	Role    string          // client or operator
	Other   chain.PublicKey // key of the other side
	State   ChannelState
	Cap     uint64
	Paid    uint64 // by vouchers, royalties included for a client
	Room    uint64 // of a client: what further jobs may cost
	Jobs    int    // that are begun and not paid
	Expiry  uint64 // ms since 1970
	Funding market.Ref
}

// ChannelState says how far a channel is.
type ChannelState string

// The states of a channel.
const (
	ChannelOpening ChannelState = "opening"
	ChannelOpen    ChannelState = "open"
	ChannelClosing ChannelState = "closing"
)

// Channels lists the channels whose money has not left for good, those that end first before others.
func (d *Desk) Channels(ctx context.Context) (all []Channel, err error) {
	err = d.ask(ctx, func(context.Context, uint64) {
		for _, x := range d.owned.payers {
			all = append(all, x.describe())
		}
		for _, x := range d.owned.payees {
			all = append(all, x.describe())
		}
	})
	slices.SortFunc(all, func(a, b Channel) int {
		if a.Expiry != b.Expiry {
			return int(min(max(int64(a.Expiry-b.Expiry), -1), 1))
		}
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	return all, err
}

func describe(id chain.Hash, role string, a channel.Announce, other chain.PublicKey) Channel {
	return Channel{
		ID: id, Role: role, Other: other, State: ChannelOpen, Cap: a.Terms.Cap, Expiry: a.Terms.Expiry,
		Funding: market.Ref{Tx: a.Tx, Index: a.Index},
	}
}

// measureChannels shows the channels that stand.
func (d *Desk) measureChannels() {
	var spent, earned uint64
	for _, x := range d.owned.payers {
		spent += x.Cost()
	}
	for _, x := range d.owned.payees {
		earned += x.Earned()
	}
	for _, of := range []struct {
		role  string
		n     int
		units uint64
	}{{roleClient, len(d.owned.payers), spent}, {roleOperator, len(d.owned.payees), earned}} {
		d.metrics.channels.WithLabelValues(of.role).Set(float64(of.n))
		d.metrics.channelUnits.WithLabelValues(of.role).Set(float64(of.units))
	}
}

// The sides of a channel, as metrics and lists name them.
const (
	roleClient   = "client"
	roleOperator = "operator"
)
