package api

import (
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/weisyn/wes/chain"
)

// native is what the native token is called.
const native = "wes"

func text(n uint64) string { return strconv.FormatUint(n, 10) }

func tokenText(t chain.TokenID) string {
	if t == (chain.TokenID{}) {
		return native
	}
	return t.String()
}

func renderValue(v chain.Value) []Coin {
	all := []Coin{}
	for _, c := range v {
		all = append(all, Coin{tokenText(c.Token), text(c.Amount)})
	}
	return all
}

func outpointText(o chain.Outpoint) string { return fmt.Sprintf("%v:%d", o.Tx, o.Index) }

func renderHeader(h *chain.Header) Header {
	return Header{
		Hash: h.Hash().String(), Height: h.Height, Parent: h.Parent.String(), Time: h.Time, Bits: fmt.Sprintf("%08x", h.Bits),
		TxRoot: h.TxRoot.String(), UTXOHash: h.UTXOHash.String(), Miner: hex.EncodeToString(h.Miner[:]), Nonce: hex.EncodeToString(h.Nonce[:]),
	}
}

// Describe shows a transaction that no node was asked about; its status is unknown.
func Describe(prefix string, t *chain.Tx, w chain.Witness) Transaction {
	x := renderer{prefix}.transaction(t, w)
	x.Status = "unknown"
	return x
}

// renderer knows the prefix of addresses.
type renderer struct{ prefix string }

func (r renderer) output(o chain.Outpoint, out *chain.Output) Output {
	x := Output{Outpoint: outpointText(o), Value: renderValue(out.Value), Lock: r.lock(out.Lock), Raw: hex.EncodeToString(out.Encode())}
	x.Address = chain.FormatAddress(r.prefix, chain.LockHash(out.Lock))
	if out.Body != nil {
		x.Body = r.body(out.Body)
	}
	return x
}

func (r renderer) utxo(u *chain.UTXO) Output {
	x := r.output(u.Outpoint, &u.Entry.Output)
	x.Height, x.Coinbase, x.Unspent = u.Entry.Height, u.Entry.Coinbase, true
	return x
}

func (r renderer) transaction(t *chain.Tx, w chain.Witness) Transaction {
	id := t.ID()
	x := Transaction{
		ID: id.String(), Status: "pending", Size: len(t.Encode()) + len(w.Encode()), Inputs: []Input{}, Outputs: []Output{},
		Fee: renderValue(t.Fee), From: t.From, Until: t.Until, Raw: hex.EncodeToString(t.Encode()), Witness: hex.EncodeToString(w.Encode()),
	}
	for i, o := range t.Inputs {
		in := Input{Outpoint: outpointText(o)}
		if i < len(w) {
			in.Exit = w[i].Exit
		}
		x.Inputs = append(x.Inputs, in)
	}
	for _, o := range t.References {
		x.References = append(x.References, outpointText(o))
	}
	for i := range t.Outputs {
		x.Outputs = append(x.Outputs, r.output(chain.Outpoint{Tx: id, Index: uint32(i)}, &t.Outputs[i]))
	}
	kinds := [...]string{chain.AttachData: "data", chain.AttachKey: "key", chain.AttachInput: "input", chain.AttachOutput: "output", chain.AttachProof: "proof"}
	for _, a := range t.Attachments {
		x.Attachments = append(x.Attachments, Attachment{kinds[a.Kind], a.SHA256.String(), a.Len})
	}
	return x
}

// lock shows a lock as an object with its kind.
func (r renderer) lock(l chain.Lock) map[string]any {
	switch l := l.(type) {
	case chain.Key:
		return object("key", "key", hex.EncodeToString(l.Key[:]))
	case chain.Address:
		return object("address", "address", chain.FormatAddress(r.prefix, l.Hash))
	case chain.Multi:
		keys := []string{}
		for _, k := range l.Keys {
			keys = append(keys, hex.EncodeToString(k[:]))
		}
		return object("multi", "need", l.Need, "keys", keys)
	case chain.HashLock:
		return object("hash", "digest", l.Digest.String())
	case chain.After:
		return object("after", clockName(l.Clock), l.At)
	case chain.Before:
		return object("before", clockName(l.Clock), l.At)
	case chain.All:
		return object("all", "locks", r.locks(l.Locks))
	case chain.Any:
		return object("any", "locks", r.locks(l.Locks))
	case chain.Threshold:
		return object("threshold", "key", hex.EncodeToString(l.Key[:]), "t", l.T, "n", l.N)
	case chain.Delegate:
		return object("delegate", "owner", r.lock(l.Owner), "delegate", r.lock(l.Delegate), "operations", uint32(l.Operations),
			"token", tokenText(l.Token), "remaining", text(l.Remaining), "expiry", l.Expiry)
	case chain.Proof:
		return object("proof", "job_kind", jobKind(l.Kind), "key", l.Key.Hash.String(), "job", l.Job.String(), "model", l.Model.String(),
			"input", l.Input.String(), "payee", r.lock(l.Payee))
	}
	return object("unknown")
}

func (r renderer) locks(all []chain.Lock) []map[string]any {
	list := []map[string]any{}
	for _, l := range all {
		list = append(list, r.lock(l))
	}
	return list
}

func clockName(c chain.Clock) string {
	if c == chain.ClockHeight {
		return "height"
	}
	return "time"
}

func jobKind(k chain.JobKind) string {
	if k == chain.JobProve {
		return "prove"
	}
	return "infer"
}

func object(kind string, pairs ...any) map[string]any {
	m := map[string]any{"kind": kind}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return m
}

// body shows a resource or a state.
func (r renderer) body(b chain.Body) map[string]any {
	switch b := b.(type) {
	case *chain.Resource:
		return r.resource(b)
	case *chain.State:
		return r.state(b)
	}
	return nil
}

func (r renderer) resource(x *chain.Resource) map[string]any {
	kinds := map[chain.ResourceKind]string{
		chain.ResourceFile: "file", chain.ResourceModel: "model", chain.ResourceGroth16: "groth16", chain.ResourcePlonk: "plonk", chain.ResourceContract: "contract",
	}
	name, known := kinds[x.Kind]
	if !known {
		name = fmt.Sprint(uint16(x.Kind))
	}
	m := object("resource", "resource", name, "cid", hex.EncodeToString(x.CID), "size", text(x.Size), "name", x.Name, "version", x.Version,
		"price", text(x.Price.Amount), "price_token", tokenText(x.Price.Token), "owner", r.lock(x.Owner))
	if x.Predecessor != nil {
		m["predecessor"] = outpointText(*x.Predecessor)
	}
	if x.Key != nil {
		m["vk_hash"], m["vk_len"], m["vk_cost"] = x.Key.Hash.String(), x.Key.Len, text(x.Key.Cost)
	}
	return m
}

func (r renderer) state(s *chain.State) map[string]any {
	data, err := chain.DecodeState(s)
	if err != nil {
		return object("state", "type", uint8(s.Type), "data", hex.EncodeToString(s.Data))
	}
	switch d := data.(type) {
	case *chain.TokenPolicy:
		return object("token_policy", "token", d.ID.String(), "lock", r.lock(d.Lock), "max", text(d.Max), "minted", text(d.Minted))
	case *chain.SponsorPool:
		return object("sponsor_pool", "owner", r.lock(d.Owner), "users", r.locks(d.Users), "operations", uint32(d.Operations), "rate", text(d.Rate),
			"max_per_tx", text(d.MaxPerTx), "period_ms", d.PeriodLen, "period_start", d.PeriodStart, "period_left", text(d.PeriodLeft),
			"period_cap", text(d.PeriodCap), "expiry", d.Expiry)
	case *chain.JobEscrow:
		return r.escrow("job_escrow", d)
	case *chain.OptClaim:
		m := r.escrow("optimistic_claim", &d.Escrow)
		m["output"], m["final"] = d.Output.String(), d.Final
		return m
	case *chain.InvalidClaim:
		m := r.escrow("invalid_claim", &d.Escrow)
		m["final"] = d.Final
		return m
	case *chain.OperatorBond:
		return object("operator_bond", "operator", r.lock(d.Operator), "key", hex.EncodeToString(d.Key[:]), "release", d.Release)
	case *chain.Receipt:
		return object("receipt", "job", d.Job.String(), "job_kind", jobKind(d.Kind), "model", d.Model.String(), "input", d.Input.String(),
			"output", d.Output.String(), "operator", chain.FormatAddress(r.prefix, d.Operator), "paid", text(d.Paid.Amount), "token", tokenText(d.Paid.Token))
	}
	return object("data", "data", hex.EncodeToString(s.Data))
}

func (r renderer) escrow(kind string, e *chain.JobEscrow) map[string]any {
	m := object(kind, "job", e.Job.String(), "job_kind", jobKind(e.Kind), "level", levelName(e.Level), "client", r.lock(e.Client), "operator", r.lock(e.Operator),
		"key", e.Key.Hash.String(), "model", e.Model.String(), "input", e.Input.String(), "token", tokenText(e.Token), "price", text(e.Price),
		"royalty", text(e.Royalty.Amount), "fee_reserve", text(e.FeeReserve), "bond", text(e.Bond), "start", e.Start, "due", e.Due, "late", e.Late)
	return m
}

func levelName(l chain.Level) string {
	if l == chain.LevelOptimistic {
		return "optimistic"
	}
	return "zk"
}
