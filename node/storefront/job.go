package storefront

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/ures"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/gateway"
	"github.com/weisyn/wes/node/trade"
)

func noJob(id string) *gateway.Problem {
	return &gateway.Problem{Status: http.StatusNotFound, Reason: gateway.ReasonNotFound, Text: "no job of this node has the id " + id[:min(len(id), 80)]}
}

// purchase finds a job.
func (s *Storefront) purchase(ctx context.Context, id string) (trade.Purchase, error) {
	h, err := parseHash(id)
	if err != nil {
		return trade.Purchase{}, noJob(id)
	}
	p, found, err := s.cfg.Desk.Job(ctx, h)
	if err == nil && !found {
		err = noJob(id)
	}
	return p, err
}

// Job implements gateway.Market.
func (s *Storefront) Job(ctx context.Context, id string) (*gateway.Job, error) {
	p, err := s.purchase(ctx, id)
	if err != nil {
		return nil, err
	}
	group, err := s.group(ctx, &p)
	if err != nil {
		return nil, err
	}
	j := s.job(ctx, &p, group)
	return j, s.outputs(ctx, j, &p, group)
}

// group lists the replicas of a job, itself among them.
func (s *Storefront) group(ctx context.Context, p *trade.Purchase) ([]trade.Purchase, error) {
	if p.Terms.Level != chain.LevelOptimistic {
		return []trade.Purchase{*p}, nil
	}
	all, err := s.cfg.Desk.Jobs(ctx)
	return slices.DeleteFunc(all, func(q trade.Purchase) bool { return q.Group != p.Group }), err
}

// job is a purchase in the terms of the gateway, without outputs.
func (s *Storefront) job(ctx context.Context, p *trade.Purchase, group []trade.Purchase) *gateway.Job {
	j := &gateway.Job{
		ID: p.ID.String(), Kind: kindOf(p.Terms.Kind), Level: levelOf(p, group), Model: p.Terms.Program.String(),
		Assignment: string(p.Assignment), Execution: string(p.Execution), Settlement: string(p.Settlement),
		Reason: string(p.Code), Text: p.Text, Ended: p.Ended(), ProofStatus: proofStatus(p),
	}
	s.named(ctx, j, p)
	if p.Progress != nil && p.Execution != market.Done {
		j.Stage, j.Done, j.Total, j.Device = p.Progress.Stage, int(p.Progress.Done), int(p.Progress.Total), p.Progress.Device
	}
	if p.Price() > 0 {
		j.Price = amount(p.Price() + p.Terms.Royalty)
	}
	if to, ok := p.Contact(); ok {
		j.Operator = keyText(to.Operator)
	}
	if len(p.Agreed) > 0 && j.Device == "" {
		j.Device = p.Agreed[0].Class
	}
	if p.Proof != (chain.Hash{}) {
		j.ProofCID = ures.RawCID(p.Proof)
	}
	s.settled(j, p)
	if len(group) > 1 {
		replicated(j, p, group)
	}
	return j
}

// replicated says of a replica when its outputs were known to be those of the majority, or why they
// never are.
func replicated(j *gateway.Job, p *trade.Purchase, group []trade.Purchase) {
	j.Times.Outputs = 0
	with := 0
	for i := range group {
		if agrees(&group[i]) && (j.Times.Outputs == 0 || group[i].Delivered < j.Times.Outputs) {
			j.Times.Outputs = group[i].Delivered
		}
		if len(group[i].Result) > 0 {
			with++
		}
	}
	if p.Code == market.CodeDisagree && j.Times.Outputs == 0 {
		j.Text = fmt.Sprintf("%d of %d replicas have a result, and no output is that of more than half", with, len(group))
	}
}

// agrees reports whether a replica has the output of more than half of all.
func agrees(p *trade.Purchase) bool { return p.Verified() && p.Code != market.CodeDisagree }

// named adds what the ledger calls the program, if it announces it still.
func (s *Storefront) named(ctx context.Context, j *gateway.Job, p *trade.Purchase) {
	u, found, err := s.cfg.Ledger.Output(ctx, p.Terms.Program.Outpoint())
	if err != nil || !found {
		return
	}
	if e, ok := program(&u); ok {
		j.ModelCID, j.Version = e.cid, e.resource.Version
		if e.resource.Name != "" {
			j.Model = e.resource.Name
		}
	}
}

func (s *Storefront) settled(j *gateway.Job, p *trade.Purchase) {
	j.Times = gateway.Times{Submitted: p.Submitted, Assigned: p.Started, Outputs: p.Delivered}
	if len(p.Escrow) > 0 {
		j.Times.Due = p.AgreedEscrow().Due
	}
	if !p.At.IsZero() {
		j.EscrowTx = p.At.Tx.String()
	}
	if p.View.Left == market.Nowhere {
		return
	}
	j.SettleTx = p.View.LeftTx.String()
	if p.View.Left == market.InBlock {
		j.Height = p.View.Height + 1 - p.View.LeftDepth
	}
}

func kindOf(k chain.JobKind) string {
	if k == chain.JobProve {
		return gateway.KindProve
	}
	return gateway.KindInfer
}

func levelOf(p *trade.Purchase, group []trade.Purchase) string {
	switch {
	case p.Terms.Level == chain.LevelZK:
		return "zk"
	case len(group) > 1:
		return "replicated:" + amount(uint64(len(group)))
	}
	return "optimistic"
}

func proofStatus(p *trade.Purchase) string {
	switch {
	case p.Terms.Level != chain.LevelZK:
		return gateway.ProofNone
	case p.Verified():
		return gateway.ProofVerified
	case p.Code == market.CodeBadProof || p.Code == market.CodeBadResult:
		return gateway.ProofRefused
	case p.Ended() && p.Proof == (chain.Hash{}):
		return gateway.ProofNone
	}
	return gateway.ProofPending
}

// outputs adds the tensors, of the replica that has them: where there are several, one that was found
// to be of the majority.
func (s *Storefront) outputs(ctx context.Context, j *gateway.Job, p *trade.Purchase, group []trade.Purchase) error {
	for i := range group {
		q := &group[i]
		if !q.Revealed || q.Output == (chain.Hash{}) || j.ProofStatus == gateway.ProofRefused || len(group) > 1 && !agrees(q) {
			continue
		}
		if q.Proof != (chain.Hash{}) {
			if raw, err := s.cfg.Desk.Blob(q.Proof); err == nil {
				j.ProofBytes = len(raw)
			}
		}
		if p.Terms.Kind != chain.JobInfer {
			return nil
		}
		raw, err := s.cfg.Desk.Blob(q.Output)
		if err != nil {
			return nil // of a job that ended long ago
		}
		m, err := s.model(ctx, p.Terms.Key)
		if err != nil {
			return err
		}
		j.Outputs, err = m.outputsOf(raw)
		return err
	}
	return nil
}

// Jobs implements gateway.Market. A cursor is the id of the last job of a page.
func (s *Storefront) Jobs(ctx context.Context, f gateway.JobFilter) ([]gateway.Job, string, error) {
	all, err := s.cfg.Desk.Jobs(ctx)
	if err != nil {
		return nil, "", err
	}
	first := 0
	if f.Cursor != "" {
		if first = 1 + slices.IndexFunc(all, func(p trade.Purchase) bool { return p.ID.String() == f.Cursor }); first == 0 {
			return nil, "", noJob(f.Cursor)
		}
	}
	var out []gateway.Job
	for i := range all[first:] {
		p := &all[first+i]
		if f.Open && p.Ended() {
			continue
		}
		if len(out) >= max(f.Limit, 1) {
			return out, out[len(out)-1].ID, nil
		}
		out = append(out, *s.job(ctx, p, groupIn(all, p)))
	}
	return out, "", nil
}

func groupIn(all []trade.Purchase, p *trade.Purchase) []trade.Purchase {
	if p.Terms.Level != chain.LevelOptimistic {
		return []trade.Purchase{*p}
	}
	return slices.DeleteFunc(slices.Clone(all), func(q trade.Purchase) bool { return q.Group != p.Group })
}

// Watch implements gateway.Market.
func (s *Storefront) Watch(ctx context.Context, id string) (<-chan gateway.Job, error) {
	p, err := s.purchase(ctx, id)
	if err != nil {
		return nil, err
	}
	to := make(chan gateway.Job)
	go func() {
		defer close(to)
		s.follow(ctx, p.ID, to)
	}()
	return to, nil
}

func (s *Storefront) follow(ctx context.Context, id chain.Hash, to chan<- gateway.Job) {
	for {
		changed := s.cfg.Desk.Changed(id)
		j, err := s.Job(ctx, id.String())
		if err != nil {
			return
		}
		for sent := false; !sent; {
			select {
			case to <- *j:
				sent = true
			case <-changed: // a slow reader gets the latest
				changed = s.cfg.Desk.Changed(id)
				if j, err = s.Job(ctx, id.String()); err != nil {
					return
				}
			case <-ctx.Done():
				return
			}
		}
		if j.Ended {
			return
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// Cancel implements gateway.Market.
func (s *Storefront) Cancel(ctx context.Context, id string) error {
	p, err := s.purchase(ctx, id)
	if err != nil {
		return err
	}
	if err := s.cfg.Desk.Cancel(ctx, p.ID); err != nil {
		return err
	}
	if p, err = s.purchase(ctx, id); err != nil {
		return err
	}
	switch {
	case p.Code == market.CodeCanceled:
		return nil
	case p.Ended():
		return &gateway.Problem{Status: http.StatusConflict, Reason: string(p.Code), Text: "the job has ended"}
	default:
		return &gateway.Problem{Status: http.StatusConflict, Reason: string(market.CodeCanceled), Text: "the job is assigned: it cannot be canceled any more"}
	}
}

// Proof implements gateway.Market.
func (s *Storefront) Proof(ctx context.Context, id string) ([]byte, error) {
	p, err := s.purchase(ctx, id)
	if err != nil {
		return nil, err
	}
	if p.Proof == (chain.Hash{}) {
		return nil, &gateway.Problem{Status: http.StatusNotFound, Reason: gateway.ReasonNotFound, Text: "the job has no proof"}
	}
	raw, err := s.cfg.Desk.Blob(p.Proof)
	if err != nil {
		return nil, &gateway.Problem{Status: http.StatusNotFound, Reason: gateway.ReasonNotFound, Text: "the proof is not kept any more"}
	}
	return raw, nil
}
