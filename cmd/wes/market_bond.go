package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/api"
	"github.com/weisyn/wes/node/wallet"
)

func newMarketBond() *cobra.Command {
	return group("bond", "Bind a standing bond as an operator, and take it back", newBondCreate(), newBondShow(), newBondRelease(), newBondWithdraw())
}

func newBondCreate() *cobra.Command {
	var s spending
	c := &cobra.Command{
		Use: "create AMOUNT", Short: "Bind a bond", Args: arguments("AMOUNT"),
		Long: `Bind a bond. It answers for results that the key signs: whoever shows a valid proof of another output
for the same job takes it. It can be taken back a day after it was released.`,
		Example: "  wes market bond create 100 --from operator --wait",
		RunE: func(c *cobra.Command, args []string) error {
			n, err := parseWES(args[0])
			if err != nil {
				return err
			}
			return s.run(c, func(ctx context.Context, p *payer, _ *sent) (*wallet.Built, error) {
				return p.CreateBond(ctx, p.Public(), chain.Tokens(chain.TokenID{}, n))
			})
		},
	}
	s.bind(c)
	return c
}

// bondVerb is a verb about one bond.
func bondVerb(use, short, long string, build func(ctx context.Context, w *wallet.Wallet, bond chain.UTXO) (*wallet.Built, error)) *cobra.Command {
	var s spending
	c := &cobra.Command{
		Use: use + " OUTPUT", Short: short, Long: long, Args: arguments("OUTPUT"), Example: "  wes market bond " + use + " 9b1c…:0 --from operator",
		RunE: func(c *cobra.Command, args []string) error {
			o, err := parseOutpoint(args[0])
			if err != nil {
				return err
			}
			return s.run(c, func(ctx context.Context, p *payer, _ *sent) (*wallet.Built, error) {
				u, found, err := p.ledger.Output(ctx, o)
				if err == nil && !found {
					err = fmt.Errorf("there is no unspent output %s", args[0])
				}
				if err != nil {
					return nil, err
				}
				return build(ctx, p.Wallet, u)
			})
		},
	}
	s.bind(c)
	return c
}

func newBondRelease() *cobra.Command {
	return bondVerb("release", "Let the delay begin after which a bond can be taken back", "Let the delay begin after which a bond can be taken back: a day on most networks.",
		func(ctx context.Context, w *wallet.Wallet, bond chain.UTXO) (*wallet.Built, error) {
			return w.Unbond(ctx, bond)
		})
}

func newBondWithdraw() *cobra.Command {
	return bondVerb("withdraw", "Take a released bond back", "Take a released bond back, after the delay.",
		func(ctx context.Context, w *wallet.Wallet, bond chain.UTXO) (*wallet.Built, error) {
			b, err := w.Withdraw(ctx, bond)
			if at := releaseOf(&bond); errors.Is(err, wallet.ErrTime) && at > 0 {
				err = fmt.Errorf("the bond can be taken back from %s on", instant(at))
			}
			return b, err
		})
}

// releaseOf is when a bond can be taken back, in ms since 1970; 0 if it was not released.
func releaseOf(u *chain.UTXO) uint64 {
	s, ok := u.Entry.Output.Body.(*chain.State)
	if !ok {
		return 0
	}
	read, err := chain.DecodeState(s)
	if b, ok := read.(*chain.OperatorBond); err == nil && ok {
		return b.Release
	}
	return 0
}

func newBondShow() *cobra.Command {
	var v connection
	var name string
	c := &cobra.Command{
		Use: "ls", Short: "List the bonds of a key", Args: arguments(), Example: "  wes market bond ls --from operator",
		RunE: func(c *cobra.Command, _ []string) error {
			client, cfg, err := v.open()
			if err != nil {
				return err
			}
			k, err := ownKey(cfg, name)
			if err != nil {
				return err
			}
			lock := chain.LockHash(k.Lock())
			type bond struct {
				Output  string `json:"output"`
				Units   uint64 `json:"units"`
				Release uint64 `json:"release"` // ms since 1970; 0: not released
			}
			all := []bond{}
			err = outputs(c.Context(), client, api.RoleOperator, hex.EncodeToString(lock[:]), func(o *api.Output) (bool, error) {
				u, err := o.UTXO()
				if err != nil {
					return false, err
				}
				if s, ok := u.Entry.Output.Body.(*chain.State); ok && s.Type == chain.StateBond {
					read, err := chain.DecodeState(s)
					if b, ok := read.(*chain.OperatorBond); err == nil && ok {
						all = append(all, bond{o.Outpoint, u.Entry.Output.Value.Of(chain.TokenID{}), b.Release})
					}
				}
				return true, nil
			})
			if err != nil {
				return err
			}
			if v.json {
				return printJSON(c.OutOrStdout(), map[string]any{"bonds": all})
			}
			rows := [][]string{{"BOND", "AMOUNT", "FREE FROM"}}
			for _, b := range all {
				rows = append(rows, []string{b.Output, wesText(b.Units) + " WES", instant(b.Release)})
			}
			return table(c.OutOrStdout(), rows)
		},
	}
	v.bind(c)
	c.Flags().StringVar(&name, "from", "", "name of the key (default: the only one)")
	return c
}
