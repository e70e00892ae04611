package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weisyn/wes/node"
)

func newNodeConfig() *cobra.Command {
	var n nodeVerb
	c := &cobra.Command{
		Use: "config", Short: "Print the settings that a node would run with", Args: arguments(),
		Long: `Print the settings that wes node would run with, given the same flags and environment: as a
file that --config takes, with what each is for.`,
		Example: "  wes node config --mine --threads 2 > config.toml",
		RunE: func(c *cobra.Command, _ []string) error {
			asJSON := n.json
			n.json = false // it is about the output here, not about the log
			cfg, err := n.load(c)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(c.OutOrStdout(), configObject(&cfg))
			}
			return printConfig(c.OutOrStdout(), &cfg)
		},
	}
	n.bind(c)
	c.Flags().Lookup("json").Usage = "print one JSON object"
	return c
}

// configObject is a configuration by the names of its settings.
func configObject(c *node.Config) map[string]any {
	all := map[string]any{}
	for _, s := range node.Settings() {
		text, _ := c.Get(s.Name)
		switch s.Kind {
		case "switch":
			all[s.Name] = text == "true"
		case "number":
			all[s.Name] = number64(text)
		case "list":
			all[s.Name] = list(text)
		default:
			all[s.Name] = text
		}
	}
	return all
}

// number64 reads a number that Config has formatted.
func number64(text string) any {
	if n, err := strconv.ParseUint(text, 10, 64); err == nil {
		return n
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("BUG: setting of a number is %q", text))
	}
	return n
}

func list(text string) []string {
	if text == "" {
		return []string{}
	}
	return strings.Split(text, ",")
}

// printConfig prints a file of settings. The home folder is not one of its keys.
func printConfig(w io.Writer, c *node.Config) error {
	for _, s := range node.Settings() {
		text, _ := c.Get(s.Name)
		name := s.Name
		if name == "home" {
			name = "# home"
		}
		if _, err := fmt.Fprintf(w, "# %s\n%s = %s\n\n", s.Doc, name, tomlValue(s.Kind, text)); err != nil {
			return err
		}
	}
	return nil
}

// tomlValue is the text of a setting in TOML.
func tomlValue(kind, text string) string {
	switch kind {
	case "switch", "number":
		return text
	case "list":
		var all []string
		for _, s := range list(text) {
			all = append(all, quoted(s))
		}
		return "[" + strings.Join(all, ", ") + "]"
	}
	return quoted(text)
}

// quoted is a basic string of TOML, whose escapes JSON's are among.
func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("BUG: a string is no JSON: %v", err))
	}
	return string(b)
}
