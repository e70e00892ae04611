package storefront

import (
	"context"
	"fmt"
	"net/http"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/proofs"
	"github.com/weisyn/wes/node/trade"
	"github.com/weisyn/wes/prover/circuit"
)

// witness fills in what a proving job is about: the ledger sees the public part of the witness, the
// operator all of it.
func (s *Storefront) witness(ctx context.Context, q *gateway.Request, e *entry, r *trade.Request) error {
	if r.Terms.Level != chain.LevelZK {
		return &gateway.Problem{
			Status: http.StatusUnprocessableEntity, Reason: string(market.CodeTerms), Text: "a circuit is proved, not run: the verification of such a job is zk",
		}
	}
	raw, found, err := s.cfg.Ledger.Key(ctx, e.resource.Key.Hash)
	if err != nil {
		return err
	}
	if !found {
		return noKey()
	}
	k, err := proofs.DecodeCircuit(raw)
	if err != nil {
		return fmt.Errorf("read verifying key: %w", err)
	}
	w, err := circuit.DecodeWitness(k.Curve, q.Witness)
	if err == nil && w.Public != k.Public {
		err = fmt.Errorf("witness: %d public values, the circuit has %d", w.Public, k.Public)
	}
	if err != nil {
		return &gateway.Problem{Status: http.StatusUnprocessableEntity, Reason: string(market.CodeBadInput), Text: err.Error()}
	}
	r.Terms.Kind, r.Terms.Model = chain.JobProve, e.resource.Key.Hash
	r.Payload, r.Input = w.Encode(), w.PublicPart().Encode()
	return nil
}
