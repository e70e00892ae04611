package main

import (
	"strings"
	"testing"
)

func sample() *Report {
	work := map[string]map[string]int64{"contract": {"small_products": 10}}
	sizes := func(n int64) map[string]int64 {
		return map[string]int64{"activations": n, "cells": 2 * n, "lookups": 2 * n}
	}
	return &Report{Commit: "abc", Machine: Machine{CPU: "<cpu>", Cores: 2}, Results: []Result{
		{Title: "a", Goal: &Goal{1, 1, 1, 1, "none"}, Runs: 1, MACs: 5e6, Prove: .5, Inference: .1, Sizes: sizes(10), Work: work},
		{Title: "b", Series: "activations", MACs: 5e6, Prove: .5, Sizes: sizes(10), Work: work},
		{Title: "c", Series: "activations", MACs: 9e6, Prove: .9, Sizes: sizes(20), Work: work},
	}}
}

func TestTablesAreRectangular(t *testing.T) {
	r := sample()
	for name, rows := range map[string][][]string{"main": r.mainRows(), "stages": r.stageRows(), "series": r.seriesRows("activations")} {
		for i, row := range rows {
			if len(row) != len(rows[0]) {
				t.Errorf("%s: row %d has %d cells, want %d", name, i, len(row), len(rows[0]))
			}
		}
	}
}

func TestSeriesShowsWhatAFurtherActivationCosts(t *testing.T) {
	rows := sample().seriesRows("activations")
	if got, want := rows[2][6], "40000000.00 ns"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPageNeedsNothingFromOutside(t *testing.T) {
	page, err := sample().HTML()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"<script", "<link", "src=", "url("} {
		if strings.Contains(string(page), part) {
			t.Errorf("page contains %q", part)
		}
	}
	if !strings.Contains(string(page), "&lt;cpu&gt;") || strings.Count(string(page), "<svg") != 2 {
		t.Error("page lacks the escaped machine or its two plots")
	}
}
