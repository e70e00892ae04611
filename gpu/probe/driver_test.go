//go:build linux && cgo

package probe

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weisyn/wes/gpu"
	"github.com/weisyn/wes/gpu/nvml"
	"github.com/weisyn/wes/gpu/nvml/nvmltest"
	"github.com/weisyn/wes/gpu/worker"
)

// supervised starts children that find the management library in dir.
func supervised(t *testing.T, dir string) Driver {
	t.Helper()
	s := worker.NewSupervisor(worker.Options{
		Command: []string{os.Args[0], "worker"}, Env: []string{"LD_LIBRARY_PATH=" + dir},
	}, worker.Backoff{First: time.Millisecond})
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return Driver{Child: s}
}

func TestDevicesAreProbedAndObservedInAChild(t *testing.T) {
	dir := nvmltest.Build(t)
	nvmltest.Say(t, dir, "devices 0 2\nhandle 0 17")
	d := supervised(t, dir)
	i, err := d.Probe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(i.Devices) != 1 || i.Devices[0].Index != 1 || i.Devices[0].Memory != 80<<30 {
		t.Errorf("devices %+v", i.Devices)
	}
	if len(i.Findings) != 2 || i.Findings[0].Status != gpu.Found || i.Findings[1].Status != gpu.Broken {
		t.Errorf("findings %+v", i.Findings)
	}
	nvmltest.Say(t, dir, "devices 0 2\ntemperature 1 77\nxid 1 79")
	all, err := d.Observe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 || all[0].Reading == nil || all[0].Reading.Temperature != 77 || !slices.Equal(all[0].XIDs, []uint64{79}) {
		t.Errorf("observations %+v", all)
	}
	if all, err = d.Observe(t.Context()); err != nil || len(all[0].XIDs) != 0 {
		t.Errorf("the error is reported again: %+v, %v", all, err)
	}
}

func TestADriverWithoutDevicesSaysSo(t *testing.T) {
	dir := nvmltest.Build(t)
	nvmltest.Say(t, dir, "devices 0 0")
	i, err := supervised(t, dir).Probe(t.Context())
	if err != nil || len(i.Devices) != 0 || len(i.Findings) != 1 || i.Findings[0].Why != "it lists no device" {
		t.Errorf("%+v, %v", i, err)
	}
}

func TestADriverThatEndsItsProcessIsAFinding(t *testing.T) {
	dir := nvmltest.Build(t)
	nvmltest.Say(t, dir, "abort 0 1")
	d := supervised(t, dir)
	i, err := d.Probe(t.Context())
	if err != nil || len(i.Findings) != 1 || i.Findings[0].Status != gpu.Broken || !strings.Contains(i.Findings[0].Why, "ended the process") {
		t.Errorf("%+v, %v", i, err)
	}
	if _, err := d.Observe(t.Context()); err == nil {
		t.Error("observed through a driver that ends its process")
	}
	nvmltest.Say(t, dir, "devices 0 1")
	if i, err := d.Probe(t.Context()); err != nil || len(i.Devices) != 1 {
		t.Errorf("after the driver has recovered: %+v, %v", i, err)
	}
}

func TestADriverThatNeverAnswersIsAFinding(t *testing.T) {
	dir := nvmltest.Build(t)
	nvmltest.Say(t, dir, "hang 0 1")
	d := supervised(t, dir)
	d.Patience = 200 * time.Millisecond
	i, err := d.Probe(t.Context())
	if err != nil || len(i.Findings) != 1 || i.Findings[0].Status != gpu.Broken || !strings.HasPrefix(i.Findings[0].Why, "it does not answer") {
		t.Errorf("%+v, %v", i, err)
	}
}

func TestAMissingDriverIsAFinding(t *testing.T) {
	d := supervised(t, t.TempDir())
	i, err := d.Probe(t.Context())
	if err != nil || len(i.Findings) != 1 || i.Findings[0].Subject != nvml.Subject || i.Findings[0].Do == "" {
		t.Errorf("%+v, %v", i, err)
	}
	if i.Findings[0].Status == gpu.Found {
		t.Skip("this machine has a driver")
	}
	if _, err := d.Observe(t.Context()); err == nil {
		t.Error("observed without a driver")
	}
}
