package storefront

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/trade"
)

// maxReplicas bounds a replicated job.
const maxReplicas = 16

// Submit implements gateway.Market.
func (s *Storefront) Submit(ctx context.Context, q *gateway.Request) (*gateway.Job, error) {
	r, err := s.request(ctx, q)
	if err != nil {
		return nil, err
	}
	ids, err := s.cfg.Desk.Order(ctx, *r)
	if err != nil {
		return nil, problemOf(err)
	}
	return s.Job(ctx, ids[0].String())
}

func (s *Storefront) request(ctx context.Context, q *gateway.Request) (*trade.Request, error) {
	e, err := s.find(ctx, q.Model)
	if err != nil {
		return nil, err
	}
	level, replicas, err := verification(q.Verification)
	if err != nil {
		return nil, err
	}
	price, err := s.price(q.MaxPrice)
	if err != nil {
		return nil, err
	}
	r := &trade.Request{Replicas: replicas, MaxPrice: price, Deadline: s.deadline(q.DeadlineMS)}
	x := e.resource
	r.Terms = market.Terms{
		Level: level, Program: e.ref, Key: x.Key.Hash, KeyLen: x.Key.Len, KeyCost: x.Key.Cost, Token: x.Price.Token,
		Royalty: x.Price.Amount,
	}
	if x.Price.Amount > 0 {
		r.Terms.Owner = chain.EncodeLock(x.Owner)
	}
	return r, s.payload(ctx, q, e, r)
}

// payload fills in what the job is about.
func (s *Storefront) payload(ctx context.Context, q *gateway.Request, e *entry, r *trade.Request) error {
	kind := gateway.KindProve
	if e.resource.Kind == chain.ResourceModel {
		kind = gateway.KindInfer
	}
	if q.Kind != "" && q.Kind != kind {
		return &gateway.Problem{Status: http.StatusUnprocessableEntity, Reason: string(market.CodeTerms), Text: fmt.Sprintf("%q is for jobs of kind %s", q.Model, kind)}
	}
	if kind == gateway.KindProve {
		return s.witness(ctx, q, e, r)
	}
	m, err := s.model(ctx, e.resource.Key.Hash)
	if err != nil {
		return err
	}
	r.Terms.Kind, r.Terms.Model = chain.JobInfer, m.digest
	if r.Payload, err = m.cellsOf(q.Inputs); err != nil {
		return &gateway.Problem{Status: http.StatusUnprocessableEntity, Reason: string(market.CodeBadInput), Text: err.Error()}
	}
	return nil
}

// verification reads zk, optimistic or replicated:K.
func verification(text string) (chain.Level, int, error) {
	switch {
	case text == "" || text == "zk":
		return chain.LevelZK, 1, nil
	case text == "optimistic":
		return chain.LevelOptimistic, 1, nil
	}
	k, err := strconv.Atoi(strings.TrimPrefix(text, "replicated:"))
	if !strings.HasPrefix(text, "replicated:") || err != nil || k < 2 || k > maxReplicas {
		return 0, 0, &gateway.Problem{
			Status: http.StatusBadRequest, Reason: gateway.ReasonMalformed,
			Text: fmt.Sprintf("verification %q is none of zk, optimistic and replicated:K with K from 2 to %d", text[:min(len(text), 40)], maxReplicas),
		}
	}
	return chain.LevelOptimistic, k, nil
}

// price is the highest price that a request allows and this node does too.
func (s *Storefront) price(text string) (uint64, error) {
	if text == "" {
		return s.cfg.MaxPrice, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 {
		return 0, &gateway.Problem{Status: http.StatusBadRequest, Reason: gateway.ReasonMalformed, Text: "max_price is no number of base units"}
	}
	if n > s.cfg.MaxPrice {
		return 0, &gateway.Problem{
			Status: http.StatusPaymentRequired, Reason: string(market.CodePrice),
			Text: fmt.Sprintf("max_price %d is above what this node allows for a job, %d base units: its own setting max_price", n, s.cfg.MaxPrice),
		}
	}
	return n, nil
}

func (s *Storefront) deadline(ms int64) uint64 {
	d := s.cfg.Deadline
	if ms > 0 {
		d = time.Duration(min(ms, int64(365*24*time.Hour/time.Millisecond))) * time.Millisecond
	}
	return uint64(time.Now().Add(d).UnixMilli())
}

// problemOf says what is wrong with an order.
func problemOf(err error) error {
	for _, p := range []struct {
		err    error
		status int
		reason market.Code
	}{
		{trade.ErrNoFunds, http.StatusPaymentRequired, market.CodeNoFunds},
		{market.ErrTooMany, http.StatusTooManyRequests, market.CodeCapped},
		{market.ErrTerms, http.StatusUnprocessableEntity, market.CodeTerms},
		{market.ErrDeadline, http.StatusGatewayTimeout, market.CodeDeadline},
		{market.ErrPrice, http.StatusPaymentRequired, market.CodePrice},
		{trade.ErrClosed, http.StatusServiceUnavailable, market.CodeDraining},
	} {
		if errors.Is(err, p.err) {
			x := &gateway.Problem{Status: p.status, Reason: string(p.reason), Text: err.Error()}
			if p.status == http.StatusTooManyRequests {
				x.RetryAfter = 5 * time.Second
			}
			return x
		}
	}
	return err
}

func amount(n uint64) string { return strconv.FormatUint(n, 10) }

func parseHash(s string) (h chain.Hash, err error) {
	b, err := hex.DecodeString(s)
	if err == nil && len(b) != len(h) {
		err = fmt.Errorf("%d bytes, want %d", len(b), len(h))
	}
	if err != nil {
		return h, err
	}
	return chain.Hash(b), nil
}

// keyText is a public key in hexadecimal.
func keyText(k chain.PublicKey) string { return hex.EncodeToString(k[:]) }
