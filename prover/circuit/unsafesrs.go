package circuit

import (
	"crypto/rand"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc"
	bls12377 "github.com/consensys/gnark-crypto/ecc/bls12-377"
	frbls12377 "github.com/consensys/gnark-crypto/ecc/bls12-377/fr"
	fftbls12377 "github.com/consensys/gnark-crypto/ecc/bls12-377/fr/fft"
	kzgbls12377 "github.com/consensys/gnark-crypto/ecc/bls12-377/kzg"
	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	frbls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
	fftbls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381/fr/fft"
	kzgbls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381/kzg"
	"github.com/consensys/gnark-crypto/ecc/bn254"
	frbn254 "github.com/consensys/gnark-crypto/ecc/bn254/fr"
	fftbn254 "github.com/consensys/gnark-crypto/ecc/bn254/fr/fft"
	kzgbn254 "github.com/consensys/gnark-crypto/ecc/bn254/kzg"
	bw6761 "github.com/consensys/gnark-crypto/ecc/bw6-761"
	frbw6761 "github.com/consensys/gnark-crypto/ecc/bw6-761/fr"
	fftbw6761 "github.com/consensys/gnark-crypto/ecc/bw6-761/fr/fft"
	kzgbw6761 "github.com/consensys/gnark-crypto/ecc/bw6-761/kzg"
	"github.com/consensys/gnark-crypto/kzg"
	"github.com/consensys/gnark-crypto/utils"
)

// blinded is how many powers PLONK needs beyond the rows, for openings of blinded polynomials.
const blinded = 3

// unsafeSRS makes the strings for PLONK over n rows, a power of two, from a random number
// that this machine knows: the powers of tau, and the Lagrange polynomials at tau.
func unsafeSRS(c ecc.ID, n uint64) (canonical, lagrange kzg.SRS, err error) {
	tau, err := rand.Int(rand.Reader, c.ScalarField())
	if err != nil {
		return nil, nil, err
	}
	switch c {
	case ecc.BN254:
		return unsafeBN254(n, tau)
	case ecc.BLS12_381:
		return unsafeBLS12381(n, tau)
	case ecc.BLS12_377:
		return unsafeBLS12377(n, tau)
	case ecc.BW6_761:
		return unsafeBW6761(n, tau)
	}
	return nil, nil, fmt.Errorf("unsafe setup over %s: %w", curveName(c), ErrUnavailable)
}

// The values of the Lagrange polynomials at tau are the inverse transform of tau's powers.

func unsafeBN254(n uint64, tau *big.Int) (kzg.SRS, kzg.SRS, error) {
	s, err := kzgbn254.NewSRS(n+blinded, tau)
	if err != nil {
		return nil, nil, err
	}
	at := powers[frbn254.Element](n, tau)
	fftbn254.NewDomain(n).FFTInverse(at, fftbn254.DIF)
	utils.BitReverse(at)
	_, _, g, _ := bn254.Generators()
	return s, &kzgbn254.SRS{Vk: s.Vk, Pk: kzgbn254.ProvingKey{G1: bn254.BatchScalarMultiplicationG1(&g, at)}}, nil
}

func unsafeBLS12381(n uint64, tau *big.Int) (kzg.SRS, kzg.SRS, error) {
	s, err := kzgbls12381.NewSRS(n+blinded, tau)
	if err != nil {
		return nil, nil, err
	}
	at := powers[frbls12381.Element](n, tau)
	fftbls12381.NewDomain(n).FFTInverse(at, fftbls12381.DIF)
	utils.BitReverse(at)
	_, _, g, _ := bls12381.Generators()
	return s, &kzgbls12381.SRS{Vk: s.Vk, Pk: kzgbls12381.ProvingKey{G1: bls12381.BatchScalarMultiplicationG1(&g, at)}}, nil
}

func unsafeBLS12377(n uint64, tau *big.Int) (kzg.SRS, kzg.SRS, error) {
	s, err := kzgbls12377.NewSRS(n+blinded, tau)
	if err != nil {
		return nil, nil, err
	}
	at := powers[frbls12377.Element](n, tau)
	fftbls12377.NewDomain(n).FFTInverse(at, fftbls12377.DIF)
	utils.BitReverse(at)
	_, _, g, _ := bls12377.Generators()
	return s, &kzgbls12377.SRS{Vk: s.Vk, Pk: kzgbls12377.ProvingKey{G1: bls12377.BatchScalarMultiplicationG1(&g, at)}}, nil
}

func unsafeBW6761(n uint64, tau *big.Int) (kzg.SRS, kzg.SRS, error) {
	s, err := kzgbw6761.NewSRS(n+blinded, tau)
	if err != nil {
		return nil, nil, err
	}
	at := powers[frbw6761.Element](n, tau)
	fftbw6761.NewDomain(n).FFTInverse(at, fftbw6761.DIF)
	utils.BitReverse(at)
	_, _, g, _ := bw6761.Generators()
	return s, &kzgbw6761.SRS{Vk: s.Vk, Pk: kzgbw6761.ProvingKey{G1: bw6761.BatchScalarMultiplicationG1(&g, at)}}, nil
}

// element is a pointer to a field element of some curve.
type element[E any] interface {
	*E
	SetOne() *E
	SetBigInt(*big.Int) *E
	Mul(x, y *E) *E
}

// powers are 1, tau, tau^2, …
func powers[E any, P element[E]](n uint64, tau *big.Int) []E {
	all := make([]E, n)
	var t E
	P(&t).SetBigInt(tau)
	P(&all[0]).SetOne()
	for i := uint64(1); i < n; i++ {
		P(&all[i]).Mul(&all[i-1], &t)
	}
	return all
}
