// Package ures keeps resources: what consensus never reads, as models, proving keys, contracts and
// files. They are content-addressed with the libraries of IPFS (boxo), so that a stock IPFS client
// reads what a node serves.
//
// # Content
//
// A file is a UnixFS graph of chunks of 256 KiB with raw leaves and up to 174 links a node, a
// folder a UnixFS directory, both under CIDv1 with SHA-256: the same bytes have the same CID
// everywhere, that of "ipfs add --cid-version=1 --raw-leaves --chunker=size-262144". Symbolic
// links are refused.
//
// # Trust
//
// Chunks are compared with their hashes when they arrive. A graph of a stranger is walked by this
// package: codecs, depth, sizes of blocks and the sum of all are bounded, whatever its links say of
// sizes; names in folders cannot lead out of them. A peer that sends what nobody asked it for is
// reported.
//
// # Space
//
// A quota bounds all blocks. Own pins are never given up; replicas kept for others are bounded by
// a part of it, and the oldest goes first. Blocks under no pin go at the next collection.
package ures
