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

// dashboard is what matters of a dashboard of Grafana.
type dashboard struct {
	UID           string
	SchemaVersion int
	Panels        []panel
	Templating    struct {
		List []struct{ Name, Type, Definition string }
	}
}

type panel struct {
	ID         int
	Type       string
	Title      string
	Datasource struct{ Type, UID string }
	Targets    []struct{ RefID, Expr string }
}

// schema is the version of dashboards that Grafana 12 writes.
const schema = 41

var variable = regexp.MustCompile(`\$([a-zA-Z]\w*)`)

// badDashboard says what of a dashboard would stay empty.
func badDashboard(text []byte, all map[string]series) []string {
	var d dashboard
	if err := json.Unmarshal(text, &d); err != nil {
		return []string{err.Error()}
	}
	bad := d.badVariables(all)
	if d.UID == "" || d.SchemaVersion != schema {
		bad = append(bad, fmt.Sprintf("uid %q, version %d of the schema", d.UID, d.SchemaVersion))
	}
	ids := map[int]bool{}
	for _, p := range d.Panels {
		if ids[p.ID] {
			bad = append(bad, fmt.Sprintf("panel %d is there twice", p.ID))
		}
		ids[p.ID] = true
		for _, problem := range d.badPanel(&p, all) {
			bad = append(bad, p.Title+": "+problem)
		}
	}
	return bad
}

func (d *dashboard) badPanel(p *panel, all map[string]series) []string {
	var bad []string
	switch {
	case p.Type == "row":
		return nil
	case p.Datasource.UID != source:
		bad = append(bad, "another source of data: "+p.Datasource.UID)
	case len(p.Targets) == 0:
		bad = append(bad, "it asks for nothing")
	}
	for _, target := range p.Targets {
		bad = append(bad, badQuery(target.Expr, all)...)
		for _, v := range variable.FindAllStringSubmatch(target.Expr, -1) {
			if !d.has(v[1]) {
				bad = append(bad, "there is no variable "+v[1])
			}
		}
	}
	return bad
}

func (d *dashboard) has(name string) bool {
	for _, v := range d.Templating.List {
		if v.Name == name {
			return true
		}
	}
	return false
}

// lookup is what variables are filled by.
var lookup = regexp.MustCompile(`^label_values\((.+), ([a-z_]+)\)$`)

func (d *dashboard) badVariables(all map[string]series) []string {
	var bad []string
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		parts := lookup.FindStringSubmatch(v.Definition)
		if parts == nil {
			bad = append(bad, "variable "+v.Name+": "+v.Definition)
			continue
		}
		bad = append(bad, badQuery(parts[1], all)...)
		q, err := parse(parts[1])
		if err == nil && !slices.Contains(all[q.selectors[0].metric].labels, parts[2]) {
			bad = append(bad, "variable "+v.Name+": no label "+parts[2])
		}
	}
	return bad
}

func TestDashboardsAskForWhatNodesShow(t *testing.T) {
	files, err := filepath.Glob("grafana/dashboards/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	all := known(t)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, problem := range badDashboard(text, all) {
			t.Errorf("%s: %s", file, problem)
		}
	}
}

// TestDashboardJoinsMarketProverDeviceAndWallet: what an operator earns is seen beside what it takes.
func TestDashboardJoinsMarketProverDeviceAndWallet(t *testing.T) {
	text, err := os.ReadFile("grafana/dashboards/market.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, subsystem := range []string{"wes_market_", "wes_works_", "wes_fleet_", "wes_wallet_", "wes_proofs_", "wes_gateway_", "wes_chain_", "wes_node_"} {
		if !strings.Contains(string(text), subsystem) {
			t.Errorf("nothing of %s is shown", subsystem)
		}
	}
}

func TestBadDashboardsAreNoticed(t *testing.T) {
	all := known(t)
	const good = `{"uid": "a", "schemaVersion": 41, "templating": {"list": [
		{"name": "node", "type": "query", "definition": "label_values(wes_node_info, instance)"}]}, "panels": [
		{"id": 1, "type": "row"}, {"id": 2, "type": "stat", "datasource": {"uid": "prometheus"}, "targets": [{"expr": "wes_node_ready{instance=~\"$node\"}"}]}]}`
	if bad := badDashboard([]byte(good), all); len(bad) > 0 {
		t.Fatal(bad)
	}
	for what, change := range map[string][2]string{
		"JSON":       {`"uid"`, `uid`},
		"schema":     {"41", "16"},
		"metric":     {"wes_node_ready", "wes_ready"},
		"variable":   {"$node", "$host"},
		"source":     {`"prometheus"`, `"influx"`},
		"twice":      {`"id": 1`, `"id": 2`},
		"no query":   {`[{"expr": "wes_node_ready{instance=~\"$node\"}"}]`, "[]"},
		"label":      {"wes_node_info, instance", "wes_node_info, host"},
		"definition": {"label_values(", "values("},
		"of what":    {"label_values(wes_node_info", "label_values(wes_info"},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		if text == good || len(badDashboard([]byte(text), all)) == 0 {
			t.Errorf("%s: nothing is wrong with %s", what, text)
		}
	}
}
