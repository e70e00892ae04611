package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/town"
)

// books are the jobs of a node as its journal has them.
type books struct {
	bought *market.Buyer
	sold   *market.Seller
}

// readBooks reads the journal of a node that does not run, in the format that node/trade describes.
func readBooks(t *testing.T, n *town.Node) books {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(n.Home, "market", "journal"))
	if err != nil {
		t.Fatal(err)
	}
	const magic, head = 5, 8
	latest := map[chain.Hash][]byte{}
	for rest := raw[magic:]; len(rest) >= head; {
		size := int(binary.BigEndian.Uint32(rest))
		if size > len(rest)-head {
			break // torn by the kill
		}
		for entry := rest[head : head+size]; len(entry) > 0; {
			value := entry[chain.HashSize+4:]
			n := binary.BigEndian.Uint32(entry[chain.HashSize:])
			latest[chain.Hash(entry[:chain.HashSize])], entry = value[:n], value[n:]
		}
		rest = rest[head+size:]
	}
	b := books{market.NewBuyer(market.BuyerConfig{}), market.NewSeller(market.SellerConfig{}, nil)}
	for id, value := range latest {
		if len(value) == 0 {
			continue
		}
		id[0] ^= value[0]
		switch r := (market.Record{ID: id, Bytes: value[1:]}); value[0] {
		case 'b':
			err = b.bought.Load(r)
		case 's':
			err = b.sold.Load(r)
		}
		if err != nil {
			t.Fatalf("journal of %s: %v", n.Name, err)
		}
	}
	return b
}

// The states in which nodes are killed, as a client sees its job.
const (
	atAnnounced   = "announced"   // operators are asked
	atContracting = "contracting" // one has the award
	atFunded      = "funded"      // the escrow is to be seen, and the job waits for a device
	atRunning     = "running"
	atDelivered   = "delivered" // the client has the result, and has not paid
	atAccepted    = "accepted"  // the payment waits for a block
	atClaimed     = "claimed"   // the operator has settled without the client, and may be refuted
)

// boughtAt is the state of a client's job; empty where it is none of those.
func boughtAt(p *market.Purchase) string {
	switch {
	case p.Assignment == market.Announced && len(p.Operator) == 0:
		return atAnnounced
	case p.Assignment == market.Announced:
		return atContracting
	case p.Assignment == market.Closed || p.View.Left == market.InBlock:
		return ""
	case p.Exiting == market.ExitAccept:
		return atAccepted
	case p.Execution == market.Done:
		return atDelivered
	case p.View.Escrow == market.Nowhere:
		return ""
	case p.Execution == market.Queued:
		return atFunded
	case p.Execution == market.Running || p.Execution == market.Proving:
		return atRunning
	}
	return ""
}

// soldAt is the same of an operator's job.
func soldAt(s *market.Sale) string {
	switch {
	case s.Ended() || s.View.Left == market.InBlock:
		return ""
	case s.View.Escrow == market.Nowhere:
		return atContracting
	case s.Execution == market.Queued:
		return atFunded
	case s.Execution == market.Running || s.Execution == market.Proving:
		return atRunning
	case s.Execution == market.Done:
		return atDelivered
	}
	return ""
}
