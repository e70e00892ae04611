package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/node/gateway"
)

func newJob() *cobra.Command {
	return group("job", "Follow the jobs of this node's key", newJobList(), newJobShow(), newJobWatch(), newJobExplain(), newJobCancel())
}

// jobVerb is a verb about one job.
func jobVerb(use, short, long string, run func(ctx context.Context, w io.Writer, c *gateway.Client, id string, asJSON bool) error) *cobra.Command {
	var v connection
	c := &cobra.Command{
		Use: use + " JOB", Short: short, Long: long, Args: arguments("JOB"), Example: "  wes job " + use + " 4be1…",
		RunE: func(c *cobra.Command, args []string) error {
			client, err := v.openMarket()
			if err != nil {
				return err
			}
			return run(c.Context(), c.OutOrStdout(), client, args[0], v.json)
		},
	}
	v.bind(c)
	return c
}

func newJobList() *cobra.Command {
	var v connection
	var f gateway.JobFilter
	c := &cobra.Command{
		Use: "ls", Short: "List jobs, the newest first", Args: arguments(), Example: "  wes job ls --open",
		RunE: func(c *cobra.Command, _ []string) error {
			if f.Limit < 1 || f.Limit > 1000 {
				return fmt.Errorf("--limit %d: from 1 to 1000; see %s --help", f.Limit, c.CommandPath())
			}
			client, err := v.openMarket()
			if err != nil {
				return err
			}
			all, next, err := client.Jobs(c.Context(), f)
			if err != nil {
				return err
			}
			if v.json {
				return printJSON(c.OutOrStdout(), map[string]any{"jobs": all, "next": next})
			}
			rows := [][]string{{"JOB", "MODEL", "LEVEL", "ASSIGNMENT", "EXECUTION", "SETTLEMENT", "REASON", "PRICE", "SUBMITTED"}}
			for i := range all {
				j := &all[i]
				rows = append(rows, []string{
					j.ID, strconv.Quote(j.Model), j.Level, j.Assignment, j.Execution, j.Settlement, j.Reason, baseUnits(j.Price), instant(j.Times.Submitted),
				})
			}
			return table(c.OutOrStdout(), rows)
		},
	}
	v.bind(c)
	c.Flags().BoolVar(&f.Open, "open", false, "only those that have not ended")
	c.Flags().IntVar(&f.Limit, "limit", 20, "how many, 1 to 1000")
	c.Flags().StringVar(&f.Cursor, "after", "", "only those before this one")
	return c
}

// instant writes ms since 1970 for people.
func instant(ms uint64) string {
	if ms == 0 {
		return "—"
	}
	return time.UnixMilli(int64(ms)).Format("2006-01-02 15:04:05")
}

func newJobShow() *cobra.Command {
	return jobVerb("show", "Show a job", "Show a job: who has it, how far it is, and where the money is.",
		func(ctx context.Context, w io.Writer, c *gateway.Client, id string, asJSON bool) error {
			j, err := c.Job(ctx, id)
			if err != nil {
				return err
			}
			return printJob(w, j, asJSON)
		})
}

func printJob(w io.Writer, j *gateway.Job, asJSON bool) error {
	if asJSON {
		return printJSON(w, j)
	}
	rows := [][]string{
		{"job", j.ID},
		{"kind", j.Kind + ", " + j.Level},
		{"model", strconv.Quote(j.Model) + " " + j.ModelCID},
		{"assignment", j.Assignment},
		{"execution", strings.TrimSpace(j.Execution + " " + j.Stage)},
		{"settlement", settlementText(j)},
		{"price", baseUnits(j.Price)},
		{"proof", strings.TrimSpace(j.ProofStatus + " " + j.ProofCID)},
		{"submitted", instant(j.Times.Submitted)},
	}
	for _, part := range [][2]string{{"reason", strings.TrimSpace(j.Reason + " " + j.Text)}, {"operator", j.Operator}, {"device", j.Device}, {"escrow", j.EscrowTx}} {
		if part[1] != "" {
			rows = append(rows, []string{part[0], part[1]})
		}
	}
	if j.Times.Due > 0 {
		rows = append(rows, []string{"due", instant(j.Times.Due)})
	}
	return table(w, rows)
}

func newJobWatch() *cobra.Command {
	return jobVerb("watch", "Print every change of a job until it ends", "Print a line for every change of a job until it ends; with --json, an object a line.",
		func(ctx context.Context, w io.Writer, c *gateway.Client, id string, asJSON bool) error {
			for j, err := range c.Watch(ctx, id) {
				if err != nil {
					return err
				}
				if asJSON {
					err = printLine(w, &j)
				} else {
					_, err = fmt.Fprintf(w, "%s  %-10s %-8s %-10s %s %s\n", time.Now().Format("15:04:05.000"), j.Assignment, j.Execution, j.Settlement, progressText(&j), j.Reason)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
}

func progressText(j *gateway.Job) string {
	if j.Stage == "" {
		return ""
	}
	return fmt.Sprintf("%s %d/%d", j.Stage, j.Done, j.Total)
}

func newJobExplain() *cobra.Command {
	return jobVerb("explain", "Say why a job has its operator, or none",
		"Say why a job has its operator, or none: who was asked, what they answered and what they would have taken.\nThe reasons are listed in docs/market-codes.md.",
		func(ctx context.Context, w io.Writer, c *gateway.Client, id string, asJSON bool) error {
			e, err := c.Explain(ctx, id)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(w, e)
			}
			return printExplanation(w, e)
		})
}

func printExplanation(w io.Writer, e *gateway.Explanation) error {
	fmt.Fprintf(w, "%s\n\n", e.Text)
	rows := [][]string{
		{"asked", strconv.Itoa(e.Asked)},
		{"could have run it", strconv.Itoa(e.Capable)},
		{"bids", strconv.Itoa(e.Bids)},
		{"rounds", strconv.Itoa(e.Rounds)},
		{"highest price", baseUnits(e.MaxPrice) + "; of the last round " + baseUnits(e.Reserve)},
	}
	if n := len(e.Prices); n > 0 && e.Prices[0] == e.Prices[n-1] {
		rows = append(rows, []string{"price asked for", baseUnits(e.Prices[0])})
	} else if n > 0 {
		var all []string
		for _, p := range e.Prices {
			all = append(all, baseUnits(p))
		}
		rows = append(rows, []string{"prices asked for", strings.Join(all, ", ") + " (least, quartiles, most)"})
	}
	if err := table(w, rows); err != nil || len(e.Declines) == 0 {
		return err
	}
	fmt.Fprintln(w)
	rows = [][]string{{"OPERATOR", "REASON", "PRICE", "TEXT"}}
	for _, d := range e.Declines {
		rows = append(rows, []string{d.Operator, d.Reason, baseUnits(d.Price), quotedOr(d.Text, "")})
	}
	return table(w, rows)
}

func newJobCancel() *cobra.Command {
	return jobVerb("cancel", "Give up a job that nobody has yet", "Give up a job that nobody has yet. One that is assigned is paid, refunded or slashed by the ledger's rules.",
		func(ctx context.Context, w io.Writer, c *gateway.Client, id string, asJSON bool) error {
			if err := c.Cancel(ctx, id); err != nil {
				return err
			}
			j, err := c.Job(ctx, id)
			if err != nil {
				return err
			}
			return printJob(w, j, asJSON)
		})
}
