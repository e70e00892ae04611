package main

import (
	"strconv"

	"github.com/spf13/cobra"
)

func newMarketChannels() *cobra.Command {
	var v connection
	c := &cobra.Command{
		Use: "channels", Short: "List the payment channels of this node", Args: arguments(),
		Long: `List the payment channels of this node: as a client, those that it has opened with operators of small
jobs; as an operator, those that clients pay through. A client opens some where the setting channel_cap
is not 0; an operator takes them where it takes jobs at posted prices, and closes them near their end,
at their cap and when it is drained.`,
		Example: "  wes market channels",
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := v.openMarket()
			if err != nil {
				return err
			}
			all, err := client.Channels(c.Context())
			if err != nil {
				return err
			}
			if v.json {
				return printJSON(c.OutOrStdout(), map[string]any{"channels": all})
			}
			rows := [][]string{{"CHANNEL", "ROLE", "OTHER SIDE", "STATE", "CAP", "PAID", "ROOM", "UNPAID JOBS", "EXPIRES"}}
			for _, x := range all {
				rows = append(rows, []string{
					x.ID, x.Role, x.Other, x.State, baseUnits(x.Cap), baseUnits(x.Paid), baseUnits(x.Room), strconv.Itoa(x.Jobs), instant(x.ExpiresMS),
				})
			}
			return table(c.OutOrStdout(), rows)
		},
	}
	v.bind(c)
	return c
}
