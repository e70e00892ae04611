package docker_test

import (
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// source is the identity of Prometheus in Grafana.
const source = "prometheus"

// watching is what matters of Prometheus' configuration and of what Grafana is provided with.
type watching struct {
	RuleFiles     []string `yaml:"rule_files"`
	ScrapeConfigs []struct {
		JobName       string `yaml:"job_name"`
		Authorization struct {
			File string `yaml:"credentials_file"`
		}
		StaticConfigs []struct{ Targets []string } `yaml:"static_configs"`
	} `yaml:"scrape_configs"`
}

type provisioned struct {
	Datasources []struct{ UID, Type, URL string }
	Providers   []struct {
		Type    string
		Options struct{ Path string }
	}
}

// mounted reports whether a service sees a file: it, or a folder above it, is a mount.
func (s *service) mounted(name string) bool {
	return slices.ContainsFunc(s.Volumes, func(v string) bool {
		parts := strings.Split(v, ":")
		return len(parts) > 1 && (name == parts[1] || strings.HasPrefix(name, parts[1]+"/"))
	})
}

// badWatch says what Prometheus would not find among the services.
func badWatch(text []byte, c *composition, home string) []string {
	var w watching
	if err := yaml.Unmarshal(text, &w); err != nil {
		return []string{err.Error()}
	}
	prometheus := c.Services["prometheus"]
	var bad []string
	for _, f := range w.RuleFiles {
		if !prometheus.mounted("/etc/prometheus/" + f) {
			bad = append(bad, "there is no file "+f)
		}
	}
	watched := map[string]bool{}
	for _, s := range w.ScrapeConfigs {
		if !prometheus.mounted(s.Authorization.File) {
			bad = append(bad, "there is no token "+s.Authorization.File)
		}
		for _, group := range s.StaticConfigs {
			for _, target := range group.Targets {
				host, port, err := net.SplitHostPort(target)
				n := c.Services[host]
				conf, wrong := n.config(home)
				if err != nil || wrong != nil || portOf(conf.API) != port || conf.APIToken != s.Authorization.File {
					bad = append(bad, "no node of that token is at "+target)
				}
				watched[host] = true
			}
		}
	}
	for name, s := range c.Services {
		if s.runs() && !watched[name] {
			bad = append(bad, name+" is not watched")
		}
	}
	return bad
}

func TestPrometheusWatchesEveryNode(t *testing.T) {
	_, c := readComposition(t)
	text, err := os.ReadFile("prometheus.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range badWatch(text, &c, t.TempDir()) {
		t.Error(problem)
	}
	for what, change := range map[string][2]string{
		"YAML":    {"rule_files:", "rule_files"},
		"rules":   {"- alerts.yml", "- alarms.yml"},
		"token":   {"/network/api.token", "/secrets/api.token"},
		"other":   {"/network/api.token", "/network/queue.token"},
		"host":    {"- miner:4872", "- minor:4872"},
		"port":    {"- miner:4872", "- miner:4871"},
		"omitted": {"          - operator-2:4872\n", ""},
	} {
		broken := strings.Replace(string(text), change[0], change[1], 1)
		if broken == string(text) || len(badWatch([]byte(broken), &c, t.TempDir())) == 0 {
			t.Errorf("%s: nothing is wrong", what)
		}
	}
}

func TestGrafanaFindsPrometheusAndDashboards(t *testing.T) {
	_, c := readComposition(t)
	read := func(name string) (p provisioned) {
		text, err := os.ReadFile("grafana/provisioning/" + name)
		if err == nil {
			err = yaml.Unmarshal(text, &p)
		}
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, d := range read("datasources/prometheus.yaml").Datasources {
		u, err := url.Parse(d.URL)
		if err != nil || d.UID != source || d.Type != "prometheus" || c.Services[u.Hostname()].Image == "" {
			t.Errorf("%+v, %v", d, err)
		}
	}
	grafana := c.Services["grafana"]
	for _, p := range read("dashboards/wes.yaml").Providers {
		if p.Type != "file" || !slices.Contains(grafana.Volumes, "./grafana/dashboards:"+p.Options.Path+":ro") {
			t.Errorf("%+v", p)
		}
	}
}
