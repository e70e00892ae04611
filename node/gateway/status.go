package gateway

import (
	"context"
	"net/http"
)

// Status is a node's part in the market.
type Status struct {
	Key       string    `json:"key" about:"public key that buys, sells and is paid, hexadecimal"`
	Address   string    `json:"address"`
	Balance   []Holding `json:"balance"`
	Operators int       `json:"operators" about:"that this node has heard of"`
	Bought    int       `json:"bought" about:"jobs of this client that have not ended"`
	Selling   bool      `json:"selling"`
	Cordoned  bool      `json:"cordoned" about:"no new work is taken"`
	Sold      int       `json:"sold" about:"jobs of this operator that have not ended"`
	Tasks     int       `json:"tasks" about:"that wait or run"`
	Bids      int       `json:"bids" about:"that stand"`
	Programs  []Program `json:"programs" about:"that this operator offers"`
	Devices   []Device  `json:"devices"`
}

// Holding is money of the market's key in one state.
type Holding struct {
	State string `json:"state" about:"spendable, reserved, unconfirmed, immature, escrows, bonds, pools"`
	Units string `json:"units" about:"base units of WES"`
}

// Program is a model or circuit that an operator offers.
type Program struct {
	Resource string `json:"resource" about:"output of the ledger that announces it"`
	Name     string `json:"name"`
	CID      string `json:"cid"`
	Price    string `json:"price" about:"base units"`
	Units    uint64 `json:"units" about:"of work"`
	Memory   uint64 `json:"memory" about:"that a run takes, bytes"`
}

func (g *Gateway) status(ctx context.Context, _ *http.Request) (Status, error) {
	s, err := g.market.Status(ctx)
	if err != nil {
		return Status{}, err
	}
	return *filledStatus(s), nil
}

// filledStatus has no missing lists.
func filledStatus(s *Status) *Status {
	s.Balance, s.Programs, s.Devices = filled(s.Balance), filled(s.Programs), filled(s.Devices)
	return s
}

// drain stops new work, resume allows it again.
func (g *Gateway) drain(w *writer, r *http.Request) error  { return g.cordon(w, r, true) }
func (g *Gateway) resume(w *writer, r *http.Request) error { return g.cordon(w, r, false) }

func (g *Gateway) cordon(w *writer, r *http.Request, on bool) error {
	s, err := call(g, r, func(ctx context.Context) (*Status, error) {
		if err := g.market.Cordon(ctx, on); err != nil {
			return nil, err
		}
		return g.market.Status(ctx)
	})
	if err != nil {
		return err
	}
	return w.json(r, http.StatusOK, filledStatus(s))
}

// key answers with the verifying key of a model or circuit, as the ledger has it.
func (g *Gateway) key(w *writer, r *http.Request) error {
	raw, err := call(g, r, func(ctx context.Context) ([]byte, error) { return g.market.Key(ctx, r.PathValue("model")) })
	if err != nil {
		return err
	}
	return w.bytes(r, raw)
}

// Status returns the node's part in the market.
func (c *Client) Status(ctx context.Context) (*Status, error) {
	return fetch[Status](ctx, c, "/v1/market")
}

// Cordon stops or allows new work of the operator.
func (c *Client) Cordon(ctx context.Context, on bool) (*Status, error) {
	path := "/v1/market/resume"
	if on {
		path = "/v1/market/drain"
	}
	s := &Status{}
	return s, c.json(ctx, http.MethodPost, path, nil, s)
}
