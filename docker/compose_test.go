package docker_test

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/weisyn/wes/node"
)

// composition is what matters of a compose file.
type composition struct {
	Services map[string]service
	Volumes  map[string]any
}

type service struct {
	Image       string
	Build       *struct{ Context, Dockerfile string }
	Entrypoint  []string
	Command     []string
	Environment map[string]string
	Ports       []string
	Volumes     []string
	DependsOn   dependencies `yaml:"depends_on"`
}

// dependencies are a list of services, or conditions by service.
type dependencies []string

// UnmarshalYAML implements yaml.Unmarshaler.
func (d *dependencies) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.SequenceNode {
		return n.Decode((*[]string)(d))
	}
	var all map[string]struct{ Condition string }
	err := n.Decode(&all)
	for name := range all {
		*d = append(*d, name)
	}
	return err
}

// runs reports whether a service is a node.
func (s *service) runs() bool { return s.Image == "wes" && len(s.Entrypoint) == 0 }

// outside are variables that nodes read and that are no settings.
var outside = []string{"WES_CACHE", "WES_ONNXRUNTIME_LIB"}

// sources are the settings of a node, by command line and environment.
func (s *service) sources(home string) (node.Sources, error) {
	flags := map[string]string{"home": home}
	if len(s.Command) == 0 || s.Command[0] != "node" {
		return node.Sources{}, fmt.Errorf("the command %q is not node", s.Command)
	}
	for rest := s.Command[1:]; len(rest) > 0; {
		word, dashes := strings.CutPrefix(rest[0], "--")
		name, value, given := strings.Cut(word, "=")
		setting, ok := settingOf(func(x node.Setting) bool { return x.Flag == name })
		if !ok || !dashes {
			return node.Sources{}, fmt.Errorf("wes node has no flag %q", rest[0])
		}
		rest = rest[1:]
		switch {
		case given:
		case setting.Kind == "switch":
			value = "true"
		case len(rest) == 0:
			return node.Sources{}, fmt.Errorf("--%s has no value", name)
		default:
			value, rest = rest[0], rest[1:]
		}
		flags[setting.Name] = value
	}
	env := func(name string) (string, bool) { v, ok := s.Environment[name]; return v, ok }
	return node.Sources{Flags: flags, Env: env}, nil
}

func settingOf(match func(node.Setting) bool) (node.Setting, bool) {
	all := node.Settings()
	i := slices.IndexFunc(all, match)
	if i < 0 {
		return node.Setting{}, false
	}
	return all[i], true
}

// config is the configuration that a node would run with.
func (s *service) config(home string) (node.Config, error) {
	src, err := s.sources(home)
	if err != nil {
		return node.Config{}, err
	}
	for name := range s.Environment {
		_, setting := settingOf(func(x node.Setting) bool { return x.Env == name })
		if strings.HasPrefix(name, "WES_") && !setting && !slices.Contains(outside, name) {
			return node.Config{}, fmt.Errorf("no setting is read from %s", name)
		}
	}
	return node.Load(src)
}

// badComposition says what would not start. exists reports whether a file beside the compose file does.
func badComposition(text []byte, home string, exists func(string) bool) []string {
	var c composition
	if err := yaml.Unmarshal(text, &c); err != nil {
		return []string{err.Error()}
	}
	var bad []string
	for name, s := range c.Services {
		for _, problem := range slices.Concat(s.badNode(home), c.badLinks(&s, exists)) {
			bad = append(bad, name+": "+problem)
		}
	}
	for _, name := range []string{"init", "miner", "operator-1", "operator-2", "operator-3", "client", "prometheus", "grafana"} {
		if _, ok := c.Services[name]; !ok {
			bad = append(bad, "there is no service "+name)
		}
	}
	return bad
}

// badNode looks at the settings of a node, and at the ports that it is reached by.
func (s *service) badNode(home string) []string {
	if !s.runs() {
		return nil
	}
	c, err := s.config(home)
	if err != nil {
		return []string{err.Error()}
	}
	var bad []string
	for _, p := range s.Ports {
		parts := strings.Split(p, ":")
		inside := parts[len(parts)-1]
		if !slices.ContainsFunc([]string{c.API, c.QueueListen}, func(a string) bool { return portOf(a) == inside }) {
			bad = append(bad, "nothing listens on port "+inside)
		}
	}
	return bad
}

func portOf(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return ""
	}
	return port
}

var published = regexp.MustCompile(`^127\.0\.0\.1:\d+:\d+$`)

// badLinks looks at what a service has to find.
func (c *composition) badLinks(s *service, exists func(string) bool) []string {
	var bad []string
	if s.Image == "" {
		bad = append(bad, "no image")
	}
	if s.Build != nil && !exists(s.Build.Context+"/"+s.Build.Dockerfile) {
		bad = append(bad, "there is no file "+s.Build.Dockerfile)
	}
	for _, p := range s.Ports {
		if !published.MatchString(p) {
			bad = append(bad, "port "+p+" is not on loopback alone")
		}
	}
	for _, v := range s.Volumes {
		from, _, _ := strings.Cut(v, ":")
		_, named := c.Volumes[from]
		if file := strings.HasPrefix(from, "./"); file && !exists(from) || !file && !named {
			bad = append(bad, "there is no volume "+from)
		}
	}
	for _, name := range s.DependsOn {
		if _, ok := c.Services[name]; !ok {
			bad = append(bad, "it waits for "+name+", which is no service")
		}
	}
	return bad
}

func isThere(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func readComposition(t *testing.T) (text []byte, c composition) {
	t.Helper()
	text, err := os.ReadFile("compose.yaml")
	if err == nil {
		err = yaml.Unmarshal(text, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	return text, c
}

func TestComposeFileStartsNodes(t *testing.T) {
	text, c := readComposition(t)
	for _, problem := range badComposition(text, t.TempDir(), isThere) {
		t.Error(problem)
	}
	script, err := os.ReadFile("init.sh")
	if err != nil {
		t.Fatal(err)
	}
	made := strings.Fields(strings.Trim(regexp.MustCompile(`(?m)^nodes="(.*)"$`).FindStringSubmatch(string(script))[1], `"`))
	sellers := 0
	for name, s := range c.Services {
		if !s.runs() {
			continue
		}
		conf, err := s.config(t.TempDir())
		if err != nil {
			t.Error(err)
		}
		if conf.Sell {
			sellers++
		}
		for _, key := range []string{conf.MinerKey, conf.MarketKey} {
			if key != "" && key != name {
				t.Errorf("%s uses the key %s", name, key)
			}
		}
		if !slices.Contains(made, name) || !slices.Contains(c.Services["init"].Volumes, name+":/homes/"+name) {
			t.Errorf("init makes no home for %s", name)
		}
	}
	if sellers != 3 {
		t.Errorf("%d operators", sellers)
	}
}

func TestBadCompositionsAreNoticed(t *testing.T) {
	text, _ := readComposition(t)
	good := string(text)
	for what, change := range map[string][2]string{
		"YAML":            {"services:", "services"},
		"service":         {"  operator-3:\n    <<", "  operator-4:\n    <<"},
		"flag":            {"--miner-key, miner", "--mining-key, miner"},
		"no dashes":       {"--miner-key, miner", "miner-key, miner"},
		"value":           {`"12000"`, `"cheap"`},
		"no value":        {", --price-minimum, \"12000\"]", ", --price-minimum]"},
		"variable":        {"WES_MDNS", "WES_MULTICAST"},
		"command":         {"command: [node, --mine,", "command: [mine, --mine,"},
		"token":           {"    WES_API_TOKEN: /network/api.token\n", ""},
		"seller":          {"--market-key, operator-2, ", ""},
		"port":            {"127.0.0.1:4872:4872", "127.0.0.1:4872:4999"},
		"published":       {"127.0.0.1:4872:4872", "4872:4872"},
		"dependency":      {"    miner:\n      condition", "    minor:\n      condition"},
		"volume":          {"- client:/var/lib/wes", "- clients:/var/lib/wes"},
		"file":            {"./alerts.yml", "./alarms.yml"},
		"Dockerfile":      {"docker/cpu.Dockerfile\n    user", "docker/gpu.Dockerfile\n    user"},
		"image":           {"image: grafana/grafana:12.1.0", "restart: always"},
		"list of depends": {"      - prometheus\n    ports", "      - prometeus\n    ports"},
	} {
		broken := strings.Replace(good, change[0], change[1], 1)
		if broken == good {
			t.Errorf("%s: nothing to change", what)
		} else if len(badComposition([]byte(broken), t.TempDir(), isThere)) == 0 {
			t.Errorf("%s: nothing is wrong", what)
		}
	}
}
