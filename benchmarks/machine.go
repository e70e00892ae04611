package benchmarks

import (
	"bufio"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/weisyn/wes/benchmarks/report"
)

// machine describes where this process runs; what the system does not tell stays empty.
func machine() report.Machine {
	m := report.Machine{Cores: runtime.GOMAXPROCS(0), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
	m.CPU = procField("/proc/cpuinfo", "model name")
	if kB, ok := strings.CutSuffix(procField("/proc/meminfo", "MemTotal"), " kB"); ok {
		if n, err := strconv.ParseInt(kB, 10, 64); err == nil {
			m.Memory = n << 10
		}
	}
	var flags []string
	for _, f := range strings.Fields(procField("/proc/cpuinfo", "flags")) {
		if strings.HasPrefix(f, "avx") || f == "adx" || f == "bmi2" {
			flags = append(flags, f)
		}
	}
	m.Flags = strings.Join(flags, " ")
	return m
}

// procField is the first value of a field in a file of /proc, empty where there is none.
func procField(file, field string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if name, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(name) == field {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// versions are those that the build recorded.
func versions() report.Versions {
	v := report.Versions{WES: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if r := revision(info); r != "" {
		v.WES = r
	}
	for _, m := range info.Deps {
		switch m.Path {
		case "github.com/consensys/gnark":
			v.Gnark = m.Version
		case "github.com/consensys/gnark-crypto":
			v.GnarkCrypto = m.Version
		case "github.com/ingonyama-zk/icicle-gnark/v3", "github.com/ingonyama-zk/icicle/v3":
			v.ICICLE = m.Path + " " + m.Version
		}
	}
	return v
}

// revision names the source: its commit, with "-dirty" when files differed from it, or the
// version of the module.
func revision(info *debug.BuildInfo) string {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	r := settings["vcs.revision"]
	switch {
	case r == "" && info.Main.Version != "(devel)":
		return info.Main.Version
	case settings["vcs.modified"] == "true":
		return r[:min(len(r), 12)] + "-dirty"
	}
	return r[:min(len(r), 12)]
}
