// Package vectors makes the table of verdicts in testdata/vectors, and tests it. An
// evaluator that is written from docs/MEANING.md alone computes the rows; package policy and
// compiled filters must agree with each; and each of many misreadings of the page must
// contradict some. All of it is tests.
package vectors
