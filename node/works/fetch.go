package works

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/ures"
	"github.com/weisyn/wes/market"
	"github.com/weisyn/wes/node/executor"
	"github.com/weisyn/wes/node/trade"
)

// fetch gets the package of a program and compares it with its announcement.
func (w *Works) fetch(ctx context.Context, ref market.Ref) (*program, error) {
	r, cid, err := w.announcement(ctx, ref)
	if err != nil {
		return nil, err
	}
	if err := w.room(); err != nil {
		return nil, err
	}
	take, kind := w.model, chain.JobInfer
	if r.Kind != chain.ResourceModel {
		take, kind = w.circuit, chain.JobProve
	}
	info, err := take(ctx, cid, r.Key.Hash)
	if err != nil {
		return nil, err
	}
	return &program{info: info, used: time.Now(), offer: trade.Program{
		Ref: ref, Name: r.Name, Content: cid, Kind: kind, Key: *r.Key, Model: info.Digest, Units: info.Units, Memory: info.Memory,
	}}, nil
}

// errKey marks a package that is not the one announced.
var errKey = errors.New("its package has another verifying key than its announcement")

// model gives the package of a model to the queue.
func (w *Works) model(ctx context.Context, cid string, key chain.Hash) (*executor.Info, error) {
	raw, err := w.content(ctx, cid)
	if err != nil {
		return nil, err
	}
	info, err := w.inspect.Inspect(raw)
	if err != nil {
		return nil, err
	}
	if info.Key != key {
		return nil, errKey
	}
	return info, w.cfg.Queue.Put(ctx, cid, bytes.NewReader(raw))
}

// circuit gives the package of a circuit to the queue, without having it in memory.
func (w *Works) circuit(ctx context.Context, cid string, key chain.Hash) (*executor.Info, error) {
	f, err := w.cfg.Source.Content(ctx, cid, w.cfg.MaxBytes)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var head bytes.Buffer
	info, err := w.inspect.InspectCircuit(io.TeeReader(f, &head))
	if err != nil {
		return nil, err
	}
	if info.Key != key {
		return nil, errKey
	}
	return info, w.cfg.Queue.Put(ctx, cid, io.MultiReader(&head, f))
}

// announcement is what the ledger says of a program that this operator would offer.
func (w *Works) announcement(ctx context.Context, ref market.Ref) (*chain.Resource, string, error) {
	u, found, err := w.cfg.Source.Output(ctx, ref.Outpoint())
	if err != nil {
		return nil, "", err
	}
	r, ok := u.Entry.Output.Body.(*chain.Resource)
	switch {
	case !found || !ok:
		return nil, "", errors.New("the ledger does not announce it")
	case !proved(r.Kind) || r.Key == nil:
		return nil, "", errors.New("it is no model and no circuit")
	case r.Size > w.cfg.MaxBytes:
		return nil, "", fmt.Errorf("it has %d bytes, at most %d are fetched", r.Size, w.cfg.MaxBytes)
	}
	cid, err := ures.FormatCID(r.CID)
	if err != nil {
		return nil, "", err
	}
	if !w.serves(cid) {
		return nil, "", errServe
	}
	return r, cid, nil
}

func (w *Works) content(ctx context.Context, cid string) ([]byte, error) {
	f, err := w.cfg.Source.Content(ctx, cid, w.cfg.MaxBytes)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(f, int64(w.cfg.MaxBytes)+1))
	return raw, errors.Join(err, f.Close())
}
