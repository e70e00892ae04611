package storefront

import (
	"context"
	"net/http"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/wallet"
)

// Status implements gateway.Market.
func (s *Storefront) Status(ctx context.Context) (*gateway.Status, error) {
	key := chain.Key{Key: s.cfg.Wallet.Public()}
	out := &gateway.Status{Key: keyText(key.Key), Address: s.cfg.Address(key)}
	balances, err := s.cfg.Wallet.Balances(ctx)
	if err != nil {
		return nil, err
	}
	out.Balance = holdings(balances)
	adverts, _, err := s.cfg.Desk.Operators(ctx)
	if err != nil {
		return nil, err
	}
	out.Operators = len(adverts)
	bought, err := s.cfg.Desk.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	for i := range bought {
		if !bought[i].Ended() {
			out.Bought++
		}
	}
	return out, s.selling(ctx, out)
}

// holdings lists the states of WES that are not zero, the spendable always.
func holdings(all []wallet.Balance) (out []gateway.Holding) {
	for _, b := range all {
		if b.Token != (chain.TokenID{}) {
			continue
		}
		for _, h := range []struct {
			state string
			units uint64
		}{
			{"spendable", b.Spendable},
			{"reserved", b.Reserved},
			{"unconfirmed", b.Unconfirmed},
			{"immature", b.Immature},
			{"escrows", b.InEscrows},
			{"bonds", b.InBonds},
			{"pools", b.InPools},
		} {
			if h.units > 0 || h.state == "spendable" {
				out = append(out, gateway.Holding{State: h.state, Units: amount(h.units)})
			}
		}
	}
	return out
}

// selling adds the operator's side.
func (s *Storefront) selling(ctx context.Context, out *gateway.Status) (err error) {
	if s.cfg.Capacity == nil {
		return nil
	}
	out.Selling, out.Cordoned = true, s.cfg.Capacity.Cordoned()
	out.Tasks, out.Bids = s.cfg.Capacity.Depth()
	sales, err := s.cfg.Desk.Sales(ctx)
	if err != nil {
		return err
	}
	for i := range sales {
		if !sales[i].Ended() {
			out.Sold++
		}
	}
	for _, p := range s.cfg.Works.Programs() {
		out.Programs = append(out.Programs, gateway.Program{
			Resource: p.Ref.String(), Name: p.Name, CID: p.Content, Price: amount(s.cfg.Capacity.Price(&p)), Units: p.Units, Memory: p.Memory,
		})
	}
	out.Devices, err = s.Devices(ctx)
	return err
}

// Cordon implements gateway.Market.
func (s *Storefront) Cordon(_ context.Context, on bool) error {
	if s.cfg.Capacity == nil {
		return &gateway.Problem{Status: http.StatusConflict, Reason: string(market.CodeDraining), Text: "this node sells nothing: the setting sell is off"}
	}
	s.cfg.Capacity.Cordon(on)
	return nil
}

// Key implements gateway.Market.
func (s *Storefront) Key(ctx context.Context, name string) ([]byte, error) {
	e, err := s.find(ctx, name)
	if err != nil {
		return nil, err
	}
	raw, found, err := s.cfg.Ledger.Key(ctx, e.resource.Key.Hash)
	if err == nil && !found {
		err = noKey()
	}
	return raw, err
}

func noKey() *gateway.Problem {
	return &gateway.Problem{
		Status: http.StatusServiceUnavailable, Reason: gateway.ReasonNotReady, Text: "the node has not fetched the verifying key yet",
	}
}
