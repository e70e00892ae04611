package main

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/node/api"
)

func newResourceAdd() *cobra.Command {
	var v connection
	var name string
	c := &cobra.Command{
		Use: "add FILE", Short: "Keep a file on the node, under the CID of its content", Args: arguments("FILE"),
		Long: `Keep a file on the node, under the CID of its content. Whoever has the CID gets the file from the
node, by wes resource get or with any client of IPFS that is connected to it. It is kept until
wes resource rm.`,
		Example: "  wes resource add out/model.wes --name lenet\n  wes resource replicate bafy… --copies 3",
		RunE: func(c *cobra.Command, args []string) error {
			client, _, err := v.open()
			if err != nil {
				return err
			}
			f, total, err := openFile(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			if name == "" {
				name = filepath.Base(args[0])
			}
			b := newBars(c.ErrOrStderr())
			defer b.finish()
			added, err := client.AddResource(c.Context(), b.reading("upload", f, total), name)
			if err != nil {
				return err
			}
			b.finish()
			return printAdded(c.OutOrStdout(), &added, name, v.json)
		},
	}
	v.bind(c)
	c.Flags().StringVar(&name, "name", "", "for people (default: the name of the file)")
	return c
}

// openFile opens what a node can keep, and tells its size in bytes.
func openFile(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, plain(err, path)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("this is no file; pack a folder into one, with tar for instance")
	}
	if err != nil {
		return nil, 0, errors.Join(plain(err, path), f.Close())
	}
	return f, info.Size(), nil
}

func printAdded(w io.Writer, a *api.Added, name string, asJSON bool) error {
	if asJSON {
		return printJSON(w, map[string]any{"cid": a.CID, "size": a.Size, "name": name})
	}
	return table(w, [][]string{{"cid", a.CID}, {"name", strconv.Quote(name)}, {"size", size(int64(a.Size))}})
}

// metered tells of the bytes that are read.
type metered struct {
	io.Reader
	note func(n int)
}

// Read implements io.Reader.
func (m *metered) Read(b []byte) (int, error) {
	n, err := m.Reader.Read(b)
	m.note(n)
	return n, err
}

// reading draws how much of a reader has been read.
func (b *bars) reading(stage string, r io.Reader, total int64) io.Reader {
	var done int64
	return &metered{r, func(n int) {
		done += int64(n)
		b.update(stage, done, total)
	}}
}

// transferCode is the exit code of a transfer that the node does not carry out.
func transferCode(e *api.TransferError) int {
	if e.Status >= http.StatusInternalServerError || e.Status == http.StatusTooManyRequests {
		return exitFault
	}
	return exitUsage
}

// transferAdvice says what to do about an error of the verbs of resources.
func transferAdvice(err error) string {
	var answer *api.Error
	switch {
	case errors.Is(err, api.ErrNoRoom), errors.As(err, &answer) && answer.Code == api.CodeNoRoom:
		return "make room with wes resource rm CID (wes resource ls shows what is kept), or start the node with a larger --resources-gib"
	case errors.Is(err, api.ErrTooLarge):
		return "allow more with --max"
	case errors.Is(err, api.ErrNotFound):
		return "whoever has it must be connected: wes node peers shows who is. Try again later: what has come is not asked for again"
	}
	return ""
}

// errCopies is returned when no peer keeps a resource.
var errCopies = errors.New("no connected peer keeps it: their room for it is the setting replicas_gib; wes node peers shows who is connected")
