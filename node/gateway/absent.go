package gateway

import (
	"encoding/json"
	"net/http"
)

// Absent answers every request with 404: the node takes no part in the market.
func Absent() http.Handler {
	p := problem(http.StatusNotFound, ReasonNoMarket, "this node takes no part in the market: its setting market_key names no key")
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.setHeaders(w.Header())
		w.Header().Set("Content-Type", mediaJSON)
		w.WriteHeader(p.Status)
		_ = json.NewEncoder(w).Encode(Failure{Error: p.Text, Reason: p.Reason}) // the client is gone otherwise
	})
}
