package wes

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/weisyn/wes/"

// allowed says which packages of this module each package may import; a trailing /... means
// everything below too. A package that is not listed may not exist.
var allowed = map[string][]string{
	".":                                {},
	"chain":                            {},
	"chain/chaintest":                  {"chain"},
	"chain/consensus":                  {"chain"},
	"chain/mempool":                    {"chain"},
	"chain/replica":                    {"chain", "chain/consensus", "chain/mempool"},
	"chain/replica/storetest":          {"chain", "chain/chaintest", "chain/replica"},
	"chain/chaintest/simulator":        {"chain", "chain/chaintest", "chain/consensus", "chain/mempool", "chain/replica"},
	"chain/store":                      {"chain"},
	"chain/ures":                       {},
	"market":                           {"chain"},
	"market/capacity":                  {},
	"market/markettest":                {"chain", "chain/chaintest", "market", "market/channel"},
	"market/channel":                   {"chain"},
	"node":                             {"chain", "market", "market/...", "chain/...", "gpu", "gpu/...", "node/...", "prover", "prover/..."},
	"node/api":                         {"chain"},
	"node/executor":                    {"chain", "node/proofs", "prover", "prover/..."},
	"node/fleet":                       {},
	"node/gateway":                     {},
	"node/keystore":                    {"chain"},
	"node/p2p":                         {},
	"node/proofs":                      {"chain", "prover/circuit", "prover/circuit/wire", "prover/verify"},
	"node/works":                       {"chain", "chain/ures", "market", "market/capacity", "node/executor", "node/fleet", "node/proofs", "node/trade"},
	"node/trade":                       {"chain", "market", "market/...", "node/wallet"},
	"node/storefront":                  {"chain", "chain/ures", "market", "node/gateway", "node/proofs", "node/trade", "node/wallet", "prover/circuit", "prover/graph", "prover/model/tensor", "prover/verify"},
	"node/town":                        {"node", "node/api", "node/gateway"},
	"node/wallet":                      {"chain"},
	"cmd/wes":                          {"chain", "chain/store", "chain/ures", "market", "market/...", "node", "node/...", "benchmarks", "benchmarks/report", "gpu", "gpu/...", "prover", "prover/..."},
	"gpu/groth16":                      {"gpu"},
	"gpu":                              {},
	"gpu/dispatch":                     {"gpu", "gpu/worker"},
	"gpu/machine":                      {"gpu", "gpu/dispatch"},
	"gpu/nvml":                         {"gpu"},
	"gpu/nvml/nvmltest":                {},
	"gpu/onnx":                         {"gpu", "gpu/worker"},
	"gpu/probe":                        {"gpu", "gpu/nvml", "gpu/onnx", "gpu/worker"},
	"gpu/msm":                          {"prover/commit"},
	"gpu/msm/icicle":                   {"gpu/msm", "gpu/worker"},
	"gpu/msm/msmtest":                  {"gpu/msm", "prover/commit"},
	"gpu/msm/remote":                   {"gpu/msm", "gpu/worker", "prover/commit"},
	"gpu/worker":                       {},
	"prover":                           {"prover/..."},
	"prover/circuit":                   {"prover/circuit/srs", "prover/circuit/wire"},
	"prover/circuit/example":           {"prover/circuit"},
	"prover/circuit/service":           {"gpu/dispatch", "gpu/worker", "prover/circuit"},
	"prover/circuit/srs":               {"prover/circuit/wire"},
	"prover/circuit/wire":              {},
	"prover/commit":                    {"prover/poly", "prover/transcript", "prover/vec"},
	"prover/graph":                     {},
	"prover/layer":                     {"prover/graph", "prover/sumcheck", "prover/lookup", "prover/commit", "prover/transcript", "prover/poly", "prover/vec"},
	"prover/lookup":                    {"prover/poly", "prover/transcript", "prover/vec"},
	"prover/model":                     {"prover/graph", "prover/model/..."},
	"prover/model/conformance":         {"prover/graph", "prover/model", "prover/model/..."},
	"prover/model/emit":                {"prover/graph", "prover/model/onnx"},
	"prover/model/float":               {"prover/model/onnx"},
	"prover/model/interpret":           {"prover/graph"},
	"prover/model/interpret/graphtest": {"prover/graph"},
	"prover/model/onnx":                {},
	"prover/model/onnx/onnxtest":       {"prover/model/onnx"},
	"prover/model/tensor":              {"prover/graph"},
	"prover/pipeline":                  {"prover", "prover/..."},
	"prover/poly":                      {"prover/vec"},
	"prover/sumcheck":                  {"prover/poly", "prover/transcript", "prover/vec"},
	"prover/transcript":                {},
	"prover/vec":                       {},
	"prover/vec/internal/gen":          {},
	"prover/verify":                    {"prover/graph", "prover/layer", "prover/sumcheck", "prover/lookup", "prover/commit", "prover/transcript", "prover/poly", "prover/vec"},
}

// upper packages orchestrate: nothing below imports them, although the table's patterns
// would let it.
var upper = map[string][]string{
	"prover/circuit/service":           {"cmd/wes"},
	"prover/pipeline":                  {"cmd/wes", "node", "node/executor"},
	"prover/model/conformance":         {},
	"prover/model/interpret/graphtest": {},
	"prover/model/onnx/onnxtest":       {},
	"node/town":                        {"cmd/wes", "benchmarks"},
	"chain/chaintest":                  {"chain/chaintest/simulator", "chain/replica/storetest", "market/markettest"},
	"chain/replica/storetest":          {},
	"chain/chaintest/simulator":        {},
	"market/markettest":                {},
	"gpu/nvml/nvmltest":                {},
	"gpu/msm/msmtest":                  {},
}

// sole says who alone imports a heavy dependency. gpu/onnx writes the models of its
// self-test, and imports nothing of the prover.
var sole = map[string][]string{
	"github.com/yalue/onnxruntime_go":    {"gpu/onnx"},
	"github.com/hdevalence/":             {"chain"},
	"github.com/spf13/cobra":             {"cmd/wes"},
	"github.com/vbauerster/mpb/":         {"cmd/wes"},
	"google.golang.org/protobuf/":        {"prover/model/onnx", "gpu/onnx"},
	"github.com/dgraph-io/badger/":       {"chain/store"},
	"github.com/getkin/kin-openapi/":     {"node/gateway"},
	"github.com/ipfs/":                   {"chain/ures"},
	"github.com/libp2p/":                 {"node/p2p", "chain/ures"},
	"github.com/multiformats/":           {"node/p2p", "chain/ures"},
	"filippo.io/age":                     {"node/keystore"},
	"github.com/creachadair/jrpc2":       {"node/api"},
	"github.com/coder/websocket":         {"node/api"},
	"github.com/nats-io/":                {"node/fleet"},
	"github.com/pelletier/go-toml/":      {"node"},
	"github.com/invopop/jsonschema":      {"node/api"},
	"C":                                  {"gpu/nvml", "gpu/onnx"},
	"github.com/consensys/gnark/":        {"gpu/groth16", "prover/circuit", "prover/circuit/..."},
	"github.com/consensys/gnark-crypto/": {"gpu/groth16", "gpu/msm", "gpu/msm/...", "prover", "prover/circuit", "prover/circuit/...", "prover/commit", "prover/layer", "prover/lookup", "prover/poly", "prover/sumcheck", "prover/transcript", "prover/vec", "prover/vec/...", "prover/verify"},
	"github.com/ingonyama-zk/":           {"gpu/groth16", "gpu/msm/icicle"},
}

// contexts lists the structs that may hold a context, with the reason.
var contexts = map[string]string{
	"gpu/onnx.meter": "io.Reader has no room for one",
}

// source is a parsed Go file that is not a test.
type source struct {
	path string
	ast  *ast.File
}

// sources parses the module, by folder. Build constraints are not applied: the rules hold
// on every platform.
func sources(t *testing.T) map[string][]source {
	t.Helper()
	found := map[string][]source{}
	walk(t, func(name string) {
		if filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.ToSlash(filepath.Dir(name))
		found[dir] = append(found[dir], source{filepath.ToSlash(name), file})
	})
	return found
}

// walk visits the files of the repository but for what is built, ignored or another module.
func walk(t *testing.T, visit func(name string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := d.Name()
		switch {
		case !d.IsDir():
			visit(name)
		case name == "." || base == ".ci":
		case strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "build" || base == "bin":
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func imports(f source) []string {
	var all []string
	for _, i := range f.ast.Imports {
		name, _ := strconv.Unquote(i.Path.Value)
		all = append(all, name)
	}
	return all
}

func benchmark(dir string) bool { return dir == "benchmarks" || strings.HasPrefix(dir, "benchmarks/") }

func matches(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		prefix, tree := strings.CutSuffix(p, "...")
		return name == p || tree && strings.HasPrefix(name, prefix)
	})
}

func TestImportsFollowTheTable(t *testing.T) {
	for dir, files := range sources(t) {
		rules, listed := allowed[dir]
		if !listed && !benchmark(dir) && dir != "tools" {
			t.Errorf("%s is not in the table of imports", dir)
			continue
		}
		for _, f := range files {
			for _, name := range imports(f) {
				own, ours := strings.CutPrefix(name, module)
				if !ours {
					continue
				}
				if benchmark(own) && !benchmark(dir) && dir != "cmd/wes" {
					t.Errorf("%s imports %s: only the command line imports benchmarks", f.path, own)
				}
				if !benchmark(dir) && !matches(rules, own) {
					t.Errorf("%s imports %s, which the table does not allow", f.path, own)
				}
				if by, restricted := upper[own]; restricted && !benchmark(dir) && !slices.Contains(by, dir) {
					t.Errorf("%s imports %s, which is for %v", f.path, own, by)
				}
			}
		}
	}
}

func TestHeavyDependenciesHaveOneImporter(t *testing.T) {
	for dir, files := range sources(t) {
		for _, f := range files {
			for _, name := range imports(f) {
				for dependency, by := range sole {
					hit := name == dependency || strings.HasSuffix(dependency, "/") && strings.HasPrefix(name, dependency)
					if hit && !benchmark(dir) && !matches(by, dir) {
						t.Errorf("%s imports %s, which is for %v", f.path, name, by)
					}
				}
			}
		}
	}
}

func TestTableNamesOnlyPackagesThatExist(t *testing.T) {
	found := sources(t)
	for _, dir := range slices.Sorted(maps.Keys(allowed)) {
		if len(found[dir]) == 0 {
			t.Errorf("the table has %s, which does not exist", dir)
		}
	}
}

func TestVerifierExecutesNothing(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "./prover/verify")
	list.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	banned := map[string]string{
		module + "gpu":          "a device",
		module + "prover/model": "an executor",
		module + "cmd":          "a command",
		"os/exec":               "other programs",
		"net":                   "the network",
		"plugin":                "code from files",
		"runtime/cgo":           "cgo",
	}
	for name := range strings.FieldsSeq(string(out)) {
		for prefix, what := range banned {
			if name == prefix || strings.HasPrefix(name, prefix+"/") {
				t.Errorf("prover/verify reaches %s: %s", name, what)
			}
		}
	}
}

func TestEveryPackageHasOneComment(t *testing.T) {
	for dir, files := range sources(t) {
		var comments []string
		for _, f := range files {
			if f.ast.Doc != nil {
				comments = append(comments, f.ast.Doc.Text())
			}
		}
		name := files[0].ast.Name.Name
		want := "Package " + name + " "
		if name == "main" {
			want = "Command " + path.Base(dir) + " "
		}
		if len(comments) != 1 || !strings.HasPrefix(comments[0], want) {
			t.Errorf("%s has %d package comments, want one that begins with %q", dir, len(comments), want)
		}
	}
}

func TestPackagesAreNamedByContent(t *testing.T) {
	for dir := range sources(t) {
		for part := range strings.SplitSeq(dir, "/") {
			if slices.Contains([]string{"util", "utils", "common", "helpers", "types", "misc", "shared"}, part) {
				t.Errorf("%s says nothing about what it holds", dir)
			}
		}
	}
}

func TestNoInitFunctions(t *testing.T) {
	for _, files := range sources(t) {
		for _, f := range files {
			for _, d := range f.ast.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%s has an init function", f.path)
				}
			}
		}
	}
}

func TestNoContextInStructs(t *testing.T) {
	for dir, files := range sources(t) {
		for _, f := range files {
			ast.Inspect(f.ast, func(n ast.Node) bool {
				spec, ok := n.(*ast.TypeSpec)
				if !ok {
					return true
				}
				if s, ok := spec.Type.(*ast.StructType); ok && holdsContext(s) && contexts[dir+"."+spec.Name.Name] == "" {
					t.Errorf("%s: struct %s holds a context", f.path, spec.Name.Name)
				}
				return true
			})
		}
	}
}

func holdsContext(s *ast.StructType) bool {
	return slices.ContainsFunc(s.Fields.List, func(f *ast.Field) bool {
		sel, ok := f.Type.(*ast.SelectorExpr)
		if !ok || sel.Sel.Name != "Context" {
			return false
		}
		pkg, ok := sel.X.(*ast.Ident)
		return ok && pkg.Name == "context"
	})
}

// TestNoMutableGlobals lets pass what is set where it is declared and never after.
func TestNoMutableGlobals(t *testing.T) {
	for _, files := range sources(t) {
		globals := map[string]bool{}
		for _, f := range files {
			for _, name := range declared(f.ast, func(why string) { t.Errorf("%s: %s", f.path, why) }) {
				globals[name] = true
			}
		}
		for _, f := range files {
			for _, name := range assigned(f.ast) {
				if globals[name] {
					t.Errorf("%s assigns to %s, a global", f.path, name)
				}
			}
		}
	}
}

// declared lists the package's variables and reports those that only an assignment could
// make useful.
func declared(f *ast.File, report func(why string)) []string {
	var names []string
	for _, d := range f.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.VAR {
			continue
		}
		for _, s := range decl.Specs {
			spec := s.(*ast.ValueSpec)
			if len(spec.Values) == 0 {
				report(fmt.Sprintf("global %s has no value", spec.Names[0].Name))
			}
			for _, n := range spec.Names {
				names = append(names, n.Name)
			}
		}
	}
	return slices.DeleteFunc(names, func(n string) bool { return n == "_" })
}

// assigned lists the variables whose value, element or field is set, by name.
func assigned(f *ast.File) []string {
	var names []string
	ast.Inspect(f, func(n ast.Node) bool {
		var targets []ast.Expr
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				targets = n.Lhs
			}
		case *ast.IncDecStmt:
			targets = []ast.Expr{n.X}
		}
		for _, e := range targets {
			if name := root(e); name != "" {
				names = append(names, name)
			}
		}
		return true
	})
	return names
}

func root(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.IndexExpr:
		return root(e.X)
	case *ast.SelectorExpr:
		return root(e.X)
	case *ast.StarExpr:
		return root(e.X)
	}
	return ""
}

// TestNoMachinePaths keeps folders of somebody's machine out of the repository.
func TestNoMachinePaths(t *testing.T) {
	machine := regexp.MustCompile(`(^|[\s"'=(])/(home|root|work|Users)/`)
	walk(t, func(name string) {
		switch filepath.Ext(name) {
		case ".go", ".md", ".txt", ".mod", ".yaml", ".yml", ".sh", ".html", "":
		default:
			return
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := machine.Find(text); found != nil {
			t.Errorf("%s names a folder of one machine: %q", name, found)
		}
	})
}
