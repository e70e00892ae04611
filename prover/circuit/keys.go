package circuit

import (
	"fmt"

	kzgbls12377 "github.com/consensys/gnark-crypto/ecc/bls12-377/kzg"
	kzgbls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381/kzg"
	kzgbn254 "github.com/consensys/gnark-crypto/ecc/bn254/kzg"
	kzgbw6761 "github.com/consensys/gnark-crypto/ecc/bw6-761/kzg"
	"github.com/consensys/gnark-crypto/kzg"
	groth16bls12377 "github.com/consensys/gnark/backend/groth16/bls12-377"
	groth16bls12381 "github.com/consensys/gnark/backend/groth16/bls12-381"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
	groth16bw6761 "github.com/consensys/gnark/backend/groth16/bw6-761"
	plonkbls12377 "github.com/consensys/gnark/backend/plonk/bls12-377"
	plonkbls12381 "github.com/consensys/gnark/backend/plonk/bls12-381"
	plonkbn254 "github.com/consensys/gnark/backend/plonk/bn254"
	plonkbw6761 "github.com/consensys/gnark/backend/plonk/bw6-761"
)

// sameSetup tells whether two Groth16 keys over one curve share α, β and δ.
func sameSetup(pk provingKey, vk verifyingKey) bool {
	switch p := pk.(type) {
	case *groth16bn254.ProvingKey:
		v := vk.(*groth16bn254.VerifyingKey)
		return p.G1.Alpha == v.G1.Alpha && p.G1.Beta == v.G1.Beta && p.G1.Delta == v.G1.Delta && p.G2.Beta == v.G2.Beta && p.G2.Delta == v.G2.Delta
	case *groth16bls12381.ProvingKey:
		v := vk.(*groth16bls12381.VerifyingKey)
		return p.G1.Alpha == v.G1.Alpha && p.G1.Beta == v.G1.Beta && p.G1.Delta == v.G1.Delta && p.G2.Beta == v.G2.Beta && p.G2.Delta == v.G2.Delta
	case *groth16bls12377.ProvingKey:
		v := vk.(*groth16bls12377.VerifyingKey)
		return p.G1.Alpha == v.G1.Alpha && p.G1.Beta == v.G1.Beta && p.G1.Delta == v.G1.Delta && p.G2.Beta == v.G2.Beta && p.G2.Delta == v.G2.Delta
	case *groth16bw6761.ProvingKey:
		v := vk.(*groth16bw6761.VerifyingKey)
		return p.G1.Alpha == v.G1.Alpha && p.G1.Beta == v.G1.Beta && p.G1.Delta == v.G1.Delta && p.G2.Beta == v.G2.Beta && p.G2.Delta == v.G2.Delta
	}
	panic(fmt.Sprintf("BUG: proving key %T", pk))
}

// stringsOf takes the reference strings out of a PLONK key.
func stringsOf(pk provingKey) (canonical, lagrange kzg.SRS) {
	switch p := pk.(type) {
	case *plonkbn254.ProvingKey:
		return &kzgbn254.SRS{Pk: p.Kzg, Vk: p.Vk.Kzg}, &kzgbn254.SRS{Pk: p.KzgLagrange, Vk: p.Vk.Kzg}
	case *plonkbls12381.ProvingKey:
		return &kzgbls12381.SRS{Pk: p.Kzg, Vk: p.Vk.Kzg}, &kzgbls12381.SRS{Pk: p.KzgLagrange, Vk: p.Vk.Kzg}
	case *plonkbls12377.ProvingKey:
		return &kzgbls12377.SRS{Pk: p.Kzg, Vk: p.Vk.Kzg}, &kzgbls12377.SRS{Pk: p.KzgLagrange, Vk: p.Vk.Kzg}
	case *plonkbw6761.ProvingKey:
		return &kzgbw6761.SRS{Pk: p.Kzg, Vk: p.Vk.Kzg}, &kzgbw6761.SRS{Pk: p.KzgLagrange, Vk: p.Vk.Kzg}
	}
	panic(fmt.Sprintf("BUG: proving key %T", pk))
}
