package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/api"
	"github.com/weisyn/wes/node/wallet"
)

func newToken() *cobra.Command {
	return group("token", "Issue tokens of your own", newTokenIssue(), newTokenMint(), newTokenShow())
}

func newTokenIssue() *cobra.Command {
	var s spending
	var most string
	c := &cobra.Command{
		Use: "issue AMOUNT", Short: "Create a token, and an amount of it for yourself", Args: arguments("AMOUNT"),
		Long: `Create a token, and an amount of it for the key that pays. More can be made later, up to
--max in all, by the same key. Tokens have no name and no decimals: the 64 hexadecimal digits
that are printed are what others pay with.`,
		Example: "  wes token issue 1000000 --max 5000000 --wait",
		RunE: func(c *cobra.Command, args []string) error {
			amount, err := parseUnits(args[0])
			if err != nil {
				return err
			}
			limit := amount
			if most != "" {
				if limit, err = parseUnits(most); err != nil {
					return fmt.Errorf("--max: %w", err)
				}
			}
			return s.run(c, func(ctx context.Context, p *payer, note *sent) (*wallet.Built, error) {
				b, id, err := p.Issue(ctx, amount, limit)
				note.Token = id.String()
				return b, err
			})
		},
	}
	s.bind(c)
	c.Flags().StringVar(&most, "max", "", "how much there can ever be (default: AMOUNT)")
	return c
}

func newTokenMint() *cobra.Command {
	var s spending
	c := &cobra.Command{
		Use: "mint TOKEN AMOUNT", Short: "Make more of a token", Args: arguments("TOKEN", "AMOUNT"),
		Long:    "Make more of a token, for the key that issued it, which pays the fee too.",
		Example: "  wes token mint 5f3c… 500 --wait",
		RunE: func(c *cobra.Command, args []string) error {
			coin, err := parseCoin(args[1], args[0])
			if err != nil {
				return err
			}
			return s.run(c, func(ctx context.Context, p *payer, note *sent) (*wallet.Built, error) {
				o, err := policy(ctx, p.client, coin.Token)
				if err != nil {
					return nil, err
				}
				u, err := o.UTXO()
				if err != nil {
					return nil, err
				}
				note.Token = coin.Token.String()
				return p.Mint(ctx, u, coin.Amount)
			})
		},
	}
	s.bind(c)
	return c
}

// policy finds the output with the policy of a token.
func policy(ctx context.Context, client *api.Client, t chain.TokenID) (*api.Output, error) {
	var found *api.Output
	err := outputs(ctx, client, api.RoleToken, t.String(), func(o *api.Output) (bool, error) {
		if o.Body["kind"] == "token_policy" {
			found = o
		}
		return found == nil, nil
	})
	if err == nil && found == nil {
		err = fmt.Errorf("token %v: this ledger has none of that id", t)
	}
	return found, err
}

func newTokenShow() *cobra.Command {
	var v connection
	c := &cobra.Command{
		Use: "show TOKEN", Short: "Show how much of a token there is", Args: arguments("TOKEN"), Example: "  wes token show 5f3c…",
		RunE: func(c *cobra.Command, args []string) error {
			t, err := parseToken(args[0])
			if err != nil {
				return err
			}
			client, _, err := v.open()
			if err != nil {
				return err
			}
			o, err := policy(c.Context(), client, t)
			if err != nil {
				return err
			}
			status, err := client.Status(c.Context())
			if err != nil {
				return err
			}
			return printToken(c.OutOrStdout(), o, status.Prefix, v.json)
		},
	}
	v.bind(c)
	return c
}

func printToken(w io.Writer, o *api.Output, prefix string, asJSON bool) error {
	if asJSON {
		return printJSON(w, o)
	}
	u, err := o.UTXO()
	if err != nil {
		return err
	}
	s, ok := u.Entry.Output.Body.(*chain.State)
	if !ok {
		return fmt.Errorf("answer of the node: output %s is no policy", o.Outpoint)
	}
	data, err := chain.DecodeState(s)
	if err != nil {
		return fmt.Errorf("answer of the node: %w", err)
	}
	t, ok := data.(*chain.TokenPolicy)
	if !ok {
		return fmt.Errorf("answer of the node: output %s is no policy", o.Outpoint)
	}
	return table(w, [][]string{
		{"token", t.ID.String()},
		{"minted", decimal(t.Minted)},
		{"at most", decimal(t.Max)},
		{"issuer", chain.FormatAddress(prefix, chain.LockHash(t.Lock))},
		{"policy", o.Outpoint},
	})
}
