package service

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"github.com/weisyn/wes/prover/circuit"
)

const (
	methodProve = "circuit.prove"
	methodSetup = "circuit.setup"

	maxHead    = 1 << 16 // bytes
	maxWitness = 4 << 30 // bytes
	maxProof   = 1 << 20 // bytes
)

// proveHead is the head of a request to prove.
type proveHead struct {
	Dir    string         `json:"dir"`
	Target circuit.Target `json:"target"`
	Device string         `json:"device"`
}

// setupHead is the head of a request for a setup.
type setupHead struct {
	circuit.SetupRequest
	Scheme string
	Curve  string
}

// resultHead is the head of a proof. The public values and the proof follow.
type resultHead struct {
	Report circuit.Report `json:"report"`
	Public uint32         `json:"public_bytes"`
	Proof  uint32         `json:"proof_bytes"`
}

func encodeHead(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	if len(b) > maxHead {
		return nil, fmt.Errorf("head of %d bytes, want at most %d", len(b), maxHead)
	}
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...), nil
}

// readHead decodes into v and gives the bytes it took.
func readHead(r io.Reader, v any) (int64, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return 0, fmt.Errorf("head: %w", err)
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n > maxHead {
		return 0, fmt.Errorf("head of %d bytes, want at most %d", n, maxHead)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		return 0, fmt.Errorf("head: %w", err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return 0, fmt.Errorf("head: %w", err)
	}
	return int64(n) + 4, nil
}

// readBody reads exactly n bytes, which the caller has bounded.
func readBody(r io.Reader, n int64) ([]byte, error) {
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}
