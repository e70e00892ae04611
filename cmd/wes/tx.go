package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/api"
)

func newTx() *cobra.Command {
	return group("tx", "Show and submit transactions", newTxShow(), newTxSubmit())
}

// maxTxFile bounds the file of a transaction, in bytes: body, witness and attachments as text.
const maxTxFile = 16 << 20

// readTx reads a file that --out has written.
func readTx(file string) (*chain.Tx, chain.Witness, [][]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, nil, err
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, maxTxFile+1))
	if err != nil {
		return nil, nil, nil, err
	}
	if len(raw) > maxTxFile {
		return nil, nil, nil, fmt.Errorf("%s: more than %d bytes, which no transaction has", file, maxTxFile)
	}
	var p api.TxParams
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, nil, nil, fmt.Errorf("%s: not the file of a transaction, as --out writes it: %w", file, err)
	}
	t, w, err := p.Decode()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	return t, w, p.Attachments, nil
}

func newTxSubmit() *cobra.Command {
	var v connection
	var wait bool
	c := &cobra.Command{
		Use: "submit FILE", Short: "Submit a signed transaction", Args: arguments("FILE"),
		Long: `Submit a signed transaction, as the flag --out of other commands has written it. A node that
does not take it says which rule it breaks, and the exit code is 1.`,
		Example: "  wes wallet send bob 1 --out payment.json\n  wes tx submit payment.json --wait",
		RunE: func(c *cobra.Command, args []string) error {
			t, w, attachments, err := readTx(args[0])
			if err != nil {
				return err
			}
			client, _, err := v.open()
			if err != nil {
				return err
			}
			s, err := client.Submit(c.Context(), t, w, attachments...)
			if err != nil {
				return err
			}
			note := &sent{ID: s.ID, Fee: decimal(t.Fee.Of(chain.TokenID{})), fee: t.Fee.Of(chain.TokenID{})}
			if wait {
				if note.Height, err = settle(c.Context(), c.ErrOrStderr(), client, s.ID); err != nil {
					return err
				}
			}
			return printSent(c.OutOrStdout(), note, v.json)
		},
	}
	v.bind(c)
	c.Flags().BoolVar(&wait, "wait", false, "wait until the transaction is in a block")
	return c
}

func newTxShow() *cobra.Command {
	var v connection
	c := &cobra.Command{
		Use: "show ID|FILE", Short: "Show a transaction", Args: arguments("ID|FILE"),
		Long: `Show a transaction of the ledger or of the mempool by its id, or the one in a file. A file is
shown without a node.`,
		Example: "  wes tx show 9b1c…\n  wes tx show payment.json --json",
		RunE: func(c *cobra.Command, args []string) error {
			x, err := v.transaction(c, args[0])
			if err != nil {
				return err
			}
			if v.json {
				return printJSON(c.OutOrStdout(), x)
			}
			return printTx(c.OutOrStdout(), x)
		},
	}
	v.bind(c)
	return c
}

func (v *connection) transaction(c *cobra.Command, what string) (*api.Transaction, error) {
	id, err := parseHash(what)
	if err != nil {
		return v.transactionFile(what)
	}
	client, _, err := v.open()
	if err != nil {
		return nil, err
	}
	x, err := client.Transaction(c.Context(), id)
	return &x, err
}

func (v *connection) transactionFile(name string) (*api.Transaction, error) {
	t, w, _, err := readTx(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%q is neither an id of 64 hexadecimal digits nor a file", name)
	}
	if err != nil {
		return nil, err
	}
	cfg, err := v.config()
	if err != nil {
		return nil, err
	}
	p, err := prefix(&cfg)
	if err != nil {
		return nil, err
	}
	x := api.Describe(p, t, w)
	return &x, nil
}

func printTx(w io.Writer, x *api.Transaction) error {
	status := x.Status
	if x.Status == "confirmed" {
		status = fmt.Sprintf("confirmed in block %d, %d blocks from there on", x.Height, x.Confirmations)
	}
	rows := [][]string{{"transaction", x.ID}, {"status", status}, {"size", size(int64(x.Size))}, {"fee", coinsText(x.Fee)}}
	if x.Time > 0 {
		rows = append(rows, []string{"time", clock(x.Time)})
	}
	for _, a := range x.Attachments {
		rows = append(rows, []string{"attachment", fmt.Sprintf("%s, %s, %s", a.Kind, size(int64(a.Len)), a.SHA256)})
	}
	if err := table(w, rows); err != nil {
		return err
	}
	fmt.Fprintln(w)
	rows = nil
	for _, in := range x.Inputs {
		rows = append(rows, []string{"spends", in.Outpoint, ""})
	}
	for i := range x.Outputs {
		rows = append(rows, []string{fmt.Sprintf("output %d", i), outputText(&x.Outputs[i]), coinsText(x.Outputs[i].Value)})
	}
	return table(w, rows)
}

// outputText says whose an output is and what it holds beside coins.
func outputText(o *api.Output) string {
	if kind, ok := o.Body["kind"].(string); ok {
		return strings.ReplaceAll(kind, "_", " ")
	}
	return o.Address
}

// coinsText shows amounts as a node tells them.
func coinsText(all []api.Coin) string {
	var parts []string
	for _, c := range all {
		parts = append(parts, apiCoin(c.Amount, c.Token))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// apiCoin shows an amount in base units, decimal, as a node tells it.
func apiCoin(amount, token string) string {
	n, err := parseUnits(amount)
	t, err2 := parseToken(token)
	if errors.Join(err, err2) != nil {
		return amount + " " + token
	}
	return coinText(t, n)
}
