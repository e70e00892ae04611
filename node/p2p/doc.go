// Package p2p connects a node with its peers over libp2p: QUIC and TCP with Noise, discovery,
// gossip that is validated before it is passed on, requests with bounds, and bans. It carries
// opaque bytes and knows nothing of what they mean; with package ures it alone imports libp2p.
//
// # Networks
//
// A network has a name, which is part of every protocol, topic and rendezvous: hosts of different
// networks may connect, but have nothing to say to each other. A peer joins when it speaks a
// protocol of this network, and leaves with its last connection.
//
// # Bounds
//
// libp2p's resource manager bounds connections, streams and memory, of all peers together, of one
// peer, and of one address. On top of it, each protocol bounds the bytes of requests and answers
// before they are allocated, how many requests of one peer and of all are served at once, how many
// a peer may send in a while, and how slowly bytes may come. Gossip is bounded by message size,
// by the messages under validation, and by scores.
package p2p
