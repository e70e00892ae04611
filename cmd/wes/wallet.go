package main

import "github.com/spf13/cobra"

func newWallet() *cobra.Command {
	c := group("wallet", "Keys, balances and payments",
		newWalletNew(), newWalletImport(), newWalletExport(), newWalletList(), newWalletAddress(), newWalletPassphrase(),
		newWalletBalance(), newWalletHistory(), newWalletSend())
	c.Long = `Keys, balances and payments.

Keys lie encrypted in the home folder, one file each, and are used by this program alone: a
node never sees them. Whoever loses a key and its backup (wes wallet export) loses what it
holds; nobody can bring it back.

To try things out, run wes node --dev, and pay yourself with the key that owns the coins of
networks for tests, which everybody knows:

  wes wallet new alice
  wes wallet import dev --dev
  wes wallet send alice 100 --from dev --wait
  wes wallet balance alice`
	return c
}
