package circuit

import "errors"

// The kinds of Origin.
const (
	OriginCeremony = "ceremony"       // PLONK: the structured reference string of a ceremony is all there is
	OriginPhase2   = "ceremony+local" // Groth16: phase 1 of a ceremony, phase 2 contributed by one machine
	OriginUnsafe   = "unsafe"         // made on one machine
	OriginImported = "imported"       // keys from elsewhere
)

// Origin says where the random numbers of a setup came from. It stays with a package.
type Origin struct {
	Kind string `json:"kind"`
	SRS  string `json:"srs_sha256,omitempty"` // digest of the ceremony's file, in hex
}

// String describes the origin in a few words.
func (o Origin) String() string {
	switch o.Kind {
	case OriginCeremony:
		return "ceremony: " + o.SRS
	case OriginPhase2:
		return "phase 1 from the ceremony " + o.SRS + ", phase 2 made on one machine"
	case OriginUnsafe:
		return "unsafe: made on one machine"
	}
	return "imported"
}

// Warning says what a verifier should know before it believes a proof, "" for nothing.
func (o Origin) Warning() string {
	switch o.Kind {
	case OriginUnsafe:
		return "unsafe setup: it was made on one machine, and whoever ran it can forge proofs"
	case OriginPhase2:
		return "phase 2 of the setup has one contributor: whoever ran the setup can forge proofs"
	case OriginImported:
		return "imported keys: whoever made them may be able to forge proofs"
	}
	return ""
}

func (o Origin) validate() error {
	ceremony := o.Kind == OriginCeremony || o.Kind == OriginPhase2
	switch {
	case !ceremony && o.Kind != OriginUnsafe && o.Kind != OriginImported:
		return errors.New("origin of the setup is unknown")
	case ceremony && !isDigest(o.SRS):
		return errors.New("origin of the setup names no ceremony")
	case !ceremony && o.SRS != "":
		return errors.New("origin of the setup names a ceremony that it did not use")
	}
	return nil
}
