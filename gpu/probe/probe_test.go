package probe

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/onnx"
	"github.com/weisyn/wes/gpu/worker"
)

// child answers every job with a reply, or fails.
type child struct {
	reply string
	err   error
}

var _ Runner = child{}

func (c child) Do(_ context.Context, j worker.Job) error {
	if c.err != nil {
		return c.err
	}
	if err := j.Receive(strings.NewReader(c.reply), uint64(len(c.reply))); err != nil {
		return &worker.Failure{Reason: worker.ReasonProtocol, Lost: true, Err: err}
	}
	return nil
}

func TestWhatAChildSaysIsChecked(t *testing.T) {
	for name, reply := range map[string]string{
		"nothing":     "",
		"no JSON":     "devices",
		"other JSON":  `[]`,
		"a field":     `{"devices":[],"gpus":[]}`,
		"two values":  `{"devices":[]} {}`,
		"a UUID":      `{"devices":[{"uuid":"a b"}]}`,
		"a status":    `{"findings":[{"subject":"x","status":"maybe"}]}`,
		"too long":    `{"devices":[],"findings":[` + strings.Repeat(" ", maxReply) + `]}`,
		"a number":    `{"devices":[{"uuid":"GPU-1","memory_bytes":-1}]}`,
		"deep nests":  strings.Repeat(`{"devices":`, 20000),
		"long number": `{"devices":[{"uuid":"GPU-1","memory_bytes":` + strings.Repeat("9", 1000) + `}]}`,
	} {
		if i, err := (Driver{Child: child{reply: reply}}).Probe(t.Context()); !errors.Is(err, gpu.ErrMalformed) {
			t.Errorf("inventory, %s: %+v, %v", name, i, err)
		}
		if o, err := (Driver{Child: child{reply: reply}}).Observe(t.Context()); name != "other JSON" && !errors.Is(err, gpu.ErrMalformed) {
			t.Errorf("observations, %s: %+v, %v", name, o, err)
		}
	}
}

func TestALostChildIsAFindingAndAnEndedContextIsNot(t *testing.T) {
	lost := child{err: &worker.Failure{Reason: worker.ReasonHung, Lost: true, Err: errors.New("silent"), Words: strings.Repeat("ü", 3000)}}
	i, err := Driver{Child: lost}.Probe(t.Context())
	if err != nil || len(i.Findings) != 1 || !strings.HasPrefix(i.Findings[0].Why, "it does not answer") {
		t.Errorf("%+v, %v", i, err)
	}
	if err := i.Validate(); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range []error{ctx.Err(), &worker.Failure{Reason: worker.ReasonCanceled, Lost: true, Err: ctx.Err()}} {
		if i, err := (Driver{Child: child{err: err}}).Probe(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%+v, %v; want canceled", i, err)
		}
	}
}

func TestAllJoinsWhatIsFoundAndWhatWentWrong(t *testing.T) {
	reply, err := json.Marshal(gpu.Inventory{Devices: []gpu.Device{{UUID: "GPU-1"}}, Findings: []gpu.Finding{{Subject: "a", Status: gpu.Found}}})
	if err != nil {
		t.Fatal(err)
	}
	good := Driver{Child: child{reply: string(reply)}}
	bad := Driver{Child: child{reply: "x"}}
	i, err := All{good, bad, good}.Probe(t.Context())
	if !errors.Is(err, gpu.ErrMalformed) || len(i.Devices) != 2 || len(i.Findings) != 2 {
		t.Errorf("%+v, %v", i, err)
	}
}

func TestProvidersOfONNXRuntime(t *testing.T) {
	dir := t.TempDir()
	plain, withCUDA := filepath.Join(dir, "plain", "lib.so"), filepath.Join(dir, "cuda", "lib.so")
	cuda, _ := onnx.CUDAProvider(withCUDA)
	if err := os.Mkdir(filepath.Dir(cuda), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(cuda, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	try := func(results map[string]error) func(context.Context, string, string) (string, error) {
		return func(_ context.Context, _, provider string) (string, error) { return "1.2.3", results[provider] }
	}
	locate := func(path string, err error) func() (string, error) {
		return func() (string, error) { return path, err }
	}
	for name, c := range map[string]struct {
		probe ONNX
		want  map[string]gpu.Status
		do    string // of the last finding
	}{
		"no cgo":       {ONNX{false, locate(plain, nil), try(nil)}, map[string]gpu.Status{subjectONNX: gpu.Missing}, "C compiler"},
		"no library":   {ONNX{true, locate("", onnx.ErrUnavailable), try(nil)}, map[string]gpu.Status{subjectONNX: gpu.Missing}, "wes deps"},
		"no CUDA":      {ONNX{true, locate(plain, nil), try(nil)}, map[string]gpu.Status{subjectONNX: gpu.Found, subjectCPU: gpu.Found, subjectCUDA: gpu.Missing}, "GPU build"},
		"all":          {ONNX{true, locate(withCUDA, nil), try(nil)}, map[string]gpu.Status{subjectONNX: gpu.Found, subjectCPU: gpu.Found, subjectCUDA: gpu.Found}, ""},
		"broken CUDA":  {ONNX{true, locate(withCUDA, nil), try(map[string]error{onnx.CUDA: onnx.ErrUnavailable})}, map[string]gpu.Status{subjectONNX: gpu.Found, subjectCPU: gpu.Found, subjectCUDA: gpu.Broken}, "cuDNN"},
		"inexact CUDA": {ONNX{true, locate(withCUDA, nil), try(map[string]error{onnx.CUDA: onnx.ErrInexact})}, map[string]gpu.Status{subjectONNX: gpu.Found, subjectCPU: gpu.Found, subjectCUDA: gpu.Broken}, "another version"},
		"broken CPU":   {ONNX{true, locate(plain, nil), try(map[string]error{onnx.CPU: onnx.ErrDied})}, map[string]gpu.Status{subjectONNX: gpu.Found, subjectCPU: gpu.Broken, subjectCUDA: gpu.Missing}, "GPU build"},
	} {
		i, err := c.probe.Probe(t.Context())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(i.Findings) != len(c.want) || len(i.Devices) != 0 {
			t.Errorf("%s: %+v", name, i)
		}
		for _, f := range i.Findings {
			if f.Status != c.want[f.Subject] || f.Why == "" || (f.Status == gpu.Found) != (f.Do == "") {
				t.Errorf("%s: %+v, want %s", name, f, c.want[f.Subject])
			}
		}
		if last := i.Findings[len(i.Findings)-1]; !strings.Contains(last.Do, c.do) {
			t.Errorf("%s: %q does not tell of %q", name, last.Do, c.do)
		}
	}
}

func FuzzDecodeInventory(f *testing.F) {
	f.Add([]byte(`{"devices":[{"uuid":"GPU-1","name":"x","memory_bytes":1,"compute_capability":"9.0","driver":"1","pci_bus_id":"0","index":0}],"findings":[{"subject":"a","status":"found","why":"b","do":"c"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		i, err := decodeInventory(b)
		if err == nil && i.Validate() != nil {
			t.Errorf("accepted, and not valid: %+v", i)
		}
	})
}

func FuzzDecodeObservations(f *testing.F) {
	f.Add([]byte(`[{"uuid":"GPU-1","reading":{"temperature_c":1,"slowdown_c":2,"shutdown_c":3,"used_bytes":4,"total_bytes":5,"utilization_percent":6},"xids":[79]},{"uuid":"GPU-2","gone":true}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := decodeObservations(b)
		if err != nil {
			return
		}
		for _, o := range all {
			gpu.NewHealth(gpu.Rules{}).Step(o)
		}
	})
}
