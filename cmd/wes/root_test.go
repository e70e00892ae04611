package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/weisyn/wes/prover/pipeline"
	"github.com/weisyn/wes/prover/verify"
)

func TestInterruptedWorkSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	t.Setenv("WES_CACHE", t.TempDir())
	var stdout, stderr bytes.Buffer
	const models = "../../testdata/models/"
	code := execute(ctx, []string{"ai", "prove", models + "iris_mlp.onnx", "--input", models + "iris_mlp.input.json", "--out", t.TempDir()}, &stdout, &stderr)
	if code != exitFault || stderr.String() != "wes: interrupted\n" || stdout.Len() > 0 {
		t.Errorf("exit code %d, standard output %q, standard error %q", code, &stdout, &stderr)
	}
}

func TestExitCodes(t *testing.T) {
	rejection := &verify.Rejection{Check: verify.CheckInputs, Cause: errors.New("x")}
	for _, c := range []struct {
		err  error
		want int
	}{
		{errors.New("x"), exitUsage},
		{fmt.Errorf("file: %w", rejection), exitInvalid},
		{&pipeline.Fault{Stage: "prove", Err: errors.New("x")}, exitFault},
		{&pipeline.Fault{Stage: "verify", Err: rejection}, exitFault}, // our own proof
	} {
		if got := exitCode(c.err); got != c.want {
			t.Errorf("%v: exit code %d, want %d", c.err, got, c.want)
		}
	}
}

func TestAmountsHaveThreeDigits(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{seconds(0.0000123), "12.3 µs"},
		{seconds(0.01234), "12.3 ms"},
		{seconds(123.4), "123 s"},
		{size(999), "999 B"},
		{size(15_000), "15.0 kB"},
		{size(3_320_000_000), "3.32 GB"},
		{count(91_800), "91.8 k"},
		{count(7), "7"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
