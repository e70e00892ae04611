// Package consensus decides which blocks a node fetches, applies, undoes and builds on. It is a
// pure core: no goroutine, clock, random source or input and output. The same messages at the
// same times give the same decisions.
package consensus
