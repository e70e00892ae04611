package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/node/api"
)

// getting is what is to be read of the node, and where to.
type getting struct {
	connection
	out, max string
}

func newResourceGet() *cobra.Command {
	var g getting
	c := &cobra.Command{
		Use: "get CID", Short: "Read a file from the node, which gets it from its peers if need be", Args: arguments("CID"),
		Long: `Read a file by the CID of its content. What the node does not have it gets from its peers, compares
with the CID, and keeps until wes resource rm.`,
		Example: "  wes resource get bafy… --out model.wes\n  wes resource get bafy… --max 20GiB",
		RunE: func(c *cobra.Command, args []string) error {
			return g.run(c.Context(), args[0], c.OutOrStdout(), c.ErrOrStderr())
		},
	}
	g.bind(c)
	f := c.Flags()
	f.StringVar(&g.out, "out", "", "file to write, which must not exist, or - for standard output (default: the CID)")
	f.StringVar(&g.max, "max", "4GiB", "most that may be read: bytes, or a number with kB, MB, GB, TB, KiB, MiB, GiB or TiB")
	return c
}

func (g *getting) run(ctx context.Context, cid string, stdout, stderr io.Writer) error {
	most, err := parseSize(g.max)
	if err != nil {
		return fmt.Errorf("--max: %w", err)
	}
	if g.out == "" {
		g.out = filepath.Base(cid)
	}
	if g.out == "-" && g.json {
		return errors.New("--out - and --json both take standard output")
	}
	if err := absent(g.out); err != nil {
		return err
	}
	client, _, err := g.open()
	if err != nil {
		return err
	}
	n, err := g.copy(ctx, client, cid, most, stdout, stderr)
	if err != nil || g.out == "-" {
		return err
	}
	if g.json {
		return printJSON(stdout, map[string]any{"cid": cid, "file": g.out, "size": n})
	}
	return table(stdout, [][]string{{"file", g.out}, {"size", size(n)}})
}

// absent refuses the name of what is there already.
func absent(path string) error {
	if path == "-" {
		return nil
	}
	_, err := os.Lstat(path)
	if err == nil {
		return fmt.Errorf("--out: %s exists already: choose another name", path)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("--out: %w", plain(err, path))
	}
	return nil
}

func (g *getting) copy(ctx context.Context, client *api.Client, cid string, most uint64, stdout, stderr io.Writer) (int64, error) {
	b := newBars(stderr)
	defer b.finish()
	b.update("fetch", 0, 1)
	in, total, err := client.GetResource(ctx, cid, most)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	from := b.reading("download", in, total)
	if g.out == "-" {
		n, err := io.Copy(stdout, from)
		return n, cutOff(err)
	}
	return total, writeNew(g.out, from)
}

// cutOff says why a file is not whole.
func cutOff(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the node broke off: its log says why; try again")
	}
	return err
}

// writeNew writes a file that appears under its name when it is whole.
func writeNew(path string, in io.Reader) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".wes-*")
	if err != nil {
		return fmt.Errorf("--out: %w", plain(err, path))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = io.Copy(f, in)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(cutOff(err), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// parseSize reads a number of bytes, as 1000, 500MB or 2GiB, and at most 8 EiB.
func parseSize(s string) (uint64, error) {
	number := strings.TrimRight(s, "kKMGTiB")
	factor, known := map[string]uint64{
		"": 1, "B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	}[s[len(number):]]
	n, err := strconv.ParseUint(number, 10, 64)
	if err != nil || !known || n > math.MaxInt64/factor {
		return 0, fmt.Errorf("%q is no size as 1000, 500MB or 2GiB", s)
	}
	return n * factor, nil
}
