package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/node"
	"github.com/weisyn/wes/node/api"
)

func newChain() *cobra.Command {
	return group("chain", "Look at the ledger, wait for it, verify it, copy it",
		newChainStatus(), newChainWait(), newChainBlock(), newChainMake(), newChainVerify(), newChainSnapshot())
}

func newChainStatus() *cobra.Command {
	var v connection
	c := &cobra.Command{
		Use: "status", Short: "Summarise the node and its ledger", Args: arguments(), Example: "  wes chain status",
		RunE: func(c *cobra.Command, _ []string) error {
			client, _, err := v.open()
			if err != nil {
				return err
			}
			s, err := client.Status(c.Context())
			if err != nil {
				return err
			}
			return printStatus(c.OutOrStdout(), &s, v.json)
		},
	}
	v.bind(c)
	return c
}

func printStatus(w io.Writer, s *api.Status, asJSON bool) error {
	if asJSON {
		return printJSON(w, s)
	}
	ready := "yes"
	if !s.Ready {
		ready = "no: " + strings.Join(s.Reasons, "; ")
	}
	rows := [][]string{
		{"network", fmt.Sprintf("%s (%s), chain %s", s.Network, s.Profile, s.Chain)},
		{"height", decimal(s.Height)},
		{"tip", s.Tip},
		{"time", clock(s.Time)},
		{"work", s.Work},
		{"headers", decimal(s.Headers)},
		{"ready", ready},
		{"peers", strconv.Itoa(s.Peers)},
		{"mempool", fmt.Sprintf("%d transactions, %s, fee rate at least %d", s.Mempool.Transactions, size(int64(s.Mempool.Bytes)), s.Mempool.FeeRate)},
	}
	for _, a := range s.Addresses {
		rows = append(rows, []string{"peer address", a})
	}
	return table(w, append(rows, []string{"version", s.Version}))
}

// waiting is what a ledger is waited for to have.
type waiting struct {
	height  uint64
	tip     string
	timeout time.Duration
}

func newChainWait() *cobra.Command {
	var v connection
	var w waiting
	c := &cobra.Command{
		Use: "wait", Short: "Wait until the node is ready, or its ledger has a block", Args: arguments(),
		Long: `Wait until the node is ready: it runs, is not behind its peers, and has some or needs none.
With --height, wait until its ledger is that high; with --tip, until it ends with that block. A
node that is only starting is waited for too.`,
		Example: "  wes chain wait\n  wes chain wait --height 100 --timeout 5m",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := v.await(c.Context(), c.ErrOrStderr(), &w)
			if err != nil {
				return err
			}
			return printStatus(c.OutOrStdout(), s, v.json)
		},
	}
	v.bind(c)
	f := c.Flags()
	f.Uint64Var(&w.height, "height", 0, "least height of the ledger")
	f.StringVar(&w.tip, "tip", "", "hash of the ledger's last block")
	f.DurationVar(&w.timeout, "timeout", time.Minute, "how long to wait")
	return c
}

// errTimeout is returned when what was waited for did not come in time.
var errTimeout = errors.New("the time is over")

func (v *connection) await(ctx context.Context, stderr io.Writer, w *waiting) (*api.Status, error) {
	limited, stop := context.WithTimeout(ctx, w.timeout)
	defer stop()
	b := newBars(stderr)
	defer b.finish()
	var s api.Status
	var last error
	err := poll(limited, func() (bool, error) {
		var err error
		if s, err = v.statusOf(limited); err != nil {
			last = err
			if errors.Is(err, node.ErrStopped) || errors.Is(err, api.ErrUnreachable) {
				return false, nil // it may be starting
			}
			return false, err
		}
		last = nil
		b.update("synchronise", int64(s.Height), int64(max(s.Headers, w.height, 1)))
		return w.over(&s), nil
	})
	if limited.Err() != nil && ctx.Err() == nil && !w.over(&s) {
		return nil, w.late(&s, last)
	}
	return &s, err
}

func (v *connection) statusOf(ctx context.Context) (api.Status, error) {
	client, _, err := v.open()
	if err != nil {
		return api.Status{}, err
	}
	return client.Status(ctx)
}

func (w *waiting) over(s *api.Status) bool {
	if w.height == 0 && w.tip == "" {
		return s.Ready
	}
	return s.Height >= w.height && (w.tip == "" || s.Tip == w.tip)
}

func (w *waiting) late(s *api.Status, last error) error {
	if last != nil {
		return fmt.Errorf("%w after %v: %w", errTimeout, w.timeout, last)
	}
	why := ""
	if len(s.Reasons) > 0 {
		why = "; " + strings.Join(s.Reasons, "; ")
	}
	return fmt.Errorf("%w after %v: the ledger stands at height %d, block %s, and headers reach %d%s",
		errTimeout, w.timeout, s.Height, s.Tip, s.Headers, why)
}

func newChainBlock() *cobra.Command {
	var v connection
	var raw bool
	c := &cobra.Command{
		Use: "block [HEIGHT|HASH]", Short: "Show a block; the last one if none is named", Args: optional,
		Example: "  wes chain block 0\n  wes chain block --raw --json",
		RunE: func(c *cobra.Command, args []string) error {
			ask, err := blockParams(first(args))
			if err != nil {
				return err
			}
			ask.Raw = raw
			client, _, err := v.open()
			if err != nil {
				return err
			}
			b, err := client.Block(c.Context(), ask)
			if err != nil {
				return err
			}
			return printBlock(c.OutOrStdout(), &b, v.json)
		},
	}
	v.bind(c)
	c.Flags().BoolVar(&raw, "raw", false, "with the canonical encoding, in hexadecimal")
	return c
}

func blockParams(s string) (api.BlockParams, error) {
	if s == "" {
		return api.BlockParams{}, nil
	}
	if _, err := parseHash(s); err == nil {
		return api.BlockParams{Hash: s}, nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return api.BlockParams{}, fmt.Errorf("block %q: want a height or a hash of 64 hexadecimal digits", s)
	}
	return api.BlockParams{Height: &n}, nil
}

func printBlock(w io.Writer, b *api.Block, asJSON bool) error {
	if asJSON {
		return printJSON(w, b)
	}
	rows := [][]string{
		{"block", b.Hash},
		{"height", decimal(b.Height)},
		{"parent", b.Parent},
		{"time", clock(b.Time)},
		{"bits", b.Bits},
		{"miner", b.Miner},
		{"utxo hash", b.UTXOHash},
		{"size", size(int64(b.Size))},
		{"confirmations", fmt.Sprintf("%d, with %s expected hashes on top", b.Confirmations, b.Work)},
	}
	for _, t := range b.Transactions {
		rows = append(rows, []string{"transaction", t})
	}
	if b.Raw != "" {
		rows = append(rows, []string{"raw", b.Raw})
	}
	return table(w, rows)
}

func newChainMake() *cobra.Command {
	var v connection
	c := &cobra.Command{
		Use: "make [BLOCKS]", Short: "Make blocks at once, on dev networks", Args: optional,
		Long:    "Make blocks at once, on dev networks: time passes, and coinbases mature.",
		Example: "  wes chain make 10",
		RunE: func(c *cobra.Command, args []string) error {
			n := 1
			if len(args) > 0 {
				var err error
				if n, err = strconv.Atoi(args[0]); err != nil {
					return fmt.Errorf("%q is not a number of blocks", args[0])
				}
			}
			client, _, err := v.open()
			if err != nil {
				return err
			}
			made, err := client.Make(c.Context(), n)
			if err != nil {
				return err
			}
			if v.json {
				return printJSON(c.OutOrStdout(), made)
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), strings.Join(made.Blocks, "\n"))
			return err
		},
	}
	v.bind(c)
	return c
}
