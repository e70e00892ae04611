//go:build icicle && icicle_v3

package icicle

// Both libraries have the same file names and C symbols.
var _ = the_tags_icicle_and_icicle_v3_exclude_each_other
