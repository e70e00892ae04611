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
	cgo := "with cgo"
	if !hasCgo() {
		cgo = "without cgo"
	}
	return fmt.Sprintf("wes %s, %s %s/%s, %s", release(), runtime.Version(), runtime.GOOS, runtime.GOARCH, cgo)
}

// release is version and revision of this build.
func release() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(devel)"
	}
	r := setting(info, "vcs.revision")
	if len(r) < 12 {
		return info.Main.Version
	}
	text := info.Main.Version + " " + r[:12]
	if setting(info, "vcs.modified") == "true" {
		text += " modified"
	}
	return text
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
