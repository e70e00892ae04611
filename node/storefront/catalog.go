package storefront

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/ures"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/gateway"
)

// entry is a program that jobs can be about.
type entry struct {
	ref      market.Ref
	resource *chain.Resource
	cid      string
	price    uint64 // least that is asked for, at level zk; 0: nobody offers it
}

// program is a model or circuit that the ledger announces, or an error.
func program(u *chain.UTXO) (*entry, bool) {
	r, ok := u.Entry.Output.Body.(*chain.Resource)
	if !ok || r.Key == nil || r.Kind != chain.ResourceModel && r.Kind != chain.ResourceGroth16 && r.Kind != chain.ResourcePlonk {
		return nil, false
	}
	cid, err := ures.FormatCID(r.CID)
	if err != nil {
		return nil, false
	}
	return &entry{ref: market.RefOf(u.Outpoint), resource: r, cid: cid}, true
}

// offers maps programs to the least price that operators ask for.
func (s *Storefront) offers(ctx context.Context) (map[market.Ref]uint64, error) {
	adverts, standings, err := s.cfg.Desk.Operators(ctx)
	if err != nil {
		return nil, err
	}
	all := map[market.Ref]uint64{}
	for i, a := range adverts {
		if standings[i].Lied > 0 {
			continue
		}
		for _, o := range a.Offers {
			if old, ok := all[o.Program]; o.Level == chain.LevelZK && (!ok || o.Price < old) {
				all[o.Program] = o.Price
			}
		}
	}
	return all, nil
}

// catalog lists what operators offer and what this node's key has announced.
func (s *Storefront) catalog(ctx context.Context) ([]*entry, error) {
	offers, err := s.offers(ctx)
	if err != nil {
		return nil, err
	}
	own, err := s.cfg.Ledger.Resources(ctx, chain.LockHash(s.cfg.Wallet.Lock()))
	if err != nil {
		return nil, err
	}
	for ref := range offers {
		u, found, err := s.cfg.Ledger.Output(ctx, ref.Outpoint())
		if err != nil {
			return nil, err
		}
		if found {
			own = append(own, u)
		}
	}
	var all []*entry
	seen := map[market.Ref]bool{}
	for i := range own {
		e, ok := program(&own[i])
		if ok && !seen[e.ref] {
			seen[e.ref] = true
			e.price = offers[e.ref]
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b *entry) int {
		return cmp.Or(strings.Compare(a.resource.Name, b.resource.Name), strings.Compare(a.cid, b.cid), a.ref.Compare(b.ref))
	})
	return all, nil
}

// find returns the program that a name, a CID or an output means.
func (s *Storefront) find(ctx context.Context, name string) (*entry, error) {
	if cid, ok := s.cfg.Aliases[name]; ok {
		name = cid
	}
	if o, ok := outpoint(name); ok {
		return s.at(ctx, o, name)
	}
	if _, err := ures.ParseCID(name); err == nil {
		return s.content(ctx, name)
	}
	all, err := s.catalog(ctx)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(e *entry) bool { return e.resource.Name != name })
	for _, e := range all {
		if e.cid != all[0].cid {
			return nil, &gateway.Problem{
				Status: http.StatusConflict, Reason: gateway.ReasonModel,
				Text: fmt.Sprintf("%d models have the name %q: use the CID of one, for example %s", len(all), name, e.cid),
			}
		}
	}
	return only(all, name)
}

// only is the announcement to use among those of one content. Anybody can announce a content with a
// verifying key of another model: where keys differ, nothing here says which is the content's.
func only(all []*entry, name string) (*entry, error) {
	for _, e := range all {
		if e.resource.Key.Hash != all[0].resource.Key.Hash {
			return nil, &gateway.Problem{
				Status: http.StatusConflict, Reason: gateway.ReasonModel,
				Text: fmt.Sprintf("%q is announced with different verifying keys: use the output of one, for example %v or %v", name, all[0].ref, e.ref),
			}
		}
	}
	if len(all) == 0 {
		return nil, gateway.ErrUnknownModel(name)
	}
	return best(all), nil
}

// outpoint reads TRANSACTION:INDEX.
func outpoint(text string) (o chain.Outpoint, ok bool) {
	tx, index, found := strings.Cut(text, ":")
	n, err := strconv.ParseUint(index, 10, 32)
	if !found || err != nil {
		return o, false
	}
	h, err := parseHash(tx)
	return chain.Outpoint{Tx: h, Index: uint32(n)}, err == nil
}

func (s *Storefront) at(ctx context.Context, o chain.Outpoint, name string) (*entry, error) {
	u, found, err := s.cfg.Ledger.Output(ctx, o)
	if err != nil {
		return nil, err
	}
	e, ok := program(&u)
	if !found || !ok {
		return nil, gateway.ErrUnknownModel(name)
	}
	offers, err := s.offers(ctx)
	if err == nil {
		e.price = offers[e.ref]
	}
	return e, err
}

func (s *Storefront) content(ctx context.Context, cid string) (*entry, error) {
	announced, err := s.cfg.Ledger.Announced(ctx, cid)
	if err != nil {
		return nil, err
	}
	offers, err := s.offers(ctx)
	if err != nil {
		return nil, err
	}
	var all []*entry
	for i := range announced {
		if e, ok := program(&announced[i]); ok {
			e.price = offers[e.ref]
			all = append(all, e)
		}
	}
	return only(all, cid)
}

// best is the announcement that costs least: offered ones first, then by price with royalty.
func best(all []*entry) *entry {
	return slices.MinFunc(all, func(a, b *entry) int {
		return cmp.Or(compareBool(a.price == 0, b.price == 0), cmp.Compare(a.price+a.resource.Price.Amount, b.price+b.resource.Price.Amount), a.ref.Compare(b.ref))
	})
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// Models implements gateway.Market.
func (s *Storefront) Models(ctx context.Context) ([]gateway.Model, error) {
	all, err := s.catalog(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]gateway.Model, 0, len(all))
	for _, e := range all {
		m, err := s.describe(ctx, e)
		if err != nil {
			return nil, err
		}
		out = append(out, *m)
	}
	return out, nil
}

// Model implements gateway.Market.
func (s *Storefront) Model(ctx context.Context, name string) (*gateway.Model, error) {
	e, err := s.find(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.describe(ctx, e)
}

func (s *Storefront) describe(ctx context.Context, e *entry) (*gateway.Model, error) {
	r := e.resource
	m := &gateway.Model{
		Name: cmp.Or(r.Name, e.cid), CID: e.cid, Version: r.Version, Kind: gateway.KindProve, Resource: e.ref.String(),
		Key: r.Key.Hash.String(), Owner: s.cfg.Address(r.Owner), Bytes: r.Size, Ready: e.price > 0,
	}
	if r.Price.Amount > 0 {
		m.Royalty = amount(r.Price.Amount)
	}
	if m.Ready {
		m.Price = amount(e.price)
	} else {
		m.Reason = "no operator that this node knows offers it yet"
	}
	if r.Kind != chain.ResourceModel {
		return m, nil
	}
	m.Kind = gateway.KindInfer
	x, err := s.model(ctx, r.Key.Hash)
	if err != nil {
		return nil, err
	}
	m.Inputs, m.Outputs = x.inputs, x.outputs
	return m, nil
}

// model returns what a verifying key of the ledger says.
func (s *Storefront) model(ctx context.Context, key chain.Hash) (*model, error) {
	s.models.Lock()
	m := s.models.read[key]
	s.models.Unlock()
	if m != nil {
		return m, nil
	}
	raw, found, err := s.cfg.Ledger.Key(ctx, key)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, noKey()
	}
	if m, err = readModel(raw); err != nil {
		return nil, err
	}
	s.models.Lock()
	defer s.models.Unlock()
	if len(s.models.read) >= maxModels {
		clear(s.models.read)
	}
	s.models.read[key] = m
	return m, nil
}
