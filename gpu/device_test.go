package gpu

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestInventoriesAreBounded(t *testing.T) {
	device := func(change func(*Device)) Inventory {
		d := Device{UUID: "MIG-GPU-5c89852c-d268-c3f3-1b07-005d5ae1dc3f/7/0", Name: "A100"}
		change(&d)
		return Inventory{Devices: []Device{d}}
	}
	good := device(func(*Device) {})
	good.Findings = []Finding{{"NVML", Found, "version 1", ""}}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for name, bad := range map[string]Inventory{
		"no UUID":         device(func(d *Device) { d.UUID = "" }),
		"UUID with =":     device(func(d *Device) { d.UUID = "GPU-1=2" }),
		"long name":       device(func(d *Device) { d.Name = strings.Repeat("x", maxText+1) }),
		"too many":        {Devices: slices.Repeat(good.Devices, maxDevices+1)},
		"many findings":   {Findings: slices.Repeat(good.Findings, maxFindings+1)},
		"unknown status":  {Findings: []Finding{{"NVML", "perhaps", "", ""}}},
		"a long sentence": {Findings: []Finding{{"NVML", Found, strings.Repeat("x", maxText+1), ""}}},
	} {
		if err := bad.Validate(); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, bad := range map[string][]Observation{
		"no UUID":     {{}},
		"many":        slices.Repeat([]Observation{{UUID: "GPU-1"}}, maxDevices+1),
		"many errors": {{UUID: "GPU-1", XIDs: make([]uint64, maxXIDs+1)}},
	} {
		if err := ValidateObservations(bad); !errors.Is(err, ErrMalformed) {
			t.Errorf("observations, %s: %v", name, err)
		}
	}
}

// TestWhatAChildSaysOfJobsIsIgnored keeps the count of jobs in the parent's hands.
func TestWhatAChildSaysOfJobsIsIgnored(t *testing.T) {
	var o Observation
	if err := json.Unmarshal([]byte(`{"uuid":"GPU-1","Hung":3,"Done":4}`), &o); err != nil || o.Hung+o.Done != 0 {
		t.Errorf("%+v, %v", o, err)
	}
}
