// Package capacity decides what an operator can take on, and what runs next. It is pure: times are
// ms since 1970 that come in.
//
// A slot is a device that runs one task at a time; it belongs to the UUID of the device, so that
// one device cannot be counted twice. A task is admitted if a plan exists in which it and
// everything admitted before, bids that were made included, ends in time by the estimates. Plans
// take tasks by their due times, the earliest first, each to the slot that is free first; running
// tasks are not interrupted. Estimates come from measured runs, with a margin for how much these
// differ.
package capacity
