package node

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated files of docs anew")

// TestConfigIsDocumented holds docs/config.md to the code.
func TestConfigIsDocumented(t *testing.T) {
	const file = "../docs/config.md"
	if *update {
		if err := os.WriteFile(file, []byte(Reference()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(text) != Reference() {
		t.Error("docs/config.md is out of date: go test ./node -run Documented -update")
	}
	for _, s := range Settings() {
		if s.Doc == "" {
			t.Errorf("setting %s has no doc", s.Name)
		}
	}
}

// sources puts a configuration file in a home folder of its own.
func sources(t *testing.T, file string, env map[string]string, flags map[string]string) Sources {
	t.Helper()
	home := t.TempDir()
	if file != "" {
		if err := os.WriteFile(filepath.Join(home, "config.toml"), []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	all := map[string]string{"home": home}
	for k, v := range flags {
		all[k] = v
	}
	return Sources{Flags: all, Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok }}
}

func TestFlagsBeatEnvironmentBeatsFileBeatsDefault(t *testing.T) {
	src := sources(t, "network = \"a\"\napi = \"127.0.0.1:1\"\nthreads = 3\nlisten = [\"x\", \"y\"]\n",
		map[string]string{"WES_API": "127.0.0.1:2", "WES_NETWORK": "b"}, map[string]string{"network": "c", "mine": "true"})
	c, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprint(c.Network, c.API, c.Threads, c.Listen, c.Mine, c.DHT)
	if want := fmt.Sprint("c", "127.0.0.1:2", 3, []string{"x", "y"}, true, "auto"); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestEverySettingIsSetFromText(t *testing.T) {
	sample := map[string]string{"text": "a text", "number": "7", "switch": "true", "list": "a,b"}
	for _, s := range Settings() {
		var c Config
		if err := c.Set(s.Name, sample[s.Kind]); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
		if got, _ := c.Get(s.Name); got != sample[s.Kind] {
			t.Errorf("%s is %q, want %q", s.Name, got, sample[s.Kind])
		}
		if s.Kind == "number" || s.Kind == "switch" {
			if err := c.Set(s.Name, "nonsense"); err == nil {
				t.Errorf("%s takes nonsense", s.Name)
			}
		}
	}
}

func TestConfigRefusesWhatCannotWork(t *testing.T) {
	for setting, text := range map[string]string{
		"dht": "yes", "log_level": "loud", "log_format": "xml", "threads": "-1", "workers": "2000", "mempool_mib": "0",
		"proof_cache": "0", "peers_low": "0", "peers_high": "1", "resources_gib": "0", "replicas_gib": "21",
		"api": "0.0.0.0:4872", "api_cert": "a.pem", "accept_fees": "aa=1/2", "nonsense": "1",
	} {
		_, err := Load(sources(t, "", nil, map[string]string{setting: text}))
		var bad *SettingError
		if !errors.As(err, &bad) || bad.Setting != setting {
			t.Errorf("%s = %s: %v", setting, text, err)
		}
	}
}

func TestFileErrorsNameTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"api = \"127.0.0.1:1\"\napi_tokn = 1\n": `line 2: unknown key "api_tokn"`,
		"mine = true\nthreads = \"two\"\n":      "line 2:",
		"mine = true\nthreads =\n":              "line 2:",
		"home = \"x\"\n":                        `line 1: unknown key "home"`,
	} {
		_, err := Load(sources(t, text, nil, nil))
		if !errors.Is(err, ErrFile) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestFeesOfTokensCount(t *testing.T) {
	token := strings.Repeat("ab", 32)
	c, err := Load(sources(t, "accept_fees = [\""+token+"=3/7\"]\n", nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	prices, err := c.prices()
	if err != nil || len(prices) != 1 {
		t.Fatal(prices, err)
	}
	for id, p := range prices {
		if id.String() != token || p.Worth != 3 || p.Per != 7 {
			t.Errorf("%v: %+v", id, p)
		}
	}
}

func TestLogsFollowTheConfiguration(t *testing.T) {
	for _, c := range []struct {
		level, format string
		lines         int // of one record a level
		first         string
	}{
		{"debug", "text", 4, "time="}, {"info", "json", 3, "{"}, {"warn", "text", 2, "time="}, {"error", "json", 1, "{"},
	} {
		var b strings.Builder
		log := (&Config{LogLevel: c.level, LogFormat: c.format}).Logger(&b)
		log.Debug("a")
		log.Info("b")
		log.Warn("c")
		log.Error("d")
		if got := strings.Count(b.String(), "\n"); got != c.lines || !strings.HasPrefix(b.String(), c.first) {
			t.Errorf("%s, %s: %d lines:\n%s", c.level, c.format, got, b.String())
		}
	}
}

func FuzzConfigFile(f *testing.F) {
	f.Add([]byte("threads = 2\nlisten = [\"a\"]\n"))
	f.Add([]byte("min_fee_rate = -1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c := DefaultConfig()
		if err := decodeTOML("fuzz", text, &c); err != nil && !errors.Is(err, ErrFile) {
			t.Error(err)
		}
	})
}
