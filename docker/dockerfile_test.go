package docker_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// instruction is one of a Dockerfile; see https://docs.docker.com/reference/dockerfile.
type instruction struct{ name, args string }

// instructions reads a Dockerfile.
func instructions(text string) ([]instruction, error) {
	var all []instruction
	open := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		part, more := strings.CutSuffix(line, `\`)
		if open {
			all[len(all)-1].args += " " + strings.TrimSpace(part)
		} else {
			name, args, _ := strings.Cut(part, " ")
			all = append(all, instruction{name, strings.TrimSpace(args)})
		}
		open = more
	}
	if open {
		return nil, fmt.Errorf("the last line goes on")
	}
	return all, nil
}

var directives = []string{
	"FROM", "ARG", "RUN", "COPY", "ADD", "ENV", "USER", "WORKDIR", "VOLUME", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD", "LABEL", "SHELL", "STOPSIGNAL", "ONBUILD",
}

// image follows the stages of a Dockerfile.
type image struct {
	stages []string // names, empty of those without
	last   map[string]string
	copies func(name string) bool // whether a file of the repository is there
	bad    []string
}

func (i *image) complain(format string, args ...any) {
	i.bad = append(i.bad, fmt.Sprintf(format, args...))
}

// badDockerfile says what would not build, or should not run.
func badDockerfile(text string, copies func(string) bool) []string {
	all, err := instructions(text)
	if err != nil {
		return []string{err.Error()}
	}
	i := &image{copies: copies, last: map[string]string{}}
	for _, x := range all {
		i.follow(x)
	}
	if user := i.last["USER"]; user == "" || user == "root" || user == "0" {
		i.complain("it runs as root")
	}
	if !strings.Contains(i.last["HEALTHCHECK"], "/readyz") {
		i.complain("nobody asks /readyz")
	}
	for _, name := range []string{"ENTRYPOINT", "CMD", "VOLUME"} {
		if i.last[name] == "" {
			i.complain("no %s", name)
		}
	}
	return i.bad
}

func (i *image) follow(x instruction) {
	switch {
	case !slices.Contains(directives, x.name):
		i.complain("no instruction is %q", x.name)
	case x.args == "":
		i.complain("%s has no arguments", x.name)
	case x.name == "FROM":
		i.from(x.args)
	case len(i.stages) == 0 && x.name != "ARG":
		i.complain("%s comes before FROM", x.name)
	case x.name == "COPY":
		i.copy(strings.Fields(x.args))
	case x.name == "ENV" && !regexp.MustCompile(`^([A-Z_]+=("[^"]*"|\S+)\s*)+$`).MatchString(x.args):
		i.complain("ENV %s", x.args)
	case x.name == "EXPOSE" && !regexp.MustCompile(`^(\d+(/tcp|/udp)?\s*)+$`).MatchString(x.args):
		i.complain("EXPOSE %s", x.args)
	}
	i.last[x.name] = x.args
	if at := strings.Index(x.args, "["); slices.Contains([]string{"ENTRYPOINT", "CMD", "HEALTHCHECK"}, x.name) {
		var list []string
		if at < 0 || json.Unmarshal([]byte(x.args[at:]), &list) != nil || len(list) == 0 {
			i.complain("%s is no list in JSON", x.name)
		}
	}
}

// from begins a stage. What a stage before has set is over.
func (i *image) from(args string) {
	words := strings.Fields(args)
	name := ""
	switch {
	case len(words) == 3 && strings.EqualFold(words[1], "AS"):
		name = words[2]
	case len(words) != 1:
		i.complain("FROM %s", args)
	}
	if base := words[0]; !slices.Contains(i.stages, base) && !strings.Contains(base, ":") {
		i.complain("%s is no stage, and no image of a fixed version", base)
	}
	if name != "" && slices.Contains(i.stages, name) {
		i.complain("stage %s is there twice", name)
	}
	i.stages, i.last = append(i.stages, name), map[string]string{}
}

func (i *image) copy(words []string) {
	from, staged := "", false
	if from, staged = strings.CutPrefix(words[0], "--from="); staged {
		words = words[1:]
		if earlier := i.stages[:len(i.stages)-1]; !slices.Contains(earlier, from) {
			i.complain("COPY from %s, which is no stage before", from)
		}
	}
	if len(words) < 2 {
		i.complain("COPY without a target")
		return
	}
	for _, name := range words[:len(words)-1] {
		if !staged && !i.copies(name) {
			i.complain("COPY %s, which the build does not have", name)
		}
		if staged && !strings.HasPrefix(name, "/") {
			i.complain("COPY %s: a path of a stage begins with /", name)
		}
	}
}

// sent reports whether a file of the repository is part of a build: .dockerignore leaves out folders.
func sent(t *testing.T) func(string) bool {
	text, err := os.ReadFile("../.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	ignored := strings.Fields(string(text))
	return func(name string) bool {
		top, _, _ := strings.Cut(filepath.ToSlash(name), "/")
		return isThere(filepath.Join("..", name)) && !slices.Contains(ignored, top)
	}
}

func TestDockerfilesAreWellFormed(t *testing.T) {
	files, err := filepath.Glob("*.Dockerfile")
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range badDockerfile(string(text), sent(t)) {
			t.Errorf("%s: %s", file, problem)
		}
	}
}

func TestBadDockerfilesAreNoticed(t *testing.T) {
	text, err := os.ReadFile("cpu.Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	good := string(text)
	for what, change := range map[string][2]string{
		"instruction":    {"WORKDIR /src", "WORKDIRECTORY /src"},
		"stage":          {"--from=build /out/wes", "--from=builder /out/wes"},
		"own stage":      {"FROM debian:bookworm-slim", "FROM debian:bookworm-slim AS build"},
		"relative":       {"--from=build /out/wes", "--from=build out/wes"},
		"version":        {"FROM debian:bookworm-slim", "FROM debian"},
		"missing file":   {"COPY go.mod go.sum", "COPY go.mod go.lock"},
		"ignored folder": {"COPY . .", "COPY build/wes ."},
		"target":         {"COPY . .", "COPY ."},
		"before FROM":    {"FROM golang:1.26-bookworm AS build", "RUN true\nFROM golang:1.26-bookworm AS build"},
		"FROM":           {"golang:1.26-bookworm AS build", "golang:1.26-bookworm build"},
		"root":           {"USER wes", "USER root"},
		"no user":        {"USER wes\n", ""},
		"health":         {"4872/readyz", "4872/healthz"},
		"list":           {`CMD ["node"]`, "CMD node"},
		"bad list":       {`ENTRYPOINT ["wes"]`, `ENTRYPOINT ["wes]`},
		"no entrypoint":  {`ENTRYPOINT ["wes"]` + "\n", ""},
		"volume":         {"VOLUME /var/lib/wes\n", ""},
		"port":           {"4871/tcp 4871/udp", "4871/tcp 4871/quic"},
		"variable":       {"WES_CACHE=", "WES_CACHE "},
		"open end":       {`CMD ["node"]`, `CMD ["node"] \`},
	} {
		broken := strings.Replace(good, change[0], change[1], 1)
		if broken == good {
			t.Errorf("%s: nothing to change", what)
		} else if len(badDockerfile(broken, sent(t))) == 0 {
			t.Errorf("%s: nothing is wrong", what)
		}
	}
}
