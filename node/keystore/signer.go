package keystore

import (
	"crypto/ed25519"
	"encoding/hex"

	"github.com/weisyn/wes/chain"
)

// Signer is an unlocked key.
type Signer struct{ private ed25519.PrivateKey }

// NewSigner returns the key of a seed.
func NewSigner(seed [ed25519.SeedSize]byte) *Signer {
	return &Signer{ed25519.NewKeyFromSeed(seed[:])}
}

// Public returns the public key.
func (s *Signer) Public() chain.PublicKey {
	return chain.PublicKey(s.private.Public().(ed25519.PublicKey))
}

// Lock returns the lock that the key alone opens.
func (s *Signer) Lock() chain.Lock { return chain.Key{Key: s.Public()} }

// Sign signs a digest.
func (s *Signer) Sign(h chain.Hash) []byte { return ed25519.Sign(s.private, h[:]) }

// Seed returns what Import takes, for a backup.
func (s *Signer) Seed() string { return hex.EncodeToString(s.private.Seed()) }
