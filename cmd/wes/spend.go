package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node"
	"github.com/weisyn/wes/node/api"
	"github.com/weisyn/wes/node/wallet"
)

// spending is what all verbs share that make a transaction. The key is unlocked and used in
// this process; the node gets the signed transaction only.
type spending struct {
	connection
	passphrase
	from, maxFee, out string
	rate              uint64
	wait              bool
}

func (s *spending) bind(c *cobra.Command) {
	s.connection.bind(c)
	s.passphrase.bind(c)
	f := c.Flags()
	f.StringVar(&s.from, "from", "", "name of the key that pays and signs (default: the only one)")
	f.Uint64Var(&s.rate, "fee-rate", 0, "base units for 1,000 units of weight (default: the least that the node takes)")
	f.StringVar(&s.maxFee, "max-fee", "0.1", "bound of the fee, in WES")
	f.StringVar(&s.out, "out", "", "write the signed transaction to a file instead of submitting it")
	f.BoolVar(&s.wait, "wait", false, "wait until the transaction is in a block")
}

// payer is what a verb builds its transaction with.
type payer struct {
	*wallet.Wallet
	client *api.Client
	cfg    *node.Config
	ledger *ledger
	prefix string // of addresses
}

// sent is what becomes of a transaction.
type sent struct {
	ID       string `json:"id"`
	Fee      string `json:"fee"`                // base units of WES
	File     string `json:"file,omitempty"`     // it is not submitted but here
	Height   uint64 `json:"height,omitempty"`   // of its block
	Token    string `json:"token,omitempty"`    // that was issued
	Resource string `json:"resource,omitempty"` // output that announces it
	CID      string `json:"cid,omitempty"`      // of its content
	fee      uint64
}

// run unlocks the key, builds, and submits. Build may note in sent what is new.
func (s *spending) run(c *cobra.Command, build func(ctx context.Context, p *payer, note *sent) (*wallet.Built, error)) error {
	ctx := c.Context()
	p, err := s.payer(c)
	if err != nil {
		return err
	}
	note := &sent{}
	b, err := build(ctx, p, note)
	if err != nil {
		return err
	}
	note.ID, note.Fee, note.fee = b.Tx.ID().String(), strconv.FormatUint(b.Fee, 10), b.Fee
	if s.out != "" {
		note.File = s.out
		err = writeTx(s.out, b)
	} else {
		err = submit(ctx, p, b)
	}
	if err != nil {
		return err
	}
	if s.wait && s.out == "" {
		if note.Height, err = settle(ctx, c.ErrOrStderr(), p.client, note.ID); err != nil {
			return err
		}
	}
	return printSent(c.OutOrStdout(), note, s.json)
}

func (s *spending) payer(c *cobra.Command) (*payer, error) {
	client, cfg, err := s.open()
	if err != nil {
		return nil, err
	}
	maxFee, err := parseWES(s.maxFee)
	if err != nil {
		return nil, fmt.Errorf("--max-fee: %w", err)
	}
	k, err := ownKey(cfg, s.from)
	if err != nil {
		return nil, err
	}
	status, err := client.Status(c.Context()) // before anybody is asked for a passphrase
	if err != nil {
		return nil, err
	}
	signer, err := keys(cfg).Unlock(k.Name, s.existing(c.ErrOrStderr(), k.Name))
	if err != nil {
		return nil, err
	}
	l := &ledger{client, s.rate}
	w := wallet.New(signer, l, reservations(cfg))
	w.MaxFee = maxFee
	return &payer{w, client, cfg, l, status.Prefix}, nil
}

// submit gives back what a transaction has reserved if the node refuses it. Where the answer is
// lost the transaction may be under way, and its outputs stay reserved.
func submit(ctx context.Context, p *payer, b *wallet.Built) error {
	_, err := p.client.Submit(ctx, b.Tx, b.Witness, b.Attachments...)
	var answer *api.Error
	if errors.As(err, &answer) {
		return errors.Join(err, p.Cancel(b))
	}
	return err
}

// writeTx writes a transaction as wes tx submit reads it.
func writeTx(file string, b *wallet.Built) error {
	raw, err := json.MarshalIndent(api.NewTxParams(b.Tx, b.Witness, b.Attachments...), "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(raw, '\n'), 0o600)
}

func printSent(w io.Writer, n *sent, asJSON bool) error {
	if asJSON {
		return printJSON(w, n)
	}
	status := "waits for a block"
	switch {
	case n.File != "":
		status = "signed, in " + n.File + "; submit it with wes tx submit " + n.File
	case n.Height > 0:
		status = fmt.Sprintf("in block %d", n.Height)
	}
	rows := [][]string{{"transaction", n.ID}, {"status", status}, {"fee", coinText(chain.TokenID{}, n.fee)}}
	if n.Token != "" {
		rows = append(rows, []string{"token", n.Token})
	}
	if n.Resource != "" {
		rows = append(rows, []string{"resource", n.Resource})
	}
	if n.CID != "" {
		rows = append(rows, []string{"CID", n.CID})
	}
	return table(w, rows)
}
