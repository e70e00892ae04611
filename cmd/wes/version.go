package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print version, revision and build settings",
		Args:  arguments(),
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), versionLine())
			return err
		},
	}
}

func versionLine() string {
	version, revision := "(devel)", ""
	info, ok := debug.ReadBuildInfo()
	if ok {
		version = info.Main.Version
		if r := setting(info, "vcs.revision"); len(r) >= 12 {
			revision = " " + r[:12]
			if setting(info, "vcs.modified") == "true" {
				revision += " modified"
			}
		}
	}
	cgo := "with cgo"
	if !hasCgo() {
		cgo = "without cgo"
	}
	return fmt.Sprintf("wes %s%s, %s %s/%s, %s", version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH, cgo)
}

// hasCgo tells whether this build can load libraries.
func hasCgo() bool {
	info, ok := debug.ReadBuildInfo()
	return !ok || setting(info, "CGO_ENABLED") != "0"
}

func setting(info *debug.BuildInfo, key string) string {
	for _, s := range info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}
