package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/node/api"
)

func newResourceList() *cobra.Command {
	var v connection
	c := &cobra.Command{
		Use: "ls", Short: "List what the node keeps, the oldest first", Args: arguments(), Example: "  wes resource ls",
		RunE: func(c *cobra.Command, _ []string) error {
			client, _, err := v.open()
			if err != nil {
				return err
			}
			l, err := client.Resources(c.Context())
			if err != nil {
				return err
			}
			return printKept(c.OutOrStdout(), &l, v.json)
		},
	}
	v.bind(c)
	return c
}

func printKept(w io.Writer, l *api.ResourceList, asJSON bool) error {
	if asJSON {
		return printJSON(w, l)
	}
	rows := [][]string{}
	for _, r := range l.Resources {
		whose := "own"
		if r.Replica {
			whose = "replica"
		}
		rows = append(rows, []string{r.CID, size(int64(r.Size)), whose, clock(r.Since), strconv.Quote(r.Name)})
	}
	if err := table(w, rows); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d kept, %s of %s used\n", len(rows), size(int64(l.Used)), size(int64(l.Quota)))
	return err
}

// onResource is a verb that tells the node something about one resource; act returns what to show.
func onResource(use, short, long, example string, v *connection,
	act func(ctx context.Context, client *api.Client, cid string) (shown any, rows [][]string, err error),
) *cobra.Command {
	c := &cobra.Command{
		Use: use + " CID", Short: short, Long: long, Args: arguments("CID"), Example: example,
		RunE: func(c *cobra.Command, args []string) error {
			client, _, err := v.open()
			if err != nil {
				return err
			}
			shown, rows, err := act(c.Context(), client, args[0])
			if err != nil {
				return err
			}
			if v.json {
				return printJSON(c.OutOrStdout(), shown)
			}
			return table(c.OutOrStdout(), rows)
		},
	}
	v.bind(c)
	return c
}

func newResourcePin() *cobra.Command {
	var v connection
	var name string
	c := onResource("pin", "Keep a resource on the node, which gets it from its peers if need be",
		`Keep a resource on the node, which gets it from its peers if need be: a file or a folder. A replica
becomes the node's own, and is not given up any more. If it does not come in time, call again:
what has come is not asked for again.`,
		"  wes resource pin bafy… --name lenet", &v,
		func(ctx context.Context, client *api.Client, cid string) (any, [][]string, error) {
			err := client.PinResource(ctx, cid, name)
			return map[string]any{"cid": cid, "pinned": true}, [][]string{{"pinned", cid}}, err
		})
	c.Flags().StringVar(&name, "name", "", "for people")
	return c
}

func newResourceUnpin() *cobra.Command {
	var v connection
	return onResource("unpin", "Keep a resource no more; its bytes go at the next collection", "",
		"  wes resource unpin bafy…", &v,
		func(ctx context.Context, client *api.Client, cid string) (any, [][]string, error) {
			err := client.UnpinResource(ctx, cid)
			return map[string]any{"cid": cid, "pinned": false}, [][]string{{"unpinned", cid}}, err
		})
}

func newResourceRemove() *cobra.Command {
	var v connection
	return onResource("rm", "Keep a resource no more, and delete its bytes now",
		"Keep a resource no more, and delete its bytes now. Bytes that another resource has too stay.",
		"  wes resource rm bafy…", &v,
		func(ctx context.Context, client *api.Client, cid string) (any, [][]string, error) {
			r, err := client.RemoveResource(ctx, cid)
			return map[string]any{"cid": cid, "freed": r.Freed}, [][]string{{"removed", cid}, {"freed", size(int64(r.Freed))}}, err
		})
}

func newResourceReplicate() *cobra.Command {
	var v connection
	var copies int
	c := onResource("replicate", "Ask peers to keep a resource that the node has",
		`Ask the connected peers that are nearest to a resource to keep it too. They do as long as they have
room for replicas, and may give it up later. Those that keep it already count.`,
		"  wes resource replicate bafy… --copies 3", &v,
		func(ctx context.Context, client *api.Client, cid string) (any, [][]string, error) {
			r, err := client.ReplicateResource(ctx, cid, copies)
			if err == nil && len(r.Peers) == 0 {
				err = errCopies
			}
			rows := [][]string{{"copies", fmt.Sprintf("%d of %d", len(r.Peers), copies)}}
			for _, p := range r.Peers {
				rows = append(rows, []string{"peer", p})
			}
			return map[string]any{"cid": cid, "peers": r.Peers}, rows, err
		})
	c.Flags().IntVar(&copies, "copies", 3, "peers that are to keep it, 1 to 32")
	return c
}
