package api

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"
)

// apiVersion is that of the methods and their meaning.
const apiVersion = "1.0.0"

// document is an OpenRPC document (spec.open-rpc.org, version 1.3).
type document struct {
	OpenRPC string           `json:"openrpc"`
	Info    map[string]any   `json:"info"`
	Methods []describeMethod `json:"methods"`
}

type describeMethod struct {
	Name           string              `json:"name"`
	Summary        string              `json:"summary"`
	ParamStructure string              `json:"paramStructure"`
	Params         []describeParameter `json:"params"`
	Result         describeParameter   `json:"result"`
	Errors         []describeError     `json:"errors,omitempty"`
}

type describeParameter struct {
	Name     string             `json:"name"`
	Summary  string             `json:"summary,omitempty"`
	Required bool               `json:"required,omitempty"`
	Schema   *jsonschema.Schema `json:"schema"`
}

type describeError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// openRPC describes all methods.
func openRPC() *document {
	d := &document{OpenRPC: "1.3.2", Info: map[string]any{"title": "WES node", "version": apiVersion}}
	for _, m := range methods() {
		d.Methods = append(d.Methods, describeMethod{
			Name: methodPrefix + m.name, Summary: m.about, ParamStructure: "by-name", Params: parameters(m.params),
			Result: describeParameter{Name: "result", Schema: schema(m.result)}, Errors: ownErrors(),
		})
	}
	return d
}

func schema(t reflect.Type) *jsonschema.Schema {
	r := jsonschema.Reflector{Anonymous: true, DoNotReference: true}
	s := r.ReflectFromType(t)
	s.Version = ""
	return s
}

func parameters(t reflect.Type) []describeParameter {
	all := []describeParameter{}
	s := schema(t)
	if s.Properties == nil {
		return all
	}
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		all = append(all, describeParameter{p.Key, p.Value.Description, slices.Contains(s.Required, p.Key), p.Value})
	}
	return all
}

func ownErrors() []describeError {
	var all []describeError
	for _, code := range slices.Sorted(maps.Keys(Codes())) {
		if code > -32600 {
			all = append(all, describeError{code, Codes()[code]})
		}
	}
	return all
}

// Reference is docs/rpc.md.
func Reference() string {
	var b strings.Builder
	b.WriteString("# JSON-RPC of a node\n\nThis page is generated from the methods; `go test ./node/api -update` writes it anew. The same is served as OpenRPC document at\n" +
		"`/openrpc.json`. Parameters are given by name. Amounts are decimal strings of base units (1 WES is 100,000,000), hashes\nhexadecimal, times in ms since 1970.\n\n" +
		"The bytes of resources go over HTTP, in any size: `POST /resources?name=NAME` keeps the body as a file and answers\n`{\"cid\": …, \"size\": …}`; `GET /resources/CID?max=BYTES` reads a file, which the node gets from its peers, and keeps, if\nneed be. Errors are a line of text: 404 not found, 408 and 400 the upload stalled or broke off, 413 larger than max, 422 no\nCID or no file, 429 busy, 501 this node keeps none, 507 the quota is used up.\n")
	for _, m := range openRPC().Methods {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", m.Name, m.Summary)
		if len(m.Params) > 0 {
			b.WriteString("\n| parameter | type | |\n|---|---|---|\n")
			for _, p := range m.Params {
				fmt.Fprintf(&b, "| `%s`%s | %s | %s |\n", p.Name, optionalMark(p.Required), schemaType(p.Schema), p.Summary)
			}
		}
		b.WriteString("\n| result | type | |\n|---|---|---|\n")
		resultRows(&b, "", m.Result.Schema)
	}
	b.WriteString("\n## Errors\n\n| code | |\n|---|---|\n")
	for _, code := range slices.Sorted(maps.Keys(Codes())) {
		fmt.Fprintf(&b, "| %d | %s |\n", code, Codes()[code])
	}
	b.WriteString("\nThe codes of rules are listed in [rules.md](rules.md).\n")
	return b.String()
}

func optionalMark(required bool) string {
	if required {
		return ""
	}
	return " (optional)"
}

func schemaType(s *jsonschema.Schema) string {
	switch {
	case len(s.Enum) > 0:
		var all []string
		for _, x := range s.Enum {
			raw, _ := json.Marshal(x) // a string
			all = append(all, strings.Trim(string(raw), `"`))
		}
		return strings.Join(all, ", ")
	case s.Type == "array":
		return "list of " + schemaType(s.Items)
	case s.Type == "":
		return "any"
	}
	return s.Type
}

// resultRows lists the fields of an object, and of objects in it two levels down.
func resultRows(b *strings.Builder, prefix string, s *jsonschema.Schema) {
	if s.Type == "array" && s.Items != nil {
		resultRows(b, prefix+"[].", s.Items)
		return
	}
	if s.Properties == nil {
		return
	}
	for p := s.Properties.Oldest(); p != nil; p = p.Next() {
		fmt.Fprintf(b, "| `%s%s` | %s | %s |\n", prefix, p.Key, schemaType(p.Value), p.Value.Description)
		if strings.Count(prefix, ".") < 2 {
			nested := p.Value
			mark := "."
			if nested.Type == "array" && nested.Items != nil {
				nested, mark = nested.Items, "[]."
			}
			resultRows(b, prefix+p.Key+mark, nested)
		}
	}
}
