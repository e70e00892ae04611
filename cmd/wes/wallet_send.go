package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/chain"
	"github.com/weisyn/wes/node/wallet"
)

func newWalletSend() *cobra.Command {
	var s spending
	var token string
	c := &cobra.Command{
		Use: "send ADDRESS AMOUNT", Short: "Pay an amount to an address", Args: arguments("ADDRESS", "AMOUNT"),
		Long: `Pay an amount to an address, or to a key of the home folder by its name. Amounts of WES have
up to 8 decimals, those of other tokens none.`,
		Example: "  wes wallet send twes1… 12.5 --wait\n  wes wallet send bob 40 --token 5f3c… --from alice",
		RunE: func(c *cobra.Command, args []string) error {
			coin, err := parseCoin(args[1], token)
			if err != nil {
				return err
			}
			return s.run(c, func(ctx context.Context, p *payer, _ *sent) (*wallet.Built, error) {
				to, err := parseTo(p.cfg, p.prefix, args[0])
				if err != nil {
					return nil, err
				}
				return p.Send(ctx, wallet.Payment{To: chain.Address{Hash: to}, Value: coinValue(coin)})
			})
		},
	}
	s.bind(c)
	c.Flags().StringVar(&token, "token", "wes", "token to pay with: wes, or its 64 hexadecimal digits")
	return c
}
