package icicle

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/weisyn/wes/gpu/worker"
)

// here runs methods in this process.
type here struct{}

func (here) Do(ctx context.Context, j worker.Job) error {
	body := bytes.Join(j.Body, nil)
	reply, err := Methods()[j.Method](ctx, &worker.Request{Body: bytes.NewReader(body), Size: uint64(len(body))})
	if err != nil {
		return err
	}
	joined := bytes.Join(reply, nil)
	return j.Receive(bytes.NewReader(joined), uint64(len(joined)))
}

// lost is a child that dies.
type lost struct{}

func (lost) Do(context.Context, worker.Job) error { return errors.New("killed by a signal") }

func TestProbesInAChildFindTheSame(t *testing.T) {
	got, want := ProbeChild(t.Context(), here{}, Options{Device: CPU}), Probe(t.Context(), Options{Device: CPU})
	if len(want) == 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestALostProbeIsAFinding(t *testing.T) {
	if got := ProbeChild(t.Context(), lost{}, Options{}); len(got) != 1 || got[0].Status != Broken {
		t.Errorf("%v", got)
	}
}
