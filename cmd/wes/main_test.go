package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/weisyn/wes/gpu/msm/icicle"
	"github.com/weisyn/wes/gpu/nvml/nvmltest"
	"github.com/weisyn/wes/gpu/onnx"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"wes": main, "wes-liar": runLiar, "wes-slow": runSlow})
}

func TestScripts(t *testing.T) {
	models, err := filepath.Abs("../../testdata/models")
	if err != nil {
		t.Fatal(err)
	}
	library, missing := onnx.Locate()
	driver := ""
	if hasCgo() && nvmltest.CanBuild() {
		driver = nvmltest.Build(t)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("MODELS", models)
			e.Setenv("DOCKER", filepath.Join(models, "..", "..", "docker"))
			e.Setenv("WES_CACHE", filepath.Join(e.WorkDir, "cache"))
			// The library is found through the user's home, which scripts do not have.
			e.Setenv(onnx.LibraryVariable, library)
			e.Setenv("NVML", driver)
			e.Setenv("CID", "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku")
			e.Setenv("CID2", "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy")
			return nil
		},
		Condition: func(name string) (bool, error) {
			switch name {
			case "onnxruntime":
				return hasCgo() && missing == nil, nil
			case "nvml":
				return driver != "", nil
			case "icicle":
				return icicle.Distribution != "", nil
			case "icicle_gnark":
				return icicle.Distribution == "icicle-gnark", nil
			}
			return false, os.ErrInvalid
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"status": status, "flip": flip, "truncate": truncate, "spoil": spoil, "npy": npy, "ptau": ptau, "field": field, "capture": capture,
		},
	})
}

// status demands an exit code: status CODE PROGRAM ARGUMENT...
func status(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	code := 0
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if want := number(ts, args[0]); code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// field sets a variable to the second column of the last output: field FIRST-COLUMN VARIABLE.
func field(ts *testscript.TestScript, _ bool, args []string) {
	for line := range strings.Lines(ts.ReadFile("stdout")) {
		if cells := strings.Fields(line); len(cells) > 1 && cells[0] == args[0] {
			ts.Setenv(args[1], cells[1])
			return
		}
	}
	ts.Fatalf("no line of the output begins with %s", args[0])
}

// capture sets a variable to the group of a regular expression in the last output: capture REGEXP VARIABLE.
func capture(ts *testscript.TestScript, _ bool, args []string) {
	re, err := regexp.Compile(args[0])
	ts.Check(err)
	found := re.FindStringSubmatch(ts.ReadFile("stdout"))
	if len(found) != 2 {
		ts.Fatalf("the output has no %s", args[0])
	}
	ts.Setenv(args[1], found[1])
}

// spoil inverts a bit in the middle of every file of a folder: spoil FOLDER.
func spoil(ts *testscript.TestScript, _ bool, args []string) {
	files, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("%s is empty", args[0])
	}
	for _, f := range files {
		info, err := f.Info()
		ts.Check(err)
		flip(ts, false, []string{filepath.Join(args[0], f.Name()), strconv.FormatInt(info.Size()/2, 10)})
	}
}

// flip inverts the lowest bit of a byte: flip FILE OFFSET, from the end when negative.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	at := number(ts, args[1])
	if at < 0 {
		at += len(data)
	}
	data[at] ^= 1
	ts.Check(os.WriteFile(path, data, 0o600))
}

// truncate shortens a file: truncate FILE BYTES.
func truncate(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.Truncate(ts.MkAbs(args[0]), int64(number(ts, args[1]))))
}

// npy writes an array of one row: npy FILE NUMBER...
func npy(ts *testscript.TestScript, _ bool, args []string) {
	header := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': (1, %d), }", len(args)-1)
	b := []byte(fmt.Sprintf("\x93NUMPY\x01\x00\x76\x00%-117s\n", header))
	for _, text := range args[1:] {
		v, err := strconv.ParseFloat(text, 64)
		ts.Check(err)
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

func number(ts *testscript.TestScript, text string) int {
	n, err := strconv.Atoi(text)
	ts.Check(err)
	return n
}
