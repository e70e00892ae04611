package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/node/keystore"
)

func newWalletPassphrase() *cobra.Command {
	var v keyVerb
	var file string
	c := &cobra.Command{
		Use: "passphrase NAME", Short: "Change the passphrase of a key", Args: arguments("NAME"),
		Long: `Change the passphrase of a key, or with --unencrypted remove it. Copies of the old file and
backups of the seed are not touched: they still open.`,
		Example: "  wes wallet passphrase alice\n  wes wallet passphrase alice --passphrase-file old.txt --new-passphrase-file new.txt",
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := v.config()
			if err != nil {
				return err
			}
			store, name := keys(&cfg), args[0]
			k, err := store.Get(name)
			if err != nil {
				return err
			}
			old := ""
			if !k.Unprotected {
				if old, err = v.existing(c.ErrOrStderr(), name)(); err != nil {
					return err
				}
			}
			next, err := v.next(c.ErrOrStderr(), name, file)
			if err != nil {
				return err
			}
			if err := store.Protect(name, func() (string, error) { return old, nil }, next); err != nil {
				return err
			}
			k.Unprotected = next.Unprotected
			return printKey(c.OutOrStdout(), &cfg, &k, v.json)
		},
	}
	v.bind(c)
	c.Flags().StringVar(&file, "new-passphrase-file", "", "file with the new passphrase (default: asked for)")
	return c
}

// next is the new protection: that of the environment is the old one.
func (v *keyVerb) next(stderr io.Writer, name, file string) (p keystore.Protection, err error) {
	switch {
	case v.unencrypted:
		p.Unprotected = true
	case file != "":
		p.Passphrase, err = readPassphrase(file)
	default:
		p.Passphrase, err = askTwice(stderr, name)
	}
	if err != nil {
		return p, fmt.Errorf("new passphrase: %w", err)
	}
	return p, nil
}
