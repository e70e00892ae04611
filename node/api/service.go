package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/weisyn/wes/chain"
)

// service carries out methods.
type service struct {
	cfg    Config
	node   Node
	render renderer
	meters *meters
}

func (s *service) status(context.Context, *NoParams) (Status, error) { return s.node.Status(), nil }

func (s *service) peers(context.Context, *NoParams) ([]Peer, error) {
	all := s.node.Peers()
	if all == nil {
		all = []Peer{}
	}
	return all, nil
}

func (s *service) env(context.Context, *NoParams) (Env, error) {
	r := s.node.Read()
	defer r.Close()
	l := r.Ledger()
	return Env{Chain: l.Chain.String(), Tip: l.Tip.String(), Height: l.Height + 1, Now: l.Time, FeeRate: s.node.Status().Mempool.FeeRate, Maturity: s.cfg.Maturity}, nil
}

func (s *service) block(ctx context.Context, p *BlockParams) (Block, error) {
	r := s.node.Read()
	defer r.Close()
	hash, err := s.blockHash(r, p)
	if err != nil {
		return Block{}, err
	}
	b, found, err := r.Block(hash)
	if err != nil {
		return Block{}, err
	}
	if !found {
		return Block{}, fmt.Errorf("block %v: %w", hash, ErrNotFound)
	}
	raw := b.Encode()
	x := Block{Header: renderHeader(&b.Header), Size: len(raw), Transactions: []string{}}
	if x.Confirmations, x.Work, err = s.confirmed(ctx, r, hash, b.Header.Height); err != nil {
		return Block{}, err
	}
	for _, t := range b.Txs {
		x.Transactions = append(x.Transactions, t.ID().String())
	}
	if p.Raw {
		x.Raw = hex.EncodeToString(raw)
	}
	return x, nil
}

// blockHash finds the block that is asked for.
func (s *service) blockHash(r Reader, p *BlockParams) (chain.Hash, error) {
	if p.Hash != "" {
		if p.Height != nil {
			return chain.Hash{}, invalid("name a block by hash or by height, not by both")
		}
		return parseHash("hash", p.Hash)
	}
	l := r.Ledger()
	if p.Height == nil {
		return l.Tip, nil
	}
	h, found, err := r.MainHash(*p.Height)
	if err == nil && !found {
		err = fmt.Errorf("block at height %d: %w; the tip is at %d", *p.Height, ErrNotFound, l.Height)
	}
	return h, err
}

// confirmed counts the blocks from one on; none if it is not on the ledger's branch.
func (s *service) confirmed(ctx context.Context, r Reader, hash chain.Hash, height uint64) (uint64, string, error) {
	l := r.Ledger()
	if _, main, err := r.MainHeight(hash); err != nil || !main {
		return 0, "0", err
	}
	work, err := s.node.Confirmed(ctx, hash)
	if errors.Is(err, ErrNotFound) { // the ledger has moved away from it since
		return 0, "0", nil
	}
	return l.Height - height + 1, work, err
}

func (s *service) transaction(ctx context.Context, p *IDParams) (Transaction, error) {
	id, err := parseHash("id", p.ID)
	if err != nil {
		return Transaction{}, err
	}
	r := s.node.Read()
	defer r.Close()
	height, index, found, err := r.Place(id)
	if err != nil {
		return Transaction{}, err
	}
	if found {
		return s.confirmedTx(ctx, r, height, index)
	}
	t, w, pending, err := s.node.Pending(ctx, id)
	if err != nil {
		return Transaction{}, err
	}
	if !pending {
		return Transaction{}, fmt.Errorf("transaction %v: %w, neither in the ledger nor in the mempool", id, ErrNotFound)
	}
	return s.render.transaction(t, w), nil
}

func (s *service) confirmedTx(ctx context.Context, r Reader, height uint64, index int) (Transaction, error) {
	hash, b, err := blockAt(r, height)
	if err != nil {
		return Transaction{}, err
	}
	if index >= len(b.Txs) {
		return Transaction{}, fmt.Errorf("BUG: transaction %d of a block of %d", index, len(b.Txs))
	}
	x := s.render.transaction(b.Txs[index], b.Witnesses[index])
	x.Status, x.Block, x.Height, x.Index, x.Time = "confirmed", hash.String(), height, index, b.Header.Time
	for i := range x.Outputs {
		if _, x.Outputs[i].Unspent, err = r.Entry(chain.Outpoint{Tx: b.Txs[index].ID(), Index: uint32(i)}); err != nil {
			return Transaction{}, err
		}
	}
	x.Confirmations, x.Work, err = s.confirmed(ctx, r, hash, height)
	return x, err
}

// blockAt returns the ledger's block at a height.
func blockAt(r Reader, height uint64) (chain.Hash, *chain.Block, error) {
	hash, found, err := r.MainHash(height)
	if err != nil || !found {
		return hash, nil, fmt.Errorf("block at height %d (found: %v): %w", height, found, err)
	}
	b, found, err := r.Block(hash)
	if err != nil || !found {
		return hash, nil, fmt.Errorf("block %v (found: %v): %w", hash, found, err)
	}
	return hash, b, nil
}

func (s *service) output(ctx context.Context, p *OutpointParams) (Output, error) {
	o, err := parseOutpoint(p.Outpoint)
	if err != nil {
		return Output{}, err
	}
	r := s.node.Read()
	defer r.Close()
	e, found, err := r.Entry(o)
	if err != nil {
		return Output{}, err
	}
	if found {
		return s.render.utxo(&chain.UTXO{Outpoint: o, Entry: e}), nil
	}
	t, err := s.transaction(ctx, &IDParams{o.Tx.String()})
	if err != nil {
		return Output{}, err
	}
	if int(o.Index) >= len(t.Outputs) {
		return Output{}, fmt.Errorf("output %s: %w; the transaction has %d", outpointText(o), ErrNotFound, len(t.Outputs))
	}
	x := t.Outputs[o.Index]
	x.Height = t.Height
	return x, nil
}

func (s *service) outputs(_ context.Context, p *SubjectParams) (Outputs, error) {
	subject, from, err := s.subject(p)
	if err != nil {
		return Outputs{}, err
	}
	r := s.node.Read()
	defer r.Close()
	all, next, err := r.Outputs(subject, from, pageSize(p.Limit))
	if err != nil {
		return Outputs{}, err
	}
	l := r.Ledger()
	page := Outputs{Height: l.Height, Outputs: []Output{}, Next: hex.EncodeToString(next)}
	for i := range all {
		page.Outputs = append(page.Outputs, s.render.utxo(&all[i]))
	}
	return page, nil
}

func (s *service) subject(p *SubjectParams) (Subject, []byte, error) {
	subject, err := parseSubject(s.render.prefix, p.Role, p.ID)
	if err != nil {
		return subject, nil, err
	}
	from, err := parseCursor(p.From)
	return subject, from, err
}

// maxHistory bounds the transactions of one call: each may need a block to be read.
const maxHistory = 100

func (s *service) history(ctx context.Context, p *SubjectParams) (History, error) {
	subject, from, err := s.subject(p)
	if err != nil {
		return History{}, err
	}
	r := s.node.Read()
	defer r.Close()
	all, next, err := r.History(subject, from, min(pageSize(p.Limit), maxHistory))
	if err != nil {
		return History{}, err
	}
	page := History{Transactions: []HistoryEntry{}, Next: hex.EncodeToString(next)}
	var b *chain.Block
	for _, a := range all {
		if ctx.Err() != nil {
			return History{}, ctx.Err()
		}
		if b == nil || b.Header.Height != a.Height {
			if _, b, err = blockAt(r, a.Height); err != nil {
				return History{}, err
			}
		}
		if a.Index >= len(b.Txs) {
			return History{}, fmt.Errorf("BUG: transaction %d of a block of %d", a.Index, len(b.Txs))
		}
		page.Transactions = append(page.Transactions, HistoryEntry{b.Txs[a.Index].ID().String(), a.Height, a.Index, b.Header.Time, a.Receives, a.Spends})
	}
	return page, nil
}

func (s *service) attachment(_ context.Context, p *HashParams) (Bytes, error) {
	return s.bytes(p, Reader.Attachment)
}

func (s *service) verifyingKey(_ context.Context, p *HashParams) (Bytes, error) {
	return s.bytes(p, Reader.VerifyingKey)
}

func (s *service) bytes(p *HashParams, get func(Reader, chain.Hash) ([]byte, bool, error)) (Bytes, error) {
	h, err := parseHash("sha256", p.SHA256)
	if err != nil {
		return Bytes{}, err
	}
	r := s.node.Read()
	defer r.Close()
	b, found, err := get(r, h)
	if err == nil && !found {
		err = fmt.Errorf("bytes %v: %w", h, ErrNotFound)
	}
	return Bytes{b}, err
}

func (s *service) submit(ctx context.Context, p *TxParams) (Submitted, error) {
	t, w, err := p.Decode()
	if err != nil {
		return Submitted{}, err
	}
	if err := s.node.Submit(ctx, t, w, p.Attachments); err != nil {
		return Submitted{}, err
	}
	return Submitted{t.ID().String()}, nil
}

func (s *service) check(ctx context.Context, p *TxParams) (Checked, error) {
	t, w, err := p.Decode()
	if err != nil {
		return Checked{}, err
	}
	v, err := s.node.Check(ctx, t, w)
	if err != nil {
		return Checked{}, err
	}
	return Checked{v.ID.String(), v.Base, v.Cost, v.Weight}, nil
}

// maxMake bounds the blocks of one call.
const maxMake = 1000

func (s *service) make(ctx context.Context, p *MakeParams) (Made, error) {
	if p.Blocks < 1 || p.Blocks > maxMake {
		return Made{}, invalid("blocks: %d, want 1 to %d", p.Blocks, maxMake)
	}
	all, err := s.node.Make(ctx, p.Blocks)
	m := Made{Blocks: []string{}}
	for _, h := range all {
		m.Blocks = append(m.Blocks, h.String())
	}
	return m, err
}
