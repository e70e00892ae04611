package main

import (
	"strconv"

	"github.com/spf13/cobra"
)

func newModels() *cobra.Command {
	var v connection
	c := &cobra.Command{
		Use: "list", Short: "List the models that jobs can be submitted for", Args: arguments(),
		Long: `List the models that jobs can be submitted for: those that operators offer, and those that the
market's key of the node has announced. Prices are the least that an operator asks for, and what
the owner gets of every job.`,
		Example: "  wes ai list",
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := v.openMarket()
			if err != nil {
				return err
			}
			all, err := client.Models(c.Context())
			if err != nil {
				return err
			}
			if v.json {
				return printJSON(c.OutOrStdout(), map[string]any{"models": all})
			}
			rows := [][]string{{"MODEL", "VERSION", "KIND", "OFFERED", "PRICE", "ROYALTY", "CID"}}
			for _, m := range all {
				offered := "no"
				if m.Ready {
					offered = "yes"
				}
				rows = append(rows, []string{strconv.Quote(m.Name), quotedOr(m.Version, "—"), m.Kind, offered, baseUnits(m.Price), baseUnits(m.Royalty), m.CID})
			}
			return table(c.OutOrStdout(), rows)
		},
	}
	v.bind(c)
	return c
}
