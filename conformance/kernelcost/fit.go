package main

import (
	"math/rand/v2"
	"slices"
)

// A sample is what one program took in all rounds.
type sample []float64

// low is the first decile, which says what the work costs if nothing disturbs it. The
// minimum does not: a virtual machine corrects processor time by what its host stole.
func (s sample) low() float64 { return s.quantile(10) }

func (s sample) median() float64 { return s.quantile(2) }

// quantile returns the smallest value that one in n is not above.
func (s sample) quantile(n int) float64 {
	return slices.Sorted(slices.Values(s))[(len(s)-1)/n]
}

// turns measures n things in turns, in another order in each round.
func turns(n, rounds int, measure func(i int) (float64, error)) ([]sample, error) {
	took := make([]sample, n)
	random := rand.New(rand.NewPCG(1, 2))
	for range rounds {
		for _, i := range random.Perm(n) {
			t, err := measure(i)
			if err != nil {
				return nil, err
			}
			took[i] = append(took[i], t)
		}
	}
	return took, nil
}

// fit returns the coefficients that explain y by the columns of x with the least squares
// of relative errors, and the share of the variance of y that they explain.
func fit(x [][]float64, y []float64) (coefficients []float64, r2 float64) {
	n := len(x[0])
	m := make([][]float64, n) // the normal equations, and their right sides
	for i := range m {
		m[i] = make([]float64, n+1)
		for row := range x {
			for j := range n {
				m[i][j] += x[row][i] * x[row][j] / (y[row] * y[row])
			}
			m[i][n] += x[row][i] / y[row]
		}
	}
	coefficients = solve(m)
	mean := 0.0
	for _, v := range y {
		mean += v / float64(len(y))
	}
	var left, total float64
	for row := range x {
		d := y[row] - mean
		e := y[row] - dot(coefficients, x[row])
		left, total = left+e*e, total+d*d
	}
	return coefficients, 1 - left/total
}

// solve returns the solution of linear equations by Gauss and Jordan's elimination. The
// equations of a fit are positive definite, so no pivot is zero.
func solve(m [][]float64) []float64 {
	for i := range m {
		for k := range m {
			if k == i {
				continue
			}
			f := m[k][i] / m[i][i]
			for j := i; j < len(m[k]); j++ {
				m[k][j] -= f * m[i][j]
			}
		}
	}
	x := make([]float64, len(m))
	for i := range m {
		x[i] = m[i][len(m)] / m[i][i]
	}
	return x
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}
