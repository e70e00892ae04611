package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/weisyn/wes/node"
	"github.com/weisyn/wes/node/keystore"
)

// keyVerb is what verbs share that keep a key.
type keyVerb struct {
	home
	passphrase
	unencrypted bool
}

func (v *keyVerb) bind(c *cobra.Command) {
	v.home.bind(c)
	v.passphrase.bind(c)
	c.Flags().BoolVar(&v.unencrypted, "unencrypted", false, "keep the key without a passphrase: who reads the file has the key")
}

// protection is that of a new key.
func (v *keyVerb) protection(stderr io.Writer, name string) (keystore.Protection, error) {
	if v.unencrypted {
		return keystore.Protection{Unprotected: true}, nil
	}
	text, err := v.fresh(stderr, name)
	return keystore.Protection{Passphrase: text}, err
}

// shownKey is what is shown of a key.
type shownKey struct {
	Name      string `json:"name"`
	Address   string `json:"address"`
	Public    string `json:"public"`
	Encrypted bool   `json:"encrypted"`
}

func showKey(prefix string, k *keystore.Key) shownKey {
	return shownKey{k.Name, node.AddressOf(prefix, k.Public), hex.EncodeToString(k.Public[:]), !k.Unprotected}
}

func printKey(w io.Writer, cfg *node.Config, k *keystore.Key, asJSON bool) error {
	p, err := prefix(cfg)
	if err != nil {
		return err
	}
	s := showKey(p, k)
	if asJSON {
		return printJSON(w, s)
	}
	return table(w, [][]string{{"name", s.Name}, {"address", s.Address}, {"public", s.Public}, {"encrypted", yesNo(s.Encrypted)}})
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func newWalletNew() *cobra.Command {
	var v keyVerb
	c := &cobra.Command{
		Use: "new NAME", Short: "Make a key", Args: arguments("NAME"),
		Long: `Make a key, kept under a name of 1 to 64 of a-z, 0-9, - and _. A key that exists is never
overwritten.`,
		Example: "  wes wallet new alice\n  wes wallet new miner --passphrase-file secret.txt",
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := v.config()
			if err != nil {
				return err
			}
			if err := vacant(&cfg, args[0]); err != nil {
				return err
			}
			p, err := v.protection(c.ErrOrStderr(), args[0])
			if err != nil {
				return err
			}
			k, err := keys(&cfg).New(args[0], p)
			if err != nil {
				return err
			}
			return printKey(c.OutOrStdout(), &cfg, &k, v.json)
		},
	}
	v.bind(c)
	return c
}

// vacant refuses a name that cannot be given, before anybody is asked for a passphrase.
func vacant(cfg *node.Config, name string) error {
	_, err := keys(cfg).Get(name)
	if err == nil {
		return fmt.Errorf("%w: %q", keystore.ErrExists, name)
	}
	if errors.Is(err, keystore.ErrNotFound) {
		return nil
	}
	return err
}

func newWalletImport() *cobra.Command {
	var v keyVerb
	var dev bool
	c := &cobra.Command{
		Use: "import NAME [FILE]", Short: "Keep a key that exists", Args: cobra.RangeArgs(1, 2),
		Long: `Keep a key whose seed, 64 hexadecimal digits as wes wallet export prints them, stands in a
file or comes from standard input; at a terminal it is asked for and not shown.

With --dev it is the key that owns the coins of the built-in networks (dev, testnet). Everybody
knows it, so it is kept without a passphrase.`,
		Example: "  wes wallet import alice backup.txt\n  wes wallet import dev --dev",
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := v.config()
			if err != nil {
				return err
			}
			if err := vacant(&cfg, args[0]); err != nil {
				return err
			}
			k, err := v.take(c, &cfg, args, dev)
			if err != nil {
				return err
			}
			return printKey(c.OutOrStdout(), &cfg, &k, v.json)
		},
	}
	v.bind(c)
	c.Flags().BoolVar(&dev, "dev", false, "the key that owns the coins of the built-in networks")
	return c
}

func (v *keyVerb) take(c *cobra.Command, cfg *node.Config, args []string, dev bool) (k keystore.Key, err error) {
	var text string
	if dev {
		seed := node.DevSeed()
		text, v.unencrypted = hex.EncodeToString(seed[:]), true
	} else if text, err = readSeed(c, args[1:]); err != nil {
		return k, err
	}
	p, err := v.protection(c.ErrOrStderr(), args[0])
	if err != nil {
		return k, err
	}
	k, err = keys(cfg).Import(args[0], text, p)
	return k, err
}

// maxSeedFile bounds what a seed is read from, in bytes.
const maxSeedFile = 4096

func readSeed(c *cobra.Command, file []string) (string, error) {
	if len(file) == 0 && term.IsTerminal(int(os.Stdin.Fd())) {
		return ask(c.ErrOrStderr(), "Seed, 64 hexadecimal digits: ")
	}
	in := c.InOrStdin()
	if len(file) > 0 && file[0] != "-" {
		f, err := os.Open(file[0])
		if err != nil {
			return "", err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	raw, err := io.ReadAll(io.LimitReader(in, maxSeedFile))
	return strings.TrimSpace(string(raw)), err
}

func newWalletExport() *cobra.Command {
	var v keyVerb
	c := &cobra.Command{
		Use: "export NAME", Short: "Print the seed of a key, for a backup", Args: arguments("NAME"),
		Long: `Print the seed of a key: 64 hexadecimal digits that wes wallet import takes. Whoever reads
them can spend what the key holds.`,
		Example: "  wes wallet export alice > backup.txt",
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := v.config()
			if err != nil {
				return err
			}
			s, err := keys(&cfg).Unlock(args[0], v.existing(c.ErrOrStderr(), args[0]))
			if err != nil {
				return err
			}
			if v.json {
				return printJSON(c.OutOrStdout(), map[string]string{"name": args[0], "seed": s.Seed()})
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), s.Seed())
			return err
		},
	}
	v.home.bind(c)
	v.passphrase.bind(c)
	return c
}

func newWalletList() *cobra.Command {
	var h home
	c := &cobra.Command{
		Use: "list", Short: "List the keys", Args: arguments(), Example: "  wes wallet list",
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := h.config()
			if err != nil {
				return err
			}
			all, err := keys(&cfg).List()
			if err != nil {
				return err
			}
			p, err := prefix(&cfg)
			if err != nil {
				return err
			}
			return printKeys(c.OutOrStdout(), p, all, h.json)
		},
	}
	h.bind(c)
	return c
}

func printKeys(w io.Writer, prefix string, all []keystore.Key, asJSON bool) error {
	shown := []shownKey{}
	rows := [][]string{{"NAME", "ADDRESS", "ENCRYPTED"}}
	for i := range all {
		s := showKey(prefix, &all[i])
		shown = append(shown, s)
		rows = append(rows, []string{s.Name, s.Address, yesNo(s.Encrypted)})
	}
	switch {
	case asJSON:
		return printJSON(w, map[string]any{"keys": shown})
	case len(all) == 0:
		_, err := fmt.Fprintln(w, "No keys: make one with wes wallet new NAME.")
		return err
	}
	return table(w, rows)
}

func newWalletAddress() *cobra.Command {
	var h home
	c := &cobra.Command{
		Use: "address [NAME]", Short: "Print the address of a key", Args: optional, Example: "  wes wallet address alice",
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := h.config()
			if err != nil {
				return err
			}
			k, err := ownKey(&cfg, first(args))
			if err != nil {
				return err
			}
			if h.json {
				return printKey(c.OutOrStdout(), &cfg, &k, true)
			}
			p, err := prefix(&cfg)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(c.OutOrStdout(), node.AddressOf(p, k.Public))
			return err
		},
	}
	h.bind(c)
	return c
}

// first returns the first argument, if there is one.
func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
