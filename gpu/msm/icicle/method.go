package icicle

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/weisyn/wes/gpu/worker"
)

const (
	methodProbe = "icicle.probe"
	// maxFindings bounds what a child may say, in bytes.
	maxFindings = 1 << 16
)

// Methods are the child's side of ProbeChild.
func Methods() map[string]worker.Method {
	return map[string]worker.Method{methodProbe: probe}
}

func probe(ctx context.Context, r *worker.Request) ([][]byte, error) {
	var o Options
	if err := json.NewDecoder(io.LimitReader(r.Body, maxFindings)).Decode(&o); err != nil {
		return nil, worker.Fail(worker.ReasonInput, err)
	}
	reply, err := json.Marshal(Probe(ctx, o))
	return [][]byte{reply}, err
}

// Child runs jobs in a child process.
type Child interface {
	Do(ctx context.Context, j worker.Job) error
}

// ProbeChild is Probe in a child, whose loss is a finding.
func ProbeChild(ctx context.Context, c Child, o Options) []Finding {
	body, err := json.Marshal(o)
	if err != nil {
		return broken(err)
	}
	var findings []Finding
	err = c.Do(ctx, worker.Job{
		Method: methodProbe, Body: [][]byte{body},
		Receive: func(r io.Reader, size uint64) error {
			if size > maxFindings {
				return fmt.Errorf("findings of %d bytes", size)
			}
			reply, err := io.ReadAll(r)
			if err != nil {
				return err
			}
			return json.Unmarshal(reply, &findings)
		},
	})
	if err != nil {
		return broken(err)
	}
	return findings
}

func broken(err error) []Finding {
	return []Finding{{Subject: "ICICLE", Status: Broken, Why: "its probe failed: " + err.Error()}}
}
