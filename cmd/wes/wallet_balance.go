package main

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node"
	"github.com/weisyn/wes/node/api"
	"github.com/weisyn/wes/node/wallet"
)

func newWalletBalance() *cobra.Command {
	var v connection
	c := &cobra.Command{
		Use: "balance [NAME|ADDRESS]", Short: "Show what a key or an address holds", Args: optional,
		Long: `Show what a key of the home folder or any address holds, token by token. It asks for no
passphrase.`,
		Example: "  wes wallet balance alice\n  wes wallet balance twes1…",
		RunE: func(c *cobra.Command, args []string) error {
			w, err := v.watch(c, first(args))
			if err != nil {
				return err
			}
			all, err := wallet.Balances(c.Context(), w.lock, &ledger{client: w.client}, reservations(w.cfg))
			if err != nil {
				return err
			}
			return printBalances(c.OutOrStdout(), chain.FormatAddress(w.prefix, w.lock), all, v.json)
		},
	}
	v.bind(c)
	return c
}

// watched is a lock whose key is not needed.
type watched struct {
	client *api.Client
	cfg    *node.Config
	prefix string
	lock   chain.Hash
}

// watch finds the lock of a name or address or, without one, of the only key.
func (v *connection) watch(c *cobra.Command, who string) (*watched, error) {
	client, cfg, err := v.open()
	if err != nil {
		return nil, err
	}
	if who == "" {
		k, err := ownKey(cfg, "")
		if err != nil {
			return nil, err
		}
		who = k.Name
	}
	status, err := client.Status(c.Context())
	if err != nil {
		return nil, err
	}
	lock, err := parseTo(cfg, status.Prefix, who)
	return &watched{client, cfg, status.Prefix, lock}, err
}

// shownBalance is an amount of each kind, in base units, decimal.
type shownBalance struct {
	Token     string `json:"token"`
	Spendable string `json:"spendable"`
	Reserved  string `json:"reserved"`
	Immature  string `json:"immature"`
	InBodies  string `json:"in_bodies"`
}

func printBalances(w io.Writer, address string, all []wallet.Balance, asJSON bool) error {
	shown := []shownBalance{}
	rows := [][]string{{"TOKEN", "SPENDABLE", "WAITS FOR A BLOCK", "NOT MATURE", "IN RESOURCES"}}
	for _, b := range all {
		name, text := "wes", wesText
		if b.Token != (chain.TokenID{}) {
			name, text = b.Token.String(), decimal
		}
		shown = append(shown, shownBalance{name, decimal(b.Spendable), decimal(b.Reserved), decimal(b.Immature), decimal(b.InBodies)})
		rows = append(rows, []string{name, text(b.Spendable), text(b.Reserved), text(b.Immature), text(b.InBodies)})
	}
	if asJSON {
		return printJSON(w, map[string]any{"address": address, "balances": shown})
	}
	fmt.Fprintf(w, "%s\n\n", address)
	return table(w, rows)
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

func newWalletHistory() *cobra.Command {
	var v connection
	var limit int
	var from string
	c := &cobra.Command{
		Use: "history [NAME|ADDRESS]", Short: "List the transactions of a key or an address", Args: optional,
		Long:    "List the transactions that pay to or spend from a key or an address, the newest first.",
		Example: "  wes wallet history alice --limit 20",
		RunE: func(c *cobra.Command, args []string) error {
			w, err := v.watch(c, first(args))
			if err != nil {
				return err
			}
			page, err := w.client.History(c.Context(), api.SubjectParams{Role: api.RoleLock, ID: w.lock.String(), From: from, Limit: limit})
			if err != nil {
				return err
			}
			return printHistory(c.OutOrStdout(), &page, v.json)
		},
	}
	v.bind(c)
	c.Flags().IntVar(&limit, "limit", 20, "number of transactions, at most 100")
	c.Flags().StringVar(&from, "page", "", "cursor of the next page, as printed after the one before")
	return c
}

func printHistory(w io.Writer, page *api.History, asJSON bool) error {
	if asJSON {
		return printJSON(w, page)
	}
	rows := [][]string{{"BLOCK", "TIME", "TRANSACTION", "DIRECTION"}}
	for _, t := range page.Transactions {
		direction := "receives"
		if t.Spends {
			direction = "spends"
		}
		rows = append(rows, []string{decimal(t.Height), clock(t.Time), t.ID, direction})
	}
	if err := table(w, rows); err != nil || page.Next == "" {
		return err
	}
	_, err := fmt.Fprintf(w, "\nMore: --page %s\n", page.Next)
	return err
}

// clock shows a time of the ledger, in ms since 1970.
func clock(ms uint64) string {
	return time.UnixMilli(int64(min(ms, 1<<62))).UTC().Format("2006-01-02 15:04:05 UTC")
}
