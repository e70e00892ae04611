// Package storefront is the market as package gateway serves it: it finds models on the ledger and in
// the adverts of operators, turns tensors into the cells that jobs are about and back, and reads jobs
// out of a desk.
package storefront
