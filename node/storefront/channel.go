package storefront

import (
	"context"

	"github.com/weisyn/wes/node/gateway"
)

// Channels implements gateway.Market.
func (s *Storefront) Channels(ctx context.Context) ([]gateway.Channel, error) {
	channels, err := s.cfg.Desk.Channels(ctx)
	if err != nil {
		return nil, err
	}
	all := []gateway.Channel{}
	for _, c := range channels {
		x := gateway.Channel{
			ID: c.ID.String(), Role: c.Role, Other: keyText(c.Other), State: string(c.State), Cap: amount(c.Cap), Paid: amount(c.Paid),
			Jobs: c.Jobs, ExpiresMS: c.Expiry, Funding: c.Funding.String(),
		}
		if c.Room > 0 {
			x.Room = amount(c.Room)
		}
		all = append(all, x)
	}
	return all, nil
}
