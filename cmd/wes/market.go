package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/node/gateway"
)

func newMarket() *cobra.Command {
	return group("market", "See operators and prices, work for them, and bind a bond",
		newMarketStatus(), newMarketBids(), newMarketOperators(), newMarketChannels(), newMarketCordon(true), newMarketCordon(false), newMarketWork(), newMarketBond())
}

// printLine prints JSON in one line.
func printLine(w io.Writer, v any) error { return json.NewEncoder(w).Encode(v) }

func newMarketStatus() *cobra.Command {
	var v connection
	c := &cobra.Command{
		Use: "status", Short: "Show the node's part in the market", Args: arguments(),
		Long: `Show the node's part in the market: what it offers and has taken on where it sells, its devices, and
what the market's key holds.`,
		Example: "  wes market status",
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := v.openMarket()
			if err != nil {
				return err
			}
			s, err := client.Status(c.Context())
			if err != nil {
				return err
			}
			if v.json {
				return printJSON(c.OutOrStdout(), s)
			}
			return printMarket(c.OutOrStdout(), s)
		},
	}
	v.bind(c)
	return c
}

func printMarket(w io.Writer, s *gateway.Status) error {
	selling := "no"
	switch {
	case s.Selling && s.Cordoned:
		selling = "takes no new work"
	case s.Selling:
		selling = "yes"
	}
	rows := [][]string{
		{"key", s.Key},
		{"address", s.Address},
		{"selling", selling},
		{"operators known", strconv.Itoa(s.Operators)},
		{"jobs bought", fmt.Sprintf("%d open", s.Bought)},
	}
	if s.Selling {
		rows = append(rows, []string{"jobs sold", fmt.Sprintf("%d open; %d tasks and %d bids stand", s.Sold, s.Tasks, s.Bids)})
	}
	for _, b := range s.Balance {
		rows = append(rows, []string{"balance " + b.State, baseUnits(b.Units)})
	}
	for _, d := range s.Devices {
		rows = append(rows, []string{"device", fmt.Sprintf("%s (%s), %s, %s", d.UUID, d.Class, size(int64(d.Memory)), d.State)})
	}
	for _, p := range s.Programs {
		rows = append(rows, []string{"offers", fmt.Sprintf("%q for %s, %d units of work, %s", p.Name, baseUnits(p.Price), p.Units, size(int64(p.Memory)))})
	}
	return table(w, rows)
}

func newMarketBids() *cobra.Command {
	var v connection
	c := &cobra.Command{
		Use: "bids JOB", Short: "List the bids for a job", Args: arguments("JOB"), Example: "  wes market bids 4be1…",
		RunE: func(c *cobra.Command, args []string) error {
			client, err := v.openMarket()
			if err != nil {
				return err
			}
			all, err := client.Bids(c.Context(), args[0])
			if err != nil {
				return err
			}
			if v.json {
				return printJSON(c.OutOrStdout(), map[string]any{"bids": all})
			}
			rows := [][]string{{"OPERATOR", "PRICE", "PROMISES", "DEVICE", "ROUND", "CHOSEN"}}
			for _, b := range all {
				chosen := ""
				if b.Chosen {
					chosen = "yes"
				}
				rows = append(rows, []string{b.Operator, baseUnits(b.Price), fmt.Sprintf("%d ms", b.Promised), quotedOr(b.Device, "—"), strconv.Itoa(b.Round), chosen})
			}
			return table(c.OutOrStdout(), rows)
		},
	}
	v.bind(c)
	return c
}

func newMarketOperators() *cobra.Command {
	var v connection
	c := &cobra.Command{
		Use: "operators", Short: "List the operators that this node has heard of", Args: arguments(), Example: "  wes market operators",
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := v.openMarket()
			if err != nil {
				return err
			}
			all, err := client.Operators(c.Context())
			if err != nil {
				return err
			}
			if v.json {
				return printJSON(c.OutOrStdout(), map[string]any{"operators": all})
			}
			rows := [][]string{{"OPERATOR", "DEVICE", "OFFERS", "DONE", "BROKEN", "SHUNNED", "HEARD"}}
			for _, o := range all {
				shunned := ""
				if o.Shunned {
					shunned = "yes"
				}
				rows = append(rows, []string{
					o.ID, quotedOr(strings.Join(o.Devices, " "), "—"), strconv.Itoa(len(o.Prices)), strconv.Itoa(o.Done), strconv.Itoa(o.Broken), shunned, instant(o.SeenMS),
				})
			}
			return table(c.OutOrStdout(), rows)
		},
	}
	v.bind(c)
	return c
}

func newMarketCordon(on bool) *cobra.Command {
	use, short := "drain", "Take no new work; what was taken on is finished"
	if !on {
		use, short = "resume", "Take new work again"
	}
	var v connection
	var wait bool
	c := &cobra.Command{
		Use: use, Short: short, Args: arguments(), Example: "  wes market " + use,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := v.openMarket()
			if err != nil {
				return err
			}
			s, err := client.Cordon(c.Context(), on)
			if err == nil && wait {
				s, err = ended(c.Context(), client, s, c.ErrOrStderr())
			}
			if err != nil {
				return err
			}
			if v.json {
				return printJSON(c.OutOrStdout(), s)
			}
			return printSold(c.OutOrStdout(), s)
		},
	}
	v.bind(c)
	if on {
		c.Flags().BoolVar(&wait, "wait", false, "wait until the ledger has settled all jobs; a claim of an optimistic job takes an hour on most networks")
	}
	return c
}

// ended waits until all jobs of an operator have, and says how many have not.
func ended(ctx context.Context, client *gateway.Client, s *gateway.Status, stderr io.Writer) (*gateway.Status, error) {
	b := newBars(stderr)
	defer b.finish()
	all := s.Sold
	err := poll(ctx, func() (done bool, err error) {
		if s, err = client.Status(ctx); err != nil {
			return false, err
		}
		b.update("jobs that have ended", int64(all-min(s.Sold, all)), int64(all))
		return s.Sold == 0, nil
	})
	return s, err
}

// printSold says what an operator still has to do.
func printSold(w io.Writer, s *gateway.Status) error {
	text := "all jobs have ended"
	if s.Sold > 0 {
		text = fmt.Sprintf("%d jobs are open: %d wait for a device or run, the others for the ledger", s.Sold, s.Tasks)
	}
	if s.Cordoned {
		text = "no new work is taken; " + text
	} else {
		text = "new work is taken; " + text
	}
	_, err := fmt.Fprintln(w, text)
	return err
}
