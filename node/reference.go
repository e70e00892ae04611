package node

import (
	"fmt"
	"strings"
)

// Reference returns the text of docs/config.md.
func Reference() string {
	var b strings.Builder
	b.WriteString(`# Settings of a node

Made from the code; see package node. A flag beats the environment, which beats the file, which
beats the default. The file is config.toml in the home folder, or the one named by --config; keys
that it does not know are errors. Lists have commas in flags and in the environment, and are
arrays in the file. A running node reads file and environment again when it gets SIGHUP; settings marked
with ↻ take effect then, others after a restart, and the log names those.

| file | flag | environment | kind | default | what |
|---|---|---|---|---|---|
`)
	for _, s := range Settings() {
		file := s.Name
		if s.Name == "home" {
			file = "—"
		}
		if s.Hot {
			file += " ↻"
		}
		fmt.Fprintf(&b, "| %s | --%s | %s | %s | %s | %s |\n", file, s.Flag, s.Env, s.Kind, strings.ReplaceAll(s.Default, "|", `\|`), s.Doc)
	}
	return b.String()
}
