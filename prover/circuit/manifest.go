package circuit

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/consensys/gnark"
)

// The files of a package.
const (
	ManifestFile  = "manifest.json"
	CircuitFile   = "circuit.ccs"
	ProvingFile   = "proving.key"
	VerifyingFile = "verifying.key"
)

const (
	manifestVersion = 1
	maxManifest     = 1 << 16 // bytes
	maxText         = 128     // bytes of a version's name
	maxCount        = 1 << 31 // of constraints, variables, …
)

// Manifest describes a package.
type Manifest struct {
	Version     int    `json:"version"`
	Scheme      string `json:"scheme"`
	Curve       string `json:"curve"`
	Constraints int    `json:"constraints"`
	Public      int    `json:"public"`      // values that a verifier must know, without the constant 1 of Groth16
	Secret      int    `json:"secret"`      // values that only the prover knows
	Commitments int    `json:"commitments"` // that a proof holds besides the scheme's own
	Origin      Origin `json:"origin"`
	Gnark       string `json:"gnark"`             // version that wrote the parts
	Circuit     *Part  `json:"circuit,omitempty"` // nil in a verifier's package, like Proving
	Proving     *Part  `json:"proving_key,omitempty"`
	Verifying   Part   `json:"verifying_key"`
}

// Part is a file of a package.
type Part struct {
	SHA256 string `json:"sha256"` // in hex
	Size   int64  `json:"size"`   // in bytes
}

// System is the proof system, the zero one if the manifest names none.
func (m *Manifest) System() System {
	s, err := ParseSystem(m.Scheme, m.Curve)
	if err != nil {
		return System{}
	}
	return s
}

// PublicBytes is the size of an encoded public witness.
func (m *Manifest) PublicBytes() int {
	return witnessHeader + m.Public*valueSize(m.System().Curve)
}

// DecodeManifest reads what Encode wrote, and nothing else. Its errors are *InputError.
func DecodeManifest(b []byte) (*Manifest, error) {
	m, err := decodeManifest(b)
	if err != nil {
		return nil, &InputError{ManifestFile, err}
	}
	return m, nil
}

func decodeManifest(b []byte) (*Manifest, error) {
	if len(b) > maxManifest {
		return nil, fmt.Errorf("more than %d bytes", maxManifest)
	}
	var m Manifest
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	if err := m.validate(); err != nil {
		return nil, err
	}
	if !bytes.Equal(m.Encode(), b) {
		return nil, errors.New("not the canonical encoding")
	}
	return &m, nil
}

// Encode gives the one encoding of the manifest.
func (m *Manifest) Encode() []byte {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		panic("BUG: manifest without JSON: " + err.Error())
	}
	return append(b, '\n')
}

func (m *Manifest) validate() error {
	if m.Version != manifestVersion {
		return fmt.Errorf("version %d is not supported, want %d", m.Version, manifestVersion)
	}
	s, err := ParseSystem(m.Scheme, m.Curve)
	if err != nil {
		return err
	}
	if s.CurveName() != m.Curve {
		return fmt.Errorf("curve %q, want %q", m.Curve, s.CurveName())
	}
	for _, n := range []int{m.Constraints, m.Public, m.Secret, m.Commitments} {
		if n < 0 || n > maxCount {
			return fmt.Errorf("count %d, want 0 to %d", n, maxCount)
		}
	}
	if m.Gnark == "" || len(m.Gnark) > maxText {
		return errors.New("no version of gnark")
	}
	if err := m.Origin.validate(); err != nil {
		return err
	}
	return m.validateParts()
}

func (m *Manifest) validateParts() error {
	if (m.Circuit == nil) != (m.Proving == nil) {
		return errors.New("constraint system and proving key must both be there or neither")
	}
	for _, p := range m.files() {
		if !isDigest(p.SHA256) || p.Size <= 0 {
			return fmt.Errorf("part %s has no digest or no size", p.name)
		}
	}
	return nil
}

// file is a part with its name.
type file struct {
	name string
	Part
}

func (m *Manifest) files() []file {
	var all []file
	if m.Circuit != nil && m.Proving != nil {
		all = append(all, file{CircuitFile, *m.Circuit}, file{ProvingFile, *m.Proving})
	}
	return append(all, file{VerifyingFile, m.Verifying})
}

// gnarkVersion is what this program is built with.
func gnarkVersion() string { return "v" + gnark.Version.String() }

func isDigest(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32 && s == strings.ToLower(s)
}
