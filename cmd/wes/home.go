package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/weisyn/wes/node"
	"github.com/weisyn/wes/node/keystore"
	"github.com/weisyn/wes/node/wallet"
)

// home is the folder that a verb works in.
type home struct {
	dir  string
	json bool
}

func (h *home) bind(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&h.dir, "home", "", "folder of the node's files and keys (default: WES_HOME, else .wes in the user's home folder)")
	f.BoolVar(&h.json, "json", false, "print one JSON object")
}

// config returns the configuration of the home folder.
func (h *home) config() (node.Config, error) {
	src := node.Sources{Env: os.LookupEnv, Flags: map[string]string{}}
	if h.dir != "" {
		src.Flags["home"] = h.dir
	}
	return node.Load(src)
}

// prefix returns that of addresses of the home folder's network.
func prefix(c *node.Config) (string, error) {
	n, err := c.HomeNetwork()
	if err != nil {
		return "", err
	}
	return n.Prefix, nil
}

func keys(c *node.Config) *keystore.Store { return &keystore.Store{Dir: node.KeyFolder(c.Home)} }

// reservations are shared by all processes that use a home folder's keys.
func reservations(c *node.Config) wallet.Reservations {
	return &wallet.File{Path: filepath.Join(node.KeyFolder(c.Home), "reserved", "outputs.json")}
}

// ownKey returns the named key or, without a name, the only one.
func ownKey(c *node.Config, name string) (keystore.Key, error) {
	if name != "" {
		k, err := keys(c).Get(name)
		return k, err
	}
	all, err := keys(c).List()
	switch {
	case err != nil:
		return keystore.Key{}, err
	case len(all) == 0:
		return keystore.Key{}, fmt.Errorf("%s has no keys: make one with wes wallet new NAME", c.Home)
	case len(all) > 1:
		return keystore.Key{}, fmt.Errorf("%s has %d keys: say which with --from NAME; wes wallet list shows them", c.Home, len(all))
	}
	return all[0], nil
}
