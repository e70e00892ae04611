package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/node"
)

// recent is how far below the tip a snapshot stands unless the command line says otherwise:
// who starts from it cannot return below it.
const recent = 100

func newChainVerify() *cobra.Command {
	var h home
	c := &cobra.Command{
		Use: "verify", Short: "Validate the whole ledger anew, while the node is stopped", Args: arguments(),
		Long: `Read every value of the ledger in the home folder and validate every block anew, from the
genesis block on, with every proof whose attachments are kept. No node may run in the folder.
The exit code is 1 if a block breaks a rule or the folder is damaged.`,
		Example: "  wes chain verify --home ~/.wes",
		RunE: func(c *cobra.Command, _ []string) (err error) {
			cfg, err := h.config()
			if err != nil {
				return err
			}
			l, err := node.OpenOffline(c.Context(), cfg, node.Options{})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, l.Close()) }()
			b := newBars(c.ErrOrStderr())
			defer b.finish()
			r, err := l.Verify(c.Context(), func(height, of uint64) { b.update("verify", int64(height), int64(of)) })
			if err != nil {
				return err
			}
			at := l.Ledger()
			if h.json {
				return printJSON(c.OutOrStdout(), map[string]any{"valid": true, "height": r.Height, "tip": at.Tip.String(), "utxo_hash": at.Set.Sum().String(), "proofs_from": r.ProofsFrom})
			}
			return table(c.OutOrStdout(), [][]string{
				{"valid", fmt.Sprintf("%d blocks on the genesis block", r.Height)},
				{"tip", at.Tip.String()},
				{"utxo hash", at.Set.Sum().String()},
				{"proofs", fmt.Sprintf("checked from block %d on, where attachments are kept", r.ProofsFrom)},
			})
		},
	}
	h.bind(c)
	return c
}

func newChainSnapshot() *cobra.Command {
	return group("snapshot", "Copy the state of a ledger, without its history",
		newSnapshotExport(), newSnapshotImport())
}

func newSnapshotExport() *cobra.Command {
	var h home
	var height uint64
	c := &cobra.Command{
		Use: "export FILE", Short: "Write a snapshot, while the node is stopped", Args: arguments("FILE"),
		Long: fmt.Sprintf(`Write the ledger of the home folder after the block at a height: all headers, the unspent
outputs, and the verifying keys that they name. Without --height it is the block %d below the
tip, or in a short ledger the one below the tip. The format is in docs/snapshot.md.`, recent),
		Example: "  wes chain snapshot export ledger.snap",
		RunE: func(c *cobra.Command, args []string) (err error) {
			cfg, err := h.config()
			if err != nil {
				return err
			}
			l, err := node.OpenOffline(c.Context(), cfg, node.Options{})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, l.Close()) }()
			if height == 0 {
				height = below(l.Ledger().Height)
			}
			written, err := exportTo(c.Context(), c.ErrOrStderr(), args[0], func(w io.Writer) error { return l.Export(w, height) })
			if err != nil {
				return err
			}
			if h.json {
				return printJSON(c.OutOrStdout(), map[string]any{"file": args[0], "height": height, "bytes": written})
			}
			return table(c.OutOrStdout(), [][]string{{"snapshot", args[0]}, {"height", decimal(height)}, {"size", size(written)}})
		},
	}
	h.bind(c)
	c.Flags().Uint64Var(&height, "height", 0, "of the last block that the snapshot contains")
	return c
}

// below is the height of a snapshot of a ledger.
func below(tip uint64) uint64 {
	if tip > recent {
		return tip - recent
	}
	return max(tip, 1) - 1
}

// exportTo writes a file whole or not at all.
func exportTo(ctx context.Context, stderr io.Writer, name string, export func(io.Writer) error) (int64, error) {
	f, err := os.CreateTemp(filepath.Dir(name), filepath.Base(name)+".*")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.Remove(f.Name()) }() // nothing is there once it has its name
	b := newBars(stderr)
	defer b.finish()
	b.update("export", 0, 1)
	w := &countedWriter{live: ctx.Err, to: f}
	err = errors.Join(export(w), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	return w.n, err
}

// countedWriter counts what it passes on, and stops when live fails.
type countedWriter struct {
	live func() error
	to   io.Writer
	n    int64
}

// Write implements io.Writer.
func (c *countedWriter) Write(b []byte) (int, error) {
	if err := c.live(); err != nil {
		return 0, err
	}
	n, err := c.to.Write(b)
	c.n += int64(n)
	return n, err
}

// countedReader tells how many bytes it has passed on.
type countedReader struct {
	from io.Reader
	n    int64
	told func(n int64)
}

// Read implements io.Reader.
func (c *countedReader) Read(b []byte) (int, error) {
	n, err := c.from.Read(b)
	c.n += int64(n)
	c.told(c.n)
	return n, err
}

func newSnapshotImport() *cobra.Command {
	var h home
	var network string
	c := &cobra.Command{
		Use: "import FILE", Short: "Start a ledger from a snapshot", Args: arguments("FILE"),
		Long: `Make the ledger of a home folder, which has none yet, of a snapshot. Every header is judged,
and the outputs are compared with what the headers commit to; that the blocks kept the rules is
vouched for by the work on top of them. A node then follows the network from there.`,
		Example: "  wes chain snapshot import ledger.snap --home fresh --network testnet",
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := h.config()
			if err != nil {
				return err
			}
			if network != "" {
				cfg.Network = network
			}
			if err := importFrom(c.Context(), c.ErrOrStderr(), args[0], cfg); err != nil {
				return err
			}
			if h.json {
				return printJSON(c.OutOrStdout(), map[string]string{"home": cfg.Home})
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s has the ledger: start the node with wes node --home %s\n", cfg.Home, cfg.Home)
			return err
		},
	}
	h.bind(c)
	c.Flags().StringVar(&network, "network", "", "name or definition of the network, for a folder that belongs to none yet (default: the setting)")
	return c
}

func importFrom(ctx context.Context, stderr io.Writer, name string, cfg node.Config) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	b := newBars(stderr)
	defer b.finish()
	r := &countedReader{from: f, told: func(n int64) { b.update("import", n, info.Size()) }}
	return node.ImportSnapshot(ctx, cfg, node.Options{}, r)
}
