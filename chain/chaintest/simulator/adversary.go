package simulator

import (
	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/chain/consensus"
	"github.com/weisyn/wes/chain/replica"
)

// Adversary is a way to break the protocol. The zero value keeps it.
type Adversary uint8

const (
	// Staller answers nothing.
	Staller Adversary = iota + 1
	// Garbler answers requests with damaged bytes.
	Garbler
	// Swapper answers with the parts of another block.
	Swapper
	// Withholder has headers and bodies, and no attachments.
	Withholder
	// Flooder announces headers of a branch of least work, from the genesis block on.
	Flooder
	// Loose announces headers that connect to nothing.
	Loose
	// Counterfeiter mines blocks that pay it more than the fees.
	Counterfeiter
	// Forger relays transactions with wrong signatures.
	Forger
	// Orphaner relays transactions that spend what does not exist.
	Orphaner
	// Selfish mines in secret and shows its branch late.
	Selfish

	adversaries = iota + 1
)

// quiet adversaries do not announce what honest ones would.
func (a Adversary) quiet() bool {
	return a == Selfish || a == Flooder || a == Loose
}

// tamper changes an answer; false if there is none.
func (a Adversary) tamper(w *World, request, answer []byte) ([]byte, bool) {
	switch a {
	case Staller:
		return nil, false
	case Withholder:
		if len(request) > 1 && replica.Kind(request[1]) == replica.KindAttachments {
			return []byte{1, 1}, true
		}
	case Swapper:
		if w.chance(0.3) && len(answer) > 3 {
			return w.swap(request, answer), true
		}
	case Garbler:
		out := append([]byte(nil), answer...)
		out[w.src.IntN(len(out))] ^= 1 << w.src.IntN(8)
		return out, true
	}
	return answer, true
}

// act is what an adversary does by itself, every few seconds.
func (n *node) act() {
	w := n.world
	switch n.adversary {
	case Flooder:
		n.flood()
	case Loose:
		h := chain.Header{Chain: w.genesis.Header.Hash(), Height: 1 + w.src.Uint64N(50), Time: w.now, Bits: easyBits}
		h.Parent[0], h.Parent[1] = byte(w.src.IntN(256)), byte(w.src.IntN(256))
		solve(&h)
		n.shout(&h)
	case Forger, Orphaner:
		n.forge()
	case Counterfeiter:
		n.counterfeit()
	case Selfish:
		if w.chance(0.2) {
			n.reveal()
		}
	}
	n.later(2000+w.src.Uint64N(4000), n.act)
}

// shout announces a header to every peer.
func (n *node) shout(h *chain.Header) {
	raw := replica.EncodeHeader(&consensus.SealedHeader{Header: *h})
	for _, p := range n.peers() {
		n.links[p].announce(raw)
	}
}

// flood announces a row of headers that all keep the rules and have the least work.
func (n *node) flood() {
	w := n.world
	parent := w.genesis.Header
	id := parent.Hash()
	for i := range uint64(20) {
		h := chain.Header{Chain: id, Parent: parent.Hash(), Height: i + 1, Time: parent.Time + w.o.Spacing, Bits: easyBits}
		h.TxRoot[0] = byte(w.src.IntN(256))
		solve(&h)
		n.shout(&h)
		parent = h
	}
}

// forge relays a transaction that breaks a rule, or waits for ever.
func (n *node) forge() {
	w := n.world
	u := w.users[w.src.IntN(len(w.users))]
	coins := n.unspent(u)
	if len(coins) == 0 {
		return
	}
	c := coins[w.src.IntN(len(coins))]
	if n.adversary == Orphaner {
		c.Outpoint.Tx[0]++
	}
	x := n.draft().spend(c, u).pay(u, c.Entry.Output.Value.Of(chain.TokenID{})-fee).sign()
	if n.adversary == Forger {
		x.Witness[0].Data[0][5] ^= 1
	}
	for _, p := range n.peers() {
		n.links[p].gossip(replica.EncodeTx(0, x.Tx, x.Witness))
	}
}

// counterfeit announces a block that creates money, with its work done.
func (n *node) counterfeit() {
	b, err := n.replica.Template(n.clock(), minerKey(n.id).Public(), minerKey(n.id).Lock())
	if err != nil {
		return
	}
	b.Txs[0].Outputs = []chain.Output{{Lock: minerKey(n.id).Lock(), Value: chain.Native(1_000_000)}}
	b.Header.TxRoot, b.Header.WitnessRoot = b.Roots()
	solve(&b.Header)
	if err := n.store.PutBody(b); err != nil {
		return
	}
	n.shout(&b.Header)
}

// reveal announces the tip of a branch that was mined in secret.
func (n *node) reveal() {
	l := n.store.Ledger()
	if h, found, _ := n.store.Header(l.Tip); found {
		n.shout(&h.Header)
	}
}

// swap answers with what was answered to another request of the same kind before.
func (w *World) swap(request, answer []byte) []byte {
	kind := request[1]
	before, known := w.answers[kind]
	w.answers[kind] = answer
	if !known {
		return answer
	}
	return before
}
