package storefront

import (
	"context"
	"net/http"

	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/trade"
)

// witness fills in what a proving job is about.
func (s *Storefront) witness(_ context.Context, _ *gateway.Request, _ *entry, _ *trade.Request) error {
	return &gateway.Problem{Status: http.StatusUnprocessableEntity, Reason: gateway.ReasonUnsupported, Text: "circuits are not served"}
}
